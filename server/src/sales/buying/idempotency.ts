// An idempotency key as the ledger keeps it. The hash covers the operation and all of its valid input, so the
// same key with anything else is recognized (rule S5).
import type { Actor } from '@floodgate/core/actor.ts';
import { type Idempotency, keyDigest, shortDigest } from '../../ledger/ledger.ts';
import { keyScopeOf } from '../access/who.ts';

/** Undefined when the client sent no key. */
export function idempotencyOf(
  key: string | undefined,
  operation: string,
  request: unknown,
  who: Actor,
): Idempotency | undefined {
  if (key === undefined) return undefined;
  return {
    digest: keyDigest(keyScopeOf(who), key),
    hash: shortDigest(JSON.stringify([operation, request])),
  };
}
