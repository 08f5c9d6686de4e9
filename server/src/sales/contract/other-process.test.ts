// What another process did to an event counts here at once where it matters: nothing is sold against it, and what it sold
// is shown, also tickets that this process has never heard of. And extensions whose outcome nobody knows.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HOLD_MAX_MS, HOLD_TTL_MS, HOLDER, MemoryShop } from '../../../test/kit/memory-shop.ts';
import { LedgerOutcomeUnknown, LedgerUnavailable } from '../../ledger/ledger.ts';
import { buy } from '../buying/buy.ts';
import { confirm, listOrders, readOrder } from '../buying/confirm.ts';
import { extend, hold, readHold } from '../buying/hold.ts';
import { commandEvent, patchEvent } from '../organizing/organize.ts';
import type { Shop } from '../shop.ts';

const asked = { by: 'staff' };
const STAFF = { kind: 'staff', role: 'admin', name: 'staff' } as const;

/** Two processes on one ledger, and what staff and buyers do in either. */
async function twoProcesses(capacity: number) {
  const shop = await MemoryShop.open(capacity);
  const here = shop.inside;
  const there = await shop.anotherProcess();
  const { eventId } = shop.event;
  const staff = async (inside: Shop, act: 'pause' | 'resume' | 'cancel') => {
    const done = await commandEvent(inside, eventId, act, asked);
    assert.ok('event' in done, JSON.stringify(done));
  };
  const grow = async (inside: Shop, to: number) => {
    const ticketTypes = [{ ticketTypeId: 'ga', capacity: to }];
    const done = await patchEvent(inside, eventId, { ticketTypes }, asked);
    assert.ok('event' in done, JSON.stringify(done));
  };
  const buyAt = (inside: Shop, key?: string, quantity = 1) => {
    const idempotency = key === undefined ? undefined : { digest: key, hash: `buy ${quantity}` };
    return buy(inside, { eventId, quantity, buyer: 'ann', idempotency });
  };
  const holdAt = async (inside: Shop, quantity = 1) => {
    const held = await hold(inside, { eventId, buyer: 'ann', lines: [{ ticketType: 'ga', quantity }] });
    assert.ok('holdId' in held, JSON.stringify(held));
    return held;
  };
  return { shop, here, there, eventId, staff, grow, buyAt, holdAt };
}

describe('an event that another process changes', () => {
  test('when its pause is answered, nothing is sold anywhere, and no hold becomes an order', async () => {
    const { shop, here, there, eventId, staff, buyAt, holdAt } = await twoProcesses(10);
    const held = await holdAt(here);
    await staff(there, 'pause');
    assert.deepEqual(await buyAt(here), { refusal: 'NOT_ON_SALE', onSaleAtMs: undefined });
    assert.deepEqual(await confirm(here, { holdId: held.holdId, caller: HOLDER }), {
      refusal: 'NOT_ON_SALE',
    });
    assert.equal((await here.inventory.counts(eventId))![0]!.available, 9, 'what was proposed is back');
    await staff(there, 'resume');
    // Looked up a moment ago, it is paused here until somebody looks again.
    assert.ok('refusal' in (await buyAt(here)));
    shop.clock.pass(100);
    assert.ok('orderId' in (await buyAt(here)));
    await staff(there, 'pause');
    assert.equal(await here.catalogue.learnChanges(), 1);
    await staff(there, 'resume');
    assert.equal(await here.catalogue.learnChanges(), 1);
    const { holdId } = await holdAt(here);
    await staff(there, 'pause');
    assert.equal(await here.catalogue.learnChanges(), 1);
    await staff(there, 'resume');
    shop.clock.pass(99);
    assert.ok('refusal' in (await confirm(here, { holdId, caller: HOLDER })));
    await here.catalogue.learnChanges();
    assert.ok('orderId' in (await confirm(here, { holdId, caller: HOLDER })));
  });

  test('[S5] a refusal that the change has made wrong is not kept under a key', async () => {
    const { here, there, staff, grow, buyAt } = await twoProcesses(1);
    assert.ok('orderId' in (await buyAt(here)));
    assert.deepEqual(await buyAt(here, 'sold-out'), { refusal: 'SOLD_OUT', remaining: undefined });
    await grow(there, 2);
    assert.deepEqual(await buyAt(here, 'sold-out'), { refusal: 'SOLD_OUT', remaining: undefined });
    assert.ok('orderId' in (await buyAt(here, 'grown')));
    await staff(here, 'pause');
    await staff(there, 'resume');
    assert.deepEqual(await buyAt(here, 'resumed'), { refusal: 'SOLD_OUT', remaining: undefined });
  });

  test('[S5] and [S6] hold beyond it: a replay and a confirmed hold are answered as before', async () => {
    const { here, there, staff, buyAt, holdAt } = await twoProcesses(10);
    const sold = await buyAt(here, 'key');
    const { holdId } = await holdAt(here);
    const order = await confirm(here, { holdId, caller: HOLDER });
    await staff(there, 'cancel');
    assert.deepEqual(await buyAt(here, 'key'), sold);
    assert.deepEqual(await buyAt(there, 'key'), sold);
    assert.deepEqual(await confirm(here, { holdId, caller: HOLDER }), order);
    assert.deepEqual(await confirm(there, { holdId, caller: HOLDER }), order);
  });

  test('the tickets that it added are shown here before this process has learned of them', async () => {
    const { here, there, eventId, grow, buyAt, holdAt } = await twoProcesses(1);
    assert.ok('orderId' in (await buyAt(there)));
    await grow(there, 5);
    const sold = await buyAt(there, 'key', 2);
    assert.ok('orderId' in sold);
    const { holdId } = await holdAt(there, 2);
    assert.equal(here.catalogue.known(eventId)!.layout.capacity, 1);
    const read = await readHold(here, holdId, HOLDER);
    assert.deepEqual('tickets' in read && read.tickets.map(({ label }) => label), ['GA-4', 'GA-5']);
    assert.deepEqual(await buyAt(here, 'key', 2), sold);
    assert.ok('tickets' in (await readOrder(here, sold.orderId, { who: STAFF, secret: undefined })));
    assert.equal(here.catalogue.known(eventId)!.layout.capacity, 5);
  });

  for (const [what, see] of Object.entries({
    'a replay': async (inside: Shop, eventId: string) =>
      buy(inside, {
        eventId,
        quantity: 2,
        buyer: 'ann',
        idempotency: { digest: 'key', hash: 'buy 2' },
      }),
    'an order': async (inside: Shop, _eventId: string, orderId: string) =>
      readOrder(inside, orderId, { who: STAFF, secret: undefined }),
    'the orders': async (inside: Shop, eventId: string) => listOrders(inside, eventId, 0, 10),
  })) {
    test(`the tickets that it added are shown here at once: ${what}`, async () => {
      const { here, there, eventId, grow, buyAt } = await twoProcesses(1);
      await grow(there, 3);
      const sold = await buyAt(there, 'key', 2);
      assert.ok('orderId' in sold);
      assert.equal(here.catalogue.known(eventId)!.layout.capacity, 1);
      assert.match(JSON.stringify(await see(here, eventId, sold.orderId)), /GA-2/);
    });
  }
});

