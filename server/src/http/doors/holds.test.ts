// The doors of holds: taken, read, given back, confirmed, and ended by time (mission rows D2, E4, C2).

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { patienceMs } from '@floodgate/core/testing/patience.ts';
import { contentOf, readProblem } from '../../../test/kit/answers.ts';
import { eventOf, openTestShop, type Reply, type TestShop } from '../../../test/kit/test-shop.ts';
import { boughtAnswer } from '../../contract/buying.ts';
import { availabilityAnswer } from '../../contract/events.ts';
import { heldAnswer, holdAnswer } from '../../contract/holds.ts';
import { confirmedAnswer } from '../../contract/orders.ts';

const HOLD_TTL_MS = 300_000;
/** Clocks that tell whole milliseconds. The writer's is not behind the main thread's, and not ahead of the wall. */
const TICK_MS = 2;
let shop: TestShop;

before(async () => {
  shop = await openTestShop({
    settings: { SEED_TICKETS: '50' },
    events: [
      eventOf('gala', { ga: 6, vip: 3 }, { ga: 1_000, vip: 9_900 }),
      eventOf('fair', { day: 4, night: 2 }),
      eventOf('fair-2', { day: 4, night: 2 }),
    ],
  });
});
after(() => shop?.close());

const take = (
  eventId: string,
  lines: Readonly<Record<string, number>>,
  at: TestShop = shop,
): Promise<Reply> =>
  at.ask('POST', `/api/v1/events/${eventId}/holds`, {
    body: { lines: Object.entries(lines).map(([ticketType, quantity]) => ({ ticketType, quantity })) },
  });
/** As it reads afterwards; the secret goes along by itself. */
const taken = async (eventId: string, lines: Readonly<Record<string, number>>) => {
  const { secret, ...hold } = contentOf(await take(eventId, lines), 201, heldAnswer);
  assert.ok(secret);
  return hold;
};
const available = async (eventId: string) => {
  const reply = await shop.ask('GET', `/api/v1/events/${eventId}/availability`);
  const { ticketTypes } = contentOf(reply, 200, availabilityAnswer);
  return Object.fromEntries(ticketTypes.map((type) => [type.ticketType, type.available]));
};

test('[E4] a hold has its tickets, its price and five minutes, and reads the same', async () => {
  const before = await available('gala');
  const askedMs = shop.inside.ledger.nowMs();
  const hold = await taken('gala', { ga: 2, vip: 1 });
  const madeMs = Date.parse(hold.expiresAt) - HOLD_TTL_MS;
  assert.equal(hold.status, 'active');
  assert.equal(hold.eventId, 'gala');
  assert.equal(hold.orderId, null);
  assert.deepEqual(hold.total, { amount: 2 * 1_000 + 9_900, currency: 'EUR' });
  assert.deepEqual(hold.tickets.map(({ ticketType }) => ticketType).sort(), ['ga', 'ga', 'vip']);
  assert.equal(hold.expiresInMs, HOLD_TTL_MS);
  assert.ok(madeMs >= askedMs - TICK_MS && madeMs <= Date.now() + TICK_MS, hold.expiresAt);
  assert.deepEqual(await available('gala'), { ga: before.ga! - 2, vip: before.vip! - 1 });

  const again = contentOf(await shop.ask('GET', `/api/v1/holds/${hold.holdId}`), 200, holdAnswer);
  assert.ok(again.expiresInMs > 0 && again.expiresInMs <= HOLD_TTL_MS);
  assert.deepEqual({ ...again, expiresInMs: HOLD_TTL_MS }, hold);
});

test('[S3] [C2] a hold of several types is taken whole or not at all, whichever line fails', async () => {
  const before = await shop.everything();
  readProblem(await take('fair', { day: 1, night: 3 }), 409, 'SOLD_OUT');
  readProblem(await take('fair', { night: 3, day: 1 }), 409, 'SOLD_OUT');
  readProblem(await take('fair', { day: 1, dusk: 1 }), 404, 'TICKET_TYPE_NOT_FOUND');
  assert.deepEqual(await shop.everything(), before);
  const hold = await taken('fair', { day: 4, night: 2 });
  assert.equal(hold.tickets.length, 6);
  assert.equal(new Set(hold.tickets.map(({ ticketId }) => ticketId)).size, 6);
});

test('[S3] lines of the same type add up', async () => {
  const lines = [1, 2].map((quantity) => ({ ticketType: 'day', quantity }));
  const path = '/api/v1/events/fair-2/holds';
  const reply = await shop.ask('POST', path, { body: { lines } });
  assert.equal(contentOf(reply, 201, heldAnswer).tickets.length, 3);
  const before = await shop.everything();
  readProblem(await shop.ask('POST', path, { body: { lines } }), 409, 'ALL_HELD');
  assert.deepEqual(await shop.everything(), before);
});

test('[S6] [S9] a hold released twice gives its tickets back once', async () => {
  const before = await available('1');
  const hold = await taken('1', { ga: 3 });
  const first = await shop.ask('DELETE', `/api/v1/holds/${hold.holdId}`);
  const released = contentOf(first, 200, holdAnswer);
  assert.deepEqual(released, {
    ...hold,
    status: 'released',
    expiresInMs: 0,
    ledgerSeq: hold.ledgerSeq + 1,
  });
  assert.deepEqual(await available('1'), before);
  const between = await taken('1', { ga: 3 });
  const second = await shop.ask('DELETE', `/api/v1/holds/${hold.holdId}`);
  assert.equal(second.status, 200);
  assert.equal(second.text, first.text);
  assert.deepEqual(await available('1'), { ga: before.ga! - 3 }, 'the next holder keeps its tickets');
  await shop.ask('DELETE', `/api/v1/holds/${between.holdId}`);
});

