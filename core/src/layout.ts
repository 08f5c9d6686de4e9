// How an event's tickets are numbered: dense integers 0 … n-1, seats first, in blocks of one ticket type. A block is
// never moved or renumbered, because the ledger keeps ticket numbers for ever; capacity that grows later becomes a
// further block at the end.
//
// Inventories count by pool: the tickets of a type that can stand for one another. General admission is one pool;
// seats are one for each section, and accessible ones apart.
import { type EventDefinition, MAX_EVENT_CAPACITY, type TicketType } from './event.ts';
import type { Ticket, TicketTypeId } from './ids.ts';
import { type Money, money } from './money.ts';
import { invariant } from './refusal.ts';
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

/** What is printed on a ticket and shown to its buyer. */
export interface TicketView {
  readonly ticketId: string;
  readonly ticketType: TicketTypeId;
  readonly label: string;
  readonly seat?: { readonly section: string; readonly row: string; readonly seat: string } | undefined;
}

interface NumberedBlock {
  readonly type: TicketType;
  readonly first: number;
  readonly count: number;
  readonly numberFrom: number;
}

/** Where each ticket type's tickets lie inside an event. Immutable. */
export class TicketLayout {
  readonly capacity: number;
  readonly pools: readonly Pool[];
  readonly plan: SeatPlan | undefined;
  readonly #blocks: readonly NumberedBlock[];
  readonly #prefixes: ReadonlyMap<TicketTypeId, string>;

  constructor(event: Pick<EventDefinition, 'ticketTypes' | 'blocks'>, plan?: SeatPlan) {
    const { ticketTypes } = event;
    const types = new Map(ticketTypes.map((type) => [type.ticketTypeId, type]));
    const blocks: NumberedBlock[] = [];
    const numbered = new Map<TicketTypeId, number>();
    let first = 0;
    for (const { ticketType, count } of event.blocks ?? blocksOf(ticketTypes)) {
      const type = types.get(ticketType);
      invariant(type !== undefined, `a block of the unknown ticket type ${ticketType}`);
      invariant(Number.isInteger(count) && count >= 0, `capacity of ${ticketType}`);
      const numberFrom = (numbered.get(ticketType) ?? 0) + 1;
      blocks.push({ type: type!, first, count, numberFrom });
      numbered.set(ticketType, numberFrom + count - 1);
      first += count;
    }
    invariant(first <= MAX_EVENT_CAPACITY, `an event has at most ${MAX_EVENT_CAPACITY} tickets`);
    this.#blocks = blocks;
    this.#prefixes = new Map(ticketTypes.map((t) => [t.ticketTypeId, t.ticketTypeId.toUpperCase()]));
    this.capacity = first;
    this.plan = plan;
    this.pools = ticketTypes.map(({ ticketTypeId }) => ({
      ticketType: ticketTypeId,
      kind: 'any',
      section: undefined,
      ranges: this.rangesOf(ticketTypeId),
      firstRun: 0,
      endRun: 0,
    }));
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
    return this.pools.some((pool) => pool.ticketType === ticketType && pool.kind !== 'any');
  }

  /**
   * The pools (by index) of a type that serve a request: the general ones, or only the accessible ones; in all sections
   * or in one. Those of seats follow each other, and so do their runs. Empty when there are none.
   */
  poolsFor(
    ticketType: TicketTypeId,
    which: { readonly section?: string | undefined; readonly accessible?: boolean | undefined } = {},
  ): readonly number[] {
    const found: number[] = [];
    for (const [index, pool] of this.pools.entries()) {
      if (pool.ticketType !== ticketType) continue;
      if ((pool.kind === 'accessible') !== (which.accessible === true)) continue;
      if (which.section !== undefined && pool.section !== which.section) continue;
      found.push(index);
    }
    return found;
  }

  /** The ticket of a seat; undefined when the event sells no such seat. */
  seatNamed(_section: string, _row: string, _seat: string): Ticket | undefined {
    return undefined;
  }

  /** The ticket's type. Throws on a number that is no ticket of this event. */
  typeOf(ticket: Ticket): TicketType {
    return this.#blockOf(ticket).type;
  }

  /** How the ticket is shown: `{ticketId: "41", ticketType: "ga", label: "GA-42"}`. */
  viewOf(ticket: Ticket): TicketView {
    const block = this.#blockOf(ticket);
    const number = ticket - block.first + block.numberFrom;
    const ticketType = block.type.ticketTypeId;
    return { ticketId: String(ticket), ticketType, label: `${this.#prefixes.get(ticketType)}-${number}` };
  }

  /** What the tickets cost together. Throws when they are of several currencies. */
  totalOf(tickets: readonly Ticket[]): Money {
    const currency = this.#blocks[0]?.type.currency ?? 'XXX';
    let amount = 0;
    for (const ticket of tickets) {
      const { type } = this.#blockOf(ticket);
      invariant(type.currency === currency, 'an event has one currency');
      amount += money(type.price, type.currency).amount;
    }
    return money(amount, currency);
  }

  // Blocks are few (one or two per ticket type), so a scan beats a binary search.
  #blockOf(ticket: Ticket): NumberedBlock {
    if (this.has(ticket)) {
      for (const block of this.#blocks) if (ticket < block.first + block.count) return block;
    }
    throw new Error(`broken invariant: ${ticket} is not a ticket of this event (capacity ${this.capacity})`);
  }
}

function blocksOf(ticketTypes: readonly TicketType[]) {
  return ticketTypes.map(({ ticketTypeId, capacity }) => ({ ticketType: ticketTypeId, count: capacity }));
}

/** How many ticket numbers an event has, whatever is set aside. */
export function layoutCapacity(event: Pick<EventDefinition, 'ticketTypes' | 'blocks'>): number {
  return (event.blocks ?? blocksOf(event.ticketTypes)).reduce((sum, { count }) => sum + count, 0);
}
