// Processes that share an event in Redis learn one after the other that it has grown. The first to know it makes Redis longer;
// who does not goes on with what it knows, and never makes Redis shorter again.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import type { Ticket } from '@floodgate/core/ids.ts';
import { patienceMs, SLOWNESS } from '@floodgate/core/testing/patience.ts';
import { Redis } from 'ioredis';
import { needsServer } from '../../../test/kit/servers/binaries.ts';
import { type RedisServer, startRedis } from '../../../test/kit/servers/redis.ts';
import { script } from '../../drivers/redis/script.ts';
import {
  best,
  claims,
  EVENT,
  eventOf,
  GA,
  granted,
  houseOf,
  inOrder,
  NOTHING,
  seededRandom,
  VIP,
  want,
} from '../contract/test-events.ts';
import { HELD, type InventoryEvent, PENDING, SOLD } from '../inventory.ts';
import { InventoryUnavailable, StaleInventory } from '../shared-inventory.ts';
import { describeLayout } from './layout-text.ts';
import { RedisInventory } from './redis-inventory.ts';
import { SCRIPTS } from './scripts.ts';

const added = (count: number, ticketType = GA) => ({ ticketType, count });
const SHORT = eventOf({ vip: 2, ga: 3 });
const LONG = eventOf({ vip: 2, ga: 3 }, EVENT, [added(2), added(1, VIP)]);
const LONGEST = eventOf({ vip: 2, ga: 3 }, EVENT, [added(2), added(1, VIP), added(11)]);
const noLedger = () => assert.fail('the ledger is read');

