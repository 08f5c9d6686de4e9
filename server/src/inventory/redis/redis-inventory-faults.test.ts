// Redis that dies, forgets, goes back in time, fills up or falls silent: the inventory says so at once, as one of two
// faults, and sells on when it may be trusted again. On real servers.

import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { type EventId, eventId, type Ticket } from '@floodgate/core/ids.ts';
import { patienceMs, SLOWNESS } from '@floodgate/core/testing/patience.ts';
import { Redis } from 'ioredis';
import { needsServer } from '../../../test/kit/servers/binaries.ts';
import {
  type RedisOptions,
  type RedisServer,
  startRedis,
  startRedisCluster,
} from '../../../test/kit/servers/redis.ts';
import { startTcpProxy } from '../../../test/kit/servers/tcp-proxy.ts';
import { UnsuitableRedis } from '../../drivers/redis/faults.ts';
import { claims, EVENT, eventOf, granted, NOTHING, want } from '../contract/test-events.ts';
import type { InventoryEvent } from '../inventory.ts';
import { InventoryUnavailable, StaleInventory } from '../shared-inventory.ts';
import { RedisInventory, type RedisInventoryOptions } from './redis-inventory.ts';

const HUNDRED = eventOf({ ga: 100 });

describe('RedisInventory with faults', needsServer('redis'), () => {
  let server: RedisServer;
  let inventory: RedisInventory;
  let lost: { eventId: EventId; fault: Error }[];
  let ends: (() => Promise<unknown>)[];
  let connections: string[];

  beforeEach(() => {
    lost = [];
    ends = [];
    connections = [];
  });
  afterEach(async () => {
    for (const end of ends.reverse()) await end();
  });

  async function start(options?: RedisOptions): Promise<void> {
    server = await startRedis(options);
    ends.push(() => server.stop());
  }

  async function connect(options: RedisInventoryOptions = {}, url = server.url): Promise<RedisInventory> {
    const connected = await RedisInventory.connect(url, {
      deadlineMs: 1_000 * SLOWNESS,
      onConnected: () => connections.push('connected'),
      ...options,
    });
    connected.onLost((fault, eventId) => {
      if (eventId === undefined) connections.push('disconnected');
      else lost.push({ eventId, fault });
    });
    ends.push(() => connected.close());
    return connected;
  }

  async function admin<T>(act: (redis: Redis) => Promise<T>): Promise<T> {
    const redis = new Redis(server.url);
    try {
      return await act(redis);
    } finally {
      redis.disconnect();
    }
  }

  async function until(isSo: () => boolean): Promise<void> {
    const giveUpMs = performance.now() + patienceMs(2_000);
    while (!isSo()) {
      assert.ok(performance.now() < giveUpMs, `it never came: ${isSo}`);
      await sleep(5);
    }
  }

  const takeOne = async () => granted(await inventory.take(EVENT, [want(1)]))[0]!;

  /** It says so for whatever is asked, until it is loaded again. */
  async function assertStaleUntilLoaded(): Promise<void> {
    await assert.rejects(takeOne(), StaleInventory);
    await assert.rejects(async () => inventory.counts(EVENT), StaleInventory);
    await assert.rejects(inventory.states(EVENT), StaleInventory);
    lost = [];
    inventory.settle(EVENT, [1 as Ticket], 'sold');
    await until(() => lost.length === 1);
    assert.ok(lost[0]!.fault instanceof StaleInventory);
    assert.equal(lost[0]!.eventId, EVENT);
    await inventory.reload(HUNDRED, async () => claims([], [0, 1]));
    assert.equal(await takeOne(), 2);
  }

  test('[S1] Redis that was emptied is found out', async () => {
    await start();
    inventory = await connect();
    await inventory.load(HUNDRED, NOTHING);
    await takeOne();
    await admin((redis) => redis.flushall());
    await assertStaleUntilLoaded();
  });

  test('[S1] Redis that restarted empty is found out', async () => {
    await start();
    inventory = await connect();
    await inventory.load(HUNDRED, NOTHING);
    await takeOne();
    await server.restart({ keepData: false });
    await until(() => connections.join() === 'connected,disconnected,connected');
    await assertStaleUntilLoaded();
  });

  test('[S1] Redis that restarted from an old snapshot is found out', async () => {
    await start();
    inventory = await connect();
    await inventory.load(HUNDRED, NOTHING);
    await takeOne();
    await admin((redis) => redis.save());
    const dump = path.join(server.dir, 'dump.rdb');
    copyFileSync(dump, `${dump}.old`);
    const tickets = [await takeOne(), await takeOne()];
    inventory.settle(EVENT, tickets, 'sold');
    await inventory.counts(EVENT);
    await server.kill();
    copyFileSync(`${dump}.old`, dump);
    await server.restart();
    await until(() => inventory.isConnected && connections.length === 3);
    await assertStaleUntilLoaded();
  });

  test('[S1] Redis that restarted with all its data is found out too, because nobody can know', async () => {
    await start({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] });
    inventory = await connect();
    await inventory.load(HUNDRED, NOTHING);
    await takeOne();
    await server.restart();
    await until(() => inventory.isConnected && connections.length === 3);
    await assertStaleUntilLoaded();
  });

  test('[S1] Redis that goes back in time without a restart is found out', async () => {
    await start({ args: ['--enable-debug-command', 'yes'] });
    inventory = await connect();
    await inventory.load(HUNDRED, NOTHING);
    await takeOne();
    await admin((redis) => redis.save());
    await takeOne();
    await admin((redis) => redis.call('DEBUG', 'RELOAD', 'NOSAVE'));
    await assertStaleUntilLoaded();
  });

  for (const [what, damage] of [
    ['is gone', (redis: Redis) => redis.del(`event:{${EVENT}}:free`)],
    ['of states is gone', (redis: Redis) => redis.del(`event:{${EVENT}}:states`)],
    [
      'is of another type',
      (redis: Redis) => redis.multi().del(`event:{${EVENT}}:meta`).lpush(`event:{${EVENT}}:meta`, 'x').exec(),
    ],
    [
      'is empty of what the counts promise',
      (redis: Redis) => redis.setrange(`event:{${EVENT}}:free`, 0, '\0'.repeat(13)),
    ],
  ] as const) {
    test(`[S1] a key that ${what} is a fault of that event`, async () => {
      await start();
      inventory = await connect();
      await inventory.load(HUNDRED, NOTHING);
      await admin<unknown>(damage);
      await assert.rejects(takeOne(), StaleInventory);
      await inventory.reload(HUNDRED, async () => claims([], [0]));
      assert.equal(await takeOne(), 1);
      assert.equal(connections.length, 1);
    });
  }

  test('[S1] scripts that are forgotten in the middle of a sale are loaded again', async () => {
    await start();
    inventory = await connect();
    await inventory.load(eventOf({ ga: 5_000 }), NOTHING);
    const tickets: Ticket[] = [];
    const buy = async () => {
      for (let i = 0; i < 100; i++) {
        const [ticket] = granted(await inventory.take(EVENT, [want(1)]));
        tickets.push(ticket!);
        inventory.settle(EVENT, [ticket!], 'sold');
      }
    };
    const buyers = Promise.all(Array.from({ length: 20 }, buy));
    await admin(async (redis) => {
      for (let i = 0; i < 20; i++) await redis.script('FLUSH');
    });
    await buyers;
    assert.equal(new Set(tickets).size, 2_000);
    assert.equal((await inventory.counts(EVENT))![0]!.sold, 2_000);
    assert.deepEqual(lost, []);
  });

  test('[S9] a late settle of a hold that was given back holds nothing', async () => {
    await start();
    inventory = await connect();
    await inventory.load(HUNDRED, NOTHING);
    const tickets = [await takeOne(), await takeOne()];
    inventory.giveBack(EVENT, tickets);
    await inventory.counts(EVENT);
    inventory.settle(EVENT, tickets, 'held');
    inventory.settle(EVENT, tickets.slice(1), 'sold');
    const [counts] = (await inventory.counts(EVENT))!;
    assert.deepEqual([counts!.available, counts!.held, counts!.sold], [99, 0, 1]);
  });

  test('a full Redis goes on selling what it has, and loads nothing more', async () => {
    await start();
    inventory = await connect();
    await inventory.load(HUNDRED, NOTHING);
    await admin((redis) => redis.config('SET', 'maxmemory', '1'));
    const [first, second] = [await takeOne(), await takeOne()];
    inventory.settle(EVENT, [first], 'sold');
    inventory.giveBack(EVENT, [second]);
    assert.equal((await inventory.counts(EVENT))![0]!.sold, 1);
    await assert.rejects(
      inventory.reload(HUNDRED, async () => NOTHING),
      (fault: Error) => {
        return fault instanceof InventoryUnavailable && /OOM/.test(fault.message);
      },
    );
    assert.equal((await inventory.counts(EVENT))![0]!.sold, 1);
    await admin((redis) => redis.config('SET', 'maxmemory', '0'));
    await inventory.reload(HUNDRED, async () => NOTHING);
  });

  test('a silent Redis is given up after the deadline, and used again when it answers', async () => {
    await start();
    const deadlineMs = 200 * SLOWNESS;
    inventory = await connect({ deadlineMs });
    await inventory.load(HUNDRED, NOTHING);
    await takeOne();
    server.pause();
    const startMs = performance.now();
    const takes = Array.from({ length: 50 }, () => assert.rejects(takeOne(), InventoryUnavailable));
    inventory.giveBack(EVENT, [0 as Ticket]);
    await Promise.all(takes);
    const tookMs = performance.now() - startMs;
    assert.ok(tookMs >= deadlineMs - 10, `${tookMs} ms`);
    assert.equal(inventory.isConnected, false);
    await until(() => lost.length === 1 && connections.length === 2);
    await assert.rejects(takeOne(), InventoryUnavailable);
    server.resume();
    await until(() => inventory.isConnected);
    // What was asked of the silent Redis may have happened or not, so only this is sure:
    assert.ok((await takeOne()) >= 1);
  });

  test('a process that was busy itself does not blame Redis', async () => {
    await start();
    inventory = await connect({ deadlineMs: 100 * SLOWNESS });
    await inventory.load(HUNDRED, NOTHING);
    for (let round = 0; round < 5; round++) {
      const take = takeOne();
      await new Promise(setImmediate);
      await new Promise(process.nextTick);
      const untilMs = performance.now() + 300 * SLOWNESS;
      while (performance.now() < untilMs);
      await take;
    }
    assert.deepEqual(connections, ['connected']);
  });

  test('a take whose answer was lost on the way is not sent again', async () => {
    await start();
    const proxy = await startTcpProxy(server.port);
    ends.push(() => proxy.stop());
    inventory = await connect({}, `redis://127.0.0.1:${proxy.port}`);
    await inventory.load(HUNDRED, NOTHING);
    proxy.dropReplies();
    const take = assert.rejects(takeOne(), InventoryUnavailable);
    await sleep(100);
    proxy.cut();
    await take;
    proxy.heal();
    await until(() => inventory.isConnected);
    const [counts] = (await inventory.counts(EVENT))!;
    assert.deepEqual([counts!.available, counts!.pending], [99, 1]);
  });

  test('[S1] a master that becomes a replica is left at once', async () => {
    await start();
    inventory = await connect();
    await inventory.load(HUNDRED, NOTHING);
    await admin((redis) => redis.replicaof('127.0.0.1', 1));
    await assert.rejects(takeOne(), InventoryUnavailable);
    await until(() => connections.includes('disconnected'));
    await admin((redis) => redis.call('REPLICAOF', 'NO', 'ONE'));
    await until(() => inventory.isConnected);
    assert.equal(await takeOne(), 0);
  });

  test('closing sends what is waiting, and ends also when Redis is silent', async () => {
    await start();
    inventory = await connect({ deadlineMs: 200 * SLOWNESS });
    await inventory.load(HUNDRED, NOTHING);
    inventory.settle(EVENT, [await takeOne()], 'sold');
    await inventory.close();
    const other = await connect({ deadlineMs: 200 * SLOWNESS });
    await other.open(HUNDRED, () => assert.fail('the ledger is read'));
    assert.equal((await other.counts(EVENT))![0]!.sold, 1);
    server.pause();
    other.settle(EVENT, [5 as Ticket], 'sold');
    await other.close();
    assert.equal(lost.length, 1);
    server.resume();
  });

  test('a Redis that may drop keys is refused in one line', async () => {
    await start({ args: ['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru'] });
    await assert.rejects(connect(), (fault: Error) => {
      return (
        fault instanceof UnsuitableRedis && /^[^\n]*set maxmemory-policy noeviction$/.test(fault.message)
      );
    });
  });

  test('a Redis that cannot be reached is a fault of one line, or waited for', async () => {
    await start();
    await server.kill();
    await assert.rejects(connect(), (fault: Error) => {
      return (
        fault instanceof InventoryUnavailable &&
        /^connecting to Redis at 127[^\n]*ECONNREFUSED/.test(fault.message)
      );
    });
    inventory = await connect({ mayWait: true });
    assert.equal(inventory.isConnected, false);
    await server.restart();
    await until(() => inventory.isConnected);
    await inventory.open(HUNDRED, async () => NOTHING);
    assert.equal(await takeOne(), 0);
  });

  test('a user who lacks a right is refused in one line, one who has the rights it takes can sell', async () => {
    await start();
    const rights = ['~event:*', '+@read', '+@write', '+@scripting', '+@connection'];
    await admin((redis) => redis.call('ACL', 'SETUSER', 'shop', 'on', '>secret', ...rights));
    const url = `redis://shop:secret@127.0.0.1:${server.port}`;
    await assert.rejects(connect({}, url), (fault: Error) => {
      return fault instanceof UnsuitableRedis && /NOPERM[^\n]*info/.test(fault.message);
    });
    await admin((redis) => redis.call('ACL', 'SETUSER', 'shop', '+info'));
    inventory = await connect({}, url);
    await inventory.open(HUNDRED, async () => NOTHING);
    assert.equal(await takeOne(), 0);
    inventory.settle(EVENT, [0 as Ticket], 'sold');
    assert.equal((await inventory.counts(EVENT))![0]!.sold, 1);
  });

  test('a wrong password is a clear fault that does not repeat it, a right one and a database work', async () => {
    await start({ args: ['--requirepass', 'the right secret'] });
    const to = (password: string) => `redis://:${encodeURIComponent(password)}@127.0.0.1:${server.port}/3`;
    await assert.rejects(connect({}, to('a wrong secret')), (fault: Error) => {
      assert.match(fault.message, /WRONGPASS/);
      assert.doesNotMatch(inspect(fault, { depth: 9, showHidden: true }), /wrong(%20| )secret/);
      return fault instanceof UnsuitableRedis;
    });
    await assert.rejects(connect({ mayWait: true }), /NOAUTH/);
    inventory = await connect({}, to('the right secret'));
    await inventory.load(HUNDRED, NOTHING);
    assert.equal(await takeOne(), 0);
    const redis = new Redis(to('the right secret'));
    assert.equal(await redis.exists(`event:{${EVENT}}:meta`), 1);
    redis.disconnect();
  });
});

