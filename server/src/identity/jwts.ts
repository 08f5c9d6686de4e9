// JWTs of the platform that buyers and staff come from: HS256 only, with expiry and subject. Checking one costs 120 µs,
// so those that are good are remembered until they expire.
import { createSecretKey, hash, type KeyObject } from 'node:crypto';
import { type Actor, type BadCredential, ROLES, type Role } from '@floodgate/core/actor.ts';
import { errors, type JWTHeaderParameters, type JWTPayload, jwtVerify } from 'jose';

export interface JwtRules {
  /** `kid` is what a token's header names; a token that names none is tried with all. */
  readonly secrets: readonly { readonly kid: string | undefined; readonly secret: string }[];
  readonly issuer: string | undefined;
  readonly audience: string | undefined;
  /** How many good tokens are remembered. */
  readonly remembered?: number | undefined;
}

/** Clocks of two machines are never the same. */
const TOLERANCE_S = 5;
const REMEMBERED = 10_000;
const MAX_SUBJECT = 200;
const KNOWN_ROLES: ReadonlySet<unknown> = new Set(ROLES);

interface Remembered {
  readonly who: Actor;
  readonly expiresAtMs: number;
}

export class Jwts {
  readonly #rules: JwtRules;
  readonly #keys: readonly { readonly kid: string | undefined; readonly key: KeyObject }[];
  /** By digest, so that no token is kept in memory; the oldest first. */
  readonly #good = new Map<string, Remembered>();

  constructor(rules: JwtRules) {
    this.#rules = rules;
    this.#keys = rules.secrets.map(({ kid, secret }) => ({ kid, key: createSecretKey(secret, 'utf8') }));
  }

  /** At once for a token that was seen before. */
  read(token: string, nowMs: number): Actor | BadCredential | Promise<Actor | BadCredential> {
    const digest = hash('sha256', token, 'base64url');
    const known = this.#good.get(digest);
    if (known && nowMs < known.expiresAtMs) return known.who;
    return this.#verify(token, digest, nowMs);
  }

  async #verify(token: string, digest: string, nowMs: number): Promise<Actor | BadCredential> {
    const payload = await this.#payloadOf(token, nowMs);
    if (typeof payload === 'string') return { kind: 'bad', why: payload };
    const who = principalOf(payload);
    if (who.kind !== 'bad') this.#remember(digest, { who, expiresAtMs: payload.exp! * 1_000 });
    return who;
  }

  /** What the token says, or why it is not believed. */
  async #payloadOf(token: string, nowMs: number): Promise<JWTPayload | string> {
    let why = 'This token is not one of ours.';
    const { issuer, audience } = this.#rules;
    for (const { kid, key } of this.#keys) {
      try {
        const { payload } = await jwtVerify(token, (header) => keyFor(header, kid, key), {
          algorithms: ['HS256'],
          requiredClaims: ['exp', 'sub'],
          clockTolerance: TOLERANCE_S,
          currentDate: new Date(nowMs),
          ...(issuer === undefined ? {} : { issuer }),
          ...(audience === undefined ? {} : { audience }),
        });
        return payload;
      } catch (error) {
        why = reason(error);
        if (!(error instanceof errors.JWSSignatureVerificationFailed || error instanceof OtherKid))
          return why;
      }
    }
    return why;
  }

  #remember(digest: string, good: Remembered): void {
    if (this.#good.size >= (this.#rules.remembered ?? REMEMBERED))
      this.#good.delete(this.#good.keys().next().value!);
    this.#good.delete(digest);
    this.#good.set(digest, good);
  }
}

class OtherKid extends Error {}

function keyFor(header: JWTHeaderParameters, kid: string | undefined, key: KeyObject): KeyObject {
  if (header.kid !== undefined && header.kid !== kid) throw new OtherKid('of another key');
  return key;
}

/** The subject, and for staff the role. Another `role` than those of staff is the platform's own affair. */
function principalOf({ sub, role }: JWTPayload): Actor | BadCredential {
  if (!isSubject(sub)) return { kind: 'bad', why: SUBJECT_RULE };
  return KNOWN_ROLES.has(role)
    ? { kind: 'staff', role: role as Role, name: `user ${sub}` }
    : { kind: 'buyer', buyer: `user:${sub}` };
}

const SUBJECT_RULE = `The subject (sub) of a token must be 1 to ${MAX_SUBJECT} characters, without control characters and without spaces at its ends.`;

function isSubject(sub: unknown): sub is string {
  if (typeof sub !== 'string' || sub.length < 1 || sub.length > MAX_SUBJECT) return false;
  return sub.isWellFormed() && !/\p{Cc}/u.test(sub) && sub === sub.trim();
}

/** In words for the client; never with anything of the token but the names of its claims. */
function reason(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'This token has expired.';
  if (error instanceof errors.JWTClaimValidationFailed) {
    const { claim, reason } = error;
    if (reason === 'missing') return `This token lacks the claim ${claim}.`;
    if (claim === 'nbf') return 'This token is not valid yet.';
    return `The claim ${claim} of this token is not as it must be.`;
  }
  if (error instanceof errors.JOSEAlgNotAllowed) return 'Only tokens signed with HS256 are taken.';
  if (error instanceof OtherKid) return 'This token names a key (kid) that is not ours.';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'The signature of this token is wrong.';
  if (error instanceof errors.JOSEError || error instanceof TypeError)
    return 'This is no key or token of ours.';
  throw error;
}
