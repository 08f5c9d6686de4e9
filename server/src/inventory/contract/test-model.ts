// A plain model of an inventory, for tests: an array of states, and what the rules of inventory.ts and best-seats.ts say
// word by word, with scans instead of counts and bitmaps.

import { invariant } from '@floodgate/core/assert.ts';
import type { Ticket } from '@floodgate/core/ids.ts';
import type { TicketLayout } from '@floodgate/core/seating/layout.ts';
import { bestSeats } from '../best-seats.ts';
import {
  type AnyWant,
  AVAILABLE,
  type BestWant,
  HELD,
  PENDING,
  SOLD,
  type State,
  type TakeRefusal,
  type TakeResult,
  type TypeCounts,
  type Want,
} from '../inventory.ts';

const PRECEDENCE: readonly TakeRefusal[] = ['SEAT_TAKEN', 'SOLD_OUT', 'ALL_HELD', 'PENDING'];

export class InventoryModel {
  layout: TicketLayout;
  /** By ticket number. */
  readonly states: State[];
  readonly #from: number;

  /** `from`: see MemoryInventory. */
  constructor(layout: TicketLayout, from = 0) {
    this.layout = layout;
    this.states = Array(layout.capacity).fill(AVAILABLE);
    this.#from = from;
  }

  grow(layout: TicketLayout): void {
    if (layout.capacity <= this.states.length) return;
    this.layout = layout;
    while (this.states.length < layout.capacity) this.states.push(AVAILABLE);
  }

  counts(): TypeCounts[] {
    const types = [...new Set(this.layout.pools.map((pool) => pool.ticketType))];
    return types.map((ticketType) => {
      const own = this.states.filter(
        (_, ticket) => this.layout.typeOf(ticket as Ticket).ticketTypeId === ticketType,
      );
      const [available, pending, held, sold] = [AVAILABLE, PENDING, HELD, SOLD].map(
        (state) => own.filter((each) => each === state).length,
      ) as [number, number, number, number];
      return { ticketType, capacity: own.length, available, pending, held, sold };
    });
  }

  take(wants: readonly Want[]): TakeResult {
    const refusals = wants.map((want) => this.#refusalOf(want, wants));
    const refusal = PRECEDENCE.find((each) => refusals.includes(each));
    if (refusal === 'SEAT_TAKEN')
      return { refusal, taken: namedIn(wants).filter((t) => this.states[t]! >= HELD) };
    if (refusal) return { refusal };
    const before = [...this.states];
    const tickets: Ticket[] = [];
    for (const want of [...wants].sort((a, b) => rankOf(a) - rankOf(b))) {
      const found = this.#find(want);
      if (found === undefined) {
        this.states.splice(0, this.states.length, ...before);
        return { refusal: this.#whyNotFound(want) };
      }
      for (const ticket of found) this.states[ticket] = PENDING;
      tickets.push(...found);
    }
    return { tickets };
  }

  #refusalOf(want: Want, wants: readonly Want[]): TakeRefusal | undefined {
    if ('tickets' in want) {
      const states = want.tickets.map((ticket) => this.states[ticket]!);
      if (states.some((state) => state >= HELD)) return 'SEAT_TAKEN';
      return states.includes(PENDING) ? 'PENDING' : undefined;
    }
    const mine = this.#ticketsFor(want);
    let wanted = namedIn(wants).filter((ticket) => mine.has(ticket)).length;
    for (const other of wants) {
      if ('tickets' in other || ![...this.#ticketsFor(other)].every((ticket) => mine.has(ticket))) continue;
      wanted += 'best' in other ? other.best : other.quantity;
    }
    const states = [...mine].map((ticket) => this.states[ticket]!);
    const upTo = (state: State) => states.filter((each) => each <= state).length;
    if (upTo(AVAILABLE) >= wanted) return undefined;
    if (upTo(PENDING) >= wanted) return 'PENDING';
    return upTo(HELD) >= wanted ? 'ALL_HELD' : 'SOLD_OUT';
  }

  #find(want: Want): readonly Ticket[] | undefined {
    if ('tickets' in want) return want.tickets;
    if ('best' in want) return this.#seat(want.best, want);
    const start = Math.floor(this.#from * this.layout.capacity);
    const free = [...this.#ticketsFor(want)].filter((ticket) => this.states[ticket] === AVAILABLE);
    const around = [...free.filter((ticket) => ticket >= start), ...free.filter((ticket) => ticket < start)];
    return around.slice(0, want.quantity);
  }

  #seat(best: number, want: BestWant): Ticket[] | undefined {
    const pools = this.layout.poolsFor(want.ticketType, want).map((pool) => this.layout.pools[pool]!);
    const search = { first: pools[0]!.firstRun, end: pools.at(-1)!.endRun, from: this.#from };
    const isFree = (ticket: number) => this.states[ticket] === AVAILABLE;
    return bestSeats(this.layout.plan!.runs, isFree, search, { best, together: want.together });
  }

  #whyNotFound(want: Want): TakeRefusal {
    invariant('best' in want, 'other wants are found when the counts suffice');
    if (want.together === true && this.#seat(1, want)) return 'NO_SEATS_TOGETHER';
    const states = [...this.#ticketsFor(want)].map((ticket) => this.states[ticket]);
    if (states.includes(PENDING)) return 'PENDING';
    return states.includes(HELD) ? 'ALL_HELD' : 'SOLD_OUT';
  }

  /** All tickets that may serve a want, ascending. */
  #ticketsFor(want: AnyWant | BestWant): Set<Ticket> {
    const ranges = this.layout
      .poolsFor(want.ticketType, 'best' in want ? want : {})
      .flatMap((pool) => this.layout.pools[pool]!.ranges);
    const tickets = ranges.flatMap(([first, end]) =>
      Array.from({ length: end - first }, (_, i) => first + i),
    );
    return new Set(tickets.sort((a, b) => a - b) as Ticket[]);
  }
}

function namedIn(wants: readonly Want[]): Ticket[] {
  return wants.flatMap((want) => ('tickets' in want ? want.tickets : []));
}

function rankOf(want: Want): number {
  if ('tickets' in want) return 0;
  return 'best' in want && want.section === undefined ? 2 : 1;
}
