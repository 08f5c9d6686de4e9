// Pass 8, Idempotency (rule S5): one key has one effect and one answer, for ever; the key with another body is
// refused and has none.
import { isJudged, type Op } from './evidence.ts';
import type { Findings } from './findings.ts';
import type { Call } from './history.ts';

/** Checks all attempts under one key. */
export function checkKey(op: Op, found: Findings): void {
  if (!op.keyed) return;
  if (op.facts.length > 1) {
    const what = `one key had ${op.facts.length} effects`;
    found.add('idempotency', op.eventId, what, { ops: [op], facts: op.facts });
  }
  const judged = op.calls.filter((call) => isJudged(call));
  const bodies = new Set(judged.map((call) => call.body));
  if (bodies.size > 1) {
    const what = `one key was accepted with ${bodies.size} bodies: ${[...bodies].join(' and ')}`;
    found.add('idempotency', op.eventId, what, { ops: [op], facts: op.facts });
  }
  const answers = new Set(judged.map(answerOf));
  if (answers.size > 1 && bodies.size === 1) {
    const what = `one key had ${answers.size} answers: ${[...answers].join(' and ')}`;
    found.add('idempotency', op.eventId, what, { ops: [op], facts: op.facts });
  }
  const hasReuse = new Set(op.calls.map((call) => call.body)).size > 1;
  if (!hasReuse && op.calls.some((call) => call.said.error === 'IDEMPOTENCY_KEY_REUSED')) {
    found.add('idempotency', op.eventId, 'its key was called reused, but every body was the same', {
      ops: [op],
    });
  }
}

// A grant is repeated byte for byte. A refusal's requestId names the attempt that was refused, so it may differ, and so
// may what the flash purchase tells of the time that an attempt took.
function answerOf(call: Call): string {
  const answer = call.outcome === 'ok' ? call.answer : call.answer.replace(/"requestId":"[^"]*",?/, '');
  return `${call.status} ${call.kind === 'flash' ? answer.replace(/,"processingTimeMs":[\d.]+/, '') : answer}`;
}
