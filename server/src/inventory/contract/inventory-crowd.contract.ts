// The part of the inventory's contract that is about many at once: a herd on one house, and an event that grows while it
// is sold (rules S1, S2, S3, S9).
import assert from 'node:assert/strict';
import type { Ticket } from '@floodgate/core/ids.ts';
import type { Inventory } from '../inventory.ts';
import {
  arrange,
  assertRefused,
  best,
  claims,
  EVENT,
  eventOf,
  GA,
  granted,
  houseOf,
  inOrder,
  inTime,
  NOTHING,
  type Rule,
  STD,
  seededRandom,
  these,
  VIP,
  want,
} from './test-events.ts';

export function servingAHerd(rule: Rule): void {
  rule(
    '[S1] 8,000 seats and 160 bookers at once: nobody is refused while enough suitable seats are free',
    (inventory) => sellToAHerd(inventory),
  );
}

/** Rounds of 160 parties of one to six, until all is sold. A single refusal must be for want of seats. */
async function sellToAHerd(inventory: Inventory): Promise<void> {
  const rows = (count: number, length: number) => Array<string>(count).fill('s'.repeat(length));
  const aisles = rows(100, 20).map((row) => `${row}|${row}`);
  await inventory.load(houseOf({ Stalls: aisles, Circle: rows(80, 25), Balcony: rows(50, 40) }), NOTHING);
  const random = seededRandom(160);
  const given = new Set<Ticket>();
  for (let free = 8_000; free > 0; ) {
    const parties = Array.from({ length: 160 }, () => 1 + Math.floor(6 * random()));
    const results = await Promise.all(parties.map(async (party) => inventory.take(EVENT, [best(party)])));
    for (const [at, result] of results.entries()) {
      if ('refusal' in result) continue;
      assert.equal(result.tickets.length, parties[at]);
      for (const ticket of result.tickets)
        assert.ok(!given.has(ticket) && given.add(ticket), `${ticket} is given twice`);
      inventory.settle(EVENT, result.tickets, 'sold');
    }
    free = (await inventory.counts(EVENT))![0]!.available;
    for (const [at, result] of results.entries()) {
      if ('refusal' in result)
        assert.ok(parties[at]! > free, `${parties[at]} refused with ${free} seats free`);
    }
  }
  assert.equal(given.size, 8_000);
}

