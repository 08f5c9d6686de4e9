// An idempotency key as the ledger keeps it. The hash covers the operation and all of its valid input, so the
// same key with anything else is recognized (rule S5).
import { hash } from 'node:crypto';
import type { Idempotency } from '../ledger/ledger.ts';

/** Undefined when the client sent no key. Buyers are anonymous so far, so all keys of an event share one scope. */
export function idempotencyOf(
  key: string | undefined,
  operation: string,
  request: unknown,
): Idempotency | undefined {
  if (key === undefined) return undefined;
  return { scope: '', key, hash: hash('sha256', JSON.stringify([operation, request]), 'base64url') };
}
