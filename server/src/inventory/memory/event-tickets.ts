// All tickets of one event in this process's memory: per ticket one byte of state and one bit of "available", per pool
// the counts by state, and for seats where parties can sit. `move` is the only place where a ticket changes state.

import { invariant } from '@floodgate/core/assert.ts';
import type { Ticket, TicketTypeId } from '@floodgate/core/ids.ts';
import type { TicketLayout, TicketRange } from '@floodgate/core/seating/layout.ts';
import {
  AVAILABLE,
  HELD,
  type InventorySnapshot,
  PENDING,
  type Repair,
  SOLD,
  type State,
  type TypeCounts,
} from '../inventory.ts';
import { FreeSet } from './free-set.ts';
import { SeatFinder } from './seat-finder.ts';

const STATES = 4;

export class EventTickets {
  readonly layout: TicketLayout;
  /** Undefined when the event has no seats. */
  readonly seats: SeatFinder | undefined;
  readonly #states: Uint8Array;
  readonly #available: FreeSet;
  /** How many tickets of each pool are in each state. */
  readonly #inState: Int32Array;
  readonly #poolOf: PoolIndex;
  readonly #poolsOf = new Map<TicketTypeId, number[]>();

  /** All tickets are available, but for those whose states are given. */
  constructor(layout: TicketLayout, states: Uint8Array = new Uint8Array(0)) {
    this.layout = layout;
    this.#states = new Uint8Array(layout.capacity);
    this.#available = new FreeSet(layout.capacity);
    this.#inState = new Int32Array(STATES * layout.pools.length);
    for (const [pool, { ticketType, ranges }] of layout.pools.entries()) {
      this.#inState[STATES * pool] = sizeOf(ranges);
      const known = this.#poolsOf.get(ticketType);
      if (known) known.push(pool);
      else this.#poolsOf.set(ticketType, [pool]);
    }
    this.#poolOf = new PoolIndex(layout);
    if (layout.plan) this.seats = new SeatFinder(layout.plan.runs, this.#available);
    for (let ticket = 0; ticket < states.length; ticket++) {
      if (states[ticket] !== AVAILABLE) this.move(ticket as Ticket, states[ticket] as State);
    }
  }

  /** Throws when the snapshot names a ticket outside the layout or twice. */
  static loaded(layout: TicketLayout, snapshot: InventorySnapshot): EventTickets {
    const event = new EventTickets(layout);
    for (const ticket of snapshot.held) event.#claim(ticket, HELD);
    for (const ticket of snapshot.sold) event.#claim(ticket, SOLD);
    event.seats?.refresh();
    return event;
  }

  /** The same tickets in the same states, and those a longer layout has beyond them. */
  grown(layout: TicketLayout): EventTickets {
    const event = new EventTickets(layout, this.#states);
    event.seats?.refresh();
    return event;
  }

  /** How many tickets of the pools are in a state. */
  count(pools: readonly number[], state: State): number {
    let count = 0;
    for (const pool of pools) count += this.#inState[STATES * pool + state]!;
    return count;
  }

  /** The first available tickets of a pool, looked for from `from` on (0 ≤ from < 1 of the event). There must be as many. */
  firstAvailable(pool: number, quantity: number, from: number): Ticket[] {
    const { ranges } = this.layout.pools[pool]!;
    const tickets: Ticket[] = [];
    const start = Math.floor(from * this.layout.capacity);
    for (const [first, end] of ranges) this.#collect(tickets, quantity, Math.max(first, start), end);
    for (const [first, end] of ranges) this.#collect(tickets, quantity, first, Math.min(end, start));
    invariant(tickets.length === quantity, 'the counts and the bitmap of available tickets agree');
    return tickets;
  }

  #collect(tickets: Ticket[], quantity: number, first: number, end: number): void {
    let next = first;
    while (tickets.length < quantity && next < end) {
      const ticket = this.#available.firstFrom(next, end);
      if (ticket === -1) return;
      tickets.push(ticket as Ticket);
      next = ticket + 1;
    }
  }

  /** Whether any ticket changed. */
  settle(tickets: readonly Ticket[], as: 'held' | 'sold'): boolean {
    const to = as === 'sold' ? SOLD : HELD;
    for (const ticket of tickets) this.check(ticket);
    let changed = false;
    for (const ticket of tickets) {
      const from = this.stateOf(ticket);
      if (from >= to || (from === AVAILABLE && to === HELD)) continue;
      this.move(ticket, to);
      changed = true;
    }
    return changed;
  }

  /** Whether any ticket changed. */
  giveBack(tickets: readonly Ticket[]): boolean {
    for (const ticket of tickets) this.check(ticket);
    let changed = false;
    for (const ticket of tickets) {
      const from = this.stateOf(ticket);
      if (from === AVAILABLE || from === SOLD) continue;
      this.move(ticket, AVAILABLE);
      changed = true;
    }
    return changed;
  }

  /** How many were still in the state they are corrected from. */
  repair(repairs: readonly Repair[]): number {
    for (const { ticket } of repairs) this.check(ticket);
    let repaired = 0;
    for (const { ticket, from, to } of repairs) {
      if (this.stateOf(ticket) !== from) continue;
      this.move(ticket, to);
      repaired++;
    }
    return repaired;
  }

  states(): Uint8Array {
    return this.#states.slice();
  }

  stateOf(ticket: Ticket): State {
    return this.#states[ticket] as State;
  }

  poolOf(ticket: Ticket): number {
    return this.#poolOf.find(ticket);
  }

  /** The ticket's state, its pool's counts and the bitmap change together, so that S2 holds after every move. */
  move(ticket: Ticket, to: State): void {
    const from = this.stateOf(ticket);
    const counts = STATES * this.#poolOf.find(ticket);
    this.#states[ticket] = to;
    this.#inState[counts + from]!--;
    this.#inState[counts + to]!++;
    if (to === AVAILABLE) this.#available.add(ticket);
    else if (from === AVAILABLE) this.#available.delete(ticket);
    else return;
    if (this.seats !== undefined && ticket < this.#poolOf.seats) this.seats.changed(ticket);
  }

  /** By type, in the order in which the pools have them. */
  counts(): readonly TypeCounts[] {
    return Array.from(this.#poolsOf, ([ticketType, pools]) => {
      const [available, pending] = [this.count(pools, AVAILABLE), this.count(pools, PENDING)];
      const [held, sold] = [this.count(pools, HELD), this.count(pools, SOLD)];
      return { ticketType, capacity: available + pending + held + sold, available, pending, held, sold };
    });
  }

  // The message is made only when it is needed: a template per ticket would cost more than the move.
  check(ticket: number): asserts ticket is Ticket {
    if (!this.layout.has(ticket)) invariant(false, `ticket ${ticket} is outside the event`);
  }

  #claim(ticket: number, as: State): void {
    this.check(ticket);
    if (this.stateOf(ticket) !== AVAILABLE) invariant(false, `the snapshot names ticket ${ticket} twice`);
    this.move(ticket, as);
  }
}

