// What a take needs of an event before anything is known of its tickets' states: the pools that may serve each want, how
// many tickets all wants together must find there, and the order in which they are taken. Memory carries the plan out
// itself (take-wants.ts), Redis gets it as text (redis/want-text.ts).
//
// Named tickets are taken before all others, best seats in one section before those in all sections, else in the order of
// the request. So no want takes what another one must have, and whenever the counts are enough, seats can be found too.
import { invariant } from '@floodgate/core/assert.ts';
import type { Ticket, TicketTypeId } from '@floodgate/core/ids.ts';
import type { TicketLayout } from '@floodgate/core/seating/layout.ts';
import type { Search } from './best-seats.ts';
import { MAX_PARTY, type Want } from './inventory.ts';

/** A want with the pools that may serve it. */
export interface Ask {
  readonly want: Want;
  /** By index in the layout, where they are neighbours. None for named tickets, nor when the event has no such type. */
  readonly pools: readonly number[];
  /** How many tickets are wanted of these pools: 0 for named tickets. More than there are is one more than there are. */
  readonly quantity: number;
}

/** Knows which pool a ticket of the event is in. */
export interface PoolFinder {
  poolOf(ticket: Ticket): number;
}

export interface TakePlan {
  /** In the order of taking. */
  readonly asks: readonly Ask[];
  /** All that are named. */
  readonly named: readonly Ticket[];
}

const NO_POOLS: readonly number[] = [];
const NO_TICKETS: readonly Ticket[] = [];

/** Throws on what nobody may want of this event: see {@link checkWants}, and tickets or seats that it does not have. */
export function planTake(layout: TicketLayout, wants: readonly Want[]): TakePlan {
  invariant(wants.length > 0, 'a take wants at least one ticket');
  // A list that grows by `push` would cost the commonest take a quarter more.
  const asks = wants.length === 1 ? [askOf(layout, wants[0]!)] : asksOf(layout, wants);
  const named = namedIn(wants);
  if (named.length > 1) invariant(new Set(named).size === named.length, 'no ticket is wanted twice');
  return { asks, named };
}

/** Throws on what nobody may want of any event: a quantity that is no integer ≥ 1, too large a party, nothing at all. */
export function checkWants(wants: readonly Want[]): void {
  invariant(wants.length > 0, 'a take wants at least one ticket');
  for (const want of wants) {
    if ('tickets' in want) checkQuantity(want.tickets.length);
    else if ('best' in want) checkParty(want.best);
    else checkQuantity(want.quantity);
  }
}

function checkQuantity(quantity: number): void {
  invariant(Number.isInteger(quantity) && quantity >= 1, 'a wanted quantity is an integer from 1');
}

function checkParty(best: number): void {
  invariant(Number.isInteger(best) && best >= 1 && best <= MAX_PARTY, `a party is of 1 to ${MAX_PARTY}`);
}

/** In the order of taking. Most wants stand in it already, and to sort two costs a fifth of what their take costs. */
function asksOf(layout: TicketLayout, wants: readonly Want[]): Ask[] {
  const asks: Ask[] = [];
  let isInOrder = true;
  for (const want of wants) {
    const ask = askOf(layout, want);
    if (asks.length > 0 && rankOf(want) < rankOf(asks[asks.length - 1]!.want)) isInOrder = false;
    asks.push(ask);
  }
  return isInOrder ? asks : asks.sort((a, b) => rankOf(a.want) - rankOf(b.want));
}

/** A want's place in the order of taking. */
function rankOf(want: Want): number {
  if ('tickets' in want) return 0;
  return 'best' in want && want.section === undefined ? 2 : 1;
}

function askOf(layout: TicketLayout, want: Want): Ask {
  if ('tickets' in want) {
    checkQuantity(want.tickets.length);
    for (const ticket of want.tickets) {
      // The message is made only when it is needed.
      if (!layout.has(ticket)) invariant(false, `ticket ${ticket} is outside the event`);
    }
    return { want, pools: NO_POOLS, quantity: 0 };
  }
  if ('best' in want) {
    const { best, ticketType } = want;
    checkParty(best);
    const pools = layout.poolsFor(ticketType, want);
    const isSeated = pools.length > 0 && layout.pools[pools[0]!]!.kind !== 'any';
    if (!isSeated) refuseKnown(layout, ticketType, 'has no such seats');
    else invariant(pools.at(-1) === pools[0]! + pools.length - 1, 'pools of seats are neighbours');
    return { want, pools, quantity: best };
  }
  const { quantity, ticketType } = want;
  checkQuantity(quantity);
  const pools = layout.poolsFor(ticketType);
  const isAny = pools.length > 0 && layout.pools[pools[0]!]!.kind === 'any';
  if (!isAny) refuseKnown(layout, ticketType, 'sells seats');
  return { want, pools, quantity: Math.min(quantity, layout.capacity + 1) };
}

function refuseKnown(layout: TicketLayout, ticketType: TicketTypeId, why: string): void {
  const isKnown = layout.pools.some((pool) => pool.ticketType === ticketType);
  invariant(!isKnown, `${ticketType} ${why}`);
}

function namedIn(wants: readonly Want[]): readonly Ticket[] {
  let named = NO_TICKETS;
  for (const want of wants) {
    if ('tickets' in want) named = named.length === 0 ? want.tickets : [...named, ...want.tickets];
  }
  return named;
}

/** Whether the event has no tickets of this type. */
export function isUnknown({ want, pools }: Ask): boolean {
  return pools.length === 0 && !('tickets' in want);
}

/**
 * What all wants together must find in the pools of one. Pools of two wants are the same, or one's are among the other's,
 * or they have none in common; so all can be met if and only if this many are available for each of the wants.
 */
export function neededFor({ pools, quantity }: Ask, { asks, named }: TakePlan, finder: PoolFinder): number {
  if (asks.length === 1 || pools.length === 0) return quantity;
  const [first, last] = [pools[0]!, pools.at(-1)!];
  let needed = 0;
  for (const other of asks) {
    if (other.pools.length > 0 && other.pools[0]! >= first && other.pools.at(-1)! <= last)
      needed += other.quantity;
  }
  for (const ticket of named) {
    const pool = finder.poolOf(ticket);
    if (pool >= first && pool <= last) needed++;
  }
  return needed;
}

/** Where best seats of these pools are looked for: see best-seats.ts. The runs of neighbouring pools follow each other. */
export function searchOf({ pools: all }: TicketLayout, pools: readonly number[], from: number): Search {
  return { first: all[pools[0]!]!.firstRun, end: all[pools.at(-1)!]!.endRun, from };
}
