// The contract on Redis, alone and as a cluster of three masters, and what is more than the contract: several
// processes share an event, a million tickets are small, and no script is slow. Faults: redis-inventory-faults.test.ts.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { eventId, type Ticket } from '@floodgate/core/ids.ts';
import { assertLinear, wall } from '@floodgate/core/testing/cpu.ts';
import { patienceMs } from '@floodgate/core/testing/patience.ts';
import { Redis } from 'ioredis';
import type { Errand } from '../../../test/kit/redis-buyer.ts';
import { needsServer, requireServer } from '../../../test/kit/servers/binaries.ts';
import {
  type RedisCluster,
  type RedisServer,
  startRedis,
  startRedisCluster,
} from '../../../test/kit/servers/redis.ts';
import { inventoryContract } from '../contract/inventory.contract.ts';
import {
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
  VIP,
  want,
} from '../contract/test-events.ts';
import { assertCallsShort } from '../contract/test-redis-calls.ts';
import type { InventorySnapshot, Want } from '../inventory.ts';
import { RedisInventory, type RedisInventoryOptions } from './redis-inventory.ts';

/** No wait of a test is this long. */
const DAY_MS = 86_400_000;
const BUYER = new URL('../../../test/kit/redis-buyer.ts', import.meta.url).pathname;
const run = promisify(execFile);

async function withAdmin<T>(server: RedisServer, act: (admin: Redis) => Promise<T>): Promise<T> {
  const admin = new Redis(server.url);
  try {
    return await act(admin);
  } finally {
    admin.disconnect();
  }
}

