// Pages of other origins (row E7): those that are named may call the API with a buyer's cookie, others may not, in both
// lanes and for every kind of answer.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contentOf, readProblem } from '../../../test/kit/answers.ts';
import { openTestShop, type TestShop } from '../../../test/kit/test-shop.ts';
import { sessionAnswer } from '../../contract/access.ts';
import { boughtAnswer } from '../../contract/buying.ts';

const SHOP = 'https://shop.example.org';
const DEV = 'http://localhost:5173';
const EVIL = 'https://evil.example';

async function withShop(origins: string, run: (shop: TestShop) => Promise<void>): Promise<void> {
  for (const hasFrontLane of [true, false]) {
    const settings = origins === '' ? {} : { CORS_ORIGINS: origins };
    const shop = await openTestShop({ settings, parts: { hasFrontLane } });
    try {
      await run(shop);
    } finally {
      await shop.close();
    }
  }
}

function corsOf(headers: Headers): Record<string, string> {
  const ours = [...headers].filter(([name]) => name === 'vary' || name.startsWith('access-control-'));
  return Object.fromEntries(ours);
}

/** One of each kind: hot, routed, refused, unknown, not allowed, unauthenticated. */
const REQUESTS = [
  ['POST', '/buy/1', 201],
  ['GET', '/api/v1/events/1/availability', 200],
  ['GET', '/api/v1/events', 200],
  ['POST', '/buy/nowhere', 404],
  ['GET', '/nowhere', 404],
  ['PUT', '/buy/1', 405],
  ['GET', '/api/v1/events/1/audit', 401],
] as const;

const EXPOSED = 'ETag, Retry-After, Floodgate-Degraded, X-Request-Id';
const preflight = (origin: string) => ({
  headers: {
    origin,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'content-type,idempotency-key',
  },
});

test('[E7] without CORS_ORIGINS no answer speaks of origins', () =>
  withShop('', async (shop) => {
    for (const [method, path, status] of REQUESTS) {
      const reply = await shop.ask(method, path, { headers: { origin: SHOP } });
      assert.deepEqual([reply.status, corsOf(reply.headers)], [status, {}], path);
    }
    const asked = await shop.ask('OPTIONS', '/buy/1', preflight(SHOP));
    assert.deepEqual([asked.status, corsOf(asked.headers)], [204, {}]);
    assert.equal(asked.headers.get('allow'), 'POST, OPTIONS');
  }));

test('[E7] a named origin is let in, with cookies, whatever the answer; others are not', () =>
  withShop(`${SHOP},${DEV}`, async (shop) => {
    for (const [method, path, status] of REQUESTS) {
      for (const origin of [SHOP, DEV]) {
        const reply = await shop.ask(method, path, { headers: { origin } });
        assert.equal(reply.status, status, path);
        assert.deepEqual(corsOf(reply.headers), {
          'access-control-allow-credentials': 'true',
          'access-control-allow-origin': origin,
          'access-control-expose-headers': EXPOSED,
          vary: 'Origin',
        });
      }
      for (const origin of [
        EVIL,
        `${SHOP}.evil.example`,
        `${SHOP}:8443`,
        'http://shop.example.org',
        'null',
        SHOP.toUpperCase(),
      ]) {
        const { headers } = await shop.ask(method, path, { headers: { origin } });
        assert.equal(headers.get('access-control-allow-origin'), null, origin);
        assert.equal(headers.get('access-control-allow-credentials'), null);
        assert.equal(headers.get('vary'), 'Origin');
      }
      const { headers } = await shop.ask(method, path);
      assert.deepEqual(corsOf(headers), { vary: 'Origin' }, 'a cache must know also without an origin');
    }
  }));

test('[E7] a preflight is answered for every address, with methods and headers that the API takes', () =>
  withShop(SHOP, async (shop) => {
    for (const path of ['/buy/1', '/api/v1/api-keys', '/api/v1/events/1/holds', '/nowhere']) {
      const reply = await shop.ask('OPTIONS', path, preflight(SHOP));
      assert.deepEqual([reply.status, reply.text], [204, '']);
      assert.equal(reply.headers.get('access-control-allow-origin'), SHOP);
      assert.equal(reply.headers.get('access-control-allow-credentials'), 'true');
      const methods = reply.headers.get('access-control-allow-methods')?.split(', ');
      assert.deepEqual(methods, ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);
      const allowed = reply.headers.get('access-control-allow-headers')?.split(', ') ?? [];
      for (const name of ['Authorization', 'Content-Type', 'Idempotency-Key', 'If-Match', 'Admission-Pass']) {
        assert.ok(allowed.includes(name), name);
      }
      assert.ok(Number(reply.headers.get('access-control-max-age')) > 0);
      const other = await shop.ask('OPTIONS', path, preflight(EVIL));
      assert.equal(other.headers.get('access-control-allow-origin'), null);
    }
    const plain = await shop.ask('OPTIONS', '/buy/1');
    assert.deepEqual([plain.status, plain.headers.get('allow')], [204, 'POST, OPTIONS'], 'no preflight');
  }));

test('[E7] with * any page may ask, but never with a cookie', () =>
  withShop('*', async (shop) => {
    for (const [method, path] of REQUESTS) {
      const { headers } = await shop.ask(method, path, { headers: { origin: EVIL } });
      assert.deepEqual(corsOf(headers), {
        'access-control-allow-origin': '*',
        'access-control-expose-headers': EXPOSED,
      });
    }
    const asked = await shop.ask('OPTIONS', '/buy/1', preflight(EVIL));
    assert.equal(asked.headers.get('access-control-allow-origin'), '*');
    assert.equal(asked.headers.get('access-control-allow-credentials'), null);
    const { token } = contentOf(await shop.ask('POST', '/api/v1/sessions'), 201, sessionAnswer);
    const headers = { origin: EVIL, cookie: `floodgate_session=${token}` };
    readProblem(await shop.ask('POST', '/buy/1', { headers }), 403, 'FORBIDDEN');
  }));

test("[E7] a page of a named origin acts with the buyer's cookie", () =>
  withShop(SHOP, async (shop) => {
    const started = await shop.ask('POST', '/api/v1/sessions', { headers: { origin: SHOP } });
    const { token } = contentOf(started, 201, sessionAnswer);
    const cookie = started.headers.get('set-cookie')!.split(';')[0]!;
    assert.equal(cookie, `floodgate_session=${token}`);
    const own = { cookie, origin: SHOP, 'sec-fetch-site': 'same-site' };
    contentOf(await shop.ask('POST', '/buy/1', { headers: own }), 201, boughtAnswer);
    const evil = { cookie, origin: EVIL, 'sec-fetch-site': 'cross-site' };
    readProblem(await shop.ask('POST', '/buy/1', { headers: evil }), 403, 'FORBIDDEN');
  }));
