// How a request's wants are met from an event's tickets in memory, all together or not at all (rule S3), or why they cannot
// be. First comes what can be told from states and counts alone: see `refusalOf`. Then the tickets are taken, in the order
// of the plan. So whenever the counts are enough, seats can be found too, with two exceptions: a party that insists on
// sitting together, and accessible pools, where a companion seat is of no use without its place.
import type { Ticket } from '@floodgate/core/ids.ts';
import type { Search } from '../best-seats.ts';
import {
  AVAILABLE,
  type BestWant,
  HELD,
  PENDING,
  type State,
  type TakeRefusal,
  type TakeResult,
  type Want,
} from '../inventory.ts';
import { type Ask, isUnknown, neededFor, planTake, searchOf, type TakePlan } from '../take-plan.ts';
import type { EventTickets } from './event-tickets.ts';

/** Marks a ticket as taken. */
export type Mark = (event: EventTickets, ticket: Ticket) => void;

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

/** Throws on what `planTake` throws on. */
export function takeWants(event: EventTickets, wants: readonly Want[], from: number, mark: Mark): TakeResult {
  const plan = planTake(event.layout, wants);
  const refusal = refusalOf(event, plan);
  if (refusal === 'SEAT_TAKEN') return { refusal, taken: plan.named.filter((t) => event.stateOf(t) >= HELD) };
  if (refusal !== undefined) return { refusal };
  const taken: Ticket[] = [];
  for (const ask of plan.asks) {
    if (takeOne(event, ask, from, mark, taken)) continue;
    for (const ticket of taken) event.move(ticket, AVAILABLE);
    return { refusal: whyUnseated(event, ask, from) };
  }
  return { tickets: taken };
}

/** Why the wants cannot be met now, as far as states and counts tell. */
function refusalOf(event: EventTickets, plan: TakePlan): TakeRefusal | undefined {
  let refusal = plan.named.length > 0 ? whyTaken(event, plan.named) : undefined;
  for (const ask of plan.asks) {
    if ('tickets' in ask.want) continue;
    const why = whyShort(event, ask, neededFor(ask, plan, event));
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
function whyShort(event: EventTickets, ask: Ask, wanted: number): TakeRefusal | undefined {
  if (isUnknown(ask)) return 'TICKET_TYPE_NOT_FOUND';
  const { pools } = ask;
  const available = event.count(pools, AVAILABLE);
  if (available >= wanted) return undefined;
  const undecided = available + event.count(pools, PENDING);
  if (undecided >= wanted) return 'PENDING';
  return undecided + event.count(pools, HELD) >= wanted ? 'ALL_HELD' : 'SOLD_OUT';
}

/** Adds to `taken` what it takes. False when not all seats can be found; then some may be taken all the same. */
function takeOne(event: EventTickets, ask: Ask, from: number, mark: Mark, taken: Ticket[]): boolean {
  const { want, pools } = ask;
  if ('best' in want) return seat(event, want, searchOf(event.layout, pools, from), mark, taken);
  const tickets = 'tickets' in want ? want.tickets : event.firstAvailable(pools[0]!, ask.quantity, from);
  take(event, tickets, mark, taken);
  return true;
}

function take(event: EventTickets, tickets: readonly Ticket[], mark: Mark, taken: Ticket[]): void {
  for (const ticket of tickets) {
    mark(event, ticket);
    taken.push(ticket);
  }
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
  if (together && event.seats!.find(searchOf(event.layout, pools, from), 1)) return 'NO_SEATS_TOGETHER';
  if (event.count(pools, PENDING) > 0) return 'PENDING';
  return event.count(pools, HELD) > 0 ? 'ALL_HELD' : 'SOLD_OUT';
}
