// The flash purchase (rows D1, D2): its shape, its reservation, and its refusals.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { contentOf, readProblem } from '../../../test/kit/answers.ts';
import { type Asking, eventOf, openTestShop, type TestShop } from '../../../test/kit/test-shop.ts';
import { notReservedAnswer, reservedAnswer } from '../../contract/flash.ts';
import { holdAnswer } from '../../contract/holds.ts';
import { confirmedAnswer, orderAnswer } from '../../contract/orders.ts';

const PATH = '/api/v1/flash/purchase';
let shop: TestShop;

before(async () => {
  shop = await openTestShop({
    events: [
      eventOf('gala', { ga: 5, vip: 3 }),
      eventOf('fair', { vip: 4, day: 2 }),
      eventOf('tiny', { one: 1 }),
    ],
  });
});
after(() => shop?.close());

const REQUEST = { userId: 'ann', skuId: '1:ga', quantity: 2 };
const purchase = (body: unknown, asking: Asking = {}) => shop.ask('POST', PATH, { body, ...asking });

async function refusal(body: unknown, status: number, error: string, asking: Asking = {}) {
  const said = contentOf(await purchase(body, asking), status, notReservedAnswer);
  assert.equal(said.error, error);
  assert.equal(said.message, said.detail);
  return said;
}

test('[D1] [D2] it reserves for five minutes, and the order that comes of it has the number that was told', async () => {
  const sentMs = shop.inside.ledger.nowMs();
  const reserved = contentOf(await purchase(REQUEST), 200, reservedAnswer);
  const madeMs = reserved.expiresAt - 300_000;
  // The writer's clock is not behind the main thread's, and not ahead of the wall; both tell whole milliseconds.
  assert.ok(madeMs >= sentMs - 2 && madeMs <= Date.now() + 2, `${madeMs - sentMs} ms after it was sent`);
  assert.match(reserved.message, /^2 tickets are reserved until .*Z\./);
  const hold = await shop.ask('GET', `/api/v1/holds/${reserved.reservationId}`);
  const { status, tickets, expiresAt, orderId } = contentOf(hold, 200, holdAnswer);
  assert.deepEqual([status, tickets.length, orderId], ['active', 2, null]);
  assert.equal(Date.parse(expiresAt), reserved.expiresAt);
  readProblem(
    await shop.ask('GET', `/api/v1/orders/${reserved.orderId}`, { asStaff: true }),
    404,
    'ORDER_NOT_FOUND',
  );

  const confirmed = await shop.ask('POST', `/api/v1/holds/${reserved.reservationId}/confirm`);
  const order = contentOf(confirmed, 201, confirmedAnswer);
  assert.equal(order.orderId, reserved.orderId);
  assert.equal(order.buyer, 'ann');
  const again = await shop.ask('POST', `/api/v1/holds/${reserved.reservationId}/confirm`);
  assert.equal(again.text, confirmed.text);
  contentOf(
    await shop.ask('GET', `/api/v1/orders/${reserved.orderId}?secret=${order.secret}`),
    200,
    orderAnswer,
  );
});

test('[S6] a reservation that is released or lapses leaves no order', async () => {
  const { reservationId, orderId } = contentOf(await purchase(REQUEST), 200, reservedAnswer);
  await shop.ask('POST', `/api/v1/holds/${reservationId}/extend`);
  const released = await shop.ask('DELETE', `/api/v1/holds/${reservationId}`);
  assert.equal(contentOf(released, 200, holdAnswer).orderId, null);
  readProblem(await shop.ask('GET', `/api/v1/orders/${orderId}`, { asStaff: true }), 404, 'ORDER_NOT_FOUND');
  const { ok } = (await shop.ask('GET', '/api/v1/events/1/audit', { asStaff: true })).body as { ok: boolean };
  assert.ok(ok);
});

test('[S5] the same key, in the body or in the header, has the same answer but for the time it took', async () => {
  const timeless = async (asking: Asking, idempotencyKey?: string) => {
    const sentMs = performance.now();
    const reply = await purchase({ ...REQUEST, idempotencyKey }, asking);
    const tookMs = performance.now() - sentMs;
    const { processingTimeMs, ...body } = contentOf(reply, 200, reservedAnswer);
    assert.ok(
      processingTimeMs > 0 && processingTimeMs <= Math.ceil(tookMs),
      `${processingTimeMs} of ${tookMs}`,
    );
    return body;
  };
  const first = await timeless({}, 'flash-1');
  assert.deepEqual(await timeless({}, 'flash-1'), first);
  assert.deepEqual(await timeless({ key: 'flash-1' }), first);
  assert.deepEqual(await timeless({ key: 'flash-1' }, 'flash-1'), first);
  assert.notDeepEqual(await timeless({ key: 'flash-2' }), first);
  await refusal({ ...REQUEST, quantity: 1, idempotencyKey: 'flash-1' }, 422, 'IDEMPOTENCY_KEY_REUSED');
  const before = await shop.everything();
  const { fields } = await refusal({ ...REQUEST, idempotencyKey: 'a' }, 400, 'VALIDATION_FAILED', {
    key: 'b',
  });
  assert.deepEqual(Object.keys(fields!), ['body.idempotencyKey']);
  assert.deepEqual(await shop.everything(), before);
});