export function growing(rule: Rule): void {
  rule('[S2] an event that grows keeps what it had, and its new tickets are available', async (inventory) => {
    await inventory.load(eventOf({ vip: 2, ga: 3 }), claims([0], [3]));
    granted(await inventory.take(EVENT, [want(1)]));
    const more = [
      { ticketType: GA, count: 2 },
      { ticketType: VIP, count: 1 },
    ];
    await inventory.grow(eventOf({ vip: 2, ga: 3 }, EVENT, more));
    assert.deepEqual(await inventory.counts(EVENT), [
      { ticketType: VIP, capacity: 3, available: 2, pending: 0, held: 1, sold: 0 },
      { ticketType: GA, capacity: 5, available: 3, pending: 1, held: 0, sold: 1 },
    ]);
    assert.deepEqual(inOrder(granted(await inventory.take(EVENT, [want(3)]))), [4, 5, 6]);
    inventory.giveBack(EVENT, [2 as Ticket]);
    assert.deepEqual(granted(await inventory.take(EVENT, [these(2)])), [2]);
    assert.deepEqual(inOrder(granted(await inventory.take(EVENT, [want(2, VIP)]))), [1, 7]);
  });

  rule('[S2] a layout that is not longer changes nothing', async (inventory) => {
    const long = eventOf({ ga: 3 }, EVENT, [{ ticketType: GA, count: 2 }]);
    await inventory.load(long, claims([0], [4]));
    granted(await inventory.take(EVENT, [want(1)]));
    const before = await inventory.states(EVENT);
    for (const event of [long, eventOf({ ga: 3 })]) {
      await inventory.grow(event);
      assert.deepEqual(await inventory.states(EVENT), before);
    }
    assert.deepEqual(inOrder(granted(await inventory.take(EVENT, [want(2)]))), [2, 3]);
  });

  rule('[S2] seats stay where they are when standing room is added', async (inventory) => {
    const rows = { Stalls: ['ssss', 'ssss'] };
    await inventory.load(houseOf(rows, { ga: 1 }), claims([1], [8]));
    const held = granted(await inventory.take(EVENT, [best(2)]));
    await inventory.grow(houseOf(rows, { ga: 1, more: [{ ticketType: GA, count: 3 }] }));
    assert.deepEqual(
      inOrder(granted(await inventory.take(EVENT, [want(3), best(4)]))),
      [4, 5, 6, 7, 9, 10, 11],
    );
    inventory.giveBack(EVENT, held);
    const again = await inventory.take(EVENT, [best(2, { ticketType: STD })]);
    assert.deepEqual(inOrder(granted(again)), inOrder(held));
  });

  rule('[S2] a ticket type that is added without tickets is known', async (inventory) => {
    await inventory.load(eventOf({ ga: 2 }), NOTHING);
    granted(await inventory.take(EVENT, [want(1)]));
    await inventory.grow(eventOf({ ga: 2, vip: 0 }));
    const none = { capacity: 0, available: 0, pending: 0, held: 0, sold: 0 };
    assert.deepEqual(await inventory.counts(EVENT), [
      { ...none, ticketType: GA, capacity: 2, available: 1, pending: 1 },
      { ...none, ticketType: VIP },
    ]);
    await assertRefused(inventory, [want(1, VIP)], 'SOLD_OUT');
    const more = [{ ticketType: VIP, count: 1 }];
    await inventory.grow(eventOf({ ga: 2, vip: 0 }, EVENT, more));
    assert.deepEqual(inOrder(granted(await inventory.take(EVENT, [want(1, VIP), want(1)]))), [1, 2]);
  });

  rule('[S2] a block without tickets puts none into the wrong pool', async (inventory) => {
    const more = [0, 1].map((count) => ({ ticketType: VIP, count }));
    await inventory.load(eventOf({ vip: 2, ga: 3 }, EVENT, more), claims([4], []));
    const held = (await inventory.counts(EVENT))!.map((counts) => counts.held);
    assert.deepEqual(held, [0, 1]);
    assert.deepEqual(inOrder(granted(await inventory.take(EVENT, [want(3, VIP), want(2)]))), [0, 1, 2, 3, 5]);
  });

  rule('[S9] who waits for a ticket gets one of those that are added', async (inventory) => {
    await arrange(inventory, { available: 0, pending: 1, held: 0, sold: 2 });
    await assertRefused(inventory, [want(1)], 'PENDING');
    const wait = inventory.nextChange(EVENT, 60_000);
    await inventory.grow(eventOf({ ga: 3 }, EVENT, [{ ticketType: GA, count: 1 }]));
    await inTime(wait);
    assert.deepEqual(granted(await inventory.take(EVENT, [want(1)])), [3]);
  });

  rule('[S1] takes that race with growth get every ticket once', async (inventory) => {
    await inventory.load(eventOf({ ga: 100 }), NOTHING);
    const blocks: { ticketType: typeof GA; count: number }[] = [];
    const work: Promise<readonly Ticket[]>[] = [];
    const take = async (quantity: number) => {
      const result = await inventory.take(EVENT, [want(quantity)]);
      return 'tickets' in result ? result.tickets : [];
    };
    for (let round = 0; round < 40; round++) {
      for (let taker = 0; taker < 10; taker++) work.push(take(1 + ((round + taker) % 3)));
      blocks.push({ ticketType: GA, count: 10 });
      work.push(inventory.grow(eventOf({ ga: 100 }, EVENT, [...blocks])).then(() => []));
      if (round % 4 === 0) await new Promise(setImmediate);
    }
    const tickets = (await Promise.all(work)).flat();
    const [counts] = (await inventory.counts(EVENT))!;
    const { capacity, available, pending } = counts!;
    assert.deepEqual([capacity, pending, available], [500, tickets.length, 500 - tickets.length]);
    const rest = available > 0 ? granted(await inventory.take(EVENT, [want(available)])) : [];
    assert.deepEqual(inOrder([...tickets, ...rest]), [...Array(500).keys()]);
  });
}
