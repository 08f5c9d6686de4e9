// Both lanes answer the same: every request of this table, good or bad, goes to a shop with the front lane and to
// one without, in the same order, and what comes back may differ only in what is random or a time.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { forgeJwt, tokenOf } from '../../../test/kit/forge.ts';
import { exchange, type RawAnswer, requestText } from '../../../test/kit/raw-http.ts';
import { API_KEY } from '../../../test/kit/server-process.ts';
import { eventOf, openTestShop, type TestShop } from '../../../test/kit/test-shop.ts';

let front: TestShop;
let express: TestShop;

before(async () => {
  const open = (hasFrontLane: boolean) =>
    openTestShop({
      settings: { SEED_TICKETS: '40' },
      events: [
        eventOf('gala', { ga: 5, vip: 3 }, { vip: 9_900 }),
        eventOf('tiny', { ga: 1 }),
        eventOf('flash', { ga: 4 }),
      ],
      parts: { hasFrontLane },
    });
  [front, express] = await Promise.all([open(true), open(false)]);
  for (const shop of [front, express]) await addPlay(shop);
});
after(() => Promise.all([front.close(), express.close()]));

/** An event with seats. */
async function addPlay(shop: TestShop): Promise<void> {
  const section = { section: 'Stalls', category: 'stalls', rows: [{ row: 'A', seats: '1-8' }] };
  const manifest = { name: 'Small house', sections: [section] };
  const kept = await shop.ask('POST', '/api/v1/manifests', { body: manifest, asStaff: true });
  const { manifestId } = kept.body as { manifestId: string };
  const stalls = { ticketTypeId: 'stalls', name: 'Stalls', price: 0, currency: 'EUR', category: 'stalls' };
  const { ticketTypes: _, ...event } = eventOf('play', {});
  const body = { ...event, manifestId, ticketTypes: [stalls] };
  const made = await shop.ask('POST', '/api/v1/events', { body, asStaff: true });
  assert.equal(made.status, 201, made.text);
}

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
const FLASH = '/api/v1/flash/purchase';
const PLAY = '/api/v1/events/play';
const flash = (quantity: unknown, skuId = 'flash:ga', more: object = {}) =>
  json({ userId: 'ann', skuId, quantity, ...more });
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
  'flash-purchase': [
    row(200, 'POST', FLASH, { body: flash(1) }),
    row(200, 'POST', FLASH, { body: flash(1), headers: key('f') }),
    row(200, 'POST', FLASH, { body: flash(1), headers: key('f') }),
    row(200, 'POST', `${FLASH}/?x`, { body: flash(1), headers: auth(API_KEY) }),
    row(422, 'POST', FLASH, { body: flash(2), headers: key('f') }),
    row(400, 'POST', FLASH, { body: flash('1') }),
    row(400, 'POST', FLASH),
    row(400, 'POST', FLASH, { body: '[' }),
    row(401, 'POST', FLASH, { body: flash(1), headers: auth('nonsense') }),
    row(403, 'POST', FLASH, { body: flash(1), headers: ann }),
    row(404, 'POST', FLASH, { body: flash(1, 'flash:vip') }),
    row(409, 'POST', FLASH, { body: flash(4) }),
    row(415, 'POST', FLASH, { body: flash(1), headers: { 'Content-Type': 'text/plain' } }),
    row(405, 'GET', FLASH),
  ],
  'seat-status': [
    row(200, 'GET', `${PLAY}/seats`),
    row(200, 'GET', `${PLAY}/seats?since=0`),
    row(200, 'GET', `${PLAY}/seats?since=1`, { headers: ann }),
    row(304, 'GET', `${PLAY}/seats`, { headers: { 'If-None-Match': '*' } }),
    row(200, 'HEAD', `${PLAY}/seats`),
    row(400, 'GET', `${PLAY}/seats?since=x`),
    row(401, 'GET', `${PLAY}/seats`, { headers: auth('nonsense') }),
    row(404, 'GET', '/api/v1/events/1/seats'),
    row(404, 'GET', '/api/v1/events/nowhere/seats'),
    row(405, 'POST', `${PLAY}/seats`),
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
  const { date: _, 'content-length': length, ...others } = headers;
  const text = body
    .replace(/"(orderId|number|holdId|reservationId)":"\d{17,19}"/g, '"$1":"id"')
    .replace(/"(secret|holdSecret)":"[\w-]{22}"/g, '"$1":"secret"')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]{12}Z/g, 'time')
    .replace(/"expiresAt":\d{13}/g, '"expiresAt":"time"')
    .replace(/"processingTimeMs":[\d.]+/g, '"processingTimeMs":"time"');
  // What took its time has it in the body, and so in the length.
  const isTimed = body.includes('"processingTimeMs"');
  return { status, headers: others, length: isTimed || length, names: Object.keys(headers), body: text };
}

test('the table asks for every operation of the front lane', () => {
  const hot = front.operations.filter(({ isHot }) => isHot).map(({ name }) => name);
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
      shop.inside.catalogue.all().map(async ({ event: { eventId } }) => ({
        eventId,
        counts: await shop.inside.inventory.counts(eventId),
        kinds: (await shop.inside.ledger.journal(eventId, 0, 1_000)).map(({ seq, kind }) => [seq, kind]),
      })),
    );
  assert.deepEqual(await counts(front), await counts(express));
});
