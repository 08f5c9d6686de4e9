// Judges what becomes of a hold: it is extended, or it ends, once (rule S6). The table is in core/hold.ts.

import { invariant } from '@floodgate/core/assert.ts';
import { stepHold } from '@floodgate/core/hold.ts';
import type { CommittedConfirm, Confirm, Expire, Extend, Release } from '../ledger.ts';
import type { BatchDraft } from './draft.ts';
import type { EventState, HoldState, VerdictOn } from './state.ts';
import { isStale, refused } from './verdicts.ts';

/** An order that was made already is answered whatever the event has become since. */
export function judgeConfirm(draft: BatchDraft, event: EventState, entry: Confirm): VerdictOn<Confirm> {
  const hold = event.holds.get(entry.holdId);
  if (!hold || !entry.isAllowed) return refused('HOLD_NOT_FOUND');
  const step = stepHold(hold.status, 'confirm', draft.nowMs, hold.expiresAtMs);
  if ('refusal' in step) return refused(step.refusal);
  if ('same' in step) return confirmedAlready(hold);
  if (isStale(event, entry.version)) return refused('EVENT_CHANGED');
  const { orderId, secret } = entry;
  const { tickets, buyer, holdId, lines, total, currency } = hold;
  draft.claim(event, tickets, { as: 'sold', by: orderId });
  const key = entry.idempotency?.digest;
  const fact = { holdId, orderId, tickets, buyer, key, lines, total, currency };
  const seq = draft.record(event, 'confirmed', fact);
  const order = draft.order(entry.eventId, seq, { orderId, secret, tickets, buyer, holdId }, hold);
  draft.endHold(event, { ...hold, status: 'confirmed', orderId, order }, seq);
  draft.belongingsOf(event, buyer)?.holds.delete(holdId);
  return { status: 'committed', seq, atMs: draft.nowMs, tickets, buyer, orderId, secret, holdId };
}

/** Confirming again answers the order that the hold became. */
function confirmedAlready(hold: HoldState): CommittedConfirm {
  invariant(hold.order !== undefined, `hold ${hold.holdId} was confirmed without an order`);
  const { order, tickets, buyer, holdId } = hold;
  return {
    status: 'committed',
    seq: order.seq,
    atMs: order.createdAtMs,
    tickets,
    buyer,
    orderId: order.orderId,
    secret: order.secret,
    holdId,
    replayed: true,
  };
}

export function judgeEnd(
  draft: BatchDraft,
  event: EventState,
  entry: Release | Expire,
): VerdictOn<Release | Expire> {
  const hold = event.holds.get(entry.holdId);
  if (!hold) return refused('HOLD_NOT_FOUND');
  const step = stepHold(hold.status, entry.kind, draft.nowMs, hold.expiresAtMs);
  if ('refusal' in step) return refused(step.refusal);
  const { tickets, buyer, holdId } = hold;
  if ('same' in step) {
    invariant(hold.endedSeq !== null && hold.endedAtMs !== null, `hold ${holdId} ended without a record`);
    const { endedSeq: seq, endedAtMs: atMs } = hold;
    return { status: 'committed', seq, atMs, tickets, buyer, holdId, replayed: true };
  }
  const status = entry.kind === 'release' ? 'released' : 'expired';
  draft.claim(event, tickets, undefined);
  const seq = draft.record(event, status, { holdId, tickets, buyer });
  draft.endHold(event, { ...hold, status }, seq);
  const belongings = draft.belongingsOf(event, buyer);
  if (belongings) {
    belongings.holds.delete(holdId);
    for (const ticket of tickets) belongings.tickets.delete(ticket);
  }
  return { status: 'committed', seq, atMs: draft.nowMs, tickets, buyer, holdId };
}

export function judgeExtend(draft: BatchDraft, event: EventState, entry: Extend): VerdictOn<Extend> {
  const hold = event.holds.get(entry.holdId);
  if (!hold) return refused('HOLD_NOT_FOUND');
  const { nowMs } = draft;
  const step = stepHold(hold.status, 'extend', nowMs, hold.expiresAtMs);
  if ('refusal' in step) return refused(step.refusal);
  const latestMs = hold.createdAtMs + entry.maxMs;
  if (hold.expiresAtMs >= latestMs) return refused('HOLD_AT_CAP');
  const expiresAtMs = Math.max(hold.expiresAtMs, Math.min(nowMs + entry.ttlMs, latestMs));
  const { tickets, buyer, holdId } = hold;
  const seq = draft.record(event, 'extended', { holdId, expiresAtMs });
  draft.putHold(event, { ...hold, expiresAtMs }, false);
  return { status: 'committed', seq, atMs: nowMs, tickets, buyer, holdId, expiresAtMs };
}
