// The history checker: proves from what clients saw and what the ledger says that no ticket was sold twice and
// no answer was lost, or names the operations and facts that contradict. Every grant carries its place in the
// event's journal, so checking is a replay in O(n log n) instead of a search for an order.
import { checkGrants, checkGrowth, checkToldOnce } from './durability.ts';
import { gather, type Op } from './evidence.ts';
import type { FinalLedger } from './final-ledger.ts';
import { Findings, type Violation } from './findings.ts';
import type { HistoryRecord } from './history.ts';
import { checkKey } from './idempotency.ts';
import { checkLimits, type LimitOptions } from './limits.ts';
import { checkMoney } from './money.ts';
import { checkOrder, type OrderOptions } from './order.ts';
import { type ReplayOptions, replay } from './replay.ts';
import { resolveAnswers, resolveFacts, resolveOp } from './resolve.ts';
import { checkStaff } from './staff.ts';

export interface CheckOptions extends ReplayOptions, OrderOptions, LimitOptions {
  /** What the ledger showed at an earlier time: it must be the beginning of what it shows now. */
  readonly earlier?: FinalLedger | undefined;
  /** Every keyed operation has been retried until it was answered. */
  readonly isResolved?: boolean | undefined;
}

/**
 * All contradictions between a history and the ledger it ended in, empty when there are none. The history must
 * hold every request that was sent to these events, and the ledger must have been read after the last of them.
 */
export function check(
  history: readonly HistoryRecord[],
  ledger: FinalLedger,
  options: CheckOptions = {},
): Violation[] {
  const found = new Findings();
  const { ops, events } = gather(history, ledger);
  const opsByEvent = Map.groupBy(ops, (op: Op) => op.eventId);
  for (const [eventId, missed] of opsByEvent) {
    if (!events.has(eventId))
      found.add('durability', eventId, 'the ledger does not know this event', { ops: missed });
  }
  for (const evidence of events.values()) {
    const its = opsByEvent.get(evidence.eventId) ?? [];
    for (const op of its) {
      resolveOp(op, evidence, found);
      checkGrants(op, evidence, found);
      checkKey(op, found);
    }
    resolveFacts(evidence, found);
    replay(evidence, options, found);
    checkOrder(evidence, its, options, found);
    checkStaff(evidence, found);
    checkMoney(evidence, found);
    checkLimits(evidence, options, found);
    checkToldOnce(evidence.eventId, its, found);
    const earlier = options.earlier?.find((event) => event.eventId === evidence.eventId);
    if (earlier !== undefined) checkGrowth(earlier, evidence, found);
  }
  if (options.isResolved) resolveAnswers(ops, found);
  checkIds(ledger, found);
  return found.violations;
}

/** Pass 2 across events: an order or a hold id is never given twice. (Inside an event, the replay sees it.) */
function checkIds(ledger: FinalLedger, found: Findings): void {
  const eventOf = new Map<string, string>();
  for (const { eventId, journal } of ledger) {
    for (const fact of journal) {
      const id = fact.kind === 'held' ? fact.holdId : fact.orderId;
      if (id === undefined) continue;
      const other = eventOf.get(id);
      if (other !== undefined && other !== eventId) {
        found.add('uniqueness', eventId, `id ${id} is also one of event ${other}`, { facts: [fact] });
      }
      eventOf.set(id, eventId);
    }
  }
}
