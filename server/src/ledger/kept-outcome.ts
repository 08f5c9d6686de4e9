// What is kept under an idempotency key (rule S5), once: a grant points at the order or hold that it made, whose row has
// all that the answer said but what was true only at that moment; a refusal is kept as it is.
import type { HoldId, OrderId } from '@floodgate/core/ids.ts';
import type { RefusalCode } from '@floodgate/core/refusal.ts';
import type { Committed, HoldRecord, OrderRecord, Outcome, Refused } from './ledger.ts';

/** What was granted; `reserved` is a hold that came with the number of its order. */
export type Granted = 'bought' | 'held' | 'reserved' | 'confirmed';

/** A row of `kept_keys`, apart from its key. */
export interface KeptAnswer {
  readonly answer: Granted | RefusalCode;
  /** The order or hold that was granted. */
  readonly subject: OrderId | HoldId | null;
  /** What the answer said of the moment. */
  readonly detail: object | null;
}

/** What is kept under an idempotency key. */
export interface Kept {
  readonly hash: string;
  readonly outcome: Outcome;
}

/** How an outcome is kept. Only purchases, holds, confirmations and refusals have keys. */
export function keptAnswerOf(outcome: Outcome): KeptAnswer {
  if (outcome.status === 'refused') {
    return { answer: outcome.refusal, subject: null, detail: outcome.detail ?? null };
  }
  if ('expiresAtMs' in outcome) {
    const { holdId, expiresAtMs } = outcome;
    const isReserved = 'orderId' in outcome && outcome.orderId !== undefined;
    return { answer: isReserved ? 'reserved' : 'held', subject: holdId, detail: { expiresAtMs } };
  }
  if ('secret' in outcome) {
    const { orderId, remaining } = outcome as typeof outcome & { readonly remaining?: number | undefined };
    if ('holdId' in outcome) return { answer: 'confirmed', subject: orderId, detail: null };
    return { answer: 'bought', subject: orderId, detail: remaining === undefined ? null : { remaining } };
  }
  throw new Error('broken invariant: only purchases, holds and confirmations are granted under a key');
}

/** Whether the subject is an order; else it is a hold, if there is one. */
export function isOrder(answer: KeptAnswer['answer']): boolean {
  return answer === 'bought' || answer === 'confirmed';
}

function committedOf({ seq, createdAtMs: atMs, tickets, buyer }: OrderRecord | HoldRecord): Committed {
  return { status: 'committed', seq, atMs, tickets, buyer };
}

/** The outcome as it was; `of` is its order or hold as it is now, undefined for a refusal. */
export function keptOutcome(
  { answer, detail }: KeptAnswer,
  of: OrderRecord | HoldRecord | undefined,
): Outcome {
  switch (answer) {
    case 'bought': {
      const { orderId, secret } = of as OrderRecord;
      return { ...committedOf(of as OrderRecord), orderId, secret, ...detail };
    }
    case 'confirmed': {
      const { orderId, secret, holdId } = of as OrderRecord;
      return { ...committedOf(of as OrderRecord), orderId, secret, holdId: holdId! };
    }
    case 'held':
    case 'reserved': {
      const { holdId, orderId, total, currency, secret } = of as HoldRecord;
      const promised = answer === 'reserved' ? { orderId: orderId! } : undefined;
      const { expiresAtMs } = detail as { readonly expiresAtMs: number };
      return { ...committedOf(of as HoldRecord), holdId, total, currency, secret, ...promised, expiresAtMs };
    }
    default:
      return { status: 'refused', refusal: answer, ...(detail && { detail }) } as Refused;
  }
}
