// An idempotency key as the ledger keeps it. The hash covers the operation and all of its valid input, so the
// same key with anything else is recognized (rule S5).
import { hash } from 'node:crypto';
import type { Actor } from '@floodgate/core/actor.ts';
import type { Idempotency } from '../../ledger/ledger.ts';
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
    scope: keyScopeOf(who),
    key,
    hash: hash('sha256', JSON.stringify([operation, request]), 'base64url'),
  };
}
