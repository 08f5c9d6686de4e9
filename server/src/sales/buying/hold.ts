// Holds: a buyer's timed claim on tickets of one or several types, all or nothing (rows E4, C2).

import type { HoldStatus } from '@floodgate/core/hold.ts';
import { type HoldId, holdId, type OrderId } from '@floodgate/core/ids.ts';
import { type Money, money } from '@floodgate/core/money.ts';
import type { Refusal } from '@floodgate/core/refusal.ts';
import type { TicketView } from '@floodgate/core/seating/layout.ts';
import type { Hold, HoldRecord, Idempotency } from '../../ledger/ledger.ts';
import { type Caller, mayUseHold } from '../access/who.ts';
import type { CatalogueEntry } from '../catalogue/catalogue.ts';
import { conduct, type Done, post } from '../conduct.ts';
import { newHoldId, type Shop } from '../shop.ts';
import { type ClaimDemand, NO_EVENT, withNextExpiry } from './claim.ts';
import { check } from './eligibility.ts';
import { type Line, meant } from './wants.ts';

export interface HoldCommand {
  readonly eventId: string;
  readonly lines: readonly Line[];
  readonly buyer: string | null;
  readonly idempotency?: Idempotency | undefined;
}

export interface HoldView {
  readonly holdId: HoldId;
  readonly eventId: string;
  readonly status: HoldStatus;
  readonly expiresAtMs: number;
  /**
   * Counted from the moment of this answer, on the ledger's clock; 0 when the hold has ended. An answer that is repeated
   * under its idempotency key is the first one, word for word.
   */
  readonly expiresInMs: number;
  /** Extending brings the deadline no further than this. */
  readonly extendableUntilMs: number;
  readonly ledgerSeq: number;
  readonly tickets: readonly TicketView[];
  readonly total: Money;
  /** The order it became. */
  readonly orderId: OrderId | null;
  /** Told once, by the answer that made the hold; anyone who has it may act on the hold. */
  readonly secret?: string | undefined;
}

/**
 * Holds tickets for the shop's hold time. Refusals: EVENT_NOT_FOUND, those of `meant` and `check`,
 * IDEMPOTENCY_KEY_REUSED, LIMIT_REACHED, SEAT_TAKEN, SOLD_OUT, ALL_HELD, NO_SEATS_TOGETHER. Throws Busy, LedgerUnavailable,
 * LedgerOutcomeUnknown.
 */
export async function hold(shop: Shop, command: HoldCommand): Promise<HoldView | Refusal> {
  const claimed = await claimHold(shop, command, asIs);
  return 'refusal' in claimed ? claimed : heldOf(shop, claimed);
}

const asIs = (hold: Hold): Hold => hold;

/** As `hold`, with the ledger's words. `as` makes the entry that is posted from the plain hold. */
export async function claimHold<E extends Hold>(
  shop: Shop,
  command: HoldCommand,
  as: (hold: Hold) => E,
): Promise<Done<E> | Refusal> {
  const found = shop.catalogue.find(command.eventId);
  const entry = found instanceof Promise ? await found : found;
  if (!entry) return { refusal: 'EVENT_NOT_FOUND' };
  const { buyer, idempotency } = command;
  return conduct<E, ClaimDemand>(shop, entry, {
    kind: 'hold',
    idempotency,
    check: (entry) => demandOf(shop, entry, command),
    propose: ({ eventId, version, layout }, { limits }, tickets) => {
      const [holdId, secret, price] = [newHoldId(shop), shop.newSecret(), layout.priceOf(tickets)];
      const { holdTtlMs: ttlMs } = shop;
      const made = { holdId, secret, price, buyer, ttlMs };
      return as({ kind: 'hold', eventId, version, limits, tickets, idempotency, ...made });
    },
    refuse: (refusal, { eventId }) => withNextExpiry(shop, refusal, eventId),
  });
}

function demandOf(shop: Shop, entry: CatalogueEntry, { lines, buyer }: HoldCommand): ClaimDemand | Refusal {
  if (entry.event.status === 'draft') return NO_EVENT;
  const found = meant(entry, lines);
  if ('refusal' in found) return found;
  const checked = check(entry, found.wanted, { buyer, to: 'hold' }, shop.ledger.nowMs());
  return 'refusal' in checked ? checked : { wants: found.wants, limits: checked.limits };
}

