// The doors of staff keys, and of what staff did to the shop: for admins only.
import { eventsInput } from '../../contract/schemas.ts';
import { keyInput, keyReference } from '../../contract/who.ts';
import {
  listKeys,
  makeKey,
  readChanges,
  revokeKey,
  type ShownEntry,
  type StaffKey,
} from '../../sales/access/staff-keys.ts';
import { staffName } from '../../sales/access/who.ts';
import type { Shop } from '../../sales/shop.ts';
import { type Operation, operation } from '../lane/operation.ts';
import { nextCursor, readCursor, refuseCursor } from '../lane/page.ts';
import { problem } from '../lane/problem.ts';

const KEYS = '/api/v1/api-keys';
/** `admin` may everywhere, nobody else here. */
const ADMIN_ONLY = [] as const;

export function staffOperations(shop: Shop): Operation[] {
  return [
    operation({
      name: 'make-key',
      method: 'POST',
      path: KEYS,
      roles: ADMIN_ONLY,
      input: keyInput,
      async run({ input, requestId, who }) {
        const { name, role, expiresAt } = input.body;
        const expiresAtMs = expiresAt === undefined ? null : Date.parse(expiresAt);
        if (expiresAtMs !== null && expiresAtMs <= shop.ledger.nowMs()) {
          const fields = { 'body.expiresAt': 'must be in the future' };
          return problem('VALIDATION_FAILED', requestId, { fields });
        }
        const { key, kept } = await makeKey(shop, { name, role, expiresAtMs }, staffName(who));
        const { keyId } = kept;
        return {
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
      method: 'GET',
      path: KEYS,
      roles: ADMIN_ONLY,
      input: eventsInput,
      async run({ input, requestId }) {
        const skip = readCursor(input.query.cursor);
        if (skip === undefined) return refuseCursor(requestId);
        const { limit } = input.query;
        const keys = (await listKeys(shop)).slice(skip, skip + limit);
        const body = {
          keys: keys.map((key) => keyBody(shop, key)),
          ...nextCursor(keys.length, limit, skip + keys.length),
        };
        return { status: 200, body, headers: { 'Cache-Control': 'no-store' } };
      },
    }),
    operation({
      name: 'revoke-key',
      method: 'DELETE',
      path: `${KEYS}/:keyId`,
      roles: ADMIN_ONLY,
      input: keyReference,
      async run({ input, requestId, who }) {
        const key = await revokeKey(shop, input.params.keyId, staffName(who));
        if ('refusal' in key) return problem(key.refusal, requestId);
        const { keyId } = key;
        return { status: 200, body: keyBody(shop, key), result: 'granted', fields: { keyId } };
      },
    }),
    operation({
      name: 'changes',
      method: 'GET',
      path: '/api/v1/changes',
      roles: ADMIN_ONLY,
      input: eventsInput,
      async run({ input, requestId }) {
        const after = readCursor(input.query.cursor);
        if (after === undefined) return refuseCursor(requestId);
        const { limit } = input.query;
        const entries = await readChanges(shop, after, limit);
        const changes = entries.filter(({ kind }) => kind !== 'event-created').map(changeBody);
        const body = { changes, ...nextCursor(entries.length, limit, entries.at(-1)?.seq) };
        return { status: 200, body, headers: { 'Cache-Control': 'no-store' } };
      },
    }),
  ];
}

/** A fact as it is shown. That the journal was made is nobody's deed. */
function changeBody({ seq, kind, atMs, fact }: ShownEntry) {
  const at = time(atMs);
  if (kind !== 'key-made') return { seq, kind, at, ...fact };
  const { expiresAtMs, ...made } = fact;
  return { seq, kind, at, ...made, ...(expiresAtMs === null ? {} : { expiresAt: time(expiresAtMs) }) };
}

/** A key as it is shown: never the key itself, nor its hash. */
function keyBody(shop: Shop, key: StaffKey) {
  const { keyId, name, role, createdAtMs, expiresAtMs, revokedAtMs } = key;
  return {
    ...{ keyId, name, role, status: statusOf(key, shop.ledger.nowMs()), createdAt: time(createdAtMs) },
    expiresAt: expiresAtMs === null ? null : time(expiresAtMs),
    revokedAt: revokedAtMs === null ? null : time(revokedAtMs),
  };
}

function statusOf({ expiresAtMs, revokedAtMs }: StaffKey, nowMs: number): 'active' | 'expired' | 'revoked' {
  if (revokedAtMs !== null) return 'revoked';
  return expiresAtMs !== null && expiresAtMs <= nowMs ? 'expired' : 'active';
}

const time = (ms: number): string => new Date(ms).toISOString();
