// Judges what becomes of an order. The table of its statuses is in core/order.ts.

import { stepOrder } from '@floodgate/core/order.ts';
import type { ReturnTickets } from '../ledger.ts';
import type { BatchDraft } from './draft.ts';
import type { EventState, VerdictOn } from './state.ts';
import { broken, refused } from './verdicts.ts';

export function judgeReturn(
  draft: BatchDraft,
  event: EventState,
  entry: ReturnTickets,
): VerdictOn<ReturnTickets> {
  const { orderId, tickets, refundedAmount, by } = entry;
  const flaw = flawOf(entry);
  if (flaw) return broken(flaw);
  const order = draft.orderOf(event, orderId);
  if (!order) return refused('ORDER_NOT_FOUND');
  if (tickets.some((ticket) => !order.tickets.includes(ticket))) return refused('TICKET_NOT_FOUND');
  const returned = [...order.returned, ...tickets];
  const step = stepOrder(order.status, 'return', order.tickets.length - returned.length);
  if ('refusal' in step) return refused(step.refusal);
  if (tickets.some((ticket) => order.returned.includes(ticket))) return refused('TICKET_VOID');
  const refunded = order.refundedAmount + refundedAmount;
  if (refunded > order.total) return refused('REFUND_TOO_MUCH');

  for (const ticket of tickets) {
    const claim = event.claims.get(ticket)?.now;
    if (claim?.by !== orderId) return broken(`ticket ${ticket} is not claimed by its order ${orderId}`);
  }
  draft.claim(event, tickets, undefined);
  const { buyer } = order;
  const seq = draft.record(event, 'returned', { orderId, tickets, buyer, refundedAmount, by });
  draft.changeOrder(event, { ...order, status: step.to, returned, refundedAmount: refunded });
  const belongings = draft.belongingsOf(event, buyer);
  if (belongings) for (const ticket of tickets) belongings.tickets.delete(ticket);
  return { status: 'committed', seq, atMs: draft.nowMs, tickets, buyer, orderId };
}

/** What makes a return one that could never be right, as text. */
function flawOf({ tickets, refundedAmount }: ReturnTickets): string | undefined {
  if (tickets.length === 0) return 'a return of no tickets';
  if (new Set(tickets).size !== tickets.length) return 'a ticket is returned twice at once';
  const isAmount = Number.isSafeInteger(refundedAmount) && refundedAmount >= 0;
  return isAmount ? undefined : `${refundedAmount} cannot be paid back`;
}
