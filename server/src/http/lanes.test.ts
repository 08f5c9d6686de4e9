// Both lanes answer the same: every request of this table, good or bad, goes to a shop with the front lane and to
// one without, in the same order, and what comes back may differ only in what is random or a time.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { forgeJwt, tokenOf } from '../../test/forge.ts';
import { exchange, type RawAnswer, requestText } from '../../test/raw-http.ts';
import { API_KEY } from '../../test/server-process.ts';
import { eventOf, openTestShop, type TestShop } from '../../test/test-shop.ts';
import { GUEST } from '../sales/who.ts';
import { buyOperations } from './buy.ts';
import { eventOperations } from './events.ts';
import { holdOperations } from './holds.ts';
import type { Operation } from './operation.ts';
import { operatorOperations } from './operations.ts';
import { orderOperations } from './orders.ts';

let front: TestShop;
let express: TestShop;

before(async () => {
  const open = (hasFrontLane: boolean) =>
    openTestShop({
      settings: { SEED_TICKETS: '40' },
      events: [eventOf('gala', { ga: 5, vip: 3 }, { vip: 9_900 }), eventOf('tiny', { ga: 1 })],
      parts: { hasFrontLane },
    });
  [front, express] = await Promise.all([open(true), open(false)]);
});
after(() => Promise.all([front.close(), express.close()]));

interface Row {
  readonly request: string;
  /** What both lanes must answer, so that two equal mistakes do not pass. */
  readonly status: number;
}

const row = (
  status: number,
  method: string,
  path: string,
  { headers = {}, body = '' }: { headers?: Readonly<Record<string, string>>; body?: string } = {},
): Row => ({
  request: requestText(method, path, { headers: { 'X-Request-Id': 'same', ...headers }, body }),
  status,
});

/** Who asks, good and bad: known at once, and by a token that must be checked first. */
const auth = (credential: string) => ({ Authorization: `Bearer ${credential}` });
const ann = auth(tokenOf('ann'));
const json = (value: unknown): string => JSON.stringify(value);
const lines = (quantity: unknown, ticketType = 'ga') => json({ lines: [{ ticketType, quantity }] });
const key = (text: string) => ({ 'Idempotency-Key': text });
const HOLDS = '/api/v1/events/gala/holds';
const AVAILABILITY = '/api/v1/events/gala/availability';