describe('An event in Redis that grows', needsServer('redis'), () => {
  let server: RedisServer;
  let admin: Redis;
  let ahead: RedisInventory;
  let behind: RedisInventory;
  let lost: Error[];

  before(async () => {
    server = await startRedis();
    admin = new Redis(server.url);
  });
  after(async () => {
    admin.disconnect();
    await server.stop();
  });
  beforeEach(async () => {
    lost = [];
    await admin.flushall();
    ahead = await RedisInventory.connect(server.url, { deadlineMs: patienceMs(500) });
    behind = await RedisInventory.connect(server.url, { deadlineMs: patienceMs(500) });
    for (const inventory of [ahead, behind]) {
      inventory.onLost((fault, eventId) => {
        if (eventId !== undefined) lost.push(fault);
      });
    }
  });
  afterEach(async () => {
    await Promise.all([ahead.close(), behind.close()]);
    assert.deepEqual(lost, []);
  });

  const take = async (inventory: RedisInventory, ...wants: Parameters<typeof want>) =>
    inOrder(granted(await inventory.take(EVENT, [want(...wants)])));

  /** What Redis has when both processes have told it all; read by one that knows all of it. */
  async function assertStates(expected: readonly number[]): Promise<void> {
    await Promise.all([ahead.counts(EVENT), behind.counts(EVENT)]);
    const reader = await RedisInventory.connect(server.url);
    await reader.open(expected.length === SHORT.layout.capacity ? SHORT : LONG, noLedger);
    assert.deepEqual([...(await reader.states(EVENT))!], expected);
    const counts = (await reader.counts(EVENT))!;
    for (const [state, name] of (['available', 'pending', 'held', 'sold'] as const).entries()) {
      const counted = counts.reduce((total, each) => total + each[name], 0);
      assert.equal(counted, expected.filter((each) => each === state).length, name);
    }
    await reader.close();
  }

  test('[S1] who is behind sells on, may be given new tickets, and hands them back', async () => {
    await behind.load(SHORT, claims([0], [3]));
    await ahead.open(SHORT, noLedger);
    await ahead.grow(LONG);
    await assertStates([HELD, 0, 0, SOLD, 0, 0, 0, 0]);
    // The third is outside of what this process knows: the ledger will tell it so.
    assert.deepEqual(await take(behind, 3), [2, 4, 5]);
    behind.settle(EVENT, [2, 4] as Ticket[], 'held');
    behind.giveBack(EVENT, [5 as Ticket]);
    await assertStates([HELD, 0, HELD, SOLD, HELD, 0, 0, 0]);
    assert.equal((await behind.states(EVENT))!.length, 5);
    assert.equal((await behind.counts(EVENT))!.length, 2);
    await behind.grow(LONG);
    assert.deepEqual(await take(behind, 2, VIP), [1, 7]);
    behind.settle(EVENT, [7 as Ticket], 'sold');
    behind.giveBack(EVENT, [1 as Ticket]);
    await assertStates([HELD, 0, HELD, SOLD, HELD, 0, 0, SOLD]);
  });

  test('[S2] both learn of the growth, in any order: Redis grows once', async () => {
    for (const [first, second] of [
      [ahead, behind],
      [behind, ahead],
    ] as const) {
      await first.load(SHORT, NOTHING);
      await second.open(SHORT, noLedger);
      await Promise.all([first.grow(LONG), second.grow(LONG)]);
      assert.deepEqual(await take(first, 5), [2, 3, 4, 5, 6]);
      await second.grow(LONG);
      await second.grow(SHORT);
      await assertStates([0, 0, PENDING, PENDING, PENDING, PENDING, PENDING, 0]);
    }
  });

  test('[S2] steps of growth may be learned in any order, and one may be left out', async () => {
    await behind.load(SHORT, NOTHING);
    await ahead.open(SHORT, noLedger);
    await ahead.grow(LONGEST);
    await behind.grow(LONG);
    assert.deepEqual(
      await take(ahead, 16),
      [...Array(19).keys()].slice(2).filter((ticket) => ticket !== 7),
    );
    await behind.grow(LONGEST);
    behind.giveBack(EVENT, [18 as Ticket]);
    assert.deepEqual(await take(behind, 1), [18]);
    assert.deepEqual(await take(behind, 3, VIP), [0, 1, 7]);
  });

  test('[S2] a process that starts may be ahead of Redis, or behind it', async () => {
    await behind.load(SHORT, claims([], [2]));
    await ahead.open(LONG, noLedger);
    await assertStates([0, 0, SOLD, 0, 0, 0, 0, 0]);
    const late = await RedisInventory.connect(server.url);
    await late.open(SHORT, noLedger);
    assert.deepEqual(await take(late, 4), [3, 4, 5, 6]);
    await late.close();
  });

  test('[S1] who is behind does not load: it waits until it has learned', async () => {
    await behind.load(SHORT, NOTHING);
    await ahead.open(LONG, noLedger);
    assert.deepEqual(await take(ahead, 5), [2, 3, 4, 5, 6]);
    await assert.rejects(behind.reload(SHORT, noLedger), StaleInventory);
    await assertStates([0, 0, PENDING, PENDING, PENDING, PENDING, PENDING, 0]);
    await behind.reload(LONG, async () => claims([2, 6], [7]));
    await assertStates([0, 0, HELD, 0, 0, 0, HELD, SOLD]);
    // It knows the longer layout now, no matter who else asks it.
    await behind.reload(SHORT, async () => claims([6], [7]));
    await assertStates([0, 0, 0, 0, 0, 0, HELD, SOLD]);
  });

  test('[S1] a load that begins before the growth, and ends after it, does not undo it', async () => {
    await behind.load(SHORT, NOTHING);
    await ahead.open(SHORT, noLedger);
    const slowRead = async () => {
      await ahead.grow(LONG);
      assert.deepEqual(await take(ahead, 1, VIP), [0]);
      return claims([3], []);
    };
    await assert.rejects(behind.reload(SHORT, slowRead), StaleInventory);
    await assertStates([PENDING, 0, 0, 0, 0, 0, 0, 0]);
  });

  test('[S1] nor does one that looked at Redis just before the growth', async () => {
    await behind.load(SHORT, NOTHING);
    await ahead.open(LONG, noLedger);
    const short = describeLayout(SHORT.layout).text;
    const open = script(SCRIPTS.open.text.replace('.. meta[6]', `.. '${short}'`));
    const deceived = await RedisInventory.connect(server.url, { scripts: { open } });
    await assert.rejects(
      deceived.reload(SHORT, async () => claims([3], [])),
      StaleInventory,
    );
    await deceived.close();
    await assertStates([0, 0, 0, 0, 0, 0, 0, 0]);
  });

  test('[S1] a Redis that has lost all may be loaded by who is behind; the others make it longer', async () => {
    await behind.load(SHORT, NOTHING);
    await ahead.open(LONG, noLedger);
    const [ticket] = await take(ahead, 1);
    await admin.flushall();
    await behind.reload(SHORT, async () => claims([], [4]));
    ahead.settle(EVENT, [ticket!], 'sold');
    ahead.settle(EVENT, [6 as Ticket], 'sold');
    await assertStates([0, 0, SOLD, 0, SOLD, 0, SOLD, 0]);
    assert.deepEqual(await take(behind, 2), [3, 5]);
  });

  test('[S2] a process that learns of growth while Redis is away makes it longer when it is back', async () => {
    const own = await startRedis();
    const inventory = await RedisInventory.connect(own.url, {
      deadlineMs: 300 * SLOWNESS,
      connectTimeoutMs: 500 * SLOWNESS,
    });
    await inventory.load(SHORT, NOTHING);
    own.pause();
    await assert.rejects(inventory.grow(LONG), InventoryUnavailable);
    own.resume();
    while (!inventory.isConnected) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.deepEqual(await take(inventory, 5), [2, 3, 4, 5, 6]);
    await inventory.close();
    await own.stop();
  });

  test('a full Redis sells on and does not grow until it has room', async () => {
    await ahead.load(SHORT, NOTHING);
    await admin.config('SET', 'maxmemory', '1');
    const longer = eventOf({ vip: 2, ga: 3 }, EVENT, [added(100_000)]);
    await assert.rejects(ahead.grow(longer), (fault: Error) => {
      return fault instanceof InventoryUnavailable && /OOM/.test(fault.message);
    });
    await behind.open(SHORT, noLedger);
    assert.deepEqual(await take(behind, 3), [2, 3, 4]);
    await admin.config('SET', 'maxmemory', '0');
    assert.deepEqual(await take(ahead, 2), [5, 6]);
    assert.equal((await ahead.counts(EVENT))![1]!.capacity, 100_003);
  });

  test('[S1] what is no growth is a broken invariant, and changes nothing', async () => {
    await ahead.load(SHORT, NOTHING);
    await assert.rejects(ahead.grow(eventOf({ vip: 3, ga: 3 })), /broken invariant/);
    await assert.rejects(ahead.grow(houseOf({ Stalls: ['ss'] })), /broken invariant/);
    await assertStates([0, 0, 0, 0, 0]);
  });

  test('[S2] any growth of any size keeps all bits, in Redis as in an event loaded so long', async () => {
    const random = seededRandom(8);
    const number = (below: number) => Math.floor(below * random());
    for (let round = 0; round < 60; round++) {
      const rows = round % 3 === 0 ? { Stalls: ['ssss', 'ssss|sss', 'sac'] } : undefined;
      const first = number(40);
      const eventWith = (more: readonly ReturnType<typeof added>[]): InventoryEvent => {
        return rows
          ? houseOf(rows, { ga: first + 1, more })
          : eventOf({ vip: number(1), ga: first + 1 }, EVENT, more);
      };
      let event = eventWith([]);
      const { capacity } = event.layout;
      const held = [...Array(capacity).keys()].filter(() => random() < 0.3);
      await ahead.load(event, claims(held, []));
      const more: ReturnType<typeof added>[] = [];
      for (let step = 0; step < 4; step++) {
        more.push(added(number(round % 2 === 0 ? 20 : 3_000)));
        event = eventWith(more);
        await ahead.grow(event);
      }
      const grown = await Promise.all(
        ['free', 'states'].map((name) => admin.getBuffer(`event:{${EVENT}}:${name}`)),
      );
      const counts = await ahead.counts(EVENT);
      await ahead.load(event, claims(held, []));
      const loaded = await Promise.all(
        ['free', 'states'].map((name) => admin.getBuffer(`event:{${EVENT}}:${name}`)),
      );
      assert.deepEqual(grown, loaded);
      assert.deepEqual(counts, await ahead.counts(EVENT));
      await ahead.grow(eventWith([]));
      if (rows) granted(await ahead.take(EVENT, [best(1), want(1)]));
    }
  });
});
