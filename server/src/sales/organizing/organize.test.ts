// Changes of an event whose commit fails, or ends without saying whether it happened, or whose process dies right after
// it: whatever the ledger has is what catalogue and inventory come to, and no ticket is lost on the way (S2, S9).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventId } from '@floodgate/core/ids.ts';
import { type Fault, MemoryShop } from '../../../test/kit/memory-shop.ts';
import { buy } from '../buying/buy.ts';
import { type Doubt, InDoubt } from '../keeping/in-doubt.ts';
import { Reconciliation } from '../keeping/reconcile.ts';
import type { Shop } from '../shop.ts';
import { allocate, listAllocations, releaseAllocation } from './allocations.ts';
import { audit, readEvent } from './create-event.ts';
import { commandEvent, patchEvent } from './organize.ts';

const CAPACITY = 20;
const ASKED = { by: 'test' };
const id = (shop: MemoryShop) => shop.event.eventId as EventId;
type Change = (shop: MemoryShop) => Promise<unknown>;

const resize =
  (capacity: number): Change =>
  (shop) =>
    patchEvent(shop.inside, id(shop), { ticketTypes: [{ ticketTypeId: 'ga', capacity }] }, ASKED);
const setAside: Change = (shop) =>
  allocate(
    shop.inside,
    id(shop),
    { name: 'Promoter', kind: 'channel', lines: [{ ticketType: 'ga', quantity: 5 }] },
    ASKED,
  );
const drop: Change = async (shop) => {
  const allocations = await listAllocations(shop.inside, id(shop));
  assert.ok(Array.isArray(allocations));
  return releaseAllocation(shop.inside, id(shop), allocations[0]!.allocationId, {}, ASKED);
};
const pause: Change = (shop) => commandEvent(shop.inside, id(shop), 'pause', ASKED);

/** What is changed, what was before it, and how many tickets are on sale before and after. */
const CHANGES: Readonly<
  Record<string, readonly [Change, before: Change | undefined, was: number, is: number]>
> = {
  'a smaller capacity': [resize(12), undefined, 18, 10],
  'a larger capacity': [resize(25), undefined, 18, 23],
  'a capacity that grows again': [resize(25), resize(4), 2, 23],
  'tickets set aside': [setAside, undefined, 18, 13],
  'tickets dropped to sale': [drop, setAside, 13, 18],
  'a pause': [pause, undefined, 18, 18],
};

async function shopBefore(before: Change | undefined): Promise<MemoryShop> {
  const shop = await MemoryShop.open(CAPACITY);
  const sold = await buy(shop.inside, { eventId: id(shop), quantity: 2, buyer: null });
  assert.ok('orderId' in sold);
  await before?.(shop);
  return shop;
}

/** What the workers of the process do within some seconds. */
async function settleDown({ inside }: MemoryShop): Promise<void> {
  await inside.inDoubt.resolve();
  await inside.catalogue.learnChanges();
  const reconciliation = new Reconciliation(inside, 1);
  for (let look = 0; look < 4; look++) await reconciliation.look();
}

async function assertSound({ inside, event }: MemoryShop, available: number): Promise<void> {
  const report = await audit(inside, event.eventId);
  assert.ok('ok' in report && report.ok, JSON.stringify(report));
  const [counts] = report.counts;
  assert.equal(counts!.available, available);
  assert.equal(counts!.pending, 0);
  const view = await readEvent(inside, event.eventId, { isStaff: true });
  assert.ok('event' in view);
  assert.equal(counts!.capacity, view.event.ticketTypes[0]!.capacity);
}

for (const [title, [change, before, was, is]] of Object.entries(CHANGES)) {
  test(`[S2] [E2] ${title}: as it was answered, and the same in a process that starts afterwards`, async () => {
    const shop = await shopBefore(before);
    await assertSound(shop, was);
    const answer = await change(shop);
    assert.ok(!('refusal' in (answer as object)), JSON.stringify(answer));
    await assertSound(shop, is);
    await shop.crash();
    await assertSound(shop, is);
  });

  for (const fault of ['refused', 'lost', 'kept'] as const satisfies readonly Fault[]) {
    test(`[S4] [S9] ${title}, when its commit is ${fault}: soon the shop is as the ledger has it`, async () => {
      const shop = await shopBefore(before);
      shop.ledger.fault = fault;
      await assert.rejects(async () => change(shop));
      shop.ledger.fault = 'none';
      // Known not to have happened: nothing is left of it at once.
      if (fault === 'refused') await assertSound(shop, was);
      await settleDown(shop);
      await assertSound(shop, fault === 'kept' ? is : was);
      const learned = await readEvent(shop.inside, shop.event.eventId, { isStaff: true });
      const kept = await shop.ledger.event(id(shop));
      assert.equal('version' in learned && learned.version, kept!.version);
    });
  }
}

test('[S9] a process that dies right after the commit leaves nothing that others do not repair', async () => {
  for (const [title, [change, before, was, is]] of Object.entries(CHANGES)) {
    const shop = await shopBefore(before);
    // The others keep their inventory and catalogue; of the change they hear nothing.
    const others = shop.inside;
    await shop.crash();
    await change(shop);
    shop.inside = others;
    // Until they have learned it, they are behind, and sell nothing that is not theirs to sell.
    const report = await audit(others, id(shop));
    assert.ok('ok' in report);
    assert.equal(report.counts[0]!.available, was, title);
    await settleDown(shop);
    await assertSound(shop, is);
  }
});

class Forgetful extends InDoubt {
  override add(_doubt: Doubt): void {}
}

test('control: without the look into the ledger the tickets of a lost change stay away', async () => {
  const shop = await shopBefore(undefined);
  const { ledger, inventory } = shop.inside;
  const inside: Shop = { ...shop.inside, inDoubt: new Forgetful(ledger, inventory) };
  shop.inside = inside;
  shop.ledger.fault = 'lost';
  await assert.rejects(async () => setAside(shop));
  shop.ledger.fault = 'none';
  await inside.inDoubt.resolve();
  await inside.catalogue.learnChanges();
  await assert.rejects(assertSound(shop, 18));
});
