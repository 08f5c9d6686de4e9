// How an event's tickets are numbered: dense integers 0 … n-1, seats first, in blocks of one ticket type. A block is
// never moved or renumbered, because the ledger keeps ticket numbers for ever; capacity that grows later becomes a
// further block at the end.
//
// Inventories count by pool: the tickets of a type that can stand for one another. General admission is one pool;
// seats are one for each section, and accessible ones apart.

import { invariant } from '../assert.ts';
import { type Block, type EventDefinition, MAX_EVENT_CAPACITY, type TicketType } from '../event/event.ts';
import { PriceList } from '../event/price-list.ts';
import type { Ticket, TicketTypeId } from '../ids.ts';
import type { Price } from '../price.ts';
import { seatedSection } from './manifest.ts';
import { SeatNames } from './seat-names.ts';
import type { SeatPlan } from './seat-plan.ts';

/** Half-open, ascending. */
export type TicketRange = readonly [first: number, end: number];

export interface Pool {
  readonly ticketType: TicketTypeId;
  /** `any`: general admission. */
  readonly kind: 'any' | 'general' | 'accessible';
  /** Of seats, and of general admission in an area of the manifest. */
  readonly section: string | undefined;
  /** Ascending. */
  readonly ranges: readonly TicketRange[];
  /** Its runs, by position; empty for general admission. */
  readonly firstRun: number;
  readonly endRun: number;
}

export interface SeatName {
  readonly section: string;
  readonly row: string;
  readonly seat: string;
}

/** Different for different seats, whatever their names contain. */
export function seatKey({ section, row, seat }: SeatName): string {
  return JSON.stringify([section, row, seat]);
}

/** What is printed on a ticket and shown to its buyer. */
export interface TicketView {
  readonly ticketId: string;
  readonly ticketType: TicketTypeId;
  readonly label: string;
  readonly seat?: SeatName | undefined;
}

interface NumberedBlock {
  readonly type: TicketType;
  readonly first: number;
  readonly count: number;
  readonly numberFrom: number;
}

const NO_POOLS: readonly number[] = [];

/** Where each ticket type's tickets lie inside an event. Immutable. */
export class TicketLayout {
  readonly capacity: number;
  /** By ticket type in the event's order; of seats by kind, then by section. */
  readonly pools: readonly Pool[];
  readonly plan: SeatPlan | undefined;
  readonly #blocks: readonly NumberedBlock[];
  readonly #prices: PriceList;
  readonly #poolsOf: ReadonlyMap<TicketTypeId, TypePools>;
  readonly #prefixes: ReadonlyMap<TicketTypeId, string>;
  #seatsByName: SeatNames | undefined;

  /**
   * Without blocks they are those of a new event ({@link blocksFor}). Throws when the blocks do not begin with the seats
   * of the plan, or when a type has a category and there is no plan.
   */
  constructor(event: Pick<EventDefinition, 'ticketTypes' | 'blocks'>, plan?: SeatPlan) {
    const { ticketTypes } = event;
    invariant(
      plan !== undefined || ticketTypes.every((t) => t.category === undefined),
      'seats without their plan',
    );
    this.plan = plan;
    const blocks = event.blocks ?? blocksFor(ticketTypes, plan);
    this.#blocks = numberBlocks(ticketTypes, blocks, plan);
    this.#prices = new PriceList(ticketTypes, blocks);
    this.#prefixes = new Map(ticketTypes.map((t) => [t.ticketTypeId, t.ticketTypeId.toUpperCase()]));
    this.capacity = this.#blocks.reduce((sum, { count }) => sum + count, 0);
    invariant(this.capacity <= MAX_EVENT_CAPACITY, `an event has at most ${MAX_EVENT_CAPACITY} tickets`);
    this.pools = ticketTypes.flatMap((type) => this.#poolsFor(type));
    this.#poolsOf = indexPools(this.pools);
  }

  #poolsFor({ ticketTypeId: ticketType, category }: TicketType): readonly Pool[] {
    const seats = this.plan?.pools.filter((pool) => pool.ticketType === ticketType) ?? [];
    if (seats.length > 0) return seats;
    const areas =
      this.plan?.manifest.sections.filter((s) => !seatedSection(s) && s.category === category) ?? [];
    const section = areas.length === 1 ? areas[0]!.section : undefined;
    return [{ ticketType, kind: 'any', section, ranges: this.rangesOf(ticketType), firstRun: 0, endRun: 0 }];
  }

  /** The half-open ranges `[first, end)` of tickets a type has, in ascending order. */
  rangesOf(ticketType: TicketTypeId): readonly TicketRange[] {
    return this.#blocks
      .filter((block) => block.type.ticketTypeId === ticketType)
      .map((block) => [block.first, block.first + block.count] as const);
  }

  /** Whether the number is a ticket of this event. */
  has(ticket: number): ticket is Ticket {
    return Number.isInteger(ticket) && ticket >= 0 && ticket < this.capacity;
  }

  /** Whether the type sells seats. */
  isSeated(ticketType: TicketTypeId): boolean {
    return this.#poolsOf.get(ticketType)?.seated === true;
  }

  /**
   * The pools (by index) of a type that serve a request: the general ones, or only the accessible ones; in all sections
   * or in one. Those of seats follow each other, and so do their runs. Empty when there are none.
   */
  poolsFor(
    ticketType: TicketTypeId,
    which: { readonly section?: string | undefined; readonly accessible?: boolean | undefined } = {},
  ): readonly number[] {
    const pools = this.#poolsOf.get(ticketType);
    const found = which.section === undefined ? pools?.all : pools?.bySection.get(which.section);
    return found?.[which.accessible === true ? 'accessible' : 'general'] ?? NO_POOLS;
  }

