// More time for a hold (WCAG 2.2.1): again and again, up to a cap, counted on the ledger's clock.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { patienceMs, SLOWNESS } from '@floodgate/core/testing/patience.ts';
import { contentOf, readProblem } from '../../../test/kit/answers.ts';
import { openTestShop, type TestShop } from '../../../test/kit/test-shop.ts';
import { anyProblem } from '../../contract/answers.ts';
import { heldAnswer, holdAnswer } from '../../contract/holds.ts';

/** Two clocks that tell whole milliseconds. */
const TICK_MS = 2;
const lines = (quantity: number) => ({ lines: [{ ticketType: 'ga', quantity }] });

async function withShop(
  settings: Readonly<Record<string, string>>,
  check: (shop: TestShop) => Promise<void>,
): Promise<void> {
  const shop = await openTestShop({ settings: { SEED_TICKETS: '3', ...settings } });
  try {
    await check(shop);
  } finally {
    await shop.close();
  }
}

const take = async (shop: TestShop, quantity = 1) =>
  contentOf(await shop.ask('POST', '/api/v1/events/1/holds', { body: lines(quantity) }), 201, heldAnswer);
/** As it is told to those who do not have the hold. */
const roundedUp = (time: string) => new Date(Math.ceil(Date.parse(time) / 5_000) * 5_000).toISOString();
const extend = (shop: TestShop, holdId: string) => shop.ask('POST', `/api/v1/holds/${holdId}/extend`);

test('[S7] an extended hold has its time anew, and says until when it can be extended', () =>
  withShop({ HOLD_TTL_SECONDS: '60' }, async (shop) => {
    const startMs = performance.now();
    const hold = await take(shop);
    const madeMs = Date.parse(hold.expiresAt) - 60_000;
    assert.equal(
      Date.parse(hold.extendableUntil) - madeMs,
      11 * 60_000,
      'ten extensions, each at the last moment',
    );
    await sleep(50);
    const askedMs = performance.now();
    const extended = contentOf(await extend(shop, hold.holdId), 200, holdAnswer);
    const moreMs = Date.parse(extended.expiresAt) - Date.parse(hold.expiresAt);
    const [sinceTakeMs, sinceExtendMs] = [performance.now() - startMs, performance.now() - askedMs];
    assert.ok(moreMs >= 50 && moreMs <= sinceTakeMs + TICK_MS, `${moreMs} in ${sinceTakeMs} ms`);
    // What is left is told by the main thread's copy of the clock, which is never ahead, and here so far behind.
    const lagMs = Date.now() - shop.inside.ledger.nowMs() + TICK_MS;
    const isWhole = extended.expiresInMs >= 60_000 - Math.ceil(sinceExtendMs);
    assert.ok(isWhole && extended.expiresInMs <= 60_000 + lagMs, `${extended.expiresInMs}, lag ${lagMs}`);
    const { expiresAt: _at, expiresInMs: _in, ledgerSeq, ...same } = extended;
    const { expiresAt: _at0, expiresInMs: _in0, ledgerSeq: ledgerSeq0, secret: _, ...before } = hold;
    assert.deepEqual(same, before);
    assert.equal(ledgerSeq, ledgerSeq0 + 1);
    const read = contentOf(await shop.ask('GET', `/api/v1/holds/${hold.holdId}`), 200, holdAnswer);
    assert.equal(read.expiresAt, extended.expiresAt);
  }));

/** Long enough for the buyer to come back in time, also on a slow machine. */
const TTL_SECONDS = Math.ceil(SLOWNESS);
const CAP = { HOLD_TTL_SECONDS: `${TTL_SECONDS}`, HOLD_MAX_SECONDS: `${2 * TTL_SECONDS}` };