function heldOf(shop: Shop, { outcome, entry }: Done<Hold>): HoldView {
  const { holdId, expiresAtMs, atMs, seq, tickets, total, currency, secret } = outcome;
  return {
    holdId,
    eventId: entry.eventId,
    status: 'active',
    expiresAtMs,
    expiresInMs: expiresAtMs - atMs,
    extendableUntilMs: atMs + shop.holdMaxMs,
    ledgerSeq: seq,
    tickets: tickets.map((ticket) => entry.layout.viewOf(ticket)),
    total: money(total, currency),
    orderId: null,
    secret: secret ?? undefined,
  };
}

/** A hold as it stands now. A hold whose deadline has passed reads as expired, swept or not. */
export async function readHold(shop: Shop, id: string, caller: Caller): Promise<HoldView | Refusal> {
  const found = await findHold(shop, id, caller);
  return found ? holdView(shop, found.entry, found.record) : { refusal: 'HOLD_NOT_FOUND' };
}

/**
 * Another hold time from now, but never beyond the longest a hold may live. Refusals: HOLD_NOT_FOUND, HOLD_EXPIRED,
 * HOLD_RELEASED, HOLD_CONFIRMED, HOLD_AT_CAP. Throws LedgerOutcomeUnknown: then extending again does no harm.
 */
export async function extend(shop: Shop, id: string, caller: Caller): Promise<HoldView | Refusal> {
  const found = await findHold(shop, id, caller);
  if (!found) return { refusal: 'HOLD_NOT_FOUND' };
  const { record, entry } = found;
  const { holdTtlMs: ttlMs, holdMaxMs: maxMs } = shop;
  const { eventId, holdId } = record;
  const outcome = await post(shop, { kind: 'extend', eventId, holdId, ttlMs, maxMs });
  if (outcome.status === 'refused') return { refusal: outcome.refusal };
  const { expiresAtMs, seq } = outcome;
  return holdView(shop, entry, { ...record, status: 'active', expiresAtMs, seq });
}

/** The buyer gives the hold back. Releasing again answers the same. Refusals: HOLD_NOT_FOUND, HOLD_EXPIRED, HOLD_CONFIRMED. */
export async function release(shop: Shop, id: string, caller: Caller): Promise<HoldView | Refusal> {
  const found = await findHold(shop, id, caller);
  if (!found) return { refusal: 'HOLD_NOT_FOUND' };
  const { record, entry } = found;
  const { eventId, holdId } = record;
  const outcome = await post(shop, { kind: 'release', eventId, holdId });
  if (outcome.status === 'refused') return { refusal: outcome.refusal };
  return holdView(shop, entry, { ...record, status: 'released', seq: outcome.seq });
}

export interface FoundHold {
  readonly record: HoldRecord;
  readonly entry: CatalogueEntry;
}

/** A hold and its event, by any text a client sent. A hold on which the caller may not act is not found. */
async function findHold(shop: Shop, id: string, caller: Caller): Promise<FoundHold | undefined> {
  const found = await findAnyHold(shop, id);
  return found && mayUseHold(caller, found.record) ? found : undefined;
}

/** As `findHold`, without asking who may see it. */
export async function findAnyHold(shop: Shop, id: string): Promise<FoundHold | undefined> {
  const known = holdId(id);
  const record = known && (await shop.ledger.hold(known));
  if (!record) return undefined;
  return { record, entry: await shop.catalogue.withTickets(record.eventId, record.tickets) };
}

function holdView(shop: Shop, entry: CatalogueEntry, record: HoldRecord): HoldView {
  const remainingMs = Math.max(0, record.expiresAtMs - shop.ledger.nowMs());
  const isLapsed = record.status === 'active' && remainingMs === 0;
  const status = isLapsed ? 'expired' : record.status;
  return {
    holdId: record.holdId,
    eventId: record.eventId,
    status,
    expiresAtMs: record.expiresAtMs,
    expiresInMs: status === 'active' ? remainingMs : 0,
    extendableUntilMs: record.createdAtMs + shop.holdMaxMs,
    ledgerSeq: record.seq,
    tickets: record.tickets.map((ticket) => entry.layout.viewOf(ticket)),
    total: money(record.total, record.currency),
    orderId: record.status === 'confirmed' ? record.orderId : null,
  };
}
