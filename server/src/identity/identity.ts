// Who asks. Buyers come with a session that this shop made, or with a JWT of the platform they bought on; staff with an
// API key or a JWT. What a credential says is decided here; what its bearer may do is decided at the doors.
import type { Actor, BadCredential, Credentials, Role } from '@floodgate/core/actor.ts';

/** A staff key as it is kept: never the key itself. */
export interface StaffKey {
  readonly keyId: string;
  readonly name: string;
  readonly role: Role;
  /** SHA-256 of the whole key, base64url. */
  readonly hash: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
  readonly revokedAtMs: number | null;
}

export interface Session {
  readonly buyer: string;
  readonly token: string;
  readonly expiresAtMs: number;
}

export interface Identity {
  /** At once for all but JWTs that were not seen before. `nowMs` is the ledger's clock. */
  whoIs(credentials: Credentials, nowMs: number): Actor | BadCredential | Promise<Actor | BadCredential>;
  /** An anonymous buyer, from now on known by this token. */
  newSession(nowMs: number): Session;
  /** A fresh key, which is shown once, and its hash, which is kept. */
  newKey(keyId: string): { readonly key: string; readonly hash: string };
  /** From now on the key opens the doors of its role. Admitting it again changes nothing, also when it was revoked. */
  admit(key: StaffKey): void;
  /** From now on the key opens nothing. Revoking it again, or an unknown key, changes nothing. */
  revoke(keyId: string, atMs: number): void;
  /** All keys, good or not, in the order they were made. */
  keys(): readonly StaffKey[];
  key(keyId: string): StaffKey | undefined;
}
