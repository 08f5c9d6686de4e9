// Who buys: sessions without an account, buyers with a token, what they may be called, and what they have (row C3).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { contentOf, readProblem } from '../../../test/kit/answers.ts';
import { tokenOf } from '../../../test/kit/forge.ts';
import { type Asking, eventOf, openTestShop, type TestShop } from '../../../test/kit/test-shop.ts';
import { myTicketsAnswer, sessionAnswer } from '../../contract/access.ts';
import { boughtAnswer, purchasedAnswer } from '../../contract/buying.ts';
import { heldAnswer } from '../../contract/holds.ts';
import { confirmedAnswer, orderAnswer } from '../../contract/orders.ts';

let shop: TestShop;
before(async () => {
  shop = await openTestShop({
    settings: { SEED_TICKETS: '200' },
    events: [eventOf('gala', { ga: 50, vip: 5 }), eventOf('club', { ga: 20 })],
  });
});
after(() => shop?.close());

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
const start = async (asking?: Asking) => {
  const reply = await shop.ask('POST', '/api/v1/sessions', asking);
  return { ...contentOf(reply, 201, sessionAnswer), cookie: reply.headers.get('set-cookie') ?? '' };
};
const buy = async (path: string, asking: Asking) =>
  contentOf(await shop.ask('POST', path, asking), 201, boughtAnswer);
const tickets = async (asking: Asking, query = '') =>
  contentOf(await shop.ask('GET', `/api/v1/me/tickets${query}`, asking), 200, myTicketsAnswer);
/** As whom the ledger has it. */
const buyerOf = async (orderId: string) => {
  const reply = await shop.ask('GET', `/api/v1/orders/${orderId}`, { asStaff: true });
  return contentOf(reply, 200, orderAnswer).buyer;
};

test('a session lasts its days, in the token and in the cookie, which no script can read', async () => {
  const startMs = Date.now();
  const { token, cookie, expiresAt } = await start();
  const [pair, ...attributes] = cookie.split('; ');
  assert.equal(pair, `floodgate_session=${token}`);
  const maxAge = Number(attributes.find((each) => each.startsWith('Max-Age='))?.slice(8));
  assert.ok(Math.abs(maxAge - 30 * 86_400) <= 2, cookie);
  // Max-Age is told in whole seconds.
  const madeMs = Date.parse(expiresAt) - maxAge * 1_000;
  assert.ok(madeMs > startMs - 1_000 && madeMs < Date.now() + 1_000, expiresAt);
  assert.deepEqual(
    attributes.filter((each) => !each.startsWith('Max-Age=')),
    ['HttpOnly', 'SameSite=Lax', 'Path=/'],
  );
  const reply = await shop.ask('POST', '/api/v1/sessions');
  assert.equal(reply.headers.get('cache-control'), 'no-store');
});

test('the cookie is for https alone when the buyer came by https', async () => {
  const secure = [
    { 'x-forwarded-proto': 'https' },
    { 'x-forwarded-proto': 'https, http' },
    { forwarded: 'for=192.0.2.1;proto=https;by=203.0.113.4' },
    { origin: 'https://shop.example.org', 'sec-fetch-site': 'same-origin' },
  ];
  for (const headers of secure)
    assert.match((await start({ headers })).cookie, /; Secure$/, JSON.stringify(headers));
  const plain = [
    {},
    { 'x-forwarded-proto': 'http', 'sec-fetch-site': 'same-origin', origin: 'https://x.example' },
    { 'sec-fetch-site': 'none' },
  ];
  for (const headers of plain) assert.doesNotMatch((await start({ headers })).cookie, /Secure/);
});

test('a page of another site gets no cookie set, so it cannot take the session of a buyer away', async () => {
  for (const headers of [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site', origin: 'https://other.example.org' },
  ]) {
    assert.equal((await start({ headers })).cookie, '', JSON.stringify(headers));
  }
});

