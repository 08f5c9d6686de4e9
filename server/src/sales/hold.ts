// Holds: a buyer's timed claim on tickets of one or several types, all or nothing (rows E4, C2).

import type { HoldStatus } from '@floodgate/core/hold.ts';
import { type HoldId, holdId, type OrderId } from '@floodgate/core/ids.ts';
import type { TicketView } from '@floodgate/core/layout.ts';
import type { Money } from '@floodgate/core/money.ts';
import { invariant } from '@floodgate/core/refusal.ts';
import type { Want } from '../inventory/inventory.ts';
import type { HoldRecord, Idempotency } from '../ledger/ledger.ts';
import type { Refusal } from './buy.ts';
import type { CatalogueEntry } from './catalogue.ts';
import { claim } from './claim.ts';
import { eventOf, findEvent } from './discover.ts';
import { postEnd } from './doubts.ts';
import { newHoldId, type Rooms } from './rooms.ts';

export interface HoldCommand {
  readonly eventId: string;
  readonly lines: readonly { readonly ticketType: string; readonly quantity: number }[];
  readonly buyer: string | null;
  readonly idempotency?: Idempotency | undefined;
}

export interface HoldView {
  readonly holdId: HoldId;
  readonly eventId: string;
  readonly status: HoldStatus;
  readonly expiresAtMs: number;
  /** Counted from the moment of this answer, on the ledger's clock; 0 when the hold has ended. */
  readonly expiresInMs: number;
  readonly ledgerSeq: number;
  readonly tickets: readonly TicketView[];
  readonly total: Money;
  /** The order it became. */
  readonly orderId: OrderId | null;
}

/**
 * Holds tickets for the shop's hold time. Refusals: EVENT_NOT_FOUND, TICKET_TYPE_NOT_FOUND,
 * IDEMPOTENCY_KEY_REUSED, SOLD_OUT, ALL_HELD. Throws LedgerUnavailable, LedgerOutcomeUnknown.
 */
export async function hold(rooms: Rooms, command: HoldCommand): Promise<HoldView | Refusal> {
  const entry = rooms.catalogue.find(command.eventId) ?? (await findEvent(rooms, command.eventId));
  if (!entry) return { refusal: 'EVENT_NOT_FOUND' };
  const { eventId } = entry.event;
  const { buyer, idempotency } = command;
  const outcome = await claim(rooms, {
    eventId,
    wants: command.lines as readonly Want[],
    idempotency,
    propose: (tickets) => ({
      kind: 'hold',
      eventId,
      holdId: newHoldId(rooms),
      buyer,
      tickets,
      ttlMs: rooms.holdTtlMs,
      idempotency,
    }),
  });
  if (outcome.status === 'refused') return { refusal: outcome.refusal };
  const { tickets, expiresAtMs } = outcome;
  invariant(outcome.holdId !== undefined && expiresAtMs !== undefined, 'a hold has an id and a deadline');
  return {
    holdId: outcome.holdId,
    eventId,
    status: 'active',
    expiresAtMs,
    expiresInMs: expiresAtMs - outcome.atMs,
    ledgerSeq: outcome.seq,
    tickets: tickets.map((ticket) => entry.layout.viewOf(ticket)),
    total: entry.layout.totalOf(tickets),
    orderId: null,
  };
}

/** A hold as it stands now. A hold whose deadline has passed reads as expired, swept or not. */
export async function readHold(rooms: Rooms, id: string): Promise<HoldView | Refusal> {
  const found = await findHold(rooms, id);
  return found ? holdView(rooms, found.entry, found.record) : { refusal: 'HOLD_NOT_FOUND' };
}

/** The buyer gives the hold back. Releasing again answers the same. Refusals: HOLD_NOT_FOUND, HOLD_EXPIRED, HOLD_CONFIRMED. */
export async function release(rooms: Rooms, id: string): Promise<HoldView | Refusal> {
  const found = await findHold(rooms, id);
  if (!found) return { refusal: 'HOLD_NOT_FOUND' };
  const { eventId } = found.record;
  const outcome = await postEnd(rooms, { kind: 'release', eventId, holdId: found.record.holdId });
  if (outcome.status === 'refused') return { refusal: outcome.refusal };
  if (!outcome.replayed) rooms.inventory.giveBack(eventId, outcome.tickets);
  return { ...holdView(rooms, found.entry, { ...found.record, status: 'released' }), ledgerSeq: outcome.seq };
}

/** A hold and its event, by any text a client sent. */
export async function findHold(
  rooms: Rooms,
  id: string,
): Promise<{ record: HoldRecord; entry: CatalogueEntry } | undefined> {
  const known = holdId(id);
  const record = known && (await rooms.ledger.hold(known));
  return record && { record, entry: await eventOf(rooms, record.eventId) };
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
    ledgerSeq: record.seq,
    tickets: record.tickets.map((ticket) => entry.layout.viewOf(ticket)),
    total: entry.layout.totalOf(record.tickets),
    orderId: record.orderId,
  };
}
