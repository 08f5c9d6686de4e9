// What every inventory must do, as one suite of tests that each implementation runs. It is written against the
// asynchronous interface, and it does not say which of equal tickets a take must choose; but which seats it does.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { eventId, type Ticket } from '@floodgate/core/ids.ts';
import {
  AVAILABLE,
  HELD,
  type Inventory,
  type InventorySnapshot,
  PENDING,
  SOLD,
  type TakeResult,
} from '../inventory.ts';
import { growing, servingAHerd } from './inventory-crowd.contract.ts';
import { type Command, command, ending } from './inventory-ends.contract.ts';
import { agreeingWithTheModel } from './inventory-model.contract.ts';
import { mixingWants, namingSeats, seatingParties } from './inventory-seats.contract.ts';
import { refusing, taking } from './inventory-takes.contract.ts';
import {
  arrange,
  assertRefused,
  BROKEN,
  claims,
  EVENT,
  eventOf,
  GA,
  granted,
  inOrder,
  inTime,
  NOTHING,
  type Rule,
  STATE_NUMBERS,
  type StateName,
  VIP,
  want,
} from './test-events.ts';

const LONG_MS = 60_000;

type Make = () => Promise<{ inventory: Inventory; close(): Promise<void> }>;

/** Registers the suite. `make` gives a fresh inventory with no events. */
export function inventoryContract(name: string, make: Make): void {
  const rule: Rule = (title, check) => {
    test(title, async (context) => {
      const { inventory, close } = await make();
      context.after(close);
      await check(inventory);
    });
  };
  describe(`${name} keeps the inventory contract`, () => {
    loading(rule);
    taking(rule);
    refusing(rule);
    comparingAndRepairing(rule);
    waiting(rule);
    ending(rule);
    namingSeats(rule);
    seatingParties(rule);
    mixingWants(rule);
    servingAHerd(rule);
    growing(rule);
    agreeingWithTheModel(rule);
  });
}

function loading(rule: Rule): void {
  rule('[S2] a loaded event counts its tickets by type, in the order of its types', async (inventory) => {
    await inventory.load(eventOf({ vip: 3, ga: 5 }), claims([0, 7], [2, 3, 4]));
    assert.deepEqual(await inventory.counts(EVENT), [
      { ticketType: VIP, capacity: 3, available: 1, pending: 0, held: 1, sold: 1 },
      { ticketType: GA, capacity: 5, available: 2, pending: 0, held: 1, sold: 2 },
    ]);
    assert.equal(await inventory.counts(eventId('jazz-night')!), undefined);
  });

  rule('[S2] a load replaces everything that was known of its event, and of no other', async (inventory) => {
    const other = eventId('jazz-night')!;
    await inventory.load(eventOf({ ga: 4 }, other), claims([], [1]));
    await inventory.load(eventOf({ ga: 4 }), claims([0], [1]));
    granted(await inventory.take(EVENT, [want(2)]));
    const otherBefore = await inventory.counts(other);
    await inventory.load(eventOf({ vip: 1, ga: 4 }), claims([], [3, 4]));
    assert.deepEqual(await inventory.counts(EVENT), [
      { ticketType: VIP, capacity: 1, available: 1, pending: 0, held: 0, sold: 0 },
      { ticketType: GA, capacity: 4, available: 2, pending: 0, held: 0, sold: 2 },
    ]);
    assert.deepEqual(inOrder(granted(await inventory.take(EVENT, [want(2)]))), [1, 2]);
    assert.deepEqual(await inventory.counts(other), otherBefore);
  });

  const wrong: Record<string, InventorySnapshot> = {
    'a held ticket outside the layout': claims([1, 4], []),
    'a sold ticket outside the layout': claims([], [1, 4]),
    'a ticket held twice': claims([1, 2, 1], []),
    'a ticket sold twice': claims([], [1, 2, 1]),
    'a ticket both held and sold': claims([1, 2], [2]),
  };
  for (const [what, snapshot] of Object.entries(wrong)) {
    rule(`[S1] loading ${what} throws and leaves the event as it was`, async (inventory) => {
      await inventory.load(eventOf({ ga: 4 }), claims([0], [2]));
      const before = await inventory.counts(EVENT);
      await assert.rejects(inventory.load(eventOf({ ga: 4 }), snapshot), BROKEN);
      assert.deepEqual(await inventory.counts(EVENT), before);
      assert.deepEqual(inOrder(granted(await inventory.take(EVENT, [want(2)]))), [1, 3]);
    });
  }
}

