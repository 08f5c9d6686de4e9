// What stands in the journal for an idempotency key. The shop's rule once more, on purpose: the checker trusts nothing of
// the shop's.
import { createHash } from 'node:crypto';

/** Of a key that came without credentials. */
export function keyOfGuest(key: string): string {
  return createHash('sha256').update(`\n${key}`).digest('base64url').slice(0, 22);
}
