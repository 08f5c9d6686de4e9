// What a buyer wants, as the scripts read it. take.lua knows "pool:quantity"; take-seats.lua knows three kinds:
//   "pool:quantity" + ":needed"                               any tickets
//   "=12.14-20"                                               these tickets
//   "~n:first run:end run:first pool:last pool:needed" + "!"  the best n seats, "!" if only side by side
// `needed` is what all wants of the take must find in these pools. Any tickets of one type wanted twice say it, too;
// take.lua adds them up itself.

import { invariant } from '@floodgate/core/assert.ts';
import type { Ticket, TicketTypeId } from '@floodgate/core/ids.ts';
import type { TicketLayout } from '@floodgate/core/seating/layout.ts';
import { MAX_PARTY, type TicketsWant, type Want } from '../inventory.ts';
import { poolFinder } from './event-image.ts';

export interface WantText {
  /** Joined by ",", in the order in which they must be taken. */
  readonly text: string;
  /** Tickets of all wants together. */
  readonly quantity: number;
  /** Whether take.lua can meet them. */
  readonly isAny: boolean;
}

/** A want with the pools that may serve it: neighbours in the layout. */
interface Ask {
  readonly want: Want;
  readonly rank: number;
  /** Of the pools; of named tickets 0. */
  readonly quantity: number;
  readonly pools: readonly [first: number, last: number];
}

const NO_POOLS = [-1, -1] as const;

export class WantEncoder {
  readonly layout: TicketLayout;
  /** The pool of each type of general admission; -1 for types that sell seats. */
  readonly #types = new Map<TicketTypeId, number>();
  readonly #poolOf: (ticket: number) => number;

  constructor(layout: TicketLayout) {
    this.layout = layout;
    this.#poolOf = poolFinder(layout);
    for (const [index, { ticketType, kind }] of layout.pools.entries()) {
      this.#types.set(ticketType, kind === 'any' ? index : -1);
    }
  }

  /** Undefined when the layout has no such ticket type. Throws on what nobody may want. */
  encode(wants: readonly Want[]): WantText | undefined {
    checkWants(wants);
    for (const want of wants) if ('ticketType' in want && !this.#types.has(want.ticketType)) return undefined;
    if (wants.length === 1) return this.#encodeOne(wants[0]!);
    const asks = wants.map((want) => this.#askOf(want));
    const named = wants.flatMap((want) => ('tickets' in want ? want.tickets : []));
    this.#checkNamed(named);
    const texts = asks
      .toSorted((a, b) => a.rank - b.rank)
      .map((ask) => textOf(this.layout, ask, this.#needOf(ask, asks, named)));
    const quantity = asks.reduce((sum, ask) => sum + sizeOf(ask), 0);
    return { text: texts.join(','), quantity, isAny: asks.every(({ rank }) => rank === ANY) };
  }

  #encodeOne(want: Want): WantText {
    const ask = this.#askOf(want);
    if ('tickets' in want) this.#checkNamed(want.tickets);
    const text = textOf(this.layout, ask, ask.quantity);
    return { text, quantity: sizeOf(ask), isAny: ask.rank === ANY };
  }

  #askOf(want: Want): Ask {
    if ('tickets' in want) return { want, rank: NAMED, quantity: 0, pools: NO_POOLS };
    if ('best' in want) {
      const pools = this.layout.poolsFor(want.ticketType, want);
      const [first, last] = [pools[0] ?? 0, pools.at(-1) ?? 0];
      const isSeated = pools.length > 0 && this.layout.pools[first]!.kind !== 'any';
      invariant(isSeated, `there are no such seats of ${want.ticketType}`);
      invariant(last === first + pools.length - 1, 'pools of seats follow each other');
      const rank = want.section === undefined ? BEST : BEST_IN_SECTION;
      return { want, rank, quantity: want.best, pools: [first, last] };
    }
    const pool = this.#types.get(want.ticketType)!;
    if (pool < 0) invariant(false, `${want.ticketType} sells seats`);
    // More than there is, is as good as infinite; a number that prints as 1e+21 would be read as 1.
    const quantity = Math.min(want.quantity, this.layout.capacity + 1);
    return { want, rank: ANY, quantity, pools: [pool, pool] };
  }

  #checkNamed(named: readonly Ticket[]): void {
    for (const ticket of named) {
      if (!this.layout.has(ticket)) invariant(false, `ticket ${ticket} is outside the event`);
    }
    if (named.length > 1) invariant(new Set(named).size === named.length, 'no ticket is wanted twice');
  }

  /**
   * What all wants together must have of the pools of one. Pools of two wants are the same, or one's are among the
   * other's, or they have none in common; so all can be met if and only if so many are available for each want.
   */
  #needOf(ask: Ask, asks: readonly Ask[], named: readonly Ticket[]): number {
    if (ask.rank === NAMED) return 0;
    const [first, last] = ask.pools;
    let needed = 0;
    for (const { pools, quantity } of asks) if (pools[0] >= first && pools[1] <= last) needed += quantity;
    for (const ticket of named) {
      const pool = this.#poolOf(ticket);
      if (pool >= first && pool <= last) needed++;
    }
    return needed;
  }
}

/** The order of taking: so no want takes what another one must have. General admission has its tickets to itself. */
const [NAMED, BEST_IN_SECTION, BEST, ANY] = [0, 1, 2, 3] as const;

/** Throws on what nobody may want of any event. */
export function checkWants(wants: readonly Want[]): void {
  invariant(wants.length > 0, 'a take wants at least one ticket');
  for (const want of wants) {
    const number = 'quantity' in want ? want.quantity : 'best' in want ? want.best : want.tickets.length;
    invariant(Number.isInteger(number) && number >= 1, 'a wanted quantity is an integer from 1');
    if ('best' in want) invariant(want.best <= MAX_PARTY, `a party is of ${MAX_PARTY} at most`);
  }
}

function textOf(layout: TicketLayout, ask: Ask, needed: number): string {
  const { want, quantity } = ask;
  const [first, last] = ask.pools;
  if ('tickets' in want) return textOfNamed(want);
  if ('quantity' in want) return `${first}:${quantity}${needed === quantity ? '' : `:${needed}`}`;
  const runs = `${layout.pools[first]!.firstRun}:${layout.pools[last]!.endRun}`;
  return `~${quantity}:${runs}:${first}:${last}:${needed}${want.together === true ? '!' : ''}`;
}

function textOfNamed({ tickets }: TicketsWant): string {
  let text = '=';
  for (let at = 0; at < tickets.length; ) {
    const from = at++;
    while (at < tickets.length && tickets[at] === tickets[at - 1]! + 1) at++;
    const run = at - from === 1 ? `${tickets[from]}` : `${tickets[from]}-${tickets[at - 1]}`;
    text += from === 0 ? run : `.${run}`;
  }
  return text;
}

function sizeOf({ want, quantity }: Ask): number {
  return 'tickets' in want ? want.tickets.length : quantity;
}
