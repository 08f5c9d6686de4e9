// Who asks, by any of the credentials that this shop takes.
import { timingSafeEqual } from 'node:crypto';
import type { Actor, BadCredential, Credentials } from '@floodgate/core/actor.ts';
import { GUEST } from '@floodgate/core/actor.ts';
import type { Identity, Session, StaffKey } from './identity.ts';
import { type JwtRules, Jwts } from './jwts.ts';
import { SESSION_PREFIX, SessionTokens } from './session-tokens.ts';
import { KEY_PREFIX, StaffKeys } from './staff-keys.ts';

export interface IdentityOptions {
  /** The admin key of the environment. */
  readonly apiKey: string;
  readonly jwt: JwtRules;
  readonly sessionMs: number;
}

/** No credential of ours is longer, nor a sane JWT. */
const MAX_BEARER = 8_192;

export class ShopIdentity implements Identity {
  readonly #adminKey: Buffer;
  readonly #jwts: Jwts;
  readonly #sessions: SessionTokens;
  readonly #keys = new StaffKeys();

  constructor({ apiKey, jwt, sessionMs }: IdentityOptions) {
    this.#adminKey = Buffer.from(apiKey);
    this.#jwts = new Jwts(jwt);
    this.#sessions = new SessionTokens(
      jwt.secrets.map(({ secret }) => secret),
      sessionMs,
    );
  }

  whoIs(
    { bearer, session }: Credentials,
    nowMs: number,
  ): Actor | BadCredential | Promise<Actor | BadCredential> {
    if (bearer === undefined) return session === undefined ? GUEST : this.#sessions.read(session, nowMs);
    if (bearer.length > MAX_BEARER) return TOO_LONG;
    if (this.#isAdminKey(bearer)) return ADMIN;
    if (bearer.startsWith(SESSION_PREFIX)) return this.#sessions.read(bearer, nowMs);
    if (bearer.startsWith(KEY_PREFIX)) return this.#keys.read(bearer, nowMs);
    return JWT.test(bearer) ? this.#jwts.read(bearer, nowMs) : UNKNOWN;
  }

  newSession(nowMs: number): Session {
    return this.#sessions.make(nowMs);
  }

  newKey(keyId: string): { key: string; hash: string } {
    return this.#keys.make(keyId);
  }

  admit(key: StaffKey): void {
    this.#keys.admit(key);
  }

  revoke(keyId: string, atMs: number): void {
    this.#keys.revoke(keyId, atMs);
  }

  keys(): readonly StaffKey[] {
    return this.#keys.all();
  }

  key(keyId: string): StaffKey | undefined {
    return this.#keys.find(keyId);
  }

  #isAdminKey(bearer: string): boolean {
    const sent = Buffer.from(bearer);
    return sent.length === this.#adminKey.length && timingSafeEqual(sent, this.#adminKey);
  }
}

const JWT = /^[\w-]+\.[\w-]*\.[\w-]*$/;
const ADMIN: Actor = Object.freeze({ kind: 'staff', role: 'admin', name: 'admin key' });
const UNKNOWN: BadCredential = { kind: 'bad', why: 'This is no key or token of ours.' };
const TOO_LONG: BadCredential = { kind: 'bad', why: `A key or token has at most ${MAX_BEARER} characters.` };
