// The heart of buying and holding: the inventory proposes tickets, the ledger decides, and whatever comes of it
// the two agree again afterwards.

import { invariant } from '@floodgate/core/assert.ts';
import type { EventId, Ticket } from '@floodgate/core/ids.ts';
import type { Refusal, RefusalCode } from '@floodgate/core/refusal.ts';
import type { TakeRefusal, Want } from '../../inventory/inventory.ts';
import {
  type Buy,
  type BuyerLimits,
  type Committed,
  type Hold,
  type Idempotency,
  LedgerUnavailable,
  type Outcome,
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
  readonly note: number | undefined;
}

export interface ClaimRequest {
  readonly idempotency?: Idempotency | undefined;
  /** Whether answer and kept refusal carry how many tickets of the event are left, as their `note`. */
  readonly notesRemaining?: boolean;
  /** Looked into once for each version of the event. */
  readonly demand: (entry: CatalogueEntry) => Demand | Refusal;
  /** The entry that claims these tickets. */
  readonly propose: (proposal: Proposal) => Buy | Hold;
}

export interface Claimed {
  readonly outcome: Committed;
  /** The event, with all the tickets of the outcome. */
  readonly entry: CatalogueEntry;
}

/** Claims what is wanted, or refuses. Throws LedgerUnavailable or LedgerOutcomeUnknown. */
export async function claim(
  shop: Shop,
  entry: CatalogueEntry,
  request: ClaimRequest,
): Promise<Claimed | Refusal> {
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
        ? await refuse(shop, current, request, { refusal: demand.refusal, note: noteOf(demand) })
        : await claimOn(shop, current, request, demand);
    if (outcome.status === 'committed') {
      const shown = shop.catalogue.withTickets(current.eventId, outcome.tickets);
      return { outcome, entry: shown instanceof Promise ? await shown : shown };
    }
    if (outcome.refusal !== 'EVENT_CHANGED') return refusalOf(current, request, outcome);
    current = await shop.catalogue.newerThan(current);
  }
  throw new LedgerUnavailable(`the event was changed ${MAX_CHANGES} times`);
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
async function claimOn(
  shop: Shop,
  entry: CatalogueEntry,
  request: ClaimRequest,
  { wants, limits }: Demand,
): Promise<Outcome> {
  const { eventId, version } = entry;
  let deadlineMs = 0;
  let proposals = 0;
  while (proposals < MAX_PROPOSALS) {
    const answer = shop.inventory.take(eventId, wants);
    // The memory inventory answers at once: a turn of the microtask queue saved for every sale.
    const taken = answer instanceof Promise ? await answer : answer;
    if ('tickets' in taken) {
      const note = request.notesRemaining ? await remaining(shop, eventId) : undefined;
      const { tickets } = taken;
      const { idempotency } = request;
      const proposal = request.propose({ eventId, version, limits, tickets, idempotency, note });
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
  throw new LedgerUnavailable(`others were faster ${MAX_PROPOSALS} times`);
}

/**
 * Waits for a change of what takes in flight decide. Throws LedgerUnavailable at the deadline, on the monotonic clock, and
 * refuses nothing: a ledger that stands still decides nothing, and then the tickets may be free.
 */
export async function takesInFlight(shop: Shop, eventId: EventId, deadlineMs: number): Promise<void> {
  const leftMs = deadlineMs - performance.now();
  if (leftMs <= 0) throw new LedgerUnavailable('sales under way are not decided yet');
  await shop.inventory.nextChange(eventId, leftMs);
}

/** Lets the ledger judge, and tells the inventory. */
async function propose(shop: Shop, entry: Buy | Hold): Promise<Outcome> {
  const { eventId, tickets } = entry;
  let outcome: Outcome;
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
async function refuseTake(
  shop: Shop,
  entry: CatalogueEntry,
  request: ClaimRequest,
  refusal: TakeRefusal,
  seats: readonly Ticket[] | undefined,
): Promise<Outcome> {
  invariant(refusal !== 'PENDING', 'a pending take is waited for, not refused');
  const { eventId } = entry;
  let note: number | undefined;
  if (request.notesRemaining) note = await remaining(shop, eventId);
  else if (refusal === 'ALL_HELD') note = await shop.nextExpiries.of(eventId);
  return refuse(shop, entry, request, { refusal, note, seats });
}

/**
 * A refusal; under a key it is kept like any answer (rule S5), unless the key already has one, or staff have changed the
 * event meanwhile.
 */
async function refuse(
  shop: Shop,
  { eventId, version }: CatalogueEntry,
  { idempotency }: ClaimRequest,
  refused: Omit<Refused, 'status'>,
): Promise<Outcome> {
  const { refusal, note, seats } = refused;
  if (!idempotency || !isOfState(refusal)) return { status: 'refused', refusal, note, seats };
  return shop.ledger.post({ kind: 'refuse', eventId, version, refusal, idempotency, note, seats });
}

/** Requests that name nothing there is leave nothing behind: put right, they may be sent again under the same key. */
function isOfState(refusal: RefusalCode): boolean {
  return !refusal.endsWith('_NOT_FOUND');
}

const noteOf = ({ onSaleAtMs, perOrder }: Refusal): number | undefined => onSaleAtMs ?? perOrder;

/** What a refusal says beside its code, the same when it was kept and is told again. */
function refusalOf(
  { layout }: CatalogueEntry,
  { notesRemaining }: ClaimRequest,
  { refusal, note, seats }: Refused,
): Refusal {
  switch (refusal) {
    case 'NOT_ON_SALE':
      return { refusal, onSaleAtMs: note };
    case 'BELOW_MINIMUM':
    case 'LIMIT_REACHED':
      return { refusal, perOrder: note };
    case 'SEAT_TAKEN':
      return { refusal, seats: seats?.flatMap((ticket) => layout.seatOf(ticket) ?? []) };
    case 'ALL_HELD':
      return notesRemaining ? { refusal, remaining: note } : { refusal, nextExpiryAtMs: note };
    default:
      return { refusal, remaining: note };
  }
}

/** Tickets of the event that nobody has claimed. */
async function remaining(shop: Shop, eventId: EventId): Promise<number> {
  const counts = await shop.inventory.counts(eventId);
  return counts?.reduce((sum, type) => sum + type.available, 0) ?? 0;
}
