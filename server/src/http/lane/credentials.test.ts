// Who may pass which door, asked of the whole program: every operation by every kind of asker, and every credential
// that is no good at doors that anybody may pass.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { contentOf, readProblem } from '../../../test/kit/answers.ts';
import { forgeJwt, tokenOf, withOtherCharacter, withPart } from '../../../test/kit/forge.ts';
import { exchange, requestText } from '../../../test/kit/raw-http.ts';
import { API_KEY } from '../../../test/kit/server-process.ts';
import { openTestShop, type TestShop } from '../../../test/kit/test-shop.ts';
import { madeKeyAnswer, meAnswer, sessionAnswer } from '../../contract/access.ts';
import { heldAnswer } from '../../contract/holds.ts';

let shop: TestShop;
before(async () => {
  shop = await openTestShop();
});
after(() => shop?.close());

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

async function unchanged(act: () => Promise<void>): Promise<void> {
  const before = await shop.everything();
  await act();
  assert.deepEqual(await shop.everything(), before);
}

async function session() {
  return contentOf(await shop.ask('POST', '/api/v1/sessions'), 201, sessionAnswer);
}

async function makeKey(body: object) {
  const made = await shop.ask('POST', '/api/v1/api-keys', { asStaff: true, body });
  return contentOf(made, 201, madeKeyAnswer);
}

const me = async (asking: Parameters<TestShop['ask']>[2]) =>
  contentOf(await shop.ask('GET', '/api/v1/me', asking), 200, meAnswer);

test('[D9] who asks is what the credential says', async () => {
  assert.deepEqual(await me({}), { kind: 'nobody' });
  assert.deepEqual(await me({ asStaff: true }), { kind: 'staff', role: 'admin', name: 'admin key' });
  assert.deepEqual(await me(bearer(tokenOf('Zoë'))), { kind: 'buyer', buyer: 'user:Zoë' });
  const door = { kind: 'staff', role: 'door', name: 'user tom' };
  assert.deepEqual(await me(bearer(tokenOf('tom', { role: 'door' }))), door);
  const { key, keyId } = await makeKey({ name: 'Counter 3', role: 'box-office' });
  const boxOffice = { kind: 'staff', role: 'box-office', name: `key ${keyId} Counter 3` };
  assert.deepEqual(await me(bearer(key)), boxOffice);
  const { token, buyer } = await session();
  assert.deepEqual(await me(bearer(token)), { kind: 'buyer', buyer });
  for (const cookie of [
    `floodgate_session=${token}`,
    `a=b; floodgate_session=${token}; theme=dark`,
    `my_floodgate_session=x;floodgate_session=${token}`,
  ]) {
    assert.deepEqual(await me({ headers: { cookie } }), { kind: 'buyer', buyer }, cookie);
  }
  assert.deepEqual(await me({ headers: { cookie: 'theme=dark; not_floodgate_session=x' } }), {
    kind: 'nobody',
  });
});

test('the scheme is Bearer in any case, with one space or more', async () => {
  for (const authorization of [`bearer ${API_KEY}`, `BEARER ${API_KEY}`, `Bearer   ${API_KEY}`]) {
    assert.equal((await me({ headers: { authorization } })).kind, 'staff', authorization);
  }
});

/** Credentials that open no door, not even those that need none. */
async function badHeaders(): Promise<Record<string, Record<string, string>>> {
  const { token } = await session();
  const past = Math.floor(Date.now() / 1_000) - 60;
  const revoked = await makeKey({ name: 'Lost', role: 'admin' });
  await shop.ask('DELETE', `/api/v1/api-keys/${revoked.keyId}`, { asStaff: true });
  const unsigned = withPart(forgeJwt({ sub: 'ann', exp: past + 3_600 }, { header: { alg: 'none' } }), 2, '');
  const tokens = {
    'an expired token': tokenOf('ann', { exp: past }),
    'a token without expiry': tokenOf('ann', { exp: undefined }),
    'a token that is not valid yet': tokenOf('ann', { nbf: past + 3_600 }),
    'alg none': unsigned,
    'another secret': forgeJwt({ sub: 'ann', exp: past + 3_600 }, { secret: 'x'.repeat(32) }),
    'an unknown kid': forgeJwt({ sub: 'ann', exp: past + 3_600 }, { header: { kid: 'x' } }),
    'claims that were changed': withOtherCharacter(tokenOf('ann'), 50),
    'a token over 8 kB': tokenOf('ann', { filler: 'x'.repeat(8_000) }),
    'a subject that none can have': tokenOf('ann\n'),
    'a forged session': withOtherCharacter(token, 10),
    'a revoked key': revoked.key,
    'an unknown key': `fgk_1_${'x'.repeat(43)}`,
    'nearly the admin key': `${API_KEY}x`,
    nonsense: 'nonsense',
  };
  const headers = Object.entries(tokens).map(([name, token]) => [name, { authorization: `Bearer ${token}` }]);
  return {
    ...Object.fromEntries(headers),
    'an empty header': { authorization: '' },
    'an empty bearer': { authorization: 'Bearer' },
    'another scheme': { authorization: `Basic ${Buffer.from(`admin:${API_KEY}`).toString('base64')}` },
    'a key without a scheme': { authorization: API_KEY },
    'a forged cookie': { cookie: `floodgate_session=${withOtherCharacter(token, 30)}` },
    'an empty cookie': { cookie: 'floodgate_session=' },
    'two cookies': { cookie: `floodgate_session=${token}; floodgate_session=${token}` },
    'a good cookie beside a bad bearer': {
      authorization: 'Bearer nonsense',
      cookie: `floodgate_session=${token}`,
    },
  };
}