test('[S6] [S7] the clock keeps to the new deadline, and the cap ends the extending', () =>
  withShop(CAP, async (shop) => {
    const startMs = performance.now();
    const hold = await take(shop, 3);
    let heldUntilMs = Date.parse(hold.expiresAt);
    let capped = 0;
    // The buyer extends as often as can be; nobody else gets a ticket before the cap.
    for (;;) {
      const reply = await extend(shop, hold.holdId);
      if (reply.status === 409) {
        const { error } = anyProblem.parse(reply.body);
        if (error === 'HOLD_EXPIRED') break;
        assert.equal(error, 'HOLD_AT_CAP');
        capped++;
      } else {
        const { expiresAt, extendableUntil } = contentOf(reply, 200, holdAnswer);
        assert.ok(expiresAt <= extendableUntil);
        heldUntilMs = Date.parse(expiresAt);
      }
      const bought = await shop.ask('POST', '/buy/1');
      if (Date.now() < heldUntilMs - TICK_MS) readProblem(bought, 409, 'ALL_HELD');
      assert.ok(performance.now() - startMs < patienceMs(2_000 * TTL_SECONDS), 'the hold never ended');
      await sleep(100);
    }
    assert.ok(capped > 0, 'the cap was never told');
    const lastedMs = performance.now() - startMs;
    assert.ok(lastedMs >= 2_000 * TTL_SECONDS - TICK_MS, `${lastedMs} ms`);
    // It is over when its time is; that it ended is written down by a worker a moment later.
    const isWrittenDown = async () => JSON.stringify(await shop.everything()).includes('"kind":"expired"');
    while (!(await isWrittenDown())) {
      assert.ok(performance.now() - startMs < patienceMs(2_000 * TTL_SECONDS), 'the hold was never swept');
      await sleep(20);
    }
    const before = await shop.everything();
    readProblem(await extend(shop, hold.holdId), 409, 'HOLD_EXPIRED');
    assert.deepEqual(await shop.everything(), before);
  }));

test('[S6] a hold that has ended is not extended', () =>
  withShop({}, async (shop) => {
    const [released, confirmed] = [await take(shop), await take(shop)];
    await shop.ask('DELETE', `/api/v1/holds/${released.holdId}`);
    await shop.ask('POST', `/api/v1/holds/${confirmed.holdId}/confirm`);
    const before = await shop.everything();
    readProblem(await extend(shop, released.holdId), 409, 'HOLD_RELEASED');
    readProblem(await extend(shop, confirmed.holdId), 409, 'HOLD_CONFIRMED');
    readProblem(await extend(shop, '117427064479506432'), 404, 'HOLD_NOT_FOUND');
    const ttl = await shop.ask('POST', `/api/v1/holds/${confirmed.holdId}/extend`, { body: { ttlMs: 1 } });
    readProblem(ttl, 400, 'VALIDATION_FAILED');
    assert.deepEqual(await shop.everything(), before);
  }));

test('who finds everything held is told when the next hold may lapse, and under a key always the same', () =>
  withShop({}, async (shop) => {
    const first = await take(shop, 2);
    await take(shop, 1);
    const asked = { body: lines(1), key: 'all-held' };
    const reply = await shop.ask('POST', '/api/v1/events/1/holds', asked);
    assert.equal(readProblem(reply, 409, 'ALL_HELD').nextExpiryAt, roundedUp(first.expiresAt));
    await shop.ask('DELETE', `/api/v1/holds/${first.holdId}`);
    await sleep(600);
    const again = await shop.ask('POST', '/api/v1/events/1/holds', asked);
    const { requestId: _r, ...said } = readProblem(reply, 409, 'ALL_HELD');
    const { requestId: _a, ...repeated } = readProblem(again, 409, 'ALL_HELD');
    assert.deepEqual(repeated, said);
    // What is said anew is as things are now.
    const second = await take(shop, 2);
    const anew = readProblem(await shop.ask('POST', '/buy/1'), 409, 'ALL_HELD');
    assert.ok(anew.nextExpiryAt !== undefined && anew.nextExpiryAt <= roundedUp(second.expiresAt));
    assert.ok(anew.nextExpiryAt > first.expiresAt);
  }));
