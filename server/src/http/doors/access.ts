// The doors of who acts: a session for a buyer without an account, who I am and what I have; for admins, staff keys and
// what staff did to the shop.

import {
  changesAnswers,
  keyInput,
  keyReference,
  listKeysAnswers,
  makeKeyAnswers,
  meAnswers,
  myTicketsAnswers,
  revokeKeyAnswers,
  sessionInput,
  startSessionAnswers,
} from '../../contract/access.ts';
import { isoTime, noInput, pageInput } from '../../contract/values.ts';
import {
  keyStatus,
  listKeys,
  makeKey,
  readChanges,
  revokeKey,
  type ShownEntry,
  type StaffKey,
} from '../../sales/access/staff-keys.ts';
import { newSession, staffName } from '../../sales/access/who.ts';
import { ordersOfBuyer } from '../../sales/ordering/my-tickets.ts';
import type { Shop } from '../../sales/shop.ts';
import { isForeign, SESSION_COOKIE } from '../lane/credentials.ts';
import type { Doors } from '../lane/doors.ts';
import { type DoorRequest, type Operation, operation } from '../lane/operation.ts';
import { nextCursor, readCursor, readIdCursor, refuseCursor } from '../lane/page.ts';
import { invalidInput, problem } from '../lane/problem.ts';
import { orderBody } from './orders.ts';

const NO_STORE = { 'Cache-Control': 'no-store' };

export function sessionOperations(shop: Shop, doors: Pick<Doors, 'cors'>): Operation[] {
  return [
    operation({
      name: 'start-session',
      summary: 'Start a session for a browser, or keep the one it has',
      tag: 'Access',
      method: 'POST',
      path: '/api/v1/sessions',
      input: sessionInput,
      answers: startSessionAnswers,
      sends: ['Set-Cookie'],
      run(request) {
        const { buyer, token, expiresAtMs, lastsMs } = newSession(shop);
        // A page of another site must not take the buyer's own session away.
        const cookie = isForeign((name) => request.header(name), doors.cors)
          ? {}
          : { 'Set-Cookie': sessionCookie(token, Math.floor(lastsMs / 1_000), isSecure(request)) };
        return {
          kind: 'json',
          status: 201,
          body: { buyer, token, expiresAt: isoTime(expiresAtMs) },
          headers: { ...NO_STORE, ...cookie },
        };
      },
    }),
    operation({
      name: 'who-am-i',
      summary: 'Read who the request acts as',
      tag: 'Access',
      method: 'GET',
      path: '/api/v1/me',
      input: noInput,
      answers: meAnswers,
      run: ({ actor }) => ({ kind: 'json', status: 200, body: actor, headers: NO_STORE }),
    }),
    operation({
      name: 'my-tickets',
      summary: "List the buyer's own orders",
      tag: 'Orders',
      method: 'GET',
      path: '/api/v1/me/tickets',
      input: pageInput,
      answers: myTicketsAnswers,
      async run({ input, requestId, actor }) {
        if (actor.kind === 'nobody') {
          const headers = { 'WWW-Authenticate': 'Bearer' };
          return problem('UNAUTHENTICATED', requestId, { detail: NOBODYS, headers });
        }
        if (actor.kind === 'staff') return problem('FORBIDDEN', requestId, { detail: STAFFS });
        const before = readIdCursor(input.query.cursor);
        if (before === null) return refuseCursor(requestId);
        const { limit } = input.query;
        const orders = await ordersOfBuyer(shop, actor.buyer, before, limit);
        const body = {
          orders: orders.map(orderBody),
          ...nextCursor(orders.length, limit, orders.at(-1)?.orderId),
        };
        return { kind: 'json', status: 200, body, headers: NO_STORE };
      },
    }),
  ];
}

const NOBODYS =
  'Send the token of a session (POST /api/v1/sessions) or of your account: a guest has no list.';
const STAFFS = 'Staff have no tickets of their own: orders are listed by event.';

function sessionCookie(token: string, maxAgeS: number, isSecure: boolean): string {
  const secure = isSecure ? '; Secure' : '';
  return `${SESSION_COOKIE}=${token}; HttpOnly; SameSite=Lax; Path=/; Max-Age=${maxAgeS}${secure}`;
}

/** Whether the browser came by https, as far as it or a proxy says. A client that lies here only weakens its own cookie. */
function isSecure(request: DoorRequest<unknown>): boolean {
  const proxied = request.header('x-forwarded-proto')?.split(',', 1)[0]?.trim();
  if (proxied !== undefined) return proxied === 'https';
  return (
    /\bproto="?https\b/i.test(request.header('forwarded') ?? '') ||
    /^https:/.test(request.header('origin') ?? '')
  );
}

