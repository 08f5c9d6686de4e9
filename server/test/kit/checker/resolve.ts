// Pass 1, Resolve: every request had the effect it was told of. Refused: none. Unknown: none or one. And each
// effect is whole (rule S3), and somebody asked for it. (A grant that is missing is pass 7, an effect twice
// under one key pass 8.)
import { type EventEvidence, FACT_OF, isJudged, mayHaveActed, type Op } from './evidence.ts';
import type { Fact } from './final-ledger.ts';
import type { Findings } from './findings.ts';
import type { Call } from './history.ts';

/** Checks one operation against its facts. */
export function resolveOp(op: Op, evidence: EventEvidence, found: Findings): void {
  // Who extends a hold twice has two effects, and no fact says whose request it was.
  if (op.kind === 'extend') return;
  if (!op.keyed && op.facts.length > 1) {
    const what = `one request had ${op.facts.length} effects`;
    found.add('resolve', op.eventId, what, { ops: [op], facts: op.facts });
  }
  if (op.kind === 'confirm' || op.kind === 'release') resolveEnd(op, evidence, found);
  else resolveClaim(op, found);
}

function resolveClaim(op: Op, found: Findings): void {
  if (op.facts.length === 0) return;
  const acting = op.calls.filter(mayHaveActed);
  const refused = op.calls.find((call) => call.outcome === 'fail' && (acting.length === 0 || isJudged(call)));
  if (refused !== undefined) {
    const what = `it was refused with ${nameOf(refused)}, and yet granted`;
    found.add('resolve', op.eventId, what, { ops: [op], facts: op.facts });
  }
  const asked = new Set(acting.map((call) => call.quantity));
  for (const fact of op.facts) {
    const given = fact.tickets?.length ?? 0;
    if (asked.size > 0 && !asked.has(given)) {
      const what = `it asked for ${[...asked].join(' or ')} tickets and was given ${given}`;
      found.add('resolve', op.eventId, what, { ops: [op], facts: [fact] });
    }
  }
}

// What must be true of a hold's ends when this refusal was ever answered: each says something that never changes.
const REFUSAL_FITS: Record<string, (ends: readonly Fact[], isKnown: boolean) => boolean> = {
  HOLD_NOT_FOUND: (_ends, isKnown) => !isKnown,
  HOLD_EXPIRED: (ends) => !ends.some((end) => end.kind === 'confirmed'),
  HOLD_RELEASED: (ends) => ends.some((end) => end.kind === 'released'),
  HOLD_CONFIRMED: (ends) => ends.some((end) => end.kind === 'confirmed'),
};

function resolveEnd(op: Op, evidence: EventEvidence, found: Findings): void {
  const holdId = op.holdId ?? '';
  const ends = evidence.ends.get(holdId) ?? [];
  for (const call of op.calls) {
    const fits = call.outcome === 'fail' ? REFUSAL_FITS[call.said.error ?? ''] : undefined;
    if (fits === undefined || fits(ends, evidence.heldAs.has(holdId))) continue;
    const state = ends.map((fact) => fact.kind).join(' and ') || 'without an end';
    const what = `it was refused with ${nameOf(call)}, but in the journal hold ${holdId} is ${state}`;
    found.add('resolve', op.eventId, what, { ops: [op], facts: ends });
  }
}

const BY_BUYERS: ReadonlySet<Fact['kind']> = new Set(Object.values(FACT_OF));

/** Checks that each grant, confirm, release and extension of the journal was asked for by somebody who was not refused. */
export function resolveFacts({ eventId, causes }: EventEvidence, found: Findings): void {
  for (const [fact, ops] of causes) {
    if (!BY_BUYERS.has(fact.kind)) continue;
    if (ops.length === 0) {
      found.add('resolve', eventId, `${fact.kind}, but nobody asked for it`, { facts: [fact] });
    } else if (fact.holdId !== undefined && fact.kind !== 'held' && !ops.some(asksInEarnest)) {
      const what = `${fact.kind}, but all who asked for it were refused`;
      found.add('resolve', eventId, what, { ops, facts: [fact] });
    }
  }
}

/** Checks that after the last retries every keyed operation knows its outcome. */
export function resolveAnswers(ops: readonly Op[], found: Findings): void {
  for (const op of ops) {
    if (op.keyed && op.calls.every((call) => call.outcome === 'info')) {
      found.add('resolve', op.eventId, 'it was never answered, however often it was sent', { ops: [op] });
    }
  }
}

function asksInEarnest(op: Op): boolean {
  return op.calls.some(mayHaveActed);
}

function nameOf(call: Call): string {
  return call.said.error ?? String(call.status);
}