test('[D9] a bad credential is refused everywhere, never taken for a guest, and changes nothing', async () => {
  const bad = await badHeaders();
  await unchanged(async () => {
    for (const [name, headers] of Object.entries(bad)) {
      const doors = [
        ['POST', '/buy/1', undefined],
        ['POST', '/api/v1/purchase', { quantity: 1 }],
        ['POST', '/api/v1/events/1/holds', { lines: [{ ticketType: 'ga', quantity: 1 }] }],
        ['GET', '/api/v1/events', undefined],
        ['GET', '/api/v1/events/1/audit', undefined],
        ['GET', '/api/v1/api-keys', undefined],
        ['DELETE', '/api/v1/holds/1', undefined],
      ] as const;
      for (const [method, path, body] of doors) {
        const reply = await shop.ask(method, path, { headers, body, key: 'bad' });
        const { detail } = readProblem(reply, 401, 'UNAUTHENTICATED');
        const sent = headers.authorization?.slice(7) || headers.cookie?.slice(18);
        if (sent) assert.ok(!reply.text.includes(sent), `${name} is not repeated`);
        assert.match(detail, /^[A-Z].*\.$/, name);
        assert.match(reply.headers.get('www-authenticate') ?? '', /^Bearer/);
      }
    }
  });
});

test('two Authorization headers are refused, whichever is good', () =>
  unchanged(async () => {
    const good = `Authorization: Bearer ${API_KEY}\r\n`;
    for (const other of [good, 'Authorization: Bearer x\r\n', 'authorization:\r\n']) {
      for (const headers of [good + other, other + good]) {
        const answer = await exchange(
          shop.port,
          `GET /api/v1/events/1/audit HTTP/1.1\r\nHost: x\r\n${headers}\r\n`,
        );
        assert.equal(answer.status, 401, headers);
        assert.match(answer.body, /one Authorization header/);
      }
    }
  }));

test('a browser whose session is no good any more drops its cookie by the refusal, and starts another', async () => {
  const { token } = await session();
  const headers = { cookie: `floodgate_session=${withOtherCharacter(token, 40)}` };
  const refused = await shop.ask('GET', '/api/v1/events', { headers });
  readProblem(refused, 401, 'UNAUTHENTICATED');
  assert.match(refused.headers.get('set-cookie') ?? '', /^floodgate_session=;.*Max-Age=0/);
  const other = await shop.ask('GET', '/api/v1/events', { headers: { authorization: 'Bearer x' } });
  assert.equal(other.headers.get('set-cookie'), null, 'a bad bearer says nothing of the cookie');
});

const READERS = ['admin', 'box-office', 'read'];
const SELLERS = ['admin', 'box-office'];
const ADMINS = ['admin'];

/** Doors for staff, by the operation's name: who may pass. A door that is not named here is for everybody. */
const STAFF_DOORS: Readonly<Record<string, readonly string[]>> = {
  ...{ audit: READERS, journal: READERS, 'list-orders': READERS },
  ...{ 'list-changes': READERS, 'list-allocations': READERS, 'read-manifest': READERS },
  ...{ 'create-event': SELLERS, 'change-event': SELLERS, 'keep-manifest': SELLERS },
  ...{ 'schedule-event': SELLERS, 'open-event': SELLERS, 'pause-event': SELLERS, 'resume-event': SELLERS },
  ...{ 'close-event': SELLERS, 'cancel-event': SELLERS },
  ...{ allocate: SELLERS, 'release-allocation': SELLERS },
  ...{ 'list-keys': ADMINS, changes: ADMINS, 'make-key': ADMINS, 'revoke-key': ADMINS },
};

