// Who acts, and as whom that person buys.

import type { Actor, BadCredential, Credentials } from '@floodgate/core/actor.ts';
import { invariant, unreachable } from '@floodgate/core/assert.ts';
import { isLive } from '@floodgate/core/hold.ts';
import type { Session } from '../../identity/identity.ts';
import type { HoldRecord } from '../../ledger/ledger.ts';
import type { Shop } from '../shop.ts';
import { equalSecrets } from './secrets.ts';

/** What the request's credentials say. At once for all but JWTs that were not seen before. */
export function actorOf(
  shop: Shop,
  credentials: Credentials,
): Actor | BadCredential | Promise<Actor | BadCredential> {
  return shop.identity.whoIs(credentials, shop.ledger.nowMs());
}

/** An anonymous buyer, from now on known by the session's token. */
export function newSession(shop: Shop): Session & { readonly lastsMs: number } {
  const nowMs = shop.ledger.nowMs();
  const session = shop.identity.newSession(nowMs);
  return { ...session, lastsMs: session.expiresAtMs - nowMs };
}

/** Names that are earned by a session or a token, which nobody can just claim to be. */
const EARNED = /^(?:session|user):/;

/**
 * The buyer that stands in holds and orders: who is known is that buyer, the box office may name anybody, a guest any
 * name that is not earned. Undefined when the asker may not buy as the one who is named.
 */
export function buyerFor(actor: Actor, named: string | undefined): string | null | undefined {
  if (actor.kind === 'buyer') return named === undefined || named === actor.buyer ? actor.buyer : undefined;
  if (named === undefined) return null;
  const maySayAnything = actor.kind === 'staff' && (actor.role === 'admin' || actor.role === 'box-office');
  return maySayAnything || !EARNED.test(named) ? named : undefined;
}

/** The scope of the actor's idempotency keys: guests share one, everybody else has their own. */
export function keyScopeOf(actor: Actor): string {
  switch (actor.kind) {
    case 'nobody':
      return '';
    case 'buyer':
      return actor.buyer;
    case 'staff':
      return `staff:${actor.name}`;
    default:
      return unreachable(actor);
  }
}

/** Who acts, and the bearer secret of an order or a hold that came with the request. */
export interface Caller {
  readonly who: Actor;
  readonly secret: string | undefined;
}

/**
 * Whether the caller may act on the hold: its buyer by session or token, the box office, and anyone who has its secret.
 * A name that nobody has earned proves nothing. Holds of before holds had secrets belong to anyone who knows their ids,
 * unless they have an earned buyer, and only until they end.
 */
export function mayUseHold({ who, secret }: Caller, hold: HoldRecord): boolean {
  if (who.kind === 'staff' && (who.role === 'admin' || who.role === 'box-office')) return true;
  if (who.kind === 'buyer' && who.buyer === hold.buyer) return true;
  if (hold.secret !== null) return equalSecrets(hold.secret, secret ?? '');
  return isLive(hold) && (hold.buyer === null || !EARNED.test(hold.buyer));
}

/** Who did it, for the audit log. Only staff get to what is logged there. */
export function staffName(actor: Actor): string {
  invariant(actor.kind === 'staff', 'only staff change the shop');
  return actor.name;
}
