// Staff keys at the doors: made by admins, shown once, kept across a restart, revoked at once.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { patienceMs, SLOWNESS } from '@floodgate/core/testing/patience.ts';
import { contentOf, readProblem } from '../../../test/kit/answers.ts';
import { tokenOf } from '../../../test/kit/forge.ts';
import { ServerProcess } from '../../../test/kit/server-process.ts';
import { type Asking, ask, openTestShop, type TestShop } from '../../../test/kit/test-shop.ts';
import {
  changesAnswer,
  madeKeyAnswer,
  meAnswer,
  sessionAnswer,
  staffKeyAnswer,
  staffKeysAnswer,
} from '../../contract/access.ts';
import { eventsAnswer } from '../../contract/events.ts';

let shop: TestShop;
before(async () => {
  shop = await openTestShop();
});
after(() => shop?.close());

const KEYS = '/api/v1/api-keys';
const AUDIT = '/api/v1/events/1/audit';
type Ask = (method: string, path: string, asking?: Asking) => ReturnType<typeof ask>;
const bearer = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });
const make = async (to: Ask, body: object) =>
  contentOf(await to('POST', KEYS, { asStaff: true, body }), 201, madeKeyAnswer);
const list = async (query = '') =>
  contentOf(await shop.ask('GET', `${KEYS}${query}`, { asStaff: true }), 200, staffKeysAnswer);
const changes = async (query = '') =>
  contentOf(await shop.ask('GET', `/api/v1/changes${query}`, { asStaff: true }), 200, changesAnswer);

test('[D9] a key is shown once, opens at once, and is listed without itself', async () => {
  const reply = await shop.ask('POST', KEYS, { asStaff: true, body: { name: 'Kiosk é 1', role: 'read' } });
  assert.equal(reply.headers.get('cache-control'), 'no-store');
  const { key, ...made } = contentOf(reply, 201, madeKeyAnswer);
  assert.deepEqual([made.name, made.role, made.status], ['Kiosk é 1', 'read', 'active']);
  assert.equal((await shop.ask('GET', AUDIT, bearer(key))).status, 200);
  const { keys } = await list();
  assert.deepEqual(keys.at(-1), made);
  const everything = [
    await shop.ask('GET', KEYS, { asStaff: true }),
    await shop.ask('GET', '/api/v1/changes', { asStaff: true }),
  ];
  for (const { text } of everything) {
    assert.ok(!text.includes(key.slice(-43)) && !/hash/.test(text));
  }
});

test('[D9] a revoked key opens nothing from the answer on; revoking it again answers the same', async () => {
  const { key, keyId } = await make(shop.ask, { name: 'Stolen', role: 'admin' });
  // With itself: an admin may.
  const first = await shop.ask('DELETE', `${KEYS}/${keyId}`, bearer(key));
  const revoked = contentOf(first, 200, staffKeyAnswer);
  assert.equal(revoked.status, 'revoked');
  assert.ok(revoked.revokedAt);
  const { detail } = readProblem(await shop.ask('GET', AUDIT, bearer(key)), 401, 'UNAUTHENTICATED');
  assert.match(detail, /revoked/);
  const again = await shop.ask('DELETE', `${KEYS}/${keyId}`, { asStaff: true });
  assert.deepEqual(contentOf(again, 200, staffKeyAnswer), revoked);
});

test('[D9] a key opens nothing after its expiry', async () => {
  const expiresAt = new Date(Date.now() + 700 * SLOWNESS).toISOString();
  const { key, ...made } = await make(shop.ask, { name: 'One show', role: 'door', expiresAt });
  assert.equal(made.expiresAt, expiresAt);
  const me = await shop.ask('GET', '/api/v1/me', bearer(key));
  assert.equal(contentOf(me, 200, meAnswer).kind, 'staff');
  const giveUpMs = Date.parse(expiresAt) + patienceMs(100);
  let late = await shop.ask('GET', '/api/v1/me', bearer(key));
  while (late.status === 200 && Date.now() < giveUpMs) {
    late = await shop.ask('GET', '/api/v1/me', bearer(key));
  }
  assert.ok(Date.now() >= Date.parse(expiresAt), 'it expired too early');
  assert.match(readProblem(late, 401, 'UNAUTHENTICATED').detail, /expired/);
  assert.equal((await list()).keys.find(({ keyId }) => keyId === made.keyId)?.status, 'expired');
});

test('what admins did is told with who did it, in order, page by page', async () => {
  const boss = tokenOf('jane@example.org', { role: 'admin' });
  const asBoss: Ask = (method, path, asking) =>
    shop.ask(method, path, { ...asking, asStaff: false, ...bearer(boss) });
  const { keyId } = await make(asBoss, { name: 'Temp', role: 'door' });
  contentOf(await asBoss('DELETE', `${KEYS}/${keyId}`), 200, staffKeyAnswer);
  const all = (await changes()).changes;
  const ours = all.filter((change) => change.keyId === keyId);
  assert.deepEqual(
    ours.map(({ kind, by, name }) => ({ kind, by, name })),
    ['key-made', 'key-revoked'].map((kind) => ({ kind, by: 'user jane@example.org', name: 'Temp' })),
  );
  const paged = [];
  for (let cursor = ''; ; ) {
    const page = await changes(`?limit=2${cursor}`);
    paged.push(...page.changes);
    if (page.nextCursor === undefined) break;
    cursor = `&cursor=${page.nextCursor}`;
  }
  assert.deepEqual(paged, all);
  assert.deepEqual(
    all.map(({ seq }) => seq),
    all.map((_, i) => i + 2),
    'without gaps',
  );
});