describe('RedisInventory', needsServer('redis'), () => {
  let server: RedisServer;
  before(async () => {
    server = await startRedis();
  });
  after(() => server?.stop());

  async function connect(
    context: { after(end: () => Promise<void>): void },
    options?: RedisInventoryOptions,
  ) {
    const inventory = await RedisInventory.connect(server.url, { deadlineMs: patienceMs(500), ...options });
    context.after(() => inventory.close());
    return inventory;
  }

  inventoryContract('RedisInventory', async () => {
    await withAdmin(server, (admin) => admin.flushall());
    const inventory = await RedisInventory.connect(server.url, { deadlineMs: patienceMs(500) });
    return { inventory, close: () => inventory.close() };
  });

  test('[S2] what one process has of an event, the next one finds, without a look at the ledger', async (t) => {
    const [first, second] = [await connect(t), await connect(t)];
    const event = eventOf({ vip: 3, ga: 5 }, eventId('found-event'));
    await first.load(event, claims([0], [4]));
    const [ticket] = granted(await first.take(event.eventId, [want(1)]));
    await second.open(event, () => assert.fail('the ledger is read'));
    assert.deepEqual(await second.counts(event.eventId), [
      { ticketType: VIP, capacity: 3, available: 2, pending: 0, held: 1, sold: 0 },
      { ticketType: GA, capacity: 5, available: 3, pending: 1, held: 0, sold: 1 },
    ]);
    second.settle(event.eventId, [ticket!], 'sold');
    await second.open(event, () => assert.fail('the ledger is read'));
    assert.equal((await second.counts(event.eventId))![1]!.sold, 2);
  });

  test('[S2] of many processes that open an event at once, one reads the ledger', async (t) => {
    const event = eventOf({ ga: 5 }, eventId('opened-at-once'));
    let reads = 0;
    const inventories = await Promise.all(Array.from({ length: 5 }, () => connect(t)));
    const read = async () => {
      reads++;
      return claims([0], [1]);
    };
    await Promise.all(inventories.map((inventory) => inventory.open(event, read)));
    assert.equal(reads, 1);
    for (const inventory of inventories) {
      assert.equal((await inventory.counts(event.eventId))![0]!.available, 3);
    }
  });

  test('[S2] an event that another process forgot to load is loaded when its lock has run out', async (t) => {
    const event = eventOf({ ga: 5 }, eventId('locked-event'));
    await withAdmin(server, (admin) =>
      admin.set('event:{locked-event}:lock', 'of a dead process', 'PX', 200),
    );
    const inventory = await connect(t);
    await inventory.open(event, async () => claims([0, 1], []));
    assert.equal((await inventory.counts(event.eventId))![0]!.held, 2);
    assert.equal(await withAdmin(server, (admin) => admin.exists('event:{locked-event}:lock')), 0);
  });

  test('[S2] a load that fails leaves no lock behind', async (t) => {
    const event = eventOf({ ga: 5 }, eventId('failed-load'));
    const inventory = await connect(t);
    await assert.rejects(
      inventory.open(event, () => Promise.reject(new Error('no ledger'))),
      /no ledger/,
    );
    await assert.rejects(inventory.load(event, claims([7], [])), /broken invariant/);
    await inventory.open(event, async () => NOTHING);
    assert.equal((await inventory.counts(event.eventId))![0]!.available, 5);
  });

  test('[S2] counts contain what this process has settled, also while answers are on their way', async (t) => {
    const inventory = await connect(t);
    const event = eventOf({ ga: 2_000 }, eventId('counted-often'));
    const id = event.eventId;
    await inventory.load(event, NOTHING);
    const tickets = granted(await inventory.take(id, [want(2_000)]));
    for (let from = 0; from < 2_000; from += 4) {
      inventory.settle(id, tickets.slice(from, from + 3), from % 8 === 0 ? 'sold' : 'held');
      inventory.giveBack(id, tickets.slice(from + 3, from + 4));
      const counted = inventory.counts(id).then((counts) => {
        assert.ok(counts![0]!.available > from / 4, `${counts![0]!.available} after ${from}`);
      });
      if (from % 40 === 0) await counted;
      else if (from % 12 === 0) await new Promise(setImmediate);
    }
    const [counts] = (await inventory.counts(id))!;
    assert.deepEqual([counts!.available, counts!.held, counts!.sold], [500, 750, 750]);
  });

  test('[S1] who knows an older load goes on with the newer one, and its messages count there', async (t) => {
    const [first, second] = [await connect(t), await connect(t)];
    const event = eventOf({ ga: 5 }, eventId('loaded-anew'));
    const id = event.eventId;
    await first.load(event, NOTHING);
    const tickets = granted(await first.take(id, [want(3)]));
    await second.load(event, NOTHING);
    first.settle(id, tickets.slice(0, 1), 'sold');
    first.settle(id, tickets.slice(1, 2), 'held');
    first.giveBack(id, tickets.slice(2));
    assert.deepEqual(granted(await first.take(id, [want(1)])), [1]);
    assert.deepEqual([...(await second.states(id))!], [3, 1, 0, 0, 0]);
  });

  test('[S1] the lowest available tickets are given first, over blocks and windows of tickets', async (t) => {
    const inventory = await connect(t);
    const event = eventOf({ vip: 300, ga: 700 }, eventId('lowest-first'));
    const holes = Array.from({ length: 700 }, (_, at) => 300 + at).filter((ticket) => ticket % 97 !== 0);
    await inventory.load(event, claims(holes, [0]));
    const taken = granted(await inventory.take(event.eventId, [want(3), want(2, VIP), want(1)]));
    assert.deepEqual(taken, [388, 485, 582, 1, 2, 679]);
    inventory.giveBack(event.eventId, [485, 2] as Ticket[]);
    const again = granted(await inventory.take(event.eventId, [want(3), want(298, VIP)]));
    assert.deepEqual(again.slice(0, 5), [485, 776, 873, 2, 3]);
    assert.equal(again.at(-1), 299);
  });

  test('[S3] hundreds of takes of one turn are each granted or refused as if alone', async (t) => {
    const inventory = await connect(t);
    const event = eventOf({ vip: 400, ga: 3_000 }, eventId('one-turn'));
    const id = event.eventId;
    await inventory.load(event, NOTHING);
    const takes = Array.from({ length: 1_500 }, (_, at) =>
      inventory.take(id, at % 3 === 0 ? [want(1, VIP), want(2)] : [want(1 + (at % 2))]),
    );
    const results = await Promise.all(takes);
    const tickets = results.flatMap((result) => ('tickets' in result ? result.tickets : []));
    assert.equal(new Set(tickets).size, tickets.length);
    for (const [at, result] of results.entries()) {
      const wanted = at % 3 === 0 ? 3 : 1 + (at % 2);
      if ('tickets' in result) assert.equal(result.tickets.length, wanted);
      else assert.equal(result.refusal, 'PENDING');
    }
    const [vip, ga] = (await inventory.counts(id))!;
    assert.equal(vip!.pending, 400);
    assert.equal(ga!.pending + 400, tickets.length);
  });

  test('[S3] a quantity that prints with an exponent is more than there is', async (t) => {
    const inventory = await connect(t);
    await inventory.load(eventOf({ ga: 5 }), NOTHING);
    for (const quantity of [6, 1e21, Number.MAX_VALUE]) {
      assert.deepEqual(await inventory.take(EVENT, [want(quantity)]), { refusal: 'SOLD_OUT' });
    }
  });

  const rows = Array<string>(200).fill('s'.repeat(30));
  const races: readonly [what: string, sold: Errand['sold'], wants: readonly Want[], isGuarded: boolean][] = [
    ['tickets', 6_000, [want(2)], true],
    ['tickets', 6_000, [want(2)], false],
    ['seats', rows, [best(2)], true],
    ['seats', rows, [best(2)], false],
  ];
  for (const [what, sold, wants, isGuarded] of races) {
    const how = isGuarded
      ? 'get none twice, and all'
      : 'control: without the mark on what is taken get some twice';
    test(`[S1] three processes that race for one event's ${what} ${how}`, async () => {
      const id = eventId(`race-for-${what}-${isGuarded}`)!;
      const times = isGuarded ? 10_000 : 20;
      const errand: Errand = { eventId: id, sold, buyers: 20, times, wants, isGuarded };
      const args = [BUYER, server.url, JSON.stringify(errand)];
      const buyers = [1, 2, 3].map(() => run(process.execPath, args, { timeout: patienceMs(15_000) }));
      await Promise.all(buyers.map(({ child }) => once(child.stdout!, 'data'))); // "ready"
      for (const { child } of buyers) child.stdin!.write('go\n');
      const bought = (await Promise.all(buyers)).map(
        ({ stdout }) => JSON.parse(stdout.split('\n')[1]!) as Ticket[],
      );
      const all = bought.flat();
      if (!isGuarded) return assert.ok(new Set(all).size < all.length, 'the test sees a ticket given twice');
      assert.deepEqual(inOrder(all), [...Array(6_000).keys()]);
      const inventory = await RedisInventory.connect(server.url, { deadlineMs: patienceMs(500) });
      const event = typeof sold === 'number' ? eventOf({ ga: sold }) : houseOf({ Stalls: sold });
      await inventory.open({ ...event, eventId: id }, () => assert.fail('the ledger is read'));
      assert.equal((await inventory.counts(id))![0]!.sold, 6_000);
      await inventory.close();
    });
  }

  test('[S2] a million tickets take less than a megabyte, and the time to load them grows no faster than their number', async (t) => {
    const inventory = await connect(t);
    const halfSold = (size: number) => {
      const event = eventOf({ ga: size * 62_500 }, eventId(size === 16 ? 'a-million' : 'fewer'));
      const sold = Uint32Array.from({ length: size * 31_250 }, (_, index) => 2 * index);
      return { event, load: () => inventory.load(event, { seq: 1, held: new Uint32Array(0), sold }) };
    };
    await assertLinear((size) => halfSold(size).load, { clock: wall });
    const { event, load } = halfSold(16);
    await load();
    assert.deepEqual(granted(await inventory.take(event.eventId, [want(3)])), [1, 3, 5]);
    const bytes = await withAdmin(server, async (admin) => {
      const sizes = ['meta', 'free', 'states'].map((name) =>
        admin.memory('USAGE', `event:{a-million}:${name}`),
      );
      return (await Promise.all(sizes)).reduce<number>((sum, size) => sum + Number(size), 0);
    });
    assert.ok(bytes < 1_000_000, `${bytes} bytes`);
    assert.equal((await inventory.states(event.eventId))!.length, 1_000_000);
  });

  test('no call keeps Redis busy for long, also when thousands of tickets are asked in a turn', async (t) => {
    const inventory = await connect(t);
    const event = eventOf({ ga: 30_000 }, eventId('slow-scripts'));
    const id = event.eventId;
    await inventory.load(event, NOTHING);
    const crowd = async () => {
      const taken = await Promise.all(Array.from({ length: 1_000 }, () => inventory.take(id, [want(10)])));
      const tickets = taken.map(granted);
      for (const each of tickets.slice(500)) inventory.settle(id, each, 'held');
      for (const each of tickets.slice(0, 500)) inventory.giveBack(id, each);
      await inventory.counts(id);
    };
    await withAdmin(server, (admin) => assertCallsShort(admin, crowd));
  });

  test('the time to open a thousand events grows no faster than their number, whether Redis has them or not', async (t) => {
    const inventory = await connect(t);
    let rounds = 0;
    const open = (
      of: RedisInventory,
      round: number,
      size: number,
      read: () => Promise<InventorySnapshot>,
    ) => {
      const events = Array.from({ length: 63 * size }, (_, index) =>
        eventOf({ ga: 10_000 }, eventId(`one-of-many-${round}-${index}`)),
      );
      return Promise.all(events.map((event) => of.open(event, read)));
    };
    const openNew = (size: number) => () => open(inventory, ++rounds, size, async () => NOTHING);
    await assertLinear(openNew, { clock: wall, what: 'new ones' });
    // Another process opens what is there.
    await openNew(16)();
    const round = rounds;
    const openAgain = (size: number) => async () => {
      const other = await connect(t);
      await open(other, round, size, () => assert.fail('the ledger is read'));
      await other.close();
    };
    await assertLinear(openAgain, { clock: wall, what: 'known ones' });
  });

  test('[S9] a wait keeps no process alive, and hears of other processes before its time is up', async (t) => {
    const inventory = await connect(t);
    await inventory.load(eventOf({ ga: 1 }), claims([0], []));
    await inTime(inventory.nextChange(EVENT, DAY_MS));
    assert.throws(() => inventory.nextChange(EVENT, Number.NaN), /broken invariant/);
  });
});

