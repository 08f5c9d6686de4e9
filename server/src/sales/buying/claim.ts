// The heart of buying and holding: the inventory proposes tickets, the ledger decides, and whatever comes of it
// the two agree again afterwards.

import { invariant, unreachable } from '@floodgate/core/assert.ts';
import { Busy } from '@floodgate/core/faults.ts';
import type { EventId, Ticket } from '@floodgate/core/ids.ts';
import type { Refusal, RefusalCode } from '@floodgate/core/refusal.ts';
import type { TakeRefusal, Want } from '../../inventory/inventory.ts';
import {
  type Buy,
  type BuyerLimits,
  type CommittedOf,
  type Hold,
  type Idempotency,
  LedgerUnavailable,
  type OutcomeOf,
  type RefusalDetails,
  type RefusalWithDetail,
  type Refuse,
  type Refused,
} from '../../ledger/ledger.ts';
import type { Catalogue, CatalogueEntry } from '../catalogue/catalogue.ts';
import type { Shop } from '../shop.ts';
import { tellClaims } from '../ticket-states.ts';

/** How often other tickets are proposed after the ledger found the proposed ones claimed. */
const MAX_PROPOSALS = 16;
/** After so many proposals in vain, the inventory reads what others have sold before it proposes again. */
const CATCH_UP_EVERY = 4;
/** How long anybody waits for takes in flight to be decided before being told to come again. */
export const MAX_WAIT_MS = 2_000;
/** How often a request is checked again because staff changed the event meanwhile. */
const MAX_CHANGES = 16;

/** What a request comes to on one version of an event. */
export interface Demand {
  readonly wants: readonly Want[];
  readonly limits: BuyerLimits | undefined;
}

/** What of the claim does not depend on who claims. */
export interface Proposal {
  readonly eventId: EventId;
  readonly version: number;
  readonly limits: BuyerLimits | undefined;
  readonly tickets: readonly Ticket[];
  readonly idempotency: Idempotency | undefined;
}

export interface ClaimRequest<E extends Buy | Hold> {
  readonly kind: E['kind'];
  readonly idempotency?: Idempotency | undefined;
  /** Whether answer and kept refusal carry how many tickets of the event are left. */
  readonly notesRemaining?: boolean;
  /** Looked into once for each version of the event. */
  readonly demand: (entry: CatalogueEntry) => Demand | Refusal;
  /** The entry that claims these tickets. `remaining`: see `notesRemaining`. */
  readonly propose: (proposal: Proposal, remaining: number | undefined) => E;
}

export interface Claimed<E extends Buy | Hold> {
  readonly outcome: CommittedOf<E>;
  /** The event, with all the tickets of the outcome. */
  readonly entry: CatalogueEntry;
}

/** Claims what is wanted, or refuses. Throws Busy, LedgerUnavailable or LedgerOutcomeUnknown. */
export async function claim<E extends Buy | Hold>(
  shop: Shop,
  entry: CatalogueEntry,
  request: ClaimRequest<E>,
): Promise<Claimed<E> | Refusal> {
  let current = entry;
  for (let changes = 0; changes < MAX_CHANGES; changes++) {
    const demand = current.event.status === 'draft' ? NO_EVENT : request.demand(current);
    if ('refusal' in demand && isSaleClosed(demand)) {
      const newer = await lookAgain(shop.catalogue, current);
      const isNewer = newer.version > current.version;
      current = newer;
      if (isNewer) continue;
    }
    if ('refusal' in demand && !isOfState(demand.refusal)) return demand;
    const outcome =
      'refusal' in demand
        ? await refuse(shop, current, request, withDetail(demand))
        : await claimOn(shop, current, request, demand);
    if (outcome.status === 'committed') {
      const shown = shop.catalogue.withTickets(current.eventId, outcome.tickets);
      return { outcome, entry: shown instanceof Promise ? await shown : shown };
    }
    if (outcome.refusal !== 'EVENT_CHANGED') return refusalOf(current, outcome);
    current = await shop.catalogue.newerThan(current);
  }
  throw new Busy(`the event was changed ${MAX_CHANGES} times`);
}