test('a SKU names a ticket type of the default event, of the named event, or of the only one that has it', async () => {
  const eventOfSku = async (skuId: string) => {
    const { reservationId } = contentOf(
      await purchase({ ...REQUEST, skuId, quantity: 1 }),
      200,
      reservedAnswer,
    );
    const hold = await shop.ask('GET', `/api/v1/holds/${reservationId}`);
    const { eventId, tickets } = contentOf(hold, 200, holdAnswer);
    return `${eventId}:${tickets[0]!.ticketType}`;
  };
  assert.equal(await eventOfSku('ga'), '1:ga');
  assert.equal(await eventOfSku('gala:ga'), 'gala:ga');
  assert.equal(await eventOfSku('day'), 'fair:day');
  const before = await shop.everything();
  const { fields } = await refusal({ ...REQUEST, skuId: 'vip' }, 400, 'VALIDATION_FAILED');
  assert.match(fields!['body.skuId']!, /2 events.*gala:vip, fair:vip/);
  await refusal({ ...REQUEST, skuId: 'balcony' }, 404, 'TICKET_TYPE_NOT_FOUND');
  await refusal({ ...REQUEST, skuId: 'gala:balcony' }, 404, 'TICKET_TYPE_NOT_FOUND');
  await refusal({ ...REQUEST, skuId: 'nowhere:ga' }, 404, 'EVENT_NOT_FOUND');
  await refusal({ ...REQUEST, skuId: ':' }, 404, 'EVENT_NOT_FOUND');
  assert.deepEqual(await shop.everything(), before);
});

test('users and SKUs may be numbers, as in systems that number them', async () => {
  const reserved = contentOf(await purchase({ ...REQUEST, userId: 4_711, quantity: 1 }), 200, reservedAnswer);
  const { inside } = shop;
  assert.equal((await inside.ledger.hold(reserved.reservationId as never))!.buyer, '4711');
});

test('refusals of the state say so in the same shape', async () => {
  contentOf(await purchase({ ...REQUEST, skuId: 'one', quantity: 1 }), 200, reservedAnswer);
  const held = await refusal({ ...REQUEST, skuId: 'one', quantity: 1 }, 409, 'ALL_HELD');
  assert.ok(held.nextExpiryAt);
  await refusal({ ...REQUEST, skuId: 'one', quantity: 2 }, 409, 'SOLD_OUT');
});

test('bad input is told in the same shape, and changes nothing', async () => {
  const before = await shop.everything();
  const cases: [unknown, string][] = [
    [{ ...REQUEST, quantity: 0 }, 'body.quantity'],
    [{ ...REQUEST, quantity: 11 }, 'body.quantity'],
    [{ ...REQUEST, quantity: '2' }, 'body.quantity'],
    [{ ...REQUEST, userId: '' }, 'body.userId'],
    [{ ...REQUEST, userId: 7.5 }, 'body.userId'],
    [{ ...REQUEST, skuId: 1e300 }, 'body.skuId'],
    [{ skuId: 'ga', quantity: 1 }, 'body.userId'],
    [{ userId: 'ann', quantity: 1 }, 'body.skuId'],
    [{ ...REQUEST, idempotencyKey: 'é' }, 'body.idempotencyKey'],
    [[], 'body'],
    [null, 'body'],
  ];
  for (const [body, field] of cases) {
    const { fields } = await refusal(body, 400, 'VALIDATION_FAILED');
    assert.deepEqual(Object.keys(fields!), [field], JSON.stringify(body));
  }
  await refusal(undefined, 400, 'BAD_REQUEST', { bytes: '{' });
  await refusal(undefined, 413, 'BODY_TOO_LARGE', { bytes: `"${'x'.repeat(20_000)}"` });
  await refusal({ ...REQUEST, userId: 'session:someone' }, 403, 'FORBIDDEN');
  assert.deepEqual(await shop.everything(), before);
});