test('keys are listed page by page', async () => {
  for (let i = 0; i < 3; i++) await make(shop.ask, { name: `Key ${i}`, role: 'read' });
  const all = (await list()).keys;
  const first = await list('?limit=2');
  assert.deepEqual(first.keys, all.slice(0, 2));
  const next = await list(`?limit=1000&cursor=${first.nextCursor}`);
  assert.deepEqual(next.keys, all.slice(2));
  readProblem(await shop.ask('GET', `${KEYS}?cursor=x`, { asStaff: true }), 400, 'VALIDATION_FAILED');
});

test('a key that cannot be is refused, and none is made', async () => {
  const good = { name: 'Gate', role: 'door' };
  const cases = [
    [undefined, 'body'],
    [[], 'body'],
    [{}, 'body.name'],
    [{ ...good, name: '' }, 'body.name'],
    [{ ...good, name: ' Gate' }, 'body.name'],
    [{ ...good, name: 'x'.repeat(101) }, 'body.name'],
    [{ ...good, name: 'Gate\n' }, 'body.name'],
    [{ ...good, name: 'a\0b' }, 'body.name'],
    [{ ...good, name: '\ud800' }, 'body.name'],
    [{ ...good, name: 7 }, 'body.name'],
    [{ name: 'Gate' }, 'body.role'],
    [{ ...good, role: 'owner' }, 'body.role'],
    [{ ...good, role: 'Admin' }, 'body.role'],
    [{ ...good, role: ['door'] }, 'body.role'],
    [{ ...good, expiresAt: 'soon' }, 'body.expiresAt'],
    [{ ...good, expiresAt: '2027-01-01' }, 'body.expiresAt'],
    [{ ...good, expiresAt: 1_900_000_000 }, 'body.expiresAt'],
    [{ ...good, expiresAt: '2020-01-01T00:00:00Z' }, 'body.expiresAt'],
    [{ ...good, hash: 'x' }, 'body'],
    [{ ...good, key: 'fgk_1_x' }, 'body'],
  ] as const;
  const before = await changes();
  for (const [body, field] of cases) {
    const reply = await shop.ask('POST', KEYS, { asStaff: true, body });
    const { fields } = readProblem(reply, 400, 'VALIDATION_FAILED');
    assert.ok(Object.keys(fields ?? {}).includes(field), JSON.stringify([body, fields]));
  }
  for (const keyId of ['1', 'x', '__proto__', '%00', 'x'.repeat(2_000)]) {
    readProblem(await shop.ask('DELETE', `${KEYS}/${keyId}`, { asStaff: true }), 404, 'KEY_NOT_FOUND');
  }
  assert.deepEqual(await changes(), before);
});

test('the journal of the shop is no event: it is not listed, sold or audited', async () => {
  await make(shop.ask, { name: 'So that there is one', role: 'read' });
  const events = contentOf(await shop.ask('GET', '/api/v1/events'), 200, eventsAnswer);
  assert.ok(events.events.every(({ eventId }) => !eventId.startsWith('~')));
  for (const path of [
    '/api/v1/events/~shop',
    '/api/v1/events/~shop/availability',
    '/api/v1/events/%7Eshop',
  ]) {
    readProblem(await shop.ask('GET', path), 404, 'EVENT_NOT_FOUND');
  }
  readProblem(await shop.ask('POST', '/buy/~shop'), 404, 'EVENT_NOT_FOUND');
  for (const what of ['audit', 'journal', 'orders']) {
    const reply = await shop.ask('GET', `/api/v1/events/~shop/${what}`, { asStaff: true });
    readProblem(reply, 404, 'EVENT_NOT_FOUND');
  }
});

test('[S4] keys and their ends outlive a kill', async (t) => {
  const server = await ServerProcess.start({ events: 1, tickets: 5 });
  t.after(() => server.remove());
  const to: Ask = (method, path, asking) => ask(server.port, method, path, asking);
  const good = await make(to, { name: 'Good', role: 'read' });
  const bad = await make(to, { name: 'Bad', role: 'read' });
  assert.equal((await to('DELETE', `${KEYS}/${bad.keyId}`, { asStaff: true })).status, 200);
  const started = contentOf(await to('POST', '/api/v1/sessions'), 201, sessionAnswer);
  await server.kill();
  await server.start();
  assert.equal((await to('GET', AUDIT, bearer(good.key))).status, 200);
  readProblem(await to('GET', AUDIT, bearer(bad.key)), 401, 'UNAUTHENTICATED');
  const me = contentOf(await to('GET', '/api/v1/me', bearer(started.token)), 200, meAnswer);
  assert.deepEqual(me, { kind: 'buyer', buyer: started.buyer });
  assert.deepEqual(server.warnings, []);
});
