// Sessions of anonymous buyers: `fgs_<id>.<expiry>.<mac>`. Nothing is kept of them, so any process with the secrets
// knows every session; HMAC-SHA256 at 2 µs each, because each request of a buyer carries one.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Actor, BadCredential } from '@floodgate/core/actor.ts';
import type { Session } from './identity.ts';

export const SESSION_PREFIX = 'fgs_';
const ID_BYTES = 16;
/** Seconds since 1970 in base 36; an id and a MAC in base64url. */
const TOKEN = /^fgs_(([\w-]{22})\.([0-9a-z]{1,8}))\.([\w-]{43})$/;
/** What the secrets also sign, JWTs, can never pass as a session. */
const LABEL = 'floodgate session 1';

export class SessionTokens {
  /** The first signs. */
  readonly #keys: readonly Buffer[];
  readonly #lifeMs: number;

  constructor(secrets: readonly string[], lifeMs: number) {
    this.#keys = secrets.map((secret) => createHmac('sha256', secret).update(LABEL).digest());
    this.#lifeMs = lifeMs;
  }

  make(nowMs: number): Session {
    const id = randomBytes(ID_BYTES).toString('base64url');
    const expiresAtS = Math.ceil((nowMs + this.#lifeMs) / 1_000);
    const content = `${id}.${expiresAtS.toString(36)}`;
    const mac = macOf(this.#keys[0]!, content).toString('base64url');
    return { buyer: `session:${id}`, token: `fgs_${content}.${mac}`, expiresAtMs: expiresAtS * 1_000 };
  }

  read(token: string, nowMs: number): Actor | BadCredential {
    const parts = TOKEN.exec(token);
    if (!parts) return FORGED;
    const [, content, id, expiresAt, mac] = parts as unknown as [string, string, string, string, string];
    const sent = Buffer.from(mac, 'base64url');
    if (!this.#keys.some((key) => timingSafeEqual(macOf(key, content), sent))) return FORGED;
    if (Number.parseInt(expiresAt, 36) * 1_000 <= nowMs) return EXPIRED;
    return { kind: 'buyer', buyer: `session:${id}` };
  }
}

const macOf = (key: Buffer, content: string): Buffer => createHmac('sha256', key).update(content).digest();

const FORGED: BadCredential = {
  kind: 'bad',
  why: 'This session token is not one of ours: start a session with POST /api/v1/sessions.',
};
const EXPIRED: BadCredential = {
  kind: 'bad',
  why: 'This session has expired: start another with POST /api/v1/sessions.',
};
