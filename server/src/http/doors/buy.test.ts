// The doors that sell in one step: mission rows A1, A2 and B2.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { contentOf, readProblem } from '../../../test/kit/answers.ts';
import { eventOf, openTestShop, type TestShop } from '../../../test/kit/test-shop.ts';
import { boughtAnswer, purchasedAnswer } from '../../contract/buying.ts';
import { orderAnswer, ordersAnswer } from '../../contract/orders.ts';

let shop: TestShop;

before(async () => {
  shop = await openTestShop({
    settings: { SEED_EVENTS: '2', SEED_TICKETS: '12', DEFAULT_EVENT: '2' },
    events: [eventOf('gala-2027', { ga: 5, vip: 3 }), eventOf('opera', { box: 4, stage: 2 }, { box: 5_000 })],
  });
});
after(() => shop?.close());

test('[A2] a purchase without a body buys one ticket of the first type', async () => {
  const order = contentOf(await shop.ask('POST', '/buy/1'), 201, boughtAnswer);
  assert.equal(order.eventId, '1');
  assert.deepEqual(order.tickets, [{ ticketId: '0', ticketType: 'ga', label: 'GA-1' }]);
});

test('[A2] quantity, buyer and ticket type are as asked for', async () => {
  const body = { quantity: 2, buyer: 'Zoë 🎫', ticketType: 'vip' };
  const order = contentOf(await shop.ask('POST', '/buy/gala-2027', { body }), 201, boughtAnswer);
  assert.equal(order.eventId, 'gala-2027');
  assert.deepEqual(order.tickets.map((ticket) => ticket.label).sort(), ['VIP-1', 'VIP-2']);
  const kept = await shop.ask('GET', `/api/v1/orders/${order.orderId}?secret=${order.secret}`);
  assert.equal(contentOf(kept, 200, orderAnswer).buyer, 'Zoë 🎫');
});

test('[A1] events have pools of their own, and every grant the next number of its event', async () => {
  const body = { quantity: 1, ticketType: 'ga' };
  const buyOne = async (event: string) =>
    contentOf(await shop.ask('POST', `/buy/${event}`, { body }), 201, boughtAnswer);
  const [first, other, second] = [await buyOne('gala-2027'), await buyOne('1'), await buyOne('gala-2027')];
  assert.equal(second.ledgerSeq, first.ledgerSeq + 1);
  assert.notEqual(first.tickets[0]!.ticketId, second.tickets[0]!.ticketId);
  assert.equal(new Set([first.orderId, other.orderId, second.orderId]).size, 3);
  assert.equal(new Set([first.secret, other.secret, second.secret]).size, 3);
});

test('[A2] [S3] a sold-out type is refused whole, with SOLD_OUT', async () => {
  const small = await openTestShop({ settings: { SEED_TICKETS: '3' } });
  try {
    await small.ask('POST', '/buy/1', { body: { quantity: 2 } });
    const before = await small.everything();
    const tooMany = await small.ask('POST', '/buy/1', { body: { quantity: 2 } });
    assert.match(readProblem(tooMany, 409, 'SOLD_OUT').detail, /tickets/);
    assert.deepEqual(await small.everything(), before);
    contentOf(await small.ask('POST', '/buy/1'), 201, boughtAnswer);
    readProblem(await small.ask('POST', '/buy/1'), 409, 'SOLD_OUT');
  } finally {
    await small.close();
  }
});

test('[A2] unknown events and ticket types are not found', async () => {
  const before = await shop.everything();
  readProblem(await shop.ask('POST', '/buy/nowhere'), 404, 'EVENT_NOT_FOUND');
  const body = { ticketType: 'balcony' };
  readProblem(await shop.ask('POST', '/buy/1', { body }), 404, 'TICKET_TYPE_NOT_FOUND');
  assert.deepEqual(await shop.everything(), before);
});

test('[S10] tickets with a price are not given away; free ones of the same event are', async () => {
  readProblem(await shop.ask('POST', '/buy/opera'), 402, 'PAYMENT_REQUIRED');
  const body = { ticketType: 'stage' };
  const order = contentOf(await shop.ask('POST', '/buy/opera', { body }), 201, boughtAnswer);
  assert.deepEqual(order.tickets[0], { ticketId: '4', ticketType: 'stage', label: 'STAGE-1' });
});

test('[B2] a purchase sells the default event and says what is left', async () => {
  const first = await shop.ask('POST', '/api/v1/purchase', { key: 'b2-first', body: { quantity: 10 } });
  const bought = contentOf(first, 200, purchasedAnswer);
  assert.equal(bought.tickets.length, 10);
  assert.equal(bought.seatsRemaining, 2);
  const soldOut = await shop.ask('POST', '/api/v1/purchase', { key: 'b2-second', body: { quantity: 3 } });
  assert.equal(readProblem(soldOut, 409, 'SOLD_OUT').seatsRemaining, 2);
  const orders = await shop.ask('GET', '/api/v1/events/2/orders', { asStaff: true });
  assert.deepEqual(
    contentOf(orders, 200, ordersAnswer).orders.map(({ orderId }) => orderId),
    [bought.orderId],
  );
});

test('[B2] [S5] a purchase needs an Idempotency-Key', async () => {
  const before = await shop.everything();
  const reply = await shop.ask('POST', '/api/v1/purchase', { body: { quantity: 1 } });
  const { detail, fields } = readProblem(reply, 400, 'VALIDATION_FAILED');
  assert.match(detail, /idempotency-key is required/);
  assert.deepEqual(Object.keys(fields ?? {}), ['headers.idempotency-key']);
  assert.deepEqual(await shop.everything(), before);
});

test('[B1] [B2] without such a default event there is nothing to purchase', async () => {
  const lost = await openTestShop({ settings: { DEFAULT_EVENT: 'cancelled' } });
  try {
    const reply = await lost.ask('POST', '/api/v1/purchase', { key: 'k', body: { quantity: 1 } });
    readProblem(reply, 404, 'EVENT_NOT_FOUND');
    readProblem(await lost.ask('GET', '/api/v1/event'), 404, 'EVENT_NOT_FOUND');
    readProblem(await lost.ask('GET', '/api/v1/stats'), 404, 'EVENT_NOT_FOUND');
  } finally {
    await lost.close();
  }
});