  /** The ticket of a seat; undefined when the event sells no such seat. */
  seatNamed(section: string, row: string, seat: string): Ticket | undefined {
    if (!this.plan) return undefined;
    this.#seatsByName ??= new SeatNames(this.plan);
    return this.#seatsByName.find(section, row, seat);
  }

  /** The seat of a ticket; undefined for general admission. Throws on a number that is no ticket of this event. */
  seatOf(ticket: Ticket): SeatName | undefined {
    if (!this.has(ticket)) throw this.#notATicket(ticket);
    if (!this.plan || ticket >= this.plan.seats) return undefined;
    const { section, row } = this.plan.rows[this.plan.rowOf[ticket]!]!;
    return { section: section.section, row: row.row, seat: row.seats[this.plan.placeOf[ticket]!]!.seat };
  }

  /** The ticket's type. Throws on a number that is no ticket of this event. */
  typeOf(ticket: Ticket): TicketType {
    return this.#blockOf(ticket).type;
  }

  /** How the ticket is shown: `{ticketId: "41", ticketType: "ga", label: "GA-42"}`; of a seat "Stalls A-12". */
  viewOf(ticket: Ticket): TicketView {
    const block = this.#blockOf(ticket);
    const ticketType = block.type.ticketTypeId;
    const ticketId = String(ticket);
    const seat = this.seatOf(ticket);
    if (seat) return { ticketId, ticketType, label: `${seat.section} ${seat.row}-${seat.seat}`, seat };
    const number = ticket - block.first + block.numberFrom;
    return { ticketId, ticketType, label: `${this.#prefixes.get(ticketType)}-${number}` };
  }

  /** What the tickets cost in this version of the event. Throws on a number that is no ticket of it. */
  priceOf(tickets: readonly Ticket[]): Price {
    return this.#prices.priceOf(tickets);
  }

  // Blocks are few (one or two per ticket type), so a scan beats a binary search.
  #blockOf(ticket: Ticket): NumberedBlock {
    if (this.has(ticket)) {
      for (const block of this.#blocks) if (ticket < block.first + block.count) return block;
    }
    throw this.#notATicket(ticket);
  }

  #notATicket(ticket: number): Error {
    return new Error(`broken invariant: ${ticket} is not a ticket of this event (capacity ${this.capacity})`);
  }
}

function numberBlocks(
  ticketTypes: readonly TicketType[],
  blocks: readonly Block[],
  plan: SeatPlan | undefined,
): readonly NumberedBlock[] {
  const types = new Map(ticketTypes.map((type) => [type.ticketTypeId, type]));
  const numbered: NumberedBlock[] = [];
  const counts = new Map<TicketTypeId, number>();
  let first = 0;
  for (const [index, { ticketType, count }] of blocks.entries()) {
    const type = types.get(ticketType);
    invariant(type !== undefined, `a block of the unknown ticket type ${ticketType}`);
    invariant(Number.isInteger(count) && count >= 0, `capacity of ${ticketType}`);
    const seats = plan?.types[index];
    const sameSeats = seats?.ticketType === ticketType && seats.count === count;
    invariant(
      seats ? sameSeats : !isOfSeats(plan, ticketType),
      `the seats of ${ticketType} are numbered otherwise`,
    );
    const numberFrom = (counts.get(ticketType) ?? 0) + 1;
    numbered.push({ type: type!, first, count, numberFrom });
    counts.set(ticketType, numberFrom + count - 1);
    first += count;
  }
  invariant(blocks.length >= (plan?.types.length ?? 0), 'seats have no ticket numbers');
  return numbered;
}

function isOfSeats(plan: SeatPlan | undefined, ticketType: TicketTypeId): boolean {
  return plan?.types.some((seated) => seated.ticketType === ticketType) === true;
}

interface PoolIndexes {
  readonly general: number[];
  readonly accessible: number[];
}

/** The pools of one ticket type, by index, in all sections and by section. */
interface TypePools {
  seated: boolean;
  readonly all: PoolIndexes;
  readonly bySection: Map<string, PoolIndexes>;
}

function indexPools(pools: readonly Pool[]): ReadonlyMap<TicketTypeId, TypePools> {
  const types = new Map<TicketTypeId, TypePools>();
  for (const [index, { ticketType, kind, section }] of pools.entries()) {
    const type = types.get(ticketType) ?? { seated: false, all: noPools(), bySection: new Map() };
    types.set(ticketType, type);
    type.seated ||= kind !== 'any';
    const which = kind === 'accessible' ? 'accessible' : 'general';
    type.all[which].push(index);
    if (section === undefined) continue;
    const inSection = type.bySection.get(section) ?? noPools();
    type.bySection.set(section, inSection);
    inSection[which].push(index);
  }
  return types;
}

function noPools(): PoolIndexes {
  return { general: [], accessible: [] };
}

/**
 * The blocks of a new event: those of seats first, each with all the seats its type sells, then general admission with
 * the capacity of each type.
 */
export function blocksFor(ticketTypes: readonly TicketType[], plan?: SeatPlan): readonly Block[] {
  const seated = (plan?.types ?? []).map(({ ticketType, count }) => ({ ticketType, count }));
  const others = ticketTypes.filter(({ ticketTypeId }) => !isOfSeats(plan, ticketTypeId));
  return [
    ...seated,
    ...others.map(({ ticketTypeId, capacity }) => ({ ticketType: ticketTypeId, count: capacity })),
  ];
}

/** How many ticket numbers an event has, whatever is set aside. An event with seats must have its blocks written down. */
export function layoutCapacity(event: Pick<EventDefinition, 'ticketTypes' | 'blocks'>): number {
  return (event.blocks ?? blocksFor(event.ticketTypes)).reduce((sum, { count }) => sum + count, 0);
}
