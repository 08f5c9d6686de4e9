// A hold becomes an order, and orders are read.
import { timingSafeEqual } from 'node:crypto';
import { type OrderId, orderId } from '@floodgate/core/ids.ts';
import type { TicketView } from '@floodgate/core/layout.ts';
import type { Money } from '@floodgate/core/money.ts';
import { invariant } from '@floodgate/core/refusal.ts';
import type { Idempotency, OrderRecord } from '../ledger/ledger.ts';
import type { Refusal } from './buy.ts';
import type { CatalogueEntry } from './catalogue.ts';
import { eventOf, findEvent } from './discover.ts';
import { postEnd } from './doubts.ts';
import { findHold } from './hold.ts';
import { newOrderId, type Rooms } from './rooms.ts';

export interface OrderView {
  readonly orderId: OrderId;
  readonly eventId: string;
  readonly status: OrderRecord['status'];
  readonly buyer: string | null;
  readonly tickets: readonly TicketView[];
  readonly total: Money;
  readonly createdAtMs: number;
  readonly ledgerSeq: number;
  readonly secret: string;
}

/**
 * Confirms a hold of free tickets. Confirming again answers the same order. Refusals: HOLD_NOT_FOUND,
 * IDEMPOTENCY_KEY_REUSED, HOLD_EXPIRED, HOLD_RELEASED, PAYMENT_REQUIRED. Throws LedgerUnavailable,
 * LedgerOutcomeUnknown: then confirming again tells.
 */
export async function confirm(
  rooms: Rooms,
  command: { readonly holdId: string; readonly idempotency?: Idempotency | undefined },
): Promise<OrderView | Refusal> {
  const found = await findHold(rooms, command.holdId);
  if (!found) return { refusal: 'HOLD_NOT_FOUND' };
  const { record, entry } = found;
  if (entry.layout.totalOf(record.tickets).amount > 0) return { refusal: 'PAYMENT_REQUIRED' };
  const outcome = await postEnd(rooms, {
    kind: 'confirm',
    eventId: record.eventId,
    holdId: record.holdId,
    orderId: newOrderId(rooms),
    secret: rooms.newSecret(),
    idempotency: command.idempotency,
  });
  if (outcome.status === 'refused') return { refusal: outcome.refusal };
  if (!outcome.replayed) rooms.inventory.settle(record.eventId, outcome.tickets, 'sold');
  invariant(outcome.orderId !== undefined && outcome.secret !== undefined, 'a confirmed hold has an order');
  return orderView(entry, {
    orderId: outcome.orderId,
    eventId: record.eventId,
    seq: outcome.seq,
    status: 'confirmed',
    buyer: outcome.buyer,
    secret: outcome.secret,
    tickets: outcome.tickets,
    createdAtMs: outcome.atMs,
    holdId: record.holdId,
  });
}

/** An order, for who may see it: staff, or whoever has its secret. A wrong secret reads like no order at all. */
export async function readOrder(
  rooms: Rooms,
  id: string,
  asker: { readonly isStaff: boolean; readonly secret: string | undefined },
): Promise<OrderView | Refusal> {
  const known = orderId(id);
  const record = known && (await rooms.ledger.order(known));
  if (!record) return { refusal: 'ORDER_NOT_FOUND' };
  if (!asker.isStaff && !equalSecrets(record.secret, asker.secret ?? ''))
    return { refusal: 'ORDER_NOT_FOUND' };
  return orderView(await eventOf(rooms, record.eventId), record);
}

/** A page of an event's orders in ledger order, after the given sequence number. */
export async function listOrders(
  rooms: Rooms,
  eventId: string,
  afterSeq: number,
  limit: number,
): Promise<{ orders: OrderView[] } | Refusal> {
  const entry = await findEvent(rooms, eventId);
  if (!entry) return { refusal: 'EVENT_NOT_FOUND' };
  const records = await rooms.ledger.orders(entry.event.eventId, afterSeq, limit);
  return { orders: records.map((record) => orderView(entry, record)) };
}

function orderView({ layout }: CatalogueEntry, record: OrderRecord): OrderView {
  return {
    orderId: record.orderId,
    eventId: record.eventId,
    status: record.status,
    buyer: record.buyer,
    tickets: record.tickets.map((ticket) => layout.viewOf(ticket)),
    total: layout.totalOf(record.tickets),
    createdAtMs: record.createdAtMs,
    ledgerSeq: record.seq,
    secret: record.secret,
  };
}

/** Compares in a time that does not tell how much was right. */
export function equalSecrets(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