describe('RedisInventory on a cluster with faults', needsServer('redis'), () => {
  test('[S1] a master that falls silent or comes back empty stops its events, and is found out', async (t) => {
    const cluster = await startRedisCluster(3);
    t.after(() => cluster.stop());
    const inventory = await RedisInventory.connect(cluster.url, {
      deadlineMs: 300 * SLOWNESS,
      connectTimeoutMs: 500 * SLOWNESS,
    });
    t.after(() => inventory.close());
    const events = Array.from({ length: 12 }, (_, index) => eventOf({ ga: 100 }, eventId(`night-${index}`)!));
    const take = async ({ eventId: id }: InventoryEvent) => granted(await inventory.take(id, [want(1)]))[0];
    const faults = async () => {
      const takes = await Promise.allSettled(events.map(take));
      return takes.flatMap((each) => (each.status === 'rejected' ? [each.reason as Error] : []));
    };
    const sellAgain = async () => {
      const giveUpMs = performance.now() + patienceMs(4_000);
      while ((await faults()).some((fault) => fault instanceof InventoryUnavailable)) {
        assert.ok(performance.now() < giveUpMs, 'it never sells again');
        await sleep(50);
      }
    };
    for (const event of events) await inventory.load(event, NOTHING);
    assert.deepEqual(await faults(), []);

    cluster.nodes[1]!.pause();
    const silent = await faults();
    assert.ok(silent.length > 0 && silent.every((fault) => fault instanceof InventoryUnavailable));
    cluster.nodes[1]!.resume();
    await sellAgain();
    assert.deepEqual(await faults(), []);

    // The first node, whose address the URL has: the others know where it is when it is back.
    await cluster.nodes[0]!.kill();
    assert.ok((await faults()).every((fault) => fault instanceof InventoryUnavailable));
    await cluster.nodes[0]!.restart();
    await sellAgain();
    const forgotten = await faults();
    assert.ok(forgotten.length > 0 && forgotten.length < events.length, `${forgotten.length} forgotten`);
    assert.ok(forgotten.every((fault) => fault instanceof StaleInventory));
    for (const event of events) await inventory.reload(event, async () => claims([], [0, 1, 2, 3, 4, 5]));
    for (const event of events) assert.equal(await take(event), 6);
  });
});