const KEYS = '/api/v1/api-keys';
/** `admin` may everywhere, nobody else here. */
const ADMIN_ONLY = [] as const;

export function staffKeyOperations(shop: Shop): Operation[] {
  return [
    operation({
      name: 'make-key',
      summary: 'Make a staff key',
      tag: 'Access',
      method: 'POST',
      path: KEYS,
      roles: ADMIN_ONLY,
      input: keyInput,
      answers: makeKeyAnswers,
      async run({ input, requestId, actor }) {
        const { name, role, expiresAt } = input.body;
        const expiresAtMs = expiresAt === undefined ? null : Date.parse(expiresAt);
        const made = await makeKey(shop, { name, role, expiresAtMs }, staffName(actor));
        if ('problems' in made) return invalidInput([['body.expiresAt', made.problems.expiresAt]], requestId);
        const { key, kept } = made;
        const { keyId } = kept;
        return {
          kind: 'json',
          status: 201,
          body: { ...keyBody(shop, kept), key },
          headers: { 'Cache-Control': 'no-store' },
          result: 'granted',
          fields: { keyId, role },
        };
      },
    }),
    operation({
      name: 'list-keys',
      summary: 'List staff keys',
      tag: 'Access',
      method: 'GET',
      path: KEYS,
      roles: ADMIN_ONLY,
      input: pageInput,
      answers: listKeysAnswers,
      async run({ input, requestId }) {
        const skip = readCursor(input.query.cursor);
        if (skip === undefined) return refuseCursor(requestId);
        const { limit } = input.query;
        const keys = (await listKeys(shop)).slice(skip, skip + limit);
        const body = {
          keys: keys.map((key) => keyBody(shop, key)),
          ...nextCursor(keys.length, limit, skip + keys.length),
        };
        return { kind: 'json', status: 200, body, headers: { 'Cache-Control': 'no-store' } };
      },
    }),
    operation({
      name: 'revoke-key',
      summary: 'Revoke a staff key',
      tag: 'Access',
      method: 'DELETE',
      path: `${KEYS}/:keyId`,
      roles: ADMIN_ONLY,
      input: keyReference,
      answers: revokeKeyAnswers,
      async run({ input, requestId, actor }) {
        const key = await revokeKey(shop, input.params.keyId, staffName(actor));
        if ('refusal' in key) return problem(key.refusal, requestId);
        const { keyId } = key;
        return { kind: 'json', status: 200, body: keyBody(shop, key), result: 'granted', fields: { keyId } };
      },
    }),
    operation({
      name: 'changes',
      summary: 'List what staff did to the shop',
      tag: 'Access',
      method: 'GET',
      path: '/api/v1/changes',
      roles: ADMIN_ONLY,
      input: pageInput,
      answers: changesAnswers,
      async run({ input, requestId }) {
        const after = readCursor(input.query.cursor);
        if (after === undefined) return refuseCursor(requestId);
        const { limit } = input.query;
        const entries = await readChanges(shop, after, limit);
        const changes = entries.filter(({ kind }) => kind !== 'event-created').map(changeBody);
        const body = { changes, ...nextCursor(entries.length, limit, entries.at(-1)?.seq) };
        return { kind: 'json', status: 200, body, headers: { 'Cache-Control': 'no-store' } };
      },
    }),
  ];
}

/** A fact as it is shown. That the journal was made is nobody's deed. */
function changeBody({ seq, kind, atMs, fact }: ShownEntry) {
  const at = isoTime(atMs);
  if (kind !== 'key-made') return { seq, kind, at, ...fact };
  const { expiresAtMs, ...made } = fact;
  return { seq, kind, at, ...made, ...(expiresAtMs === null ? {} : { expiresAt: isoTime(expiresAtMs) }) };
}

/** A key as it is shown: never the key itself, nor its hash. */
function keyBody(shop: Shop, key: StaffKey) {
  const { keyId, name, role, createdAtMs, expiresAtMs, revokedAtMs } = key;
  return {
    ...{ keyId, name, role, status: keyStatus(shop, key), createdAt: isoTime(createdAtMs) },
    expiresAt: expiresAtMs === null ? null : isoTime(expiresAtMs),
    revokedAt: revokedAtMs === null ? null : isoTime(revokedAtMs),
  };
}
