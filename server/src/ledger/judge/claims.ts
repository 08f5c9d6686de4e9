// Judges what claims tickets: buying at once, and holding. In this order: was the request checked against the event
// as it is now, does the buyer keep to the limits (rule S8), is every ticket free (rules S1 and S3).

import { invariant } from '@floodgate/core/assert.ts';
import type { Ticket } from '@floodgate/core/ids.ts';
import type { TicketRange } from '@floodgate/core/seating/layout.ts';
import type { Buy, ClaimKind, Hold, Refused } from '../ledger.ts';
import type { BatchDraft } from './draft.ts';
import type { Broken, EventState, HoldState, VerdictOn } from './state.ts';
import { broken, isStale, isTicketOf, refused } from './verdicts.ts';

export function judgeBuy(draft: BatchDraft, event: EventState, entry: Buy): VerdictOn<Buy> {
  const obstacle = obstacleTo(draft, event, entry);
  if (obstacle) return obstacle;
  const { orderId, secret, tickets, buyer, remaining, price } = entry;
  const { lines, total, currency } = price;
  draft.claim(event, tickets, { as: 'sold', by: orderId });
  const key = entry.idempotency?.digest;
  const seq = draft.record(event, 'bought', { orderId, tickets, buyer, key, lines, total, currency });
  draft.order(entry.eventId, seq, { orderId, secret, tickets, buyer, holdId: null }, price);
  const belongings = draft.belongingsOf(event, buyer);
  if (belongings) for (const ticket of tickets) belongings.tickets.add(ticket);
  return { status: 'committed', seq, atMs: draft.nowMs, tickets, buyer, orderId, secret, remaining };
}

export function judgeHold(draft: BatchDraft, event: EventState, entry: Hold): VerdictOn<Hold> {
  const obstacle = obstacleTo(draft, event, entry);
  if (obstacle) return obstacle;
  const { nowMs } = draft;
  const { holdId, tickets, buyer, secret, price } = entry;
  const { lines, total, currency } = price;
  // Across batches the primary key refuses this; inside one, the second hold would overwrite the first.
  if (draft.changes.holds.has(holdId)) return broken(`hold ${holdId} is made twice`);
  const expiresAtMs = nowMs + entry.ttlMs;
  draft.claim(event, tickets, { as: 'held', by: holdId });
  const key = entry.idempotency?.digest;
  const fact = { holdId, tickets, buyer, expiresAtMs, key, lines, total, currency };
  const seq = draft.record(event, 'held', fact);
  const state: HoldState = {
    holdId,
    eventId: entry.eventId,
    seq,
    status: 'active',
    buyer,
    tickets,
    createdAtMs: nowMs,
    expiresAtMs,
    orderId: entry.orderId ?? null,
    lines,
    total,
    currency,
    secret,
    endedSeq: null,
    endedAtMs: null,
    order: undefined,
  };
  draft.putHold(event, state, true);
  const belongings = draft.belongingsOf(event, buyer);
  if (belongings) {
    belongings.holds.add(holdId);
    for (const ticket of tickets) belongings.tickets.add(ticket);
  }
  const { orderId } = entry;
  const promised = orderId === undefined ? undefined : { orderId };
  const made = { holdId, total, currency, secret, ...promised, expiresAtMs };
  return { status: 'committed', seq, atMs: nowMs, tickets, buyer, ...made };
}

type No = Refused | Broken;

/** Why the claim cannot be; undefined when it can. */
function obstacleTo(draft: BatchDraft, event: EventState, entry: Buy | Hold): No | undefined {
  if (isStale(event, entry.version)) return refused('EVENT_CHANGED');
  return beyondLimits(draft, event, entry) ?? notFree(event, entry.tickets);
}

/** A limit on tickets that are not wanted now is not asked: it may have been lowered below what the buyer has. */
function beyondLimits(draft: BatchDraft, event: EventState, entry: Buy | Hold): No | undefined {
  const { limits, buyer, tickets } = entry;
  if (!limits) return undefined;
  if (buyer === null) return broken('limits without a buyer');
  const belongings = draft.belongingsOf(event, buyer);
  invariant(belongings !== undefined, `what ${entry.kind} is limited by was read`);
  if (entry.kind === 'hold' && limits.holds !== undefined && belongings.holds.size >= limits.holds) {
    return refused('LIMIT_REACHED');
  }
  for (const { ranges, max } of limits.tickets) {
    const wanted = countIn(ranges, tickets);
    if (wanted > 0 && countIn(ranges, belongings.tickets) + wanted > max) return refused('LIMIT_REACHED');
  }
  return undefined;
}

function countIn(ranges: readonly TicketRange[], tickets: Iterable<Ticket>): number {
  let count = 0;
  for (const ticket of tickets) {
    if (ranges.some(([first, end]) => ticket >= first && ticket < end)) count++;
  }
  return count;
}

/** Why the tickets cannot be claimed, all together (rule S3); undefined when they can. */
function notFree(event: EventState, tickets: readonly Ticket[]): No | undefined {
  if (tickets.length === 0) return broken('a claim of no tickets');
  const taken: { ticket: Ticket; as: ClaimKind }[] = [];
  for (const [index, ticket] of tickets.entries()) {
    if (!isTicketOf(event.capacity, ticket)) return broken(`event ${event.eventId} has no ticket ${ticket}`);
    if (tickets.indexOf(ticket) !== index) return broken(`ticket ${ticket} is claimed twice at once`);
    const claim = event.claims.get(ticket)?.now;
    if (claim) taken.push({ ticket, as: claim.as });
  }
  return taken.length > 0 ? { status: 'refused', refusal: 'TICKET_TAKEN', taken } : undefined;
}
