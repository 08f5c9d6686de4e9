// Who asks, and as whom that person buys.
import type { BadCredential, Credentials, Principal } from '../identity/identity.ts';
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