/** By the name of the hot operation it asks for. */
const TABLE: Readonly<Record<string, readonly Row[]>> = {
  buy: [
    row(201, 'POST', '/buy/1'),
    row(201, 'POST', '/buy/1', { body: json({ quantity: 2, buyer: 'Zoë', ticketType: 'ga' }) }),
    row(201, 'POST', '/buy/1?from=poster'),
    row(201, 'POST', '/buy/1/'),
    row(201, 'POST', '/BUY/1'),
    row(201, 'POST', '/buy/%31'),
    row(201, 'POST', '/buy/1#fragment'),
    row(201, 'POST', 'http://elsewhere.example/buy/1'),
    row(201, 'POST', '/buy/1', { headers: key('one') }),
    row(201, 'POST', '/buy/1', { headers: key('one') }),
    row(422, 'POST', '/buy/1', { headers: key('one'), body: json({ quantity: 2 }) }),
    row(201, 'POST', '/buy/1', { headers: { Connection: 'close' } }),
    row(400, 'POST', '/buy/1', { headers: key('x'.repeat(256)) }),
    row(400, 'POST', '/buy/1', { body: json({ quantity: 11 }) }),
    row(400, 'POST', '/buy/1', { body: '{' }),
    row(400, 'POST', '/buy/1', { body: 'null' }),
    row(415, 'POST', '/buy/1', { body: '{}', headers: { 'Content-Type': 'text/plain' } }),
    row(413, 'POST', '/buy/1', { body: json({ buyer: 'x'.repeat(16_384) }) }),
    row(404, 'POST', '/buy/1', { body: json({ ticketType: 'vip' }) }),
    row(404, 'POST', '/buy/nowhere'),
    row(404, 'POST', '/buy/__proto__'),
    row(404, 'POST', `/buy/${'x'.repeat(3_000)}`),
    row(404, 'POST', '/buy/1%2f'),
    row(400, 'POST', '/buy/%zz'),
    row(404, 'POST', '/buy/'),
    row(404, 'POST', '/buy/1/2'),
    row(404, 'POST', '//buy/1'),
    row(405, 'GET', '/buy/1'),
    row(405, 'PUT', '/buy/1'),
    row(204, 'OPTIONS', '/buy/1'),
    row(402, 'POST', '/buy/gala', { body: json({ ticketType: 'vip' }) }),
    row(201, 'POST', '/buy/1', { headers: ann }),
    row(201, 'POST', '/buy/1', { headers: { ...ann, ...key('one') } }),
    row(201, 'POST', '/buy/1', { headers: { ...ann, ...key('one') } }),
    row(201, 'POST', '/buy/1', { headers: ann, body: json({ quantity: 2, buyer: 'user:ann' }) }),
    row(403, 'POST', '/buy/1', { headers: ann, body: json({ buyer: 'Bob' }) }),
    row(403, 'POST', '/buy/1', { body: json({ buyer: 'user:ann' }) }),
    row(201, 'POST', '/buy/1', { headers: auth(API_KEY), body: json({ buyer: 'user:ann' }) }),
    row(400, 'POST', '/buy/1', { headers: auth(tokenOf('bob')), body: json({ quantity: 11 }) }),
    row(413, 'POST', '/buy/1', { headers: auth(tokenOf('eve')), body: json({ buyer: 'x'.repeat(16_384) }) }),
    row(400, 'POST', '/buy/1', { body: json({ buyer: 'a\0b' }) }),
    row(400, 'POST', '/buy/1', { body: '{"buyer":"\\ud800"}' }),
    row(401, 'POST', '/buy/1', { headers: { Authorization: '' } }),
    row(401, 'POST', '/buy/1', { headers: auth('nonsense') }),
    row(401, 'POST', '/buy/1', { headers: auth(forgeJwt({ sub: 'ann' })) }),
    row(401, 'POST', '/buy/1', { headers: { Cookie: 'floodgate_session=forged' } }),
    row(201, 'POST', '/buy/1', { headers: { Cookie: 'theme=dark' } }),
    row(201, 'POST', '/buy/1', { headers: { Origin: 'https://elsewhere.example' } }),
    row(201, 'POST', '/buy/tiny'),
    row(409, 'POST', '/buy/tiny'),
    row(409, 'POST', '/buy/tiny', { headers: key('late') }),
  ],
  purchase: [
    row(200, 'POST', '/api/v1/purchase', { headers: key('p'), body: json({ quantity: 2 }) }),
    row(200, 'POST', '/api/v1/purchase', { headers: key('p'), body: json({ quantity: 2 }) }),
    row(200, 'POST', '/api/v1/purchase/?x', { headers: key('p2'), body: json({ quantity: 1 }) }),
    row(422, 'POST', '/api/v1/purchase', { headers: key('p'), body: json({ quantity: 3 }) }),
    row(400, 'POST', '/api/v1/purchase', { body: json({ quantity: 1 }) }),
    row(400, 'POST', '/api/v1/purchase', { headers: key('q') }),
    row(400, 'POST', '/api/v1/purchase', { headers: key('q'), body: json({ quantity: '2' }) }),
    row(404, 'POST', '/api/v1/purchase/1', { headers: key('q'), body: json({ quantity: 1 }) }),
    row(405, 'GET', '/api/v1/purchase'),
  ],
  hold: [
    row(201, 'POST', HOLDS, { body: lines(2) }),
    row(201, 'POST', HOLDS, { body: lines(1), headers: key('h') }),
    row(201, 'POST', HOLDS, { body: lines(1), headers: key('h') }),
    row(422, 'POST', HOLDS, { body: lines(2), headers: key('h') }),
    row(201, 'POST', `${HOLDS}/?x=1`, { body: lines(1, 'vip') }),
    row(409, 'POST', HOLDS, { body: lines(4) }),
    row(409, 'POST', HOLDS, { body: lines(9) }),
    row(404, 'POST', HOLDS, { body: lines(1, 'balcony') }),
    row(404, 'POST', '/api/v1/events/nowhere/holds', { body: lines(1) }),
    row(400, 'POST', HOLDS),
    row(400, 'POST', HOLDS, { body: lines(0) }),
    row(400, 'POST', HOLDS, { body: lines(1), headers: key('') }),
    row(404, 'POST', '/api/v1/events//holds', { body: lines(1) }),
    row(405, 'POST', '/api/v1/events/holds', { body: lines(1) }),
    row(404, 'POST', '/api/v1/events/a/b/holds', { body: lines(1) }),
    row(405, 'GET', HOLDS),
  ],
  availability: [
    row(200, 'GET', AVAILABILITY),
    row(200, 'GET', `${AVAILABILITY}?fresh=1`),
    row(200, 'HEAD', AVAILABILITY),
    row(304, 'GET', AVAILABILITY, { headers: { 'If-None-Match': '*' } }),
    row(304, 'HEAD', AVAILABILITY, { headers: { 'If-None-Match': '*' } }),
    row(200, 'GET', AVAILABILITY, { headers: { 'If-None-Match': '"other"' } }),
    row(404, 'GET', '/api/v1/events/nowhere/availability'),
    row(404, 'GET', '/api/v1/events//availability'),
    row(404, 'GET', '/api/v1/events/availability'),
    row(405, 'POST', AVAILABILITY),
  ],
  'default-event': [
    row(200, 'GET', '/api/v1/event'),
    row(200, 'GET', '/api/v1/event?x'),
    row(200, 'GET', '/api/v1/event/'),
    row(200, 'HEAD', '/api/v1/event'),
    row(405, 'POST', '/api/v1/event'),
  ],
};

