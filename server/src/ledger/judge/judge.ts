// Judges a batch of entries against what the ledger already holds, and says what to write. Pure: the dialects
// read a working set under the events' locks, call `judge`, and write the changes in the same transaction;
// the memory twin does the same on maps. So the rules stand in one place for every store, and the unique keys
// of the tables are the second line that holds even if this file were wrong.

import { unreachable } from '@floodgate/core/assert.ts';
import type { HoldId, OrderId, Ticket } from '@floodgate/core/ids.ts';
import type { RefusalCode } from '@floodgate/core/refusal.ts';
import type { Entry, Idempotency, Outcome } from '../ledger.ts';
import { judgeBuy, judgeHold } from './claims.ts';
import { BatchDraft } from './draft.ts';
import { judgeConfirm, judgeEnd, judgeExtend } from './holds.ts';
import { judgeReturn } from './orders.ts';
import { judgeChange, judgeCreate, judgeManifest, judgeOpenShop, judgeRecord } from './staff.ts';
import type { Changes, EventState, Verdict, WorkingSet } from './state.ts';
import { isStale, refused } from './verdicts.ts';

/**
 * Judges the entries in their order, each alone, at ledger time `nowMs`. The working set is advanced in place,
 * so an entry sees what its predecessors did.
 */
export function judge(
  set: WorkingSet,
  entries: readonly Entry[],
  nowMs: number,
): { verdicts: Verdict[]; changes: Changes } {
  const draft = new BatchDraft(set, nowMs);
  return { verdicts: entries.map((entry) => verdictOn(draft, entry)), changes: draft.changes };
}

/** The hold an entry refers to, for the dialects to read. */
export function holdOf(entry: Entry): HoldId | undefined {
  switch (entry.kind) {
    case 'confirm':
    case 'release':
    case 'expire':
    case 'extend':
      return entry.holdId;
    default:
      return undefined;
  }
}

/** The order an entry refers to, for the dialects to read. */
export function orderOf(entry: Entry): OrderId | undefined {
  return entry.kind === 'return-tickets' ? entry.orderId : undefined;
}

/** The tickets an entry names itself, for the dialects to read their claims. Numbers may be of no ticket. */
export function ticketsNamedBy(entry: Entry): readonly Ticket[] {
  switch (entry.kind) {
    case 'buy':
    case 'hold':
    case 'return-tickets':
      return entry.tickets;
    case 'change-event':
      return [...entry.setAside, ...entry.restored];
    default:
      return [];
  }
}

/**
 * The buyer whose belongings an entry's limits are judged against, for the dialects to read: orders, and active holds
 * whether or not they have lapsed. Also of one who has nothing.
 */
export function limitedBuyerOf(entry: Entry): string | undefined {
  return 'limits' in entry && entry.limits && entry.buyer !== null ? entry.buyer : undefined;
}

/** The idempotency key of an entry, for the dialects to read. */
export function keyOf(entry: Entry): Idempotency | undefined {
  return 'idempotency' in entry ? entry.idempotency : undefined;
}

function verdictOn(draft: BatchDraft, entry: Entry): Verdict {
  const event = draft.set.events.get(entry.eventId);
  if (entry.kind === 'create-event') {
    return event ? refused('EVENT_EXISTS') : judgeCreate(draft, entry);
  }
  if (entry.kind === 'open-shop') return event ? refused('EVENT_EXISTS') : judgeOpenShop(draft);
  if (!event) return refused('EVENT_NOT_FOUND');

  const key = keyOf(entry);
  const kept = key && event.kept.get(key.digest);
  if (key && kept) {
    return kept.hash === key.hash ? { ...kept.outcome, replayed: true } : refused('IDEMPOTENCY_KEY_REUSED');
  }
  const verdict = judgeAnew(draft, event, entry);
  if (key && isAnswer(verdict)) {
    event.kept.set(key.digest, { hash: key.hash, outcome: verdict });
    draft.changes.kept.push({ eventNo: event.eventNo, key, outcome: verdict });
  }
  return verdict;
}

/**
 * Refusals that are no answer yet. A ticket that the inventory wrongly proposed, and a definition that was outdated: sales
 * tries again under the same key. A name, a code, a payment or the secret of a hold that is missing: so may the buyer who
 * brings it.
 */
const NO_ANSWER: ReadonlySet<RefusalCode> = new Set([
  ...(['TICKET_TAKEN', 'EVENT_CHANGED', 'HOLD_NOT_FOUND'] as const),
  ...(['BUYER_REQUIRED', 'ACCESS_CODE_REQUIRED', 'PAYMENT_REQUIRED'] as const),
]);

function isAnswer(verdict: Verdict): verdict is Outcome {
  if (verdict.status === 'broken') return false;
  return verdict.status === 'committed' || !NO_ANSWER.has(verdict.refusal);
}

function judgeAnew(
  draft: BatchDraft,
  event: EventState,
  entry: Exclude<Entry, { kind: 'create-event' | 'open-shop' }>,
): Verdict {
  switch (entry.kind) {
    case 'buy':
      return judgeBuy(draft, event, entry);
    case 'hold':
      return judgeHold(draft, event, entry);
    case 'confirm':
      return judgeConfirm(draft, event, entry);
    case 'release':
    case 'expire':
      return judgeEnd(draft, event, entry);
    case 'extend':
      return judgeExtend(draft, event, entry);
    case 'return-tickets':
      return judgeReturn(draft, event, entry);
    case 'change-event':
      return judgeChange(draft, event, entry);
    case 'record':
      return judgeRecord(draft, event, entry);
    case 'keep-manifest':
      return judgeManifest(draft, event, entry);
    case 'refuse':
      if (isStale(event, entry.version)) return refused('EVENT_CHANGED');
      return { status: 'refused', ...entry.refused };
    default:
      return unreachable(entry);
  }
}