test('a session takes no wishes', async () => {
  await start({ body: {} });
  for (const body of [{ buyer: 'session:mine' }, { expiresAt: '2100-01-01T00:00:00Z' }, [], 'x', null]) {
    readProblem(await shop.ask('POST', '/api/v1/sessions', { body }), 400, 'VALIDATION_FAILED');
  }
});

test('[D9] who is known buys as who that is, by token, session or cookie', async () => {
  const { token, buyer } = await start();
  for (const [asking, name] of [
    [bearer(tokenOf('ann')), 'user:ann'],
    [bearer(token), buyer],
    [{ headers: { cookie: `floodgate_session=${token}` } }, buyer],
  ] as const) {
    assert.equal(await buyerOf((await buy('/buy/1', asking)).orderId), name);
    assert.equal(await buyerOf((await buy('/buy/1', { ...asking, body: { buyer: name } })).orderId), name);
    const purchased = await shop.ask('POST', '/api/v1/purchase', {
      ...asking,
      key: name,
      body: { quantity: 1 },
    });
    assert.equal(await buyerOf(contentOf(purchased, 200, purchasedAnswer).orderId), name);
  }
});

test('[D9] nobody buys as somebody else, but the box office may, and a guest has any name that nobody earned', async () => {
  const { token, buyer } = await start();
  const before = await shop.everything();
  const lines = [{ ticketType: 'ga', quantity: 1 }];
  const refused: [Asking, string][] = [
    [{}, 'user:ann'],
    [{}, buyer],
    [{}, 'session:'],
    [bearer(token), 'user:ann'],
    [bearer(token), 'Ann'],
    [bearer(tokenOf('ann')), 'ann'],
    [bearer(tokenOf('ann')), buyer],
    [bearer(tokenOf('gate', { role: 'door' })), 'user:ann'],
    [bearer(tokenOf('auditor', { role: 'read' })), buyer],
  ];
  for (const [asking, name] of refused) {
    for (const [path, body] of [
      ['/buy/1', {}],
      ['/api/v1/events/gala/holds', { lines }],
    ] as const) {
      const reply = await shop.ask('POST', path, { ...asking, body: { ...body, buyer: name } });
      const { fields } = readProblem(reply, 403, 'FORBIDDEN');
      assert.deepEqual(Object.keys(fields ?? {}), ['body.buyer']);
    }
  }
  assert.deepEqual(await shop.everything(), before);

  const named: [Asking, string | undefined][] = [
    [{}, undefined],
    [{}, 'Zoë 🎫'],
    [{}, 'SESSION:x'],
    [{}, ' user:ann'],
    [bearer(tokenOf('gate', { role: 'door' })), 'Walk-in'],
    [bearer(tokenOf('counter', { role: 'box-office' })), 'user:ann'],
    [{ asStaff: true }, buyer],
    [{ asStaff: true }, undefined],
  ];
  for (const [asking, name] of named) {
    const bought = await buy('/buy/1', { ...asking, body: { buyer: name } });
    assert.equal(await buyerOf(bought.orderId), name ?? null, String(name));
  }
});

test("a buyer's name is text that every store keeps as it is", async () => {
  const before = await shop.everything();
  for (const buyer of [
    '',
    'x'.repeat(256),
    'a\0b',
    '\ud800',
    'x\udfffy',
    'a\nb',
    'a\u0085b',
    '\u007f',
    7,
    null,
    {},
  ]) {
    const lines = [{ ticketType: 'ga', quantity: 1 }];
    for (const [path, body] of [
      ['/buy/1', { buyer }],
      ['/api/v1/events/gala/holds', { lines, buyer }],
    ] as const) {
      const { fields } = readProblem(await shop.ask('POST', path, { body }), 400, 'VALIDATION_FAILED');
      assert.deepEqual(Object.keys(fields ?? {}), ['body.buyer'], JSON.stringify(buyer));
    }
  }
  assert.deepEqual(await shop.everything(), before);
});

