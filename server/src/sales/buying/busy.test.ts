// A request that gives up for its own impatience says so: nothing is wrong with the ledger then, and nothing is kept.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Busy } from '@floodgate/core/faults.ts';
import { MemoryShop } from '../../../test/kit/memory-shop.ts';
import { underKey } from '../../ledger/contract/test-entries.ts';
import { LedgerUnavailable } from '../../ledger/ledger.ts';
import type { Shop } from '../shop.ts';
import { buy } from './buy.ts';

const isBusy = (message: RegExp) => (error: Error) => {
  assert.ok(error instanceof Busy && !(error instanceof LedgerUnavailable), `${error}`);
  assert.match(error.message, message);
  return true;
};

describe('a busy shop', () => {
  test('[S5] a purchase that others were always faster than is busy, and may be sent again', async () => {
    const shop = await MemoryShop.open(40);
    const { eventId } = shop.event;
    const purchase = (inside: Shop) =>
      buy(inside, {
        eventId,
        quantity: 1,
        buyer: null,
        ...underKey('a', inside === shop.inside ? 'x' : 'y'),
      });
    const other = await shop.anotherProcess();
    // Both propose the lowest tickets first, and neither inventory knows what the other process sells.
    for (let sold = 0; sold < 20; sold++) await buy(other, { eventId, quantity: 1, buyer: null });
    await assert.rejects(purchase(shop.inside), isBusy(/went round 16 times: others were faster/));
    assert.equal(await shop.ledger.keptKeys(), 0);
    const bought = await purchase(shop.inside);
    assert.ok('orderId' in bought, JSON.stringify(bought));
  });

  test('[S5] a purchase that waits for takes in flight in vain is busy, and its key is free', async () => {
    const shop = await MemoryShop.open(1);
    const { eventId, ticketTypes } = shop.event;
    const { inventory } = shop.inside;
    const taken = await inventory.take(eventId, [{ ticketType: ticketTypes[0]!.ticketTypeId, quantity: 1 }]);
    assert.ok('tickets' in taken);
    const purchase = () => buy(shop.inside, { eventId, quantity: 1, buyer: null, ...underKey('a') });
    await assert.rejects(purchase(), isBusy(/sales under way are not decided yet/));
    assert.equal(await shop.ledger.keptKeys(), 0);
    inventory.giveBack(eventId, taken.tickets);
    assert.ok('orderId' in (await purchase()));
  });
});
