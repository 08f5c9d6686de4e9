// API keys of staff: `fgk_<keyId>_<secret>`. Only their SHA-256 is kept, which is enough for 256 random bits: there is
// nothing to guess that a slow hash would protect.
import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Actor, BadCredential } from '@floodgate/core/actor.ts';
import type { StaffKey } from './identity.ts';

export const KEY_PREFIX = 'fgk_';
const SECRET_BYTES = 32;
const KEY = /^fgk_(\d{1,19})_[\w-]{43}$/;

export class StaffKeys {
  /** By id, in the order they were made. */
  readonly #keys = new Map<string, StaffKey>();

  make(keyId: string): { key: string; hash: string } {
    const key = `${KEY_PREFIX}${keyId}_${randomBytes(SECRET_BYTES).toString('base64url')}`;
    return { key, hash: digest(key) };
  }

  /** A key that was revoked stays so. */
  admit(key: StaffKey): void {
    if (!this.#keys.has(key.keyId)) this.#keys.set(key.keyId, key);
  }

  revoke(keyId: string, atMs: number): void {
    const key = this.#keys.get(keyId);
    if (key && key.revokedAtMs === null) this.#keys.set(keyId, { ...key, revokedAtMs: atMs });
  }

  all(): readonly StaffKey[] {
    return [...this.#keys.values()];
  }

  find(keyId: string): StaffKey | undefined {
    return this.#keys.get(keyId);
  }

  read(bearer: string, nowMs: number): Actor | BadCredential {
    const key = this.#keys.get(KEY.exec(bearer)?.[1] ?? '');
    // Whether a key is known, revoked or expired is told to its bearer only.
    if (!key || !timingSafeEqual(Buffer.from(digest(bearer)), Buffer.from(key.hash))) return UNKNOWN;
    if (key.revokedAtMs !== null) return REVOKED;
    if (key.expiresAtMs !== null && key.expiresAtMs <= nowMs) return EXPIRED;
    return { kind: 'staff', role: key.role, name: `key ${key.keyId} ${key.name}` };
  }
}

const digest = (key: string): string => hash('sha256', key, 'base64url');

const UNKNOWN: BadCredential = { kind: 'bad', why: 'This API key is not known.' };
const REVOKED: BadCredential = { kind: 'bad', why: 'This API key was revoked.' };
const EXPIRED: BadCredential = { kind: 'bad', why: 'This API key has expired.' };