describe('RedisInventory on a cluster', needsServer('redis'), () => {
  let cluster: RedisCluster;
  before(async () => {
    cluster = await startRedisCluster(3);
  });
  after(() => cluster?.stop());

  inventoryContract('RedisInventory on a cluster', async () => {
    for (const node of cluster.nodes) await withAdmin(node, (admin) => admin.flushall());
    const inventory = await RedisInventory.connect(cluster.url, { deadlineMs: patienceMs(500) });
    return { inventory, close: () => inventory.close() };
  });

  test('[S1] events lie on all masters and sell apart from each other', async () => {
    const inventory = await RedisInventory.connect(cluster.url, { deadlineMs: patienceMs(500) });
    const ids = Array.from({ length: 50 }, (_, index) => eventId(`cluster-event-${index}`)!);
    await Promise.all(ids.map((id) => inventory.open(eventOf({ ga: 100 }, id), async () => NOTHING)));
    await Promise.all(
      ids.map(async (id) => {
        const tickets = granted(await inventory.take(id, [want(2)]));
        inventory.settle(id, tickets, 'sold');
        assert.equal((await inventory.counts(id))![0]!.sold, 2);
      }),
    );
    const sizes = await Promise.all(cluster.nodes.map((node) => withAdmin(node, (admin) => admin.dbsize())));
    assert.ok(
      sizes.every((size) => size > 0),
      `${sizes}`,
    );
    await inventory.close();
  });
});

describe('RedisInventory on Valkey', needsServer('valkey'), () => {
  let server: RedisServer;
  before(async () => {
    server = await startRedis({ binary: requireServer('valkey').binary });
  });
  after(() => server?.stop());

  inventoryContract('RedisInventory on Valkey', async () => {
    await withAdmin(server, (admin) => admin.flushall());
    const inventory = await RedisInventory.connect(server.url, { deadlineMs: patienceMs(500) });
    return { inventory, close: () => inventory.close() };
  });
});
