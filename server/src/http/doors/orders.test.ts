// The doors of orders: one for anyone with its secret, all of an event for staff.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { contentOf, readProblem } from '../../../test/kit/answers.ts';
import { openTestShop, type TestShop } from '../../../test/kit/test-shop.ts';
import { boughtAnswer, purchasedAnswer } from '../../contract/buying.ts';
import { heldAnswer } from '../../contract/holds.ts';
import { confirmedAnswer, orderAnswer, ordersAnswer } from '../../contract/orders.ts';

let shop: TestShop;

before(async () => {
  shop = await openTestShop({ settings: { SEED_EVENTS: '2', SEED_TICKETS: '60' } });
});
after(() => shop?.close());

const bought = async (body: unknown = {}) =>
  contentOf(await shop.ask('POST', '/buy/1', { body }), 201, boughtAnswer);

test('an order is read with its secret, by query or header, or by staff, and never shows the secret', async () => {
  const { orderId, secret, tickets, ledgerSeq } = await bought({ quantity: 2, buyer: 'ann' });
  const path = `/api/v1/orders/${orderId}`;
  const replies = [
    await shop.ask('GET', `${path}?secret=${secret}`),
    await shop.ask('GET', path, { headers: { 'order-secret': secret } }),
    await shop.ask('GET', path, { asStaff: true }),
  ];
  for (const reply of replies) {
    const { createdAt, ...order } = contentOf(reply, 200, orderAnswer);
    assert.deepEqual(order, {
      orderId,
      number: orderId,
      eventId: '1',
      status: 'confirmed',
      buyer: 'ann',
      tickets,
      total: { amount: 0, currency: 'EUR' },
      ledgerSeq,
    });
    const createdMs = Date.parse(createdAt);
    assert.ok(createdMs > performance.timeOrigin - 1_000 && createdMs < Date.now() + 1_000, createdAt);
    assert.equal(reply.headers.get('cache-control'), 'no-store');
    assert.ok(!reply.text.includes(secret));
  }
});

test('a wrong secret reads like no order at all', async () => {
  const [one, other] = [await bought(), await bought()];
  const path = `/api/v1/orders/${one.orderId}`;
  const unknown = await shop.ask('GET', '/api/v1/orders/117427064479506432?secret=x');
  const { requestId: _, ...nothing } = readProblem(unknown, 404, 'ORDER_NOT_FOUND');
  const wrong = ['', '?secret=', '?secret=wrong', `?secret=${other.secret}`, `?secret=${one.secret}x`];
  for (const query of [
    ...wrong,
    `?secret=${one.secret.slice(0, -1)}`,
    `?secret=${one.secret.toUpperCase()}`,
  ]) {
    const { requestId, ...said } = readProblem(await shop.ask('GET', path + query), 404, 'ORDER_NOT_FOUND');
    assert.ok(requestId);
    assert.deepEqual(said, nothing, query);
  }
  const byHeader = await shop.ask('GET', path, { headers: { 'order-secret': other.secret } });
  readProblem(byHeader, 404, 'ORDER_NOT_FOUND');
  const notStaff = await shop.ask('GET', path, { headers: { authorization: 'Bearer wrong' } });
  readProblem(notStaff, 401, 'UNAUTHENTICATED');
});

test('order ids that no order can have are not found, also for staff', async () => {
  for (const id of ['1', '0', '01', '-1', 'x', '1.5', '__proto__', '9223372036854775808', '9'.repeat(400)]) {
    const reply = await shop.ask('GET', `/api/v1/orders/${id}`, { asStaff: true });
    readProblem(reply, 404, 'ORDER_NOT_FOUND');
  }
});

test('a confirmed hold and a purchase are both orders, with their secrets', async () => {
  const lines = [{ ticketType: 'ga', quantity: 2 }];
  const held = await shop.ask('POST', '/api/v1/events/1/holds', { body: { lines, buyer: 'ben' } });
  const { holdId } = contentOf(held, 201, heldAnswer);
  const confirmed = contentOf(
    await shop.ask('POST', `/api/v1/holds/${holdId}/confirm`),
    201,
    confirmedAnswer,
  );
  const { secret, ...order } = confirmed;
  const read = await shop.ask('GET', `/api/v1/orders/${order.orderId}?secret=${secret}`);
  assert.deepEqual(contentOf(read, 200, orderAnswer), order);
  assert.equal(order.buyer, 'ben');

  const key = 'order-of-purchase';
  const reply = await shop.ask('POST', '/api/v1/purchase', { key, body: { quantity: 1 } });
  const purchase = contentOf(reply, 200, purchasedAnswer);
  const ofPurchase = await shop.ask('GET', `/api/v1/orders/${purchase.orderId}?secret=${purchase.secret}`);
  assert.deepEqual(contentOf(ofPurchase, 200, orderAnswer).tickets, purchase.tickets);
});

test('the pages of the list give every order of the event once, in ledger order, without secrets', async () => {
  const expected: string[] = [];
  for (let i = 0; i < 12; i++) {
    const reply = await shop.ask('POST', '/buy/2', { body: { quantity: (i % 3) + 1, buyer: `b${i}` } });
    expected.push(contentOf(reply, 201, boughtAnswer).orderId);
    // Facts between the orders must not upset the cursor, which is a place in the ledger.
    const lines = [{ ticketType: 'ga', quantity: 1 }];
    const held = await shop.ask('POST', '/api/v1/events/2/holds', { body: { lines } });
    await shop.ask('DELETE', `/api/v1/holds/${contentOf(held, 201, heldAnswer).holdId}`);
  }
  for (const limit of [1, 5, 12, 1_000]) {
    const seen: { orderId: string; ledgerSeq: number }[] = [];
    for (let cursor: string | undefined = ''; cursor !== undefined; ) {
      const path = `/api/v1/events/2/orders?limit=${limit}${cursor && `&cursor=${cursor}`}`;
      const reply = await shop.ask('GET', path, { asStaff: true });
      const page: ReturnType<typeof ordersAnswer.parse> = contentOf(reply, 200, ordersAnswer);
      assert.ok(page.orders.length <= limit);
      seen.push(...page.orders);
      cursor = page.nextCursor;
    }
    assert.deepEqual(
      seen.map(({ orderId }) => orderId),
      expected,
      `pages of ${limit}`,
    );
    const seqs = seen.map(({ ledgerSeq }) => ledgerSeq);
    assert.deepEqual(
      seqs,
      seqs.toSorted((a, b) => a - b),
    );
  }
});

test('orders that come while the list is read do not repeat or hide others', async () => {
  const first = await shop.ask('GET', '/api/v1/events/2/orders?limit=6', { asStaff: true });
  const { orders, nextCursor } = contentOf(first, 200, ordersAnswer);
  const late = contentOf(await shop.ask('POST', '/buy/2'), 201, boughtAnswer);
  const path = `/api/v1/events/2/orders?limit=1000&cursor=${nextCursor}`;
  const rest = contentOf(await shop.ask('GET', path, { asStaff: true }), 200, ordersAnswer).orders;
  const all = [...orders, ...rest].map(({ orderId }) => orderId);
  assert.equal(new Set(all).size, all.length);
  assert.equal(all.length, 13);
  assert.equal(all.at(-1), late.orderId);
});
