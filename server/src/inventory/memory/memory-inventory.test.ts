// The contract on the memory inventory, and what only it promises: lowest tickets first, answers without a
// promise, and memory that fits the largest event. Speed is for the benchmark, not for these tests.
import assert from 'node:assert/strict';
import { createHook } from 'node:async_hooks';
import { describe, test } from 'node:test';
import { type EventId, eventId, type Ticket } from '@floodgate/core/ids.ts';
import fc from 'fast-check';
import { inventoryContract } from '../contract/inventory.contract.ts';
import { agreement } from '../contract/inventory-model.contract.ts';
import { strandedSeats } from '../contract/inventory-seats.contract.ts';
import {
  best,
  claims,
  EVENT,
  eventOf,
  GA,
  granted,
  houseOf,
  inTime,
  NOTHING,
  these,
  VIP,
  want,
} from '../contract/test-events.ts';
import type { TakeResult, Want } from '../inventory.ts';
import { MemoryInventory } from './memory-inventory.ts';

const MIB = 2 ** 20;

/** The rule of the best seats without its word on single seats, for a house of rows of 17: nearest to the middle, row by row. */
class Careless extends MemoryInventory {
  override take(eventId: EventId, [want]: readonly Want[]): TakeResult {
    const party = 'best' in want! ? want.best : 0;
    const offsets = [...Array(17 - party + 1).keys()];
    offsets.sort((a, b) => Math.abs(2 * a + party - 17) - Math.abs(2 * b + party - 17));
    for (let row = 0; row < this.capacityOf(eventId); row += 17) {
      for (const offset of offsets) {
        const seats = Array.from({ length: party }, (_, index) => row + offset + index);
        const answer = super.take(eventId, [these(...seats)]);
        if ('tickets' in answer) return answer;
      }
    }
    return { refusal: 'SOLD_OUT' };
  }
}

inventoryContract('memory inventory', async () => ({
  inventory: new MemoryInventory(),
  close: async () => {},
}));