function comparingAndRepairing(rule: Rule): void {
  rule('[S2] the states of all tickets can be read, as a copy', async (inventory) => {
    assert.equal(await inventory.states(EVENT), undefined);
    const pending = await arrange(inventory, { available: 1, pending: 1, held: 1, sold: 1 });
    const states = (await inventory.states(EVENT))!;
    const expected = [HELD, SOLD, AVAILABLE, AVAILABLE] as number[];
    expected[pending[0]!] = PENDING;
    assert.deepEqual([...states], expected);
    states.fill(SOLD);
    assert.deepEqual([...(await inventory.states(EVENT))!], expected);
  });

  rule('[S2] a repair moves every ticket that is still as it was seen, and no other', async (inventory) => {
    const names = Object.keys(STATE_NUMBERS) as StateName[];
    for (const seen of names) {
      for (const to of names) {
        const pending = await arrange(inventory, { available: 1, pending: 1, held: 1, sold: 1 });
        const states = [...(await inventory.states(EVENT))!];
        const repairs = states.map((_, ticket) => {
          return { ticket: ticket as Ticket, from: STATE_NUMBERS[seen], to: STATE_NUMBERS[to] };
        });
        assert.equal(await inventory.repair(EVENT, repairs), 1, `${pending}`);
        const expected = states.map((state) => (state === STATE_NUMBERS[seen] ? STATE_NUMBERS[to] : state));
        assert.deepEqual([...(await inventory.states(EVENT))!], expected);
        const count = (name: StateName) => expected.filter((state) => state === STATE_NUMBERS[name]).length;
        const [counts] = (await inventory.counts(EVENT))!;
        for (const name of names) assert.equal(counts![name], count(name), name);
      }
    }
  });

  rule('[S9] what a repair makes available is given again, once', async (inventory) => {
    await arrange(inventory, { available: 0, pending: 1, held: 1, sold: 1 });
    const repairs = ([HELD, SOLD, PENDING] as const).map((from, ticket) => {
      return { ticket: ticket as Ticket, from, to: AVAILABLE } as const;
    });
    assert.equal(await inventory.repair(EVENT, repairs), 3);
    assert.equal(await inventory.repair(EVENT, repairs), 0);
    assert.deepEqual(inOrder(granted(await inventory.take(EVENT, [want(3)]))), [0, 1, 2]);
    await assert.rejects(inventory.repair(EVENT, [{ ticket: 3 as Ticket, from: SOLD, to: HELD }]), BROKEN);
  });

  rule('[S2] an event that is opened again stays as it is', async (inventory) => {
    const event = eventOf({ ga: 4 });
    await inventory.open(event, async () => claims([0], [1]));
    granted(await inventory.take(EVENT, [want(1)]));
    const before = await inventory.counts(EVENT);
    assert.equal(before![0]!.available, 1);
    await inventory.open(event, async () => NOTHING);
    assert.deepEqual(await inventory.counts(EVENT), before);
  });
}

function waiting(rule: Rule): void {
  const ends: readonly [Command | 'load', TakeResult][] = [
    ['settle as held', { refusal: 'ALL_HELD' }],
    ['settle as sold', { refusal: 'SOLD_OUT' }],
    ['give back', { tickets: [0 as Ticket] }],
    ['load', { refusal: 'TICKET_TYPE_NOT_FOUND' }],
  ];
  for (const [name, answer] of ends) {
    rule(`[S9] all who wait for a take in flight learn how it ended: ${name}`, async (inventory) => {
      await arrange(inventory, { available: 0, pending: 1, held: 0, sold: 0 });
      await assertRefused(inventory, [want(1)], 'PENDING');
      const waits = Array.from({ length: 1_000 }, () => inventory.nextChange(EVENT, LONG_MS));
      if (name === 'load') await inventory.load(eventOf({ vip: 1 }), NOTHING);
      else await command(inventory, name, [0]);
      await inTime(Promise.all(waits));
      assert.deepEqual(await inventory.take(EVENT, [want(1)]), answer);
    });
  }

  rule('[S9] a wait without a change ends by itself', async (inventory) => {
    await arrange(inventory, { available: 0, pending: 1, held: 0, sold: 0 });
    await inTime(inventory.nextChange(EVENT, 20));
    await inTime(inventory.nextChange(eventId('never-loaded')!, 20));
    await assertRefused(inventory, [want(1)], 'PENDING');
  });
}
