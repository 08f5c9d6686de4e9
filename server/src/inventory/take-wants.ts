// How a request's wants are met from an event's tickets, all together or not at all (rule S3), or why they cannot be.
//
// First comes what can be told from states and counts alone: see `refusalOf`. Then the tickets are taken: the named ones
// before all others, best seats in one section before those in all sections, else in the order of the request. So no want
// takes what another one must have, and whenever the counts are enough, seats can be found too. Two exceptions: a party
// that insists on sitting together, and accessible pools, where a companion seat is of no use without its place.

import { invariant } from '@floodgate/core/assert.ts';
import type { Ticket } from '@floodgate/core/ids.ts';
import type { Search } from './best-seats.ts';
import {
  AVAILABLE,
  type BestWant,
  HELD,
  MAX_PARTY,
  PENDING,
  type State,
  type TakeRefusal,
  type TakeResult,
  type Want,
} from './inventory.ts';
import type { EventTickets } from './memory/event-tickets.ts';

/** Marks a ticket as taken. */
export type Mark = (event: EventTickets, ticket: Ticket) => void;

/** A want with the pools that may serve it: neighbours in the layout; none for named tickets. */
interface Ask {
  readonly want: Want;
  readonly pools: readonly number[];
  /** How many tickets are wanted of these pools. */
  readonly quantity: number;
}

const NO_POOLS: readonly number[] = [];
const NO_TICKETS: readonly Ticket[] = [];

/**
 * Refusals of a loaded event, the first that applies is answered. A take is all or nothing, so one want that cannot be
 * met decides for all: no settled hold helps a buyer who also wants what is sold out, and no take in flight one who also
 * wants what is held. So a definite no goes before one that may change, and nobody waits in vain.
 */
const PRECEDENCE: readonly TakeRefusal[] = [
  'TICKET_TYPE_NOT_FOUND',
  'SEAT_TAKEN',
  'SOLD_OUT',
  'ALL_HELD',
  'PENDING',
];

/** Throws on wants that are no wants: a quantity that is no integer ≥ 1, a ticket named twice, none at all. */
export function takeWants(event: EventTickets, wants: readonly Want[], from: number, mark: Mark): TakeResult {
  invariant(wants.length > 0, 'a take wants at least one ticket');
  const asks = wants.map((want) => askOf(event, want));
  const named = namedIn(asks);
  const refusal = refusalOf(event, asks, named);
  if (refusal === 'SEAT_TAKEN') return { refusal, taken: named.filter((t) => event.stateOf(t) >= HELD) };
  if (refusal !== undefined) return { refusal };
  const taken: Ticket[] = [];
  for (let rank = 0; rank < RANKS; rank++) {
    for (const ask of asks) {
      if (rankOf(ask) !== rank || takeOne(event, ask, from, mark, taken)) continue;
      for (const ticket of taken) event.move(ticket, AVAILABLE);
      return { refusal: whyUnseated(event, ask, from) };
    }
  }
  return { tickets: taken };
}

function askOf(event: EventTickets, want: Want): Ask {
  const { layout } = event;
  if ('tickets' in want) {
    invariant(want.tickets.length > 0, 'a take wants at least one ticket');
    for (const ticket of want.tickets) event.check(ticket);
    return { want, pools: NO_POOLS, quantity: 0 };
  }
  if ('best' in want) {
    const { best, ticketType } = want;
    invariant(Number.isInteger(best) && best >= 1 && best <= MAX_PARTY, `a party is of 1 to ${MAX_PARTY}`);
    const pools = layout.poolsFor(ticketType, want);
    const isSeated = pools.length > 0 && layout.pools[pools[0]!]!.kind !== 'any';
    if (!isSeated) invariant(!event.hasType(ticketType), `there are no such seats of ${ticketType}`);
    return { want, pools, quantity: best };
  }
  const { quantity, ticketType } = want;
  invariant(Number.isInteger(quantity) && quantity >= 1, 'a wanted quantity is an integer from 1');
  const pools = layout.poolsFor(ticketType);
  const isAny = pools.length > 0 && layout.pools[pools[0]!]!.kind === 'any';
  if (!isAny) invariant(!event.hasType(ticketType), `${ticketType} sells seats`);
  return { want, pools, quantity };
}

function namedIn(asks: readonly Ask[]): readonly Ticket[] {
  let named = NO_TICKETS;
  for (const { want } of asks) {
    if ('tickets' in want) named = named.length === 0 ? want.tickets : [...named, ...want.tickets];
  }
  if (named.length > 1) invariant(new Set(named).size === named.length, 'no ticket is wanted twice');
  return named;
}

