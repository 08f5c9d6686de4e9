// The credentials of a request: a bearer token, else the session cookie of a browser.
import type { IncomingMessage } from 'node:http';
import type { BadCredential, Credentials } from '@floodgate/core/actor.ts';
import type { Answer } from './answer.ts';
import type { Cors } from './cors.ts';
import { problem } from './problem.ts';

/** The cookie that holds a session's token. */
export const SESSION_COOKIE = 'floodgate_session';
const BEARER = /^bearer +(\S.*)$/i;
const COOKIE = new RegExp(`(?:^|; *)${SESSION_COOKIE}=([^;]*)`, 'g');

/** Undefined: none came. */
export function credentialsOf(req: IncomingMessage): Credentials | BadCredential | undefined {
  const { authorization } = req.headers;
  if (authorization !== undefined) return bearerOf(req, authorization);
  const [cookie, other] = (req.headers.cookie ?? '').matchAll(COOKIE);
  if (!cookie) return undefined;
  // Another site of our domain may have added its own, to see what is bought with it.
  return other ? bad('Send one session cookie, not several.') : { bearer: undefined, session: cookie[1] };
}

function bearerOf(req: IncomingMessage, authorization: string): Credentials | BadCredential {
  // Node keeps the first of several, a proxy may have looked at the last.
  if (countAuthorizations(req) > 1) return bad('Send one Authorization header, not several.');
  const bearer = BEARER.exec(authorization)?.[1];
  if (bearer === undefined) return bad('Send the key or token as "Authorization: Bearer <key>".');
  return { bearer, session: undefined };
}

/** Counted in the raw headers: Node's own list of all headers' values takes 3.4 µs, this 0.5. */
function countAuthorizations({ rawHeaders }: IncomingMessage): number {
  const isOne = (name: string, i: number) =>
    i % 2 === 0 && name.length === 'authorization'.length && name.toLowerCase() === 'authorization';
  return rawHeaders.filter(isOne).length;
}

const bad = (why: string): BadCredential => ({ kind: 'bad', why });

/** Whether another site may have made a browser send this: with the session cookie, and changing something. */
export function isForged(req: IncomingMessage, cors: Cors | undefined): boolean {
  if (req.headers.authorization !== undefined || req.method === 'GET' || req.method === 'HEAD') return false;
  return isForeign((name) => req.headers[name] as string | undefined, cors);
}

/**
 * Whether a page of another site sends this, which is not among those that may act with cookies. Browsers tell where a
 * request comes from, and pages cannot change that.
 */
export function isForeign(
  header: (name: 'sec-fetch-site' | 'origin' | 'host') => string | undefined,
  cors: Cors | undefined,
): boolean {
  const site = header('sec-fetch-site');
  if (site === 'same-origin' || site === 'none') return false;
  const origin = header('origin');
  if (origin === undefined) return site !== undefined;
  return URL.parse(origin)?.host !== header('host') && !cors?.trusts(origin);
}

const NO_SESSION = `${SESSION_COOKIE}=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0`;

export function refuseCredential(req: IncomingMessage, bad: BadCredential, requestId: string): Answer {
  return problem('UNAUTHENTICATED', requestId, {
    detail: bad.why,
    headers: {
      'WWW-Authenticate': 'Bearer error="invalid_token"',
      // A browser cannot drop the cookie itself: it would be shut out until the cookie expires.
      ...(req.headers.authorization === undefined ? { 'Set-Cookie': NO_SESSION } : {}),
    },
  });
}

const FORGED =
  'A request with the session cookie that changes something must come from our own pages, or from a listed origin.';

export function refuseForged(requestId: string): Answer {
  return problem('FORBIDDEN', requestId, { detail: FORGED });
}

/** The answer to somebody who would buy as somebody else. */
export function refuseBuyer(requestId: string): Answer {
  return problem('FORBIDDEN', requestId, {
    detail:
      'You cannot buy as that buyer: leave out "buyer" to buy as yourself. Names that begin with session: or user: are given by a session or a token.',
    fields: { 'body.buyer': 'is somebody else' },
  });
}