test('[S5] a key of one buyer is no key of another: neither sees what the other bought', async () => {
  const askers = [
    {},
    bearer(tokenOf('kay')),
    bearer(tokenOf('kim')),
    bearer((await start()).token),
    { asStaff: true },
  ];
  const orders = new Set<string>();
  for (const asking of askers) {
    const first = await buy('/buy/club', { ...asking, key: 'the same key' });
    const again = await buy('/buy/club', { ...asking, key: 'the same key' });
    assert.deepEqual(again, first);
    orders.add(first.orderId);
  }
  assert.equal(orders.size, askers.length);
});

test('[C3] a buyer has one list of orders over all events, the newest first, page by page', async () => {
  const asking = bearer(tokenOf('collector'));
  assert.deepEqual(await tickets(asking), { orders: [] });
  const bought: string[] = [];
  for (let i = 0; i < 7; i++) {
    const path = ['/buy/1', '/buy/gala', '/buy/club'][i % 3]!;
    bought.unshift((await buy(path, { ...asking, body: { quantity: 1 + (i % 2) } })).orderId);
  }
  const lines = [{ ticketType: 'vip', quantity: 2 }];
  const held = await shop.ask('POST', '/api/v1/events/gala/holds', { ...asking, body: { lines } });
  const { holdId } = contentOf(held, 201, heldAnswer);
  assert.equal((await tickets(asking)).orders.length, 7, 'a hold is no order');
  const confirmed = await shop.ask('POST', `/api/v1/holds/${holdId}/confirm`, asking);
  bought.unshift(contentOf(confirmed, 201, confirmedAnswer).orderId);

  const { orders } = await tickets(asking);
  assert.deepEqual(
    orders.map(({ orderId }) => orderId),
    bought,
  );
  const [newest] = orders;
  assert.deepEqual(newest?.event, {
    name: 'Event gala',
    startsAt: '2027-01-01T19:00:00.000Z',
    venue: { name: 'Test Hall' },
  });
  assert.deepEqual([newest?.eventId, newest?.buyer, newest?.tickets.length], ['gala', 'user:collector', 2]);
  const paged = [];
  for (let query = '?limit=3'; ; ) {
    const page = await tickets(asking, query);
    paged.push(...page.orders);
    if (page.nextCursor === undefined) break;
    query = `?limit=3&cursor=${page.nextCursor}`;
  }
  assert.deepEqual(paged, orders);
});

test('[C3] a buyer sees what is bought under the same name anywhere, and nothing of others', async () => {
  const { token, buyer } = await start();
  const byBoxOffice = await buy('/buy/1', { asStaff: true, body: { buyer } });
  const byCookie = await buy('/buy/gala', { headers: { cookie: `floodgate_session=${token}` } });
  await buy('/buy/1', { body: { buyer: 'Ann' } });
  await buy('/buy/1', bearer((await start()).token));
  const { orders } = await tickets(bearer(token));
  assert.deepEqual(
    orders.map(({ orderId }) => orderId),
    [byCookie.orderId, byBoxOffice.orderId],
  );
  for (const order of orders) assert.ok(!('secret' in order));
});

test('[C3] a guest has no list, staff have none, and a cursor must be one', async () => {
  const { detail } = readProblem(await shop.ask('GET', '/api/v1/me/tickets'), 401, 'UNAUTHENTICATED');
  assert.match(detail, /\/api\/v1\/sessions/);
  readProblem(await shop.ask('GET', '/api/v1/me/tickets', { asStaff: true }), 403, 'FORBIDDEN');
  for (const query of ['?cursor=x', '?cursor=', '?limit=0', '?limit=1001', '?cursor=LTE']) {
    const reply = await shop.ask('GET', `/api/v1/me/tickets${query}`, bearer(tokenOf('ann')));
    readProblem(reply, 400, 'VALIDATION_FAILED');
  }
});
