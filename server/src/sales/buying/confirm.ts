// A hold becomes an order, and orders are read.

import { stepHold } from '@floodgate/core/hold.ts';
import { type OrderId, orderId } from '@floodgate/core/ids.ts';
import { type Money, money } from '@floodgate/core/money.ts';
import type { Refusal } from '@floodgate/core/refusal.ts';
import { firstRefusal, type RefusalCode } from '@floodgate/core/refusal.ts';
import type { TicketView } from '@floodgate/core/seating/layout.ts';
import type { CommittedConfirm, Confirm, HoldRecord, Idempotency, OrderRecord } from '../../ledger/ledger.ts';
import { equalSecrets } from '../access/secrets.ts';
import { type Caller, mayUseHold } from '../access/who.ts';
import type { CatalogueEntry } from '../catalogue/catalogue.ts';
import { conduct, type Demand, NOTHING_WANTED, post } from '../conduct.ts';
import { toldRefusal } from '../kept-refusal.ts';
import { newOrderId, type Shop } from '../shop.ts';
import { type FoundHold, findAnyHold } from './hold.ts';

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

export interface ConfirmCommand {
  readonly holdId: string;
  readonly caller: Caller;
  readonly idempotency?: Idempotency | undefined;
}

/**
 * Confirms a hold of free tickets, also after the sale has ended: the hold was made in time. Confirming again answers
 * the same order. Refusals: HOLD_NOT_FOUND, IDEMPOTENCY_KEY_REUSED, NOT_ON_SALE, HOLD_EXPIRED, HOLD_RELEASED,
 * PAYMENT_REQUIRED. Throws Busy, LedgerUnavailable, LedgerOutcomeUnknown: then confirming again tells.
 */
export async function confirm(shop: Shop, command: ConfirmCommand): Promise<OrderView | Refusal> {
  const found = await findAnyHold(shop, command.holdId);
  if (!found) return { refusal: 'HOLD_NOT_FOUND' };
  const { record } = found;
  const { idempotency } = command;
  if (!mayUseHold(command.caller, record)) return repeat(shop, found, idempotency);
  const done = await conduct<Confirm, Demand>(shop, found.entry, {
    kind: 'confirm',
    idempotency,
    check: (entry) => {
      const refusal = obstacle(shop, entry, record);
      return refusal ? { refusal } : NOTHING_WANTED;
    },
    propose: (entry) => confirmation(shop, entry, record, idempotency),
  });
  return 'refusal' in done ? done : orderOf(done.entry, record, done.outcome);
}

/**
 * A caller who may not act on the hold, or not any more, can have confirmed it all the same: then the key of that
 * request has its answer. It is all that such a caller is told.
 */
async function repeat(
  shop: Shop,
  { record, entry }: FoundHold,
  idempotency: Idempotency | undefined,
): Promise<OrderView | Refusal> {
  if (!idempotency) return { refusal: 'HOLD_NOT_FOUND' };
  const outcome = await post(shop, { ...confirmation(shop, entry, record, idempotency), isAllowed: false });
  return outcome.status === 'refused' ? toldRefusal(entry.layout, outcome) : orderOf(entry, record, outcome);
}

/** Why the hold cannot become an order now; undefined when the ledger has to say. */
function obstacle(shop: Shop, { event }: CatalogueEntry, record: HoldRecord): RefusalCode | undefined {
  const isFree = record.total === 0;
  const step = stepHold(record.status, 'confirm', shop.ledger.nowMs(), record.expiresAtMs);
  if (isFree && !('to' in step)) return undefined;
  const isStopped = event.status !== 'open' && event.status !== 'scheduled';
  const found: RefusalCode[] = [];
  if (isStopped && 'to' in step) found.push('NOT_ON_SALE');
  if ('refusal' in step) found.push(step.refusal);
  if (!isFree) found.push('PAYMENT_REQUIRED');
  return firstRefusal(found);
}

function confirmation(
  shop: Shop,
  { version }: CatalogueEntry,
  { eventId, holdId, status, orderId }: HoldRecord,
  idempotency: Idempotency | undefined,
): Confirm {
  return {
    kind: 'confirm',
    eventId,
    // What has ended stays as it is, whatever staff change.
    version: status === 'active' ? version : undefined,
    holdId,
    isAllowed: true,
    orderId: orderId ?? newOrderId(shop),
    secret: shop.newSecret(),
    idempotency,
  };
}

/** As it was made. */
function orderOf(entry: CatalogueEntry, hold: HoldRecord, outcome: CommittedConfirm): OrderView {
  const { orderId, secret, seq, buyer, tickets, atMs: createdAtMs } = outcome;
  const { eventId, total, currency } = hold;
  const order = { orderId, eventId, seq, buyer, secret, tickets, createdAtMs, total, currency };
  return orderView(entry, { ...order, status: 'confirmed' });
}

/**
 * Returns the order if the actor may see it: anyone with its secret, its buyer, staff. Others get the same answer as for an
 * unknown order.
 */
export async function readOrder(shop: Shop, id: string, caller: Caller): Promise<OrderView | Refusal> {
  const known = orderId(id);
  const record = known && (await shop.ledger.order(known));
  if (!record || !mayRead(record, caller)) return { refusal: 'ORDER_NOT_FOUND' };
  return orderView(await shop.catalogue.withTickets(record.eventId, record.tickets), record);
}

function mayRead({ buyer, secret }: OrderRecord, caller: Caller): boolean {
  const { who } = caller;
  if (who.kind === 'staff' || (who.kind === 'buyer' && who.buyer === buyer)) return true;
  return equalSecrets(secret, caller.secret ?? '');
}

/** A page of an event's orders in ledger order, after the given sequence number. */
export async function listOrders(
  shop: Shop,
  eventId: string,
  afterSeq: number,
  limit: number,
): Promise<{ orders: OrderView[] } | Refusal> {
  const entry = await shop.catalogue.find(eventId);
  if (!entry) return { refusal: 'EVENT_NOT_FOUND' };
  const records = await shop.ledger.orders(entry.event.eventId, afterSeq, limit);
  const tickets = records.flatMap((record) => record.tickets);
  const shown = await shop.catalogue.withTickets(entry.eventId, tickets);
  return { orders: records.map((record) => orderView(shown, record)) };
}

/** What is shown of an order. */
type ShownOrder = Omit<OrderRecord, 'holdId' | 'lines' | 'returned' | 'refundedAmount'>;

export function orderView({ layout }: CatalogueEntry, record: ShownOrder): OrderView {
  return {
    orderId: record.orderId,
    eventId: record.eventId,
    status: record.status,
    buyer: record.buyer,
    tickets: record.tickets.map((ticket) => layout.viewOf(ticket)),
    total: money(record.total, record.currency),
    createdAtMs: record.createdAtMs,
    ledgerSeq: record.seq,
    secret: record.secret,
  };
}