test('[D9] the table of staff doors has all of them, and each role opens what is in it', () => {
  const roles = shop.operations.flatMap(({ name, roles }) => (roles ? [[name, ['admin', ...roles]]] : []));
  assert.deepEqual(Object.fromEntries(roles), STAFF_DOORS);
});

/** Every door of staff, at an address where there is nothing. */
const staffDoors = () =>
  shop.operations.flatMap(({ name, method, path, roles }) =>
    roles ? [{ method, path: path.replaceAll(/:\w+/g, 'nowhere'), allowed: STAFF_DOORS[name]! }] : [],
  );

test('[D9] each door of staff opens to its roles only, by key and by token', async () => {
  const roles = ['admin', 'box-office', 'door', 'read'] as const;
  for (const role of roles) {
    const { key } = await makeKey({ name: `a ${role}`, role });
    for (const token of [key, tokenOf('staff', { role })]) {
      for (const { method, path, allowed } of staffDoors()) {
        const reply = await shop.ask(method, path, bearer(token));
        const what = `${method} ${path} as ${role}`;
        if (allowed.includes(role)) {
          assert.ok(reply.status < 500 && ![401, 403, 405].includes(reply.status), `${what}: ${reply.text}`);
        } else {
          const { detail } = readProblem(reply, 403, 'FORBIDDEN');
          assert.match(detail, new RegExp(`you are ${role}`), what);
        }
      }
    }
  }
});

test('[D9] no door of staff opens to a guest or a buyer, whatever they say of themselves', () =>
  unchanged(async () => {
    const { token } = await session();
    const buyers = [
      ...[token, tokenOf('ann'), tokenOf('admin', { role: 'Admin' })],
      tokenOf('admin', { roles: ['admin'] }),
    ];
    const asAdmin = { 'x-role': 'admin', 'x-forwarded-user': 'admin' };
    const cookie = `floodgate_session=${token}`;
    for (const { method, path } of staffDoors()) {
      const guest = await shop.ask(method, path, { headers: asAdmin });
      readProblem(guest, 401, 'UNAUTHENTICATED');
      for (const buyer of buyers) {
        const reply = await shop.ask(method, path, bearer(buyer));
        assert.match(readProblem(reply, 403, 'FORBIDDEN').detail, /you are a buyer/);
      }
      readProblem(await shop.ask(method, path, { headers: { cookie } }), 403, 'FORBIDDEN');
    }
  }));

test('who may not pass is refused before the body is read', async () => {
  const big = requestText('POST', '/api/v1/api-keys', { headers: { 'Content-Length': '1000000' } });
  const answer = await exchange(shop.port, big);
  assert.equal(answer.status, 401);
});

const HOLD = { lines: [{ ticketType: 'ga', quantity: 1 }] };
const HOLDS = '/api/v1/events/1/holds';

test('a request with the cookie that changes something must come from our own pages', async () => {
  const { token, buyer } = await session();
  const cookie = `floodgate_session=${token}`;
  const own = `http://127.0.0.1:${shop.port}`;
  const forged = [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: `http://127.0.0.1:${shop.port + 1}` },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
  ];
  await unchanged(async () => {
    for (const headers of forged) {
      for (const [method, path] of [
        ['POST', HOLDS],
        ['POST', '/buy/1'],
        ['DELETE', '/api/v1/holds/1'],
      ] as const) {
        const body = path === HOLDS ? HOLD : undefined;
        const reply = await shop.ask(method, path, { headers: { cookie, ...headers }, body });
        readProblem(reply, 403, 'FORBIDDEN');
      }
    }
    // What a form of another site can send without being asked.
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
    ]) {
      const headers = { cookie, origin: own, 'content-type': type };
      const reply = await shop.ask('POST', HOLDS, { headers, bytes: JSON.stringify(HOLD) });
      readProblem(reply, 415, 'UNSUPPORTED_MEDIA_TYPE');
    }
  });
  const honest = [{}, { origin: own }, { 'sec-fetch-site': 'same-origin' }, { 'sec-fetch-site': 'none' }];
  for (const headers of honest) {
    const reply = await shop.ask('POST', HOLDS, { headers: { cookie, ...headers }, body: HOLD });
    contentOf(reply, 201, heldAnswer);
  }
  // Reading, or asking with a token that no browser adds by itself, is nobody else's doing.
  const elsewhere = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };
  assert.deepEqual(await me({ headers: { cookie, ...elsewhere } }), { kind: 'buyer', buyer });
  const byToken = { authorization: `Bearer ${token}`, ...elsewhere };
  contentOf(await shop.ask('POST', HOLDS, { headers: byToken, body: HOLD }), 201, heldAnswer);
  contentOf(await shop.ask('POST', HOLDS, { headers: elsewhere, body: HOLD }), 201, heldAnswer);
});