test('[S6] a hold confirmed twice is one order, with one answer', async () => {
  const hold = await taken('1', { ga: 2 });
  const first = await shop.ask('POST', `/api/v1/holds/${hold.holdId}/confirm`);
  const order = contentOf(first, 201, confirmedAnswer);
  assert.deepEqual(order.tickets, hold.tickets);
  assert.equal(order.ledgerSeq, hold.ledgerSeq + 1);
  const bodies = [undefined, {}];
  for (const body of bodies) {
    const again = await shop.ask('POST', `/api/v1/holds/${hold.holdId}/confirm`, { body });
    assert.deepEqual([again.status, again.text], [first.status, first.text]);
  }
  const read = contentOf(await shop.ask('GET', `/api/v1/holds/${hold.holdId}`), 200, holdAnswer);
  assert.equal(read.status, 'confirmed');
  assert.equal(read.orderId, order.orderId);
  assert.equal(read.expiresInMs, 0);
});

test('[S6] [S9] neither confirm after release nor release after confirm changes anything', async () => {
  const released = await taken('1', { ga: 1 });
  await shop.ask('DELETE', `/api/v1/holds/${released.holdId}`);
  const confirmed = await taken('1', { ga: 1 });
  await shop.ask('POST', `/api/v1/holds/${confirmed.holdId}/confirm`);
  const before = await shop.everything();
  const late = await shop.ask('POST', `/api/v1/holds/${released.holdId}/confirm`);
  readProblem(late, 409, 'HOLD_RELEASED');
  readProblem(await shop.ask('DELETE', `/api/v1/holds/${confirmed.holdId}`), 409, 'HOLD_CONFIRMED');
  assert.deepEqual(await shop.everything(), before);
});

test('[S6] [S10] a hold of tickets with a price is not confirmed without a payment', async () => {
  const hold = await taken('gala', { ga: 1 });
  const before = await shop.everything();
  const reply = await shop.ask('POST', `/api/v1/holds/${hold.holdId}/confirm`);
  readProblem(reply, 402, 'PAYMENT_REQUIRED');
  assert.deepEqual(await shop.everything(), before);
});

test('all that is held is not sold out: it may come back', async () => {
  const small = await openTestShop({ settings: { SEED_TICKETS: '2' } });
  try {
    const hold = contentOf(await take('1', { ga: 2 }, small), 201, heldAnswer);
    readProblem(await take('1', { ga: 1 }, small), 409, 'ALL_HELD');
    readProblem(await small.ask('POST', '/buy/1'), 409, 'ALL_HELD');
    await small.ask('DELETE', `/api/v1/holds/${hold.holdId}`);
    contentOf(await small.ask('POST', '/buy/1'), 201, boughtAnswer);
    // More than the tickets that could ever come back.
    readProblem(await take('1', { ga: 2 }, small), 409, 'SOLD_OUT');
  } finally {
    await small.close();
  }
});

test('[D2] [S6] [S7] time ends a hold: its tickets are sold again once, and it can neither be confirmed nor released', async () => {
  const quick = await openTestShop({ settings: { SEED_TICKETS: '3', HOLD_TTL_SECONDS: '1' } });
  try {
    const hold = contentOf(await take('1', { ga: 3 }, quick), 201, heldAnswer);
    assert.equal(hold.expiresInMs, 1_000);
    const heldAtMs = performance.now();
    // Waits for the worker, not for a guess: the hold ends when its tickets are back.
    while ((await quick.ask('POST', '/buy/1', { body: { quantity: 3 } })).status !== 201) {
      assert.ok(performance.now() - heldAtMs < patienceMs(2_000), 'the hold never ended');
      await sleep(20);
    }
    assert.ok(performance.now() - heldAtMs >= 1_000 - 20, 'the hold ended before its time');
    const before = await quick.everything();
    const read = contentOf(await quick.ask('GET', `/api/v1/holds/${hold.holdId}`), 200, holdAnswer);
    assert.deepEqual([read.status, read.expiresInMs, read.orderId], ['expired', 0, null]);
    const late = await quick.ask('POST', `/api/v1/holds/${hold.holdId}/confirm`);
    readProblem(late, 409, 'HOLD_EXPIRED');
    readProblem(await quick.ask('DELETE', `/api/v1/holds/${hold.holdId}`), 409, 'HOLD_EXPIRED');
    readProblem(await quick.ask('POST', '/buy/1'), 409, 'SOLD_OUT');
    assert.deepEqual(await quick.everything(), before);
  } finally {
    await quick.close();
  }
});

test('unknown holds are not found, whatever their id', async () => {
  const before = await shop.everything();
  const ids = [
    '1',
    '0',
    '-1',
    'x',
    '__proto__',
    '9223372036854775807',
    '9223372036854775808',
    '9'.repeat(400),
  ];
  for (const id of ids) {
    readProblem(await shop.ask('GET', `/api/v1/holds/${id}`), 404, 'HOLD_NOT_FOUND');
    readProblem(await shop.ask('DELETE', `/api/v1/holds/${id}`), 404, 'HOLD_NOT_FOUND');
    readProblem(await shop.ask('POST', `/api/v1/holds/${id}/confirm`), 404, 'HOLD_NOT_FOUND');
  }
  readProblem(await take('nowhere', { ga: 1 }), 404, 'EVENT_NOT_FOUND');
  assert.deepEqual(await shop.everything(), before);
});
