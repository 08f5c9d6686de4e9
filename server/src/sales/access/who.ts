// Who asks, and as whom that person buys.

import type { Actor, BadCredential, Credentials } from '@floodgate/core/actor.ts';
import { invariant, unreachable } from '@floodgate/core/assert.ts';
import type { Session } from '../../identity/identity.ts';
import type { Shop } from '../shop.ts';

/** What the request's credentials say. At once for all but JWTs that were not seen before. */
export function whoAsks(
  shop: Shop,
  credentials: Credentials,
): Actor | BadCredential | Promise<Actor | BadCredential> {
  return shop.identity.whoIs(credentials, shop.ledger.nowMs());
}

/** An anonymous buyer, from now on known by the session's token. */
export function newSession(shop: Shop): Session {
  return shop.identity.newSession(shop.ledger.nowMs());
}

/** Names that are earned by a session or a token, which nobody can just claim to be. */
const EARNED = /^(?:session|user):/;

/**
 * The buyer that stands in holds and orders: who is known is that buyer, the box office may name anybody, a guest any
 * name that is not earned. Undefined when the asker may not buy as the one who is named.
 */
export function buyerFor(who: Actor, named: string | undefined): string | null | undefined {
  if (who.kind === 'buyer') return named === undefined || named === who.buyer ? who.buyer : undefined;
  if (named === undefined) return null;
  const maySayAnything = who.kind === 'staff' && (who.role === 'admin' || who.role === 'box-office');
  return maySayAnything || !EARNED.test(named) ? named : undefined;
}

/** Whose idempotency keys the asker's are: those of guests are all one, whoever else asks has keys of their own. */
export function keyScopeOf(who: Actor): string {
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
export function isTheirs(who: Actor, buyer: string | null): boolean {
  if (buyer === null || !EARNED.test(buyer)) return true;
  if (who.kind === 'staff') return who.role === 'admin' || who.role === 'box-office';
  return who.kind === 'buyer' && who.buyer === buyer;
}

/** Who did it, for the audit log. Only staff get to what is logged there. */
export function staffName(who: Actor): string {
  invariant(who.kind === 'staff', 'only staff change the shop');
  return who.name;
}
