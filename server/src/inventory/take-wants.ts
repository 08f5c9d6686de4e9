// How a request's wants are met from an event's tickets, all together or not at all (rule S3), or why they cannot be.
//
// First comes what can be told from states and counts alone: see `refusalOf`. Then the tickets are taken: the named ones
// before all others, best seats in one section before those in all sections, else in the order of the request. So no want
// takes what another one must have, and whenever the counts are enough, seats can be found too. Two exceptions: a party
// that insists on sitting together, and accessible pools, where a companion seat is of no use without its place.
import type { Ticket } from '@floodgate/core/ids.ts';
import { invariant } from '@floodgate/core/refusal.ts';
import type { Search } from './best-seats.ts';
import type { EventTickets } from './event-tickets.ts';
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

/** Marks a ticket as taken. */
export type Mark = (event: EventTickets, ticket: Ticket) => void;

/** A want with the pools that may serve it: neighbours in the layout. */
interface Ask {
  readonly want: Want;
  /** How many tickets are wanted of these pools; 0 of named tickets, which have none here. */
  readonly quantity: number;
  readonly pools: readonly number[];
}

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
  const refused = refusalOf(event, asks);
  if (refused !== undefined) return refused;
  if (asks.length === 1) {
    const tickets = takeOne(event, asks[0]!, from, mark);
    return tickets ? { tickets } : { refusal: whyUnseated(event, asks[0]!, from) };
  }
  const taken: (readonly Ticket[])[] = [];
  for (const index of inOrderOfTaking(asks)) {
    const tickets = takeOne(event, asks[index]!, from, mark);
    if (!tickets) {
      for (const ticket of taken.flat()) event.move(ticket, AVAILABLE);
      return { refusal: whyUnseated(event, asks[index]!, from) };
    }
    taken[index] = tickets;
  }
  return { tickets: taken.flat() };
}

function askOf(event: EventTickets, want: Want): Ask {
  const { layout } = event;
  if ('tickets' in want) {
    invariant(want.tickets.length > 0, 'a take wants at least one ticket');
    for (const ticket of want.tickets) event.check(ticket);
    return { want, quantity: 0, pools: [] };
  }
  if ('best' in want) {
    const { best, ticketType } = want;
    invariant(Number.isInteger(best) && best >= 1 && best <= MAX_PARTY, `a party is of 1 to ${MAX_PARTY}`);
    const pools = layout.poolsFor(ticketType, want);
    const isSeated = pools.length > 0 && layout.pools[pools[0]!]!.kind !== 'any';
    invariant(isSeated || !event.hasType(ticketType), `there are no such seats of ${ticketType}`);
    return { want, quantity: best, pools };
  }
  const { quantity, ticketType } = want;
  invariant(Number.isInteger(quantity) && quantity >= 1, 'a wanted quantity is an integer from 1');
  invariant(!layout.isSeated(ticketType), `${ticketType} sells seats`);
  return { want, quantity, pools: layout.poolsFor(ticketType) };
}

/** Why the wants cannot be met now, as far as states and counts tell. */
function refusalOf(
  event: EventTickets,
  asks: readonly Ask[],
): Extract<TakeResult, { refusal: TakeRefusal }> | undefined {
  const named = asks.flatMap(({ want }) => ('tickets' in want ? want.tickets : []));
  if (named.length > 1) invariant(new Set(named).size === named.length, 'no ticket is wanted twice');
  const refusals = asks.map((ask) => {
    return 'tickets' in ask.want ? whyTaken(event, ask.want.tickets) : shortageOf(event, ask, asks, named);
  });
  const refusal = PRECEDENCE.find((each) => refusals.includes(each));
  if (refusal !== 'SEAT_TAKEN') return refusal && { refusal };
  return { refusal, taken: named.filter((ticket) => event.stateOf(ticket) >= HELD) };
}

function whyTaken(event: EventTickets, tickets: readonly Ticket[]): TakeRefusal | undefined {
  let worst: State = AVAILABLE;
  for (const ticket of tickets) worst = Math.max(worst, event.stateOf(ticket)) as State;
  if (worst >= HELD) return 'SEAT_TAKEN';
  return worst === PENDING ? 'PENDING' : undefined;
}

