// Holds: a buyer's timed claim on tickets of one or several types, all or nothing (rows E4, C2).

import type { HoldStatus } from '@floodgate/core/hold.ts';
import { type HoldId, holdId, type OrderId } from '@floodgate/core/ids.ts';
import type { TicketView } from '@floodgate/core/layout.ts';
import type { Money } from '@floodgate/core/money.ts';
import { invariant } from '@floodgate/core/refusal.ts';
import type { HoldRecord, Idempotency } from '../ledger/ledger.ts';
import type { CatalogueEntry } from './catalogue.ts';
import { type Claimed, claim, type Demand } from './claim.ts';
import { entryWith, eventOf, findEvent } from './discover.ts';
import { postToHold } from './doubts.ts';
import { check } from './eligibility.ts';
import type { Refusal } from './refusal.ts';
import { newHoldId, newOrderId, type Rooms } from './rooms.ts';
import { type Line, meant } from './wants.ts';
import { isTheirs, type Principal } from './who.ts';

export interface HoldCommand {
  readonly eventId: string;
  readonly lines: readonly Line[];
  readonly buyer: string | null;
  readonly idempotency?: Idempotency | undefined;
  /** Whether the order it may become has its id already. */
  readonly setsOrderAside?: boolean;
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
}

/**
 * Holds tickets for the shop's hold time. Refusals: EVENT_NOT_FOUND, those of `meant` and `check`,
 * IDEMPOTENCY_KEY_REUSED, LIMIT_REACHED, SEAT_TAKEN, SOLD_OUT, ALL_HELD, NO_SEATS_TOGETHER. Throws LedgerUnavailable,
 * LedgerOutcomeUnknown.
 */
export async function hold(rooms: Rooms, command: HoldCommand): Promise<HoldView | Refusal> {
  const claimed = await claimHold(rooms, command);
  return 'refusal' in claimed ? claimed : heldOf(rooms, claimed);
}

/** As `hold`, with the ledger's words. */
export async function claimHold(rooms: Rooms, command: HoldCommand): Promise<Claimed | Refusal> {
  const entry = rooms.catalogue.find(command.eventId) ?? (await findEvent(rooms, command.eventId));
  if (!entry) return { refusal: 'EVENT_NOT_FOUND' };
  const { buyer, idempotency, setsOrderAside } = command;
  return claim(rooms, entry, {
    idempotency,
    demand: (entry) => demandOf(rooms, entry, command),
    propose: (proposal) => ({
      ...proposal,
      kind: 'hold',
      holdId: newHoldId(rooms),
      buyer,
      ttlMs: rooms.holdTtlMs,
      orderId: setsOrderAside ? newOrderId(rooms) : undefined,
    }),
  });
}

function demandOf(rooms: Rooms, entry: CatalogueEntry, { lines, buyer }: HoldCommand): Demand | Refusal {
  const found = meant(entry, lines);
  if ('refusal' in found) return found;
  const checked = check(entry, found.wanted, { buyer, to: 'hold' }, rooms.ledger.nowMs());
  return 'refusal' in checked ? checked : { wants: found.wants, limits: checked.limits };
}

function heldOf(rooms: Rooms, { outcome, entry }: Claimed): HoldView {
  const { holdId, expiresAtMs, atMs, seq, tickets } = outcome;
  invariant(holdId !== undefined && expiresAtMs !== undefined, 'a hold has an id and a deadline');
  return {
    holdId,
    eventId: entry.eventId,
    status: 'active',
    expiresAtMs,
    expiresInMs: expiresAtMs - atMs,
    extendableUntilMs: atMs + rooms.holdMaxMs,
    ledgerSeq: seq,
    tickets: tickets.map((ticket) => entry.layout.viewOf(ticket)),
    total: entry.layout.totalOf(tickets),
    orderId: null,
  };
}

/** A hold as it stands now. A hold whose deadline has passed reads as expired, swept or not. */
export async function readHold(rooms: Rooms, id: string, who: Principal): Promise<HoldView | Refusal> {
  const found = await findHold(rooms, id, who);
  return found ? holdView(rooms, found.entry, found.record) : { refusal: 'HOLD_NOT_FOUND' };
}

/**
 * Another hold time from now, but never beyond the longest a hold may live. Refusals: HOLD_NOT_FOUND, HOLD_EXPIRED,
 * HOLD_RELEASED, HOLD_CONFIRMED, HOLD_AT_CAP. Throws LedgerOutcomeUnknown: then extending again does no harm.
 */
export async function extend(rooms: Rooms, id: string, who: Principal): Promise<HoldView | Refusal> {
  const found = await findHold(rooms, id, who);
  if (!found) return { refusal: 'HOLD_NOT_FOUND' };
  const { record, entry } = found;
  const { holdTtlMs: ttlMs, holdMaxMs: maxMs } = rooms;
  const { eventId, holdId } = record;
  const outcome = await postToHold(rooms, { kind: 'extend', eventId, holdId, ttlMs, maxMs });
  if (outcome.status === 'refused') return { refusal: outcome.refusal };
  const { expiresAtMs, seq } = outcome;
  invariant(expiresAtMs !== undefined, 'an extended hold has a deadline');
  return holdView(rooms, entry, { ...record, status: 'active', expiresAtMs, seq });
}

/** The buyer gives the hold back. Releasing again answers the same. Refusals: HOLD_NOT_FOUND, HOLD_EXPIRED, HOLD_CONFIRMED. */
export async function release(rooms: Rooms, id: string, who: Principal): Promise<HoldView | Refusal> {
  const found = await findHold(rooms, id, who);
  if (!found) return { refusal: 'HOLD_NOT_FOUND' };
  const { record, entry } = found;
  const { eventId, holdId } = record;
  const outcome = await postToHold(rooms, { kind: 'release', eventId, holdId });
  if (outcome.status === 'refused') return { refusal: outcome.refusal };
  if (!outcome.replayed) rooms.inventory.giveBack(eventId, outcome.tickets);
  return holdView(rooms, entry, { ...record, status: 'released', seq: outcome.seq });
}

/** A hold and its event, by any text a client sent. Another buyer's hold is not found. */
export async function findHold(
  rooms: Rooms,
  id: string,
  who: Principal,
): Promise<{ record: HoldRecord; entry: CatalogueEntry } | undefined> {
  const known = holdId(id);
  const record = known && (await rooms.ledger.hold(known));
  if (!record || !isTheirs(who, record.buyer)) return undefined;
  const entry = await entryWith(rooms, await eventOf(rooms, record.eventId), record.tickets);
  return { record, entry };
}

function holdView(rooms: Rooms, entry: CatalogueEntry, record: HoldRecord): HoldView {
  const remainingMs = Math.max(0, record.expiresAtMs - rooms.ledger.nowMs());
  const isLapsed = record.status === 'active' && remainingMs === 0;
  const status = isLapsed ? 'expired' : record.status;
  return {
    holdId: record.holdId,
    eventId: record.eventId,
    status,
    expiresAtMs: record.expiresAtMs,
    expiresInMs: status === 'active' ? remainingMs : 0,
    extendableUntilMs: record.createdAtMs + rooms.holdMaxMs,
    ledgerSeq: record.seq,
    tickets: record.tickets.map((ticket) => entry.layout.viewOf(ticket)),
    total: entry.layout.totalOf(record.tickets),
    orderId: record.status === 'confirmed' ? record.orderId : null,
  };
}