/** A look for a change is made this often at most, however many are refused because an event does not sell. */
const RECENT_MS = 100;

/** An event that does not sell, before a buyer is told so: another process may just have opened it. */
export async function lookAgain(catalogue: Catalogue, entry: CatalogueEntry): Promise<CatalogueEntry> {
  // What the ledger cannot say now is as it was.
  return (await catalogue.current(entry.eventId, RECENT_MS).catch(() => undefined)) ?? entry;
}

/** To the public a draft is not there yet. */
const NO_EVENT: Refusal = Object.freeze({ refusal: 'EVENT_NOT_FOUND' });

const isSaleClosed = ({ refusal }: Refusal): boolean =>
  refusal === 'NOT_ON_SALE' || refusal === 'EVENT_NOT_FOUND';

/** As `claim`, on one version of the event. Refused with EVENT_CHANGED when that is not the newest any more. */
async function claimOn<E extends Buy | Hold>(
  shop: Shop,
  entry: CatalogueEntry,
  request: ClaimRequest<E>,
  { wants, limits }: Demand,
): Promise<OutcomeOf<E>> {
  const { eventId, version } = entry;
  let deadlineMs = 0;
  let proposals = 0;
  while (proposals < MAX_PROPOSALS) {
    const answer = shop.inventory.take(eventId, wants);
    // The memory inventory answers at once: a turn of the microtask queue saved for every sale.
    const taken = answer instanceof Promise ? await answer : answer;
    if ('tickets' in taken) {
      const remaining = request.notesRemaining ? await countRemaining(shop, eventId) : undefined;
      const { tickets } = taken;
      const { idempotency } = request;
      const proposal = request.propose({ eventId, version, limits, tickets, idempotency }, remaining);
      const outcome = await propose(shop, proposal);
      if (outcome.status === 'committed' || outcome.refusal !== 'TICKET_TAKEN') return outcome;
      if (++proposals % CATCH_UP_EVERY === 0) await shop.inventory.catchUp(eventId);
    } else if (taken.refusal === 'PENDING') {
      // Only a buyer who meets takes in flight looks at the clock: the others never pay for it.
      deadlineMs ||= performance.now() + MAX_WAIT_MS;
      await takesInFlight(shop, eventId, deadlineMs);
    } else {
      return refuseTake(shop, entry, request, taken.refusal, taken.taken);
    }
  }
  // No refusal, which a key would keep: there may be tickets, they were only never those that were proposed.
  throw new Busy(`others were faster ${MAX_PROPOSALS} times`);
}

/**
 * Waits for a change of what takes in flight decide. Throws Busy at the deadline, on the monotonic clock, and
 * refuses nothing: a ledger that stands still decides nothing, and then the tickets may be free.
 */
export async function takesInFlight(shop: Shop, eventId: EventId, deadlineMs: number): Promise<void> {
  const leftMs = deadlineMs - performance.now();
  if (leftMs <= 0) throw new Busy('sales under way are not decided yet');
  await shop.inventory.nextChange(eventId, leftMs);
}

/** Lets the ledger judge, and tells the inventory. */
async function propose<E extends Buy | Hold>(shop: Shop, entry: E): Promise<OutcomeOf<E>> {
  const { eventId, tickets } = entry;
  let outcome: OutcomeOf<E>;
  try {
    outcome = await shop.ledger.post(entry);
  } catch (fault) {
    if (fault instanceof LedgerUnavailable) shop.inventory.giveBack(eventId, tickets);
    else shop.doubts.add({ eventId, tickets });
    throw fault;
  }
  if (outcome.status === 'committed' && !outcome.replayed) {
    shop.inventory.settle(eventId, tickets, entry.kind === 'buy' ? 'sold' : 'held');
  } else if (outcome.status === 'refused' && outcome.taken) {
    learnTaken(shop, eventId, tickets, outcome);
  } else {
    shop.inventory.giveBack(eventId, tickets);
  }
  return outcome;
}

