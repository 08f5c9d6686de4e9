// Who acts: buyers, with a session of this shop or a JWT of the platform they bought on; staff, with an API key or a
// JWT; and guests, whom nobody knows. What a credential says is decided by the room identity, what its bearer may do at
// the doors.

/** From the most to the least: each may do what the next may, except that `door` and `read` are apart. */
export const ROLES = ['admin', 'box-office', 'door', 'read'] as const;

export type Role = (typeof ROLES)[number];

export type Actor =
  /** No credential came with the request: a guest. */
  | { readonly kind: 'nobody' }
  /** `session:<id>` or `user:<subject of a JWT>`: what stands as buyer in holds and orders. */
  | { readonly kind: 'buyer'; readonly buyer: string }
  /** `name` is for the audit log: `admin key`, `key 7301… Box office`, `user jane@example.org`. */
  | { readonly kind: 'staff'; readonly role: Role; readonly name: string };

/** Nobody in particular: no credential came with the request. */
export const GUEST: Actor = Object.freeze({ kind: 'nobody' });

/** A credential that is no good: forged, expired, revoked, unreadable. `why` is for the client, without the credential. */
export interface BadCredential {
  readonly kind: 'bad';
  readonly why: string;
}

export interface Credentials {
  /** What follows `Authorization: Bearer `. */
  readonly bearer: string | undefined;
  /** The session token of a cookie; looked at only without a bearer. */
  readonly session: string | undefined;
}
