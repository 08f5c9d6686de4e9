// Why a request goes round again, and that it ends: what others outrun again and again is Busy, keeps nothing and leaves
// nothing behind. That the inventory hears what came of every entry is shown by the models in contract/.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Busy } from '@floodgate/core/faults.ts';
import type { EventId, Ticket } from '@floodgate/core/ids.ts';
import { FaultyLedger, MemoryShop, type Parts } from '../../test/kit/memory-shop.ts';
import type { TakeResult, Want } from '../inventory/inventory.ts';
import { MemoryInventory } from '../inventory/memory/memory-inventory.ts';
import type { Verdict } from '../ledger/judge/state.ts';
import type { Entry } from '../ledger/ledger.ts';
import { buy } from './buying/buy.ts';
import { patchEvent } from './organizing/organize.ts';

const CAPACITY = 5;

const buyAt = (inside: MemoryShop['inside'], eventId: string, key?: string) =>
  buy(inside, {
    ...{ eventId, quantity: 1, buyer: 'ann' },
    idempotency: key === undefined ? undefined : { digest: key, hash: 'buy 1' },
  });

/** The states of all tickets, as the inventory counts them. */
async function countsOf({ inside, event }: MemoryShop) {
  const [counts] = (await inside.inventory.counts(event.eventId))!;
  const { available, pending, sold } = counts!;
  return { available, pending, sold };
}

/** A shop whose inventory proposes one and the same ticket for ever, while `isStubborn`. */
async function stubbornShop() {
  const stubborn = { isStubborn: false, proposals: 0, catchUps: 0 };
  class Stubborn extends MemoryInventory {
    override take(eventId: EventId, wants: readonly Want[]): TakeResult {
      if (!stubborn.isStubborn) return super.take(eventId, wants);
      stubborn.proposals++;
      return { tickets: [0 as Ticket] };
    }

    override async catchUp(): Promise<void> {
      stubborn.catchUps++;
    }
  }
  return { stubborn, shop: await MemoryShop.open(CAPACITY, { Inventory: Stubborn }) };
}

describe('a request that goes round', () => {
  test('[S5] because its tickets are taken is Busy in the end, and its key is as free as before', async () => {
    const { stubborn, shop } = await stubbornShop();
    const { inside, event } = shop;
    assert.ok('orderId' in (await buyAt(inside, event.eventId)));
    stubborn.isStubborn = true;
    await assert.rejects(buyAt(inside, event.eventId, 'key'), Busy);
    assert.deepEqual([stubborn.proposals, stubborn.catchUps], [16, 4]);
    stubborn.isStubborn = false;
    assert.ok('orderId' in (await buyAt(inside, event.eventId, 'key')));
    assert.deepEqual(await countsOf(shop), { available: CAPACITY - 2, pending: 0, sold: 2 });
  });

  test('[S9] because the event changes under it is Busy in the end, and its tickets are back on sale', async () => {
    let judged = 0;
    const outdated = (entry: Entry): Entry => {
      if (entry.kind !== 'buy') return entry;
      judged++;
      return { ...entry, version: 99 };
    };
    class Restless extends FaultyLedger {
      override commit(entries: readonly Entry[]): Verdict[] {
        return super.commit(entries.map(outdated));
      }
    }
    const shop = await MemoryShop.open(CAPACITY, { Ledger: Restless });
    await assert.rejects(buyAt(shop.inside, shop.event.eventId), Busy);
    assert.equal(judged, 16);
    assert.deepEqual(await countsOf(shop), { available: CAPACITY, pending: 0, sold: 0 });
  });

  /** An inventory that has heard of a larger event before the catalogue has. */
  async function aheadOfCatalogue(parts: Partial<Parts> = {}) {
    const shop = await MemoryShop.open(1, parts);
    const { eventId } = shop.event;
    assert.ok('orderId' in (await buyAt(shop.inside, eventId)));
    const there = await shop.anotherProcess();
    const ticketTypes = [{ ticketTypeId: 'ga', capacity: 3 }];
    const grown = await patchEvent(there, eventId, { ticketTypes }, { by: 'staff' });
    assert.ok('event' in grown);
    const { catalogue, inventory, ledger } = shop.inside;
    await inventory.grow(await catalogue.entryOf((await ledger.event(eventId))!));
    assert.equal(catalogue.known(eventId)!.layout.capacity, 1);
    return shop;
  }

  test('[S2] because its tickets are of a newer version goes on with that one', async () => {
    let posted = 0;
    class Counting extends FaultyLedger {
      override commit(entries: readonly Entry[]): Verdict[] {
        posted += entries.filter(({ kind }) => kind === 'buy').length;
        return super.commit(entries);
      }
    }
    const shop = await aheadOfCatalogue({ Ledger: Counting });
    posted = 0;
    const bought = await buyAt(shop.inside, shop.event.eventId);
    assert.deepEqual('tickets' in bought && bought.tickets.map(({ label }) => label), ['GA-2']);
    assert.equal(posted, 1, 'nothing is proposed of a version that is known to be old');
    assert.deepEqual(await countsOf(shop), { available: 1, pending: 0, sold: 2 });
  });
});