/** In which pool a ticket is. Seats of a pool lie scattered, so each has its entry; of other pools the ranges are few. */
class PoolIndex {
  /** How many of the tickets, from 0 on, are seats. */
  readonly seats: number;
  readonly #poolOfSeat: Int32Array;
  /** Ascending; `#pools` has the pool of each. */
  readonly #ends: readonly number[];
  readonly #pools: readonly number[];

  constructor({ pools, plan }: TicketLayout) {
    this.seats = plan?.seats ?? 0;
    this.#poolOfSeat = new Int32Array(this.seats);
    const others: (readonly [end: number, pool: number])[] = [];
    for (const [pool, { kind, ranges }] of pools.entries()) {
      for (const [first, end] of ranges) {
        if (kind !== 'any') this.#poolOfSeat.fill(pool, first, end);
        else if (first < end) others.push([end, pool]);
      }
    }
    others.sort(([a], [b]) => a - b);
    this.#ends = others.map(([end]) => end);
    this.#pools = others.map(([, pool]) => pool);
  }

  find(ticket: number): number {
    if (ticket < this.seats) return this.#poolOfSeat[ticket]!;
    let index = 0;
    while (ticket >= this.#ends[index]!) index++;
    return this.#pools[index]!;
  }
}

function sizeOf(ranges: readonly TicketRange[]): number {
  return ranges.reduce((sum, [first, end]) => sum + end - first, 0);
}
