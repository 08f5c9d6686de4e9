// Who asks, and as whom that person buys.
import { invariant, unreachable } from '@floodgate/core/refusal.ts';
import type { BadCredential, Credentials, Principal, Session } from '../identity/identity.ts';
import type { Rooms } from './rooms.ts';

export type { BadCredential, Credentials, Principal, Role } from '../identity/identity.ts';

/** Nobody in particular: no credential came with the request. */
export const GUEST: Principal = Object.freeze({ kind: 'nobody' });

/** What the request's credentials say. At once for all but JWTs that were not seen before. */
export function whoAsks(
  rooms: Rooms,
  credentials: Credentials,
): Principal | BadCredential | Promise<Principal | BadCredential> {
  return rooms.identity.whoIs(credentials, rooms.ledger.nowMs());
}

/** An anonymous buyer, from now on known by the session's token. */
export function newSession(rooms: Rooms): Session {
  return rooms.identity.newSession(rooms.ledger.nowMs());
}

/** Names that are earned by a session or a token, which nobody can just claim to be. */
const EARNED = /^(?:session|user):/;

/**
 * The buyer that stands in holds and orders: who is known is that buyer, the box office may name anybody, a guest any
 * name that is not earned. Undefined when the asker may not buy as the one who is named.
 */
export function buyerFor(who: Principal, named: string | undefined): string | null | undefined {
  if (who.kind === 'buyer') return named === undefined || named === who.buyer ? who.buyer : undefined;
  if (named === undefined) return null;
  const maySayAnything = who.kind === 'staff' && (who.role === 'admin' || who.role === 'box-office');
  return maySayAnything || !EARNED.test(named) ? named : undefined;
}

/** Whose idempotency keys the asker's are: those of guests are all one, whoever else asks has keys of their own. */
export function keyScopeOf(who: Principal): string {
  switch (who.kind) {
    case 'nobody':
      return '';
    case 'buyer':
      return who.buyer;
    case 'staff':
      return `staff:${who.name}`;
    default:
      return unreachable(who);
  }
}

/**
 * Whether the asker may deal with what this buyer has: the buyer, and the box office. What a guest has belongs to whoever
 * knows its id.
 */
export function isTheirs(who: Principal, buyer: string | null): boolean {
  if (buyer === null || !EARNED.test(buyer)) return true;
  if (who.kind === 'staff') return who.role === 'admin' || who.role === 'box-office';
  return who.kind === 'buyer' && who.buyer === buyer;
}

/** Who did it, for the audit log. Only staff get to what is logged there. */
export function staffName(who: Principal): string {
  invariant(who.kind === 'staff', 'only staff change the shop');
  return who.name;
}