/** The inventory was wrong about some of the tickets: it learns how they are claimed and gets the others back. */
export function learnTaken(shop: Shop, eventId: EventId, tickets: readonly Ticket[], refused: Refused): void {
  const taken = refused.taken ?? [];
  shop.telemetry.oversellStopped(eventId, taken.length);
  tellClaims(shop.inventory, eventId, tickets, taken);
}

/** The inventory has not what is wanted: with what a buyer can make of that. */
async function refuseTake<E extends Buy | Hold>(
  shop: Shop,
  entry: CatalogueEntry,
  request: ClaimRequest<E>,
  refusal: TakeRefusal,
  seats: readonly Ticket[] | undefined,
): Promise<OutcomeOf<E>> {
  invariant(refusal !== 'PENDING', 'a pending take is waited for, not refused');
  const { eventId } = entry;
  const remaining = request.notesRemaining ? await countRemaining(shop, eventId) : undefined;
  const isWaiting = refusal === 'ALL_HELD' && !request.notesRemaining;
  const nextExpiryAtMs = isWaiting ? await shop.nextExpiries.of(eventId) : undefined;
  return refuse(shop, entry, request, takeRefused(refusal, { remaining, nextExpiryAtMs, seats }));
}

function takeRefused(
  refusal: Exclude<TakeRefusal, 'PENDING'>,
  found: RefusalDetails['ALL_HELD'] & RefusalDetails['SEAT_TAKEN'],
): RefusalWithDetail {
  const { remaining, nextExpiryAtMs, seats } = found;
  switch (refusal) {
    case 'SEAT_TAKEN':
      return { refusal, detail: { seats } };
    case 'ALL_HELD':
      return { refusal, detail: { remaining, nextExpiryAtMs } };
    case 'SOLD_OUT':
    case 'NO_SEATS_TOGETHER':
      return { refusal, detail: { remaining } };
    case 'EVENT_NOT_FOUND':
    case 'TICKET_TYPE_NOT_FOUND':
      return { refusal };
    default:
      return unreachable(refusal);
  }
}

/**
 * A refusal; under a key it is kept like any answer (rule S5), unless the key already has one, or staff have changed the
 * event meanwhile.
 */
async function refuse<E extends Buy | Hold>(
  shop: Shop,
  { eventId, version }: CatalogueEntry,
  { kind: of, idempotency }: ClaimRequest<E>,
  refused: RefusalWithDetail,
): Promise<OutcomeOf<E>> {
  if (!idempotency || !isOfState(refused.refusal)) return { status: 'refused', ...refused };
  return shop.ledger.post<Refuse<E>>({ kind: 'refuse', of, eventId, version, refused, idempotency });
}

/** Requests that name nothing there is leave nothing behind: put right, they may be sent again under the same key. */
function isOfState(refusal: RefusalCode): boolean {
  return !refusal.endsWith('_NOT_FOUND');
}

/** As the ledger keeps what a check found. */
function withDetail({ refusal, onSaleAtMs, perOrder }: Refusal): RefusalWithDetail {
  switch (refusal) {
    case 'NOT_ON_SALE':
      return { refusal, detail: { onSaleAtMs } };
    case 'BELOW_MINIMUM':
    case 'LIMIT_REACHED':
      return { refusal, detail: { perOrder } };
    default:
      return { refusal };
  }
}

/** What a refusal says beside its code, the same when it was kept and is told again. */
function refusalOf({ layout }: CatalogueEntry, refused: Refused): Refusal {
  if (refused.refusal !== 'SEAT_TAKEN') return { refusal: refused.refusal, ...refused.detail };
  return {
    refusal: 'SEAT_TAKEN',
    seats: refused.detail?.seats?.flatMap((ticket) => layout.seatOf(ticket) ?? []),
  };
}

/** Tickets of the event that nobody has claimed. */
async function countRemaining(shop: Shop, eventId: EventId): Promise<number> {
  const counts = await shop.inventory.counts(eventId);
  return counts?.reduce((sum, type) => sum + type.available, 0) ?? 0;
}
