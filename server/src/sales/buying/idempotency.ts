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
    hash: digestOf(JSON.stringify([operation, request])),
  };
}

/** In an on-sale nearly everybody asks for the same few things, and a digest is the dearest part of a key. */
const recent = new Map<string, string>();
const MOST_RECENT = 1_000;
const LONGEST_RECENT = 300;

function digestOf(text: string): string {
  const known = recent.get(text);
  if (known !== undefined) return known;
  const digest = shortDigest(text);
  if (text.length > LONGEST_RECENT) return digest;
  if (recent.size === MOST_RECENT) recent.clear();
  recent.set(text, digest);
  return digest;
}