function shortageOf(
  event: EventTickets,
  ask: Ask,
  asks: readonly Ask[],
  named: readonly Ticket[],
): TakeRefusal | undefined {
  if (ask.pools.length === 0) return 'TICKET_TYPE_NOT_FOUND';
  const wanted = asks.length === 1 ? ask.quantity : wantedIn(event, ask.pools, asks, named);
  const available = event.count(ask.pools, AVAILABLE);
  return available >= wanted ? undefined : shortage(event, ask.pools, wanted);
}

/** Who could still bring the tickets that are missing: nobody, holds that lapse, or takes in flight. */
function shortage(event: EventTickets, pools: readonly number[], wanted: number): TakeRefusal {
  const undecided = event.count(pools, AVAILABLE) + event.count(pools, PENDING);
  if (undecided >= wanted) return 'PENDING';
  return undecided + event.count(pools, HELD) >= wanted ? 'ALL_HELD' : 'SOLD_OUT';
}

/**
 * What all wants together must have of these pools. Pools of two wants are the same, or one's are among the other's, or
 * they have none in common; so everybody can be served if and only if this many are available for each of the wants.
 */
function wantedIn(
  event: EventTickets,
  pools: readonly number[],
  asks: readonly Ask[],
  named: readonly Ticket[],
): number {
  const [first, last] = [pools[0]!, pools.at(-1)!];
  let wanted = 0;
  for (const ask of asks) {
    if (ask.pools.length > 0 && ask.pools[0]! >= first && ask.pools.at(-1)! <= last) wanted += ask.quantity;
  }
  for (const ticket of named) {
    const pool = event.poolOf(ticket);
    if (pool >= first && pool <= last) wanted++;
  }
  return wanted;
}

function inOrderOfTaking(asks: readonly Ask[]): number[] {
  const rank = ({ want }: Ask) => {
    if ('tickets' in want) return 0;
    return 'best' in want && want.section === undefined ? 2 : 1;
  };
  return [...asks.keys()].sort((a, b) => rank(asks[a]!) - rank(asks[b]!) || a - b);
}

/** Undefined, with nothing taken, when seats cannot be found. */
function takeOne(event: EventTickets, ask: Ask, from: number, mark: Mark): readonly Ticket[] | undefined {
  const { want, pools } = ask;
  if ('best' in want) return seat(event, want, searchOf(event, pools, from), mark);
  const tickets = 'tickets' in want ? want.tickets : event.firstAvailable(pools[0]!, want.quantity, from);
  for (const ticket of tickets) mark(event, ticket);
  return tickets;
}

function searchOf({ layout }: EventTickets, pools: readonly number[], from: number): Search {
  return { first: layout.pools[pools[0]!]!.firstRun, end: layout.pools[pools.at(-1)!]!.endRun, from };
}

/** Seats a party by the rule of best-seats.ts. */
function seat(event: EventTickets, want: BestWant, search: Search, mark: Mark): Ticket[] | undefined {
  const seated: Ticket[] = [];
  for (let n = want.best; seated.length < want.best; ) {
    const group = event.seats!.find(search, n);
    if (group !== undefined) {
      for (const ticket of group) {
        mark(event, ticket);
        seated.push(ticket);
      }
      n = Math.min(n, want.best - seated.length);
    } else if (n > 1 && want.together !== true) n--;
    else {
      for (const ticket of seated) event.move(ticket, AVAILABLE);
      return undefined;
    }
  }
  return seated;
}

/** Enough seats are free, but none, or none side by side, that could be found: asked when nothing is taken any more. */
function whyUnseated(event: EventTickets, { want, pools }: Ask, from: number): TakeRefusal {
  const together = 'best' in want && want.together === true;
  if (together && event.seats!.find(searchOf(event, pools, from), 1)) return 'NO_SEATS_TOGETHER';
  if (event.count(pools, PENDING) > 0) return 'PENDING';
  return event.count(pools, HELD) > 0 ? 'ALL_HELD' : 'SOLD_OUT';
}
