// Makes credentials for tests, good ones and such as no honest issuer makes. Signs by hand, so that the library that
// checks them is not asked to make what it would never make.
import { createHmac } from 'node:crypto';
import { JWT_SECRET } from './server-process.ts';

export interface ForgeOptions {
  readonly secret?: string;
  /** Over `{"alg": "HS256", "typ": "JWT"}`. */
  readonly header?: Readonly<Record<string, unknown>>;
}

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Signed with HMAC-SHA256, whatever its header says. */
export function forgeJwt(claims: unknown, { secret = JWT_SECRET, header = {} }: ForgeOptions = {}): string {
  const content = `${part({ alg: 'HS256', typ: 'JWT', ...header })}.${part(claims)}`;
  return `${content}.${createHmac('sha256', secret).update(content).digest('base64url')}`;
}

/** Of the subject, good for an hour of the wall clock. */
export function tokenOf(sub: string, claims: Readonly<Record<string, unknown>> = {}): string {
  return forgeJwt({ sub, exp: Math.floor(Date.now() / 1_000) + 3_600, ...claims });
}

/** With one part of a token replaced: 0 its header, 1 its claims, 2 its signature. */
export function withPart(token: string, index: 0 | 1 | 2, text: string): string {
  return token.split('.').with(index, text).join('.');
}

/** The text with its character at `index` (negative: from the end) replaced by another of base64url. */
export function withOtherCharacter(text: string, index: number): string {
  const at = index < 0 ? text.length + index : index;
  return `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;
}

export const jsonPart = part;