/** An answer with what is random or a time made equal by its kind. */
function normalized({ status, headers, body }: RawAnswer): unknown {
  const { date: _, ...others } = headers;
  const text = body
    .replace(/"(orderId|number|holdId)":"\d{17,19}"/g, '"$1":"id"')
    .replace(/"secret":"[\w-]{22}"/g, '"secret":"secret"')
    .replace(/"(expiresAt|extendableUntil|nextExpiryAt|createdAt)":"[\d:.TZ-]{24}"/g, '"$1":"time"');
  return { status, headers: others, names: Object.keys(headers), body: text };
}

test('the table asks for every operation of the front lane', () => {
  const { rooms } = front;
  const doors = {
    ...{ telemetry: rooms.telemetry, whoAsks: () => GUEST, isDraining: false },
    ...{ mode: () => '', degraded: () => '' },
  };
  const operations: Operation[] = [
    ...buyOperations(rooms, undefined),
    ...eventOperations(rooms, undefined),
    ...holdOperations(rooms),
    ...orderOperations(rooms),
    ...operatorOperations(rooms, doors, undefined),
  ];
  const hot = operations.filter(({ isHot }) => isHot).map(({ name }) => name);
  assert.deepEqual(hot.toSorted(), Object.keys(TABLE).toSorted());
});

for (const [name, rows] of Object.entries(TABLE)) {
  test(`both lanes answer the same: ${name}`, async () => {
    for (const { request, status } of rows) {
      const [left, right] = await Promise.all([
        exchange(front.port, request),
        exchange(express.port, request),
      ]);
      const what = `${request.slice(0, 300)}\n${left.body}`;
      assert.equal(left.status, status, what);
      assert.deepEqual(normalized(left), normalized(right), what);
    }
  });
}

test('both lanes leave the same behind', async () => {
  const counts = async (shop: TestShop) =>
    Promise.all(
      shop.rooms.catalogue.all().map(async ({ event: { eventId } }) => ({
        eventId,
        counts: await shop.rooms.inventory.counts(eventId),
        kinds: (await shop.rooms.ledger.journal(eventId, 0, 1_000)).map(({ seq, kind }) => [seq, kind]),
      })),
    );
  assert.deepEqual(await counts(front), await counts(express));
});