describe('an extension', () => {
  for (const fault of ['lost', 'kept'] as const) {
    test(`[S6] whose outcome is unknown, and was ${fault}, may be asked for again`, async () => {
      const { shop, here, eventId, holdAt } = await twoProcesses(2);
      const held = await holdAt(here);
      shop.clock.pass(20);
      shop.ledger.fault = fault;
      await assert.rejects(extend(here, held.holdId, HOLDER), LedgerOutcomeUnknown);
      shop.ledger.fault = 'none';
      assert.equal(here.inDoubt.size, 1);
      assert.equal(await here.inDoubt.resolve(), 1);
      const [counts] = (await here.inventory.counts(eventId))!;
      assert.deepEqual([counts!.available, counts!.held], [1, 1]);
      const read = await readHold(here, held.holdId, HOLDER);
      const gainedMs = 'holdId' in read ? read.expiresAtMs - held.expiresAtMs : Number.NaN;
      assert.equal(gainedMs, fault === 'kept' ? 20 : 0);
      shop.clock.pass(20);
      const again = await extend(here, held.holdId, HOLDER);
      assert.equal('holdId' in again && again.expiresInMs, HOLD_TTL_MS);
    });
  }

  test('[S6] that was not committed changes nothing', async () => {
    const { shop, here, holdAt } = await twoProcesses(2);
    const held = await holdAt(here);
    shop.ledger.fault = 'refused';
    await assert.rejects(extend(here, held.holdId, HOLDER), LedgerUnavailable);
    shop.ledger.fault = 'none';
    assert.equal(here.inDoubt.size, 0);
    const read = await readHold(here, held.holdId, HOLDER);
    assert.equal('holdId' in read && read.expiresAtMs, held.expiresAtMs);
  });

  test('[S7] ends at the cap, which counts from when the hold was made', async () => {
    const { shop, here, holdAt } = await twoProcesses(2);
    const held = await holdAt(here);
    assert.equal(held.extendableUntilMs - (held.expiresAtMs - HOLD_TTL_MS), HOLD_MAX_MS);
    shop.clock.pass(HOLD_TTL_MS - 1);
    const extended = await extend(here, held.holdId, HOLDER);
    assert.equal('holdId' in extended && extended.expiresAtMs, held.extendableUntilMs);
    assert.deepEqual(await extend(here, held.holdId, HOLDER), { refusal: 'HOLD_AT_CAP' });
  });
});