/** Why the wants cannot be met now, as far as states and counts tell. */
function refusalOf(
  event: EventTickets,
  asks: readonly Ask[],
  named: readonly Ticket[],
): TakeRefusal | undefined {
  let refusal = named.length > 0 ? whyTaken(event, named) : undefined;
  for (const ask of asks) {
    if ('tickets' in ask.want) continue;
    const why = whyShort(
      event,
      ask.pools,
      asks.length === 1 ? ask.quantity : wantedIn(event, ask, asks, named),
    );
    if (refusal === undefined) refusal = why;
    else if (why !== undefined && PRECEDENCE.indexOf(why) < PRECEDENCE.indexOf(refusal)) refusal = why;
  }
  return refusal;
}

function whyTaken(event: EventTickets, tickets: readonly Ticket[]): TakeRefusal | undefined {
  let worst: State = AVAILABLE;
  for (const ticket of tickets) worst = Math.max(worst, event.stateOf(ticket)) as State;
  if (worst >= HELD) return 'SEAT_TAKEN';
  return worst === PENDING ? 'PENDING' : undefined;
}

/** Who could still bring the tickets that are missing: nobody, holds that lapse, or takes in flight. */
function whyShort(event: EventTickets, pools: readonly number[], wanted: number): TakeRefusal | undefined {
  if (pools.length === 0) return 'TICKET_TYPE_NOT_FOUND';
  const available = event.count(pools, AVAILABLE);
  if (available >= wanted) return undefined;
  const undecided = available + event.count(pools, PENDING);
  if (undecided >= wanted) return 'PENDING';
  return undecided + event.count(pools, HELD) >= wanted ? 'ALL_HELD' : 'SOLD_OUT';
}

/**
 * What all wants together must have of these pools. Pools of two wants are the same, or one's are among the other's, or
 * they have none in common; so everybody can be served if and only if this many are available for each of the wants.
 */
function wantedIn(
  event: EventTickets,
  { pools }: Ask,
  asks: readonly Ask[],
  named: readonly Ticket[],
): number {
  if (pools.length === 0) return 0;
  const [first, last] = [pools[0]!, pools.at(-1)!];
  let wanted = 0;
  for (const other of asks) {
    const mine = other.pools.length > 0 && other.pools[0]! >= first && other.pools.at(-1)! <= last;
    if (mine) wanted += other.quantity;
  }
  for (const ticket of named) {
    const pool = event.poolOf(ticket);
    if (pool >= first && pool <= last) wanted++;
  }
  return wanted;
}

const RANKS = 3;

function rankOf({ want }: Ask): number {
  if ('tickets' in want) return 0;
  return 'best' in want && want.section === undefined ? 2 : 1;
}

/** Adds to `taken` what it takes. False when not all seats can be found; then some may be taken all the same. */
function takeOne(event: EventTickets, ask: Ask, from: number, mark: Mark, taken: Ticket[]): boolean {
  const { want, pools } = ask;
  if ('best' in want) return seat(event, want, searchOf(event, pools, from), mark, taken);
  const tickets = 'tickets' in want ? want.tickets : event.firstAvailable(pools[0]!, want.quantity, from);
  take(event, tickets, mark, taken);
  return true;
}

function take(event: EventTickets, tickets: readonly Ticket[], mark: Mark, taken: Ticket[]): void {
  for (const ticket of tickets) {
    mark(event, ticket);
    taken.push(ticket);
  }
}

function searchOf({ layout }: EventTickets, pools: readonly number[], from: number): Search {
  return { first: layout.pools[pools[0]!]!.firstRun, end: layout.pools[pools.at(-1)!]!.endRun, from };
}

/** Seats a party by the rule of best-seats.ts. */
function seat(event: EventTickets, want: BestWant, search: Search, mark: Mark, taken: Ticket[]): boolean {
  for (let [left, n] = [want.best, want.best]; left > 0; n = Math.min(n, left)) {
    const group = event.seats!.find(search, n);
    if (group !== undefined) {
      take(event, group, mark, taken);
      left -= n;
    } else if (n > 1 && want.together !== true) n--;
    else return false;
  }
  return true;
}

/** Enough seats are free, but none, or none side by side, that could be found: asked when nothing is taken any more. */
function whyUnseated(event: EventTickets, { want, pools }: Ask, from: number): TakeRefusal {
  const together = 'best' in want && want.together === true;
  if (together && event.seats!.find(searchOf(event, pools, from), 1)) return 'NO_SEATS_TOGETHER';
  if (event.count(pools, PENDING) > 0) return 'PENDING';
  return event.count(pools, HELD) > 0 ? 'ALL_HELD' : 'SOLD_OUT';
}