describe('memory inventory', () => {
  test('[S9] the lowest available tickets of a type are given first, also those that came back', async () => {
    const inventory = new MemoryInventory();
    await inventory.load(eventOf({ vip: 40, ga: 60 }), claims([40], [42]));
    const first = granted(inventory.take(EVENT, [want(3), want(2, VIP), want(1)]));
    assert.deepEqual(first, [41, 43, 44, 0, 1, 45]);
    inventory.giveBack(EVENT, [44, 1, 40] as Ticket[]);
    assert.deepEqual(granted(inventory.take(EVENT, [want(3), want(2, VIP)])), [40, 44, 46, 1, 2]);
  });

  test('[S1] control: with the mark on taken tickets removed, one ticket is given twice', async () => {
    class Unguarded extends MemoryInventory {
      protected override markTaken(): void {}
    }
    const given = async (inventory: MemoryInventory) => {
      await inventory.load(eventOf({ ga: 100 }), NOTHING);
      return Array.from({ length: 50 }, () => granted(inventory.take(EVENT, [want(2)]))).flat();
    };
    assert.equal(new Set(await given(new MemoryInventory())).size, 100);
    assert.equal(new Set(await given(new Unguarded())).size, 2);
  });

  test('[S1] control: with the mark on taken tickets removed, one seat is given twice', async () => {
    class Unguarded extends MemoryInventory {
      protected override markTaken(): void {}
    }
    const given = async (inventory: MemoryInventory) => {
      await inventory.load(houseOf({ Stalls: Array(10).fill('ssssssssss') }), NOTHING);
      return Array.from({ length: 25 }, () => granted(inventory.take(EVENT, [best(4)]))).flat();
    };
    assert.equal(new Set(await given(new MemoryInventory())).size, 100);
    assert.equal(new Set(await given(new Unguarded())).size, 4);
  });

  test('[S3] control: with the rule against single seats removed, parties strand some', async () => {
    assert.ok((await strandedSeats(new Careless(), 17)).length > 10);
  });

  test('[S2] wherever it begins to give tickets, it agrees with the model', async () => {
    for (const from of [0.2, 0.5, 0.99]) {
      await fc.assert(agreement(new MemoryInventory(from), from), { numRuns: 100 });
    }
  });

  test('[S1] processes that begin at places of their own seat their parties apart while there is room', async () => {
    const given = await Promise.all(
      [0, 0.25, 0.5, 0.75].map(async (from) => {
        const inventory = new MemoryInventory(from);
        await inventory.load(houseOf({ Stalls: Array(40).fill('ssssssssss') }), NOTHING);
        return Array.from({ length: 6 }, () => granted(inventory.take(EVENT, [best(4)]))).flat();
      }),
    );
    assert.equal(new Set(given.flat()).size, 4 * 6 * 4);
  });

  test('[S1] an event that two open at once is loaded once', async () => {
    const inventory = new MemoryInventory();
    const { promise, resolve } = Promise.withResolvers<typeof NOTHING>();
    const late = inventory.open(eventOf({ ga: 2 }), () => promise);
    await inventory.open(eventOf({ ga: 2 }), async () => NOTHING);
    assert.deepEqual(granted(inventory.take(EVENT, [want(1)])), [0]);
    resolve(NOTHING);
    await late;
    assert.deepEqual(granted(inventory.take(EVENT, [want(1)])), [1]);
  });

  test('[S9] only a change of its own event, after it began, ends a wait before its time', async () => {
    const other = eventId('jazz-night')!;
    const inventory = new MemoryInventory();
    for (const id of [EVENT, other]) await inventory.load(eventOf({ ga: 2 }, id), claims([0, 1], []));
    for (let round = 0; round < 21; round++) {
      const earlier = inventory.nextChange(EVENT, 60_000);
      if (round % 2 === 0) inventory.giveBack(EVENT, [0 as Ticket]);
      else inventory.settle(EVENT, granted(inventory.take(EVENT, [want(1)])), 'held');
      await inTime(earlier);
    }
    let isOver = false;
    const wait = inventory.nextChange(EVENT, 60_000).then(() => {
      isOver = true;
    });
    inventory.giveBack(other, [0 as Ticket]);
    inventory.giveBack(EVENT, [0 as Ticket]); // It is available already, so nothing changes.
    inventory.settle(EVENT, [1 as Ticket], 'held'); // It is held already.
    inventory.take(EVENT, [want(1)]); // This helps nobody who waits.
    await inTime(inventory.nextChange(EVENT, 5)); // It has its own time.
    assert.equal(isOver, false);
    inventory.settle(EVENT, [1 as Ticket], 'sold');
    await inTime(wait);
  });

  test('[S9] ten thousand waits need few timers, and none after the change', async () => {
    const timers = new Set<number>();
    const hook = createHook({
      init: (id, type) => void (type === 'Timeout' && timers.add(id)),
      destroy: (id) => void timers.delete(id),
    });
    const inventory = new MemoryInventory();
    await inventory.load(eventOf({ ga: 1 }), claims([0], []));
    hook.enable();
    const waits = Array.from({ length: 10_000 }, () => inventory.nextChange(EVENT, 60_000));
    const timersMeanwhile = timers.size;
    inventory.giveBack(EVENT, [0 as Ticket]);
    await inTime(Promise.all(waits));
    await new Promise(setImmediate); // The hook hears of ended timers a turn later.
    hook.disable();
    assert.ok(timersMeanwhile >= 1 && timersMeanwhile < 1_000, `${timersMeanwhile} timers`);
    assert.equal(timers.size, 0);
  });

  test('[S9] a wait keeps no process alive', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const inventory = new MemoryInventory();
    const before = timers();
    const wait = inventory.nextChange(EVENT, 60_000);
    assert.equal(timers(), before);
    await inventory.load(eventOf({ ga: 1 }), NOTHING);
    await inTime(wait);
  });

  test('a wait is a number of milliseconds that a timer can hold', () => {
    const inventory = new MemoryInventory();
    for (const waitMs of [-1, Number.NaN, 2 ** 31]) {
      assert.throws(() => inventory.nextChange(EVENT, waitMs), /broken invariant/);
    }
  });

  test('[S2] 10 million tickets fit in 16 MiB, and the last of them can be sold', async () => {
    const capacity = 10_000_000;
    const sold = Uint32Array.from({ length: capacity / 2 }, (_, index) => 2 * index);
    const inventory = new MemoryInventory();
    const before = process.memoryUsage();
    await inventory.load(eventOf({ vip: capacity - 4, ga: 4 }), { seq: 0, held: new Uint32Array(0), sold });
    const after = process.memoryUsage();
    assert.ok(after.arrayBuffers - before.arrayBuffers < 16 * MIB, `${after.arrayBuffers} bytes of arrays`);
    assert.ok(after.heapUsed - before.heapUsed < 64 * MIB, `${after.heapUsed} bytes of objects`);
    assert.deepEqual(inventory.take(EVENT, [want(2), want(1, VIP)]), {
      tickets: [capacity - 3, capacity - 1, 1],
    });
    assert.deepEqual(inventory.counts(EVENT), [
      {
        ticketType: VIP,
        capacity: capacity - 4,
        available: capacity / 2 - 3,
        pending: 1,
        held: 0,
        sold: capacity / 2 - 2,
      },
      { ticketType: GA, capacity: 4, available: 0, pending: 2, held: 0, sold: 2 },
    ]);
  });

  test('[S1] a thousand events sell apart from each other', async () => {
    const inventory = new MemoryInventory();
    const ids = Array.from({ length: 1_000 }, (_, index) => eventId(`event-${index}`)!);
    for (const id of ids) await inventory.load(eventOf({ ga: 10_000 }, id), NOTHING);
    for (const id of ids) assert.deepEqual(inventory.take(id, [want(2)]), { tickets: [0, 1] });
    inventory.settle(ids[7]!, [0 as Ticket], 'sold');
    const withSales = ids.filter((id) => inventory.counts(id)![0]!.sold > 0);
    assert.deepEqual(withSales, [ids[7]]);
  });
});
