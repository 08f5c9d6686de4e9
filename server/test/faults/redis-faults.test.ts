// What happens to Redis: it is killed and comes back empty or with an old snapshot, stops, is emptied, is full, becomes
// a replica. Three processes of the real program sell meanwhile, on one PostgreSQL. After every round the checker
// compares what clients were told with what the ledger has; at the end every ticket is sold or on sale, everywhere alike.

import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { patienceMs } from '@floodgate/core/testing/patience.ts';
import { Redis } from 'ioredis';
import { boughtAnswer } from '../../src/contract/buying.ts';
import { contentOf } from '../kit/answers.ts';
import { formatViolations } from '../kit/checker/findings.ts';
import { Program, temporaryFolder } from '../kit/program.ts';
import { needsServer } from '../kit/servers/binaries.ts';
import { type PostgresServer, startPostgres } from '../kit/servers/postgres.ts';
import { type RedisServer, startRedis } from '../kit/servers/redis.ts';
import { type Fault, SharedShop } from '../kit/shared-shop.ts';
import { ask as request } from '../kit/test-shop.ts';

const ROUNDS = 10;
const PROCESSES = 3;
const FALLBACK = /FALLBACK/;
const REASONED_FALLBACK = /"reason":"(?!Redis did not answer in time).*FALLBACK/;
const BACK = /the shared inventory is back, loaded from the ledger/;
/** Less than any Redis uses. */
const TOO_SMALL = '100kb';

interface Harm {
  readonly title: string;
  readonly prepare?: (redis: RedisServer) => Promise<unknown>;
  readonly fault: (redis: RedisServer, round: () => number) => Fault;
  /** How often at least every process must have gone alone; 0: never. */
  readonly fallbacks: number;
}

const HARMS: readonly Harm[] = [
  {
    title: 'killed, and started again empty',
    fallbacks: ROUNDS,
    fault: (redis) => async (shop) => {
      await redis.kill();
      await shop.pause(0, 800);
      await redis.restart({ keepData: false });
      await shop.pause(0, 800);
    },
  },
  {
    title: 'killed, and started again with an old snapshot',
    fallbacks: ROUNDS,
    fault: (redis) => async (shop) => {
      await tell(redis, ['SAVE']);
      const [dump, kept] = [join(redis.dir, 'dump.rdb'), join(redis.dir, 'kept.rdb')];
      copyFileSync(dump, kept);
      await shop.pause(100, 600);
      await redis.kill();
      await shop.pause(0, 500);
      copyFileSync(kept, dump);
      await redis.restart();
      await shop.pause(0, 800);
    },
  },
  {
    title: 'killed, and not there when the round is judged',
    fallbacks: ROUNDS,
    fault: (redis) => async (shop) => {
      if (!isAlive(redis.pid)) await redis.restart({ keepData: false });
      await shop.isWell();
      await redis.kill();
      await shop.pause(500, 1_000);
    },
  },
  {
    title: 'stopped for 1 to 3 seconds',
    fallbacks: ROUNDS,
    fault: (redis) => async (shop) => {
      redis.pause();
      await shop.pause(1_000, 3_000);
      redis.resume();
      await shop.pause(0, 800);
    },
  },
  {
    title: 'emptied by FLUSHALL',
    fallbacks: ROUNDS,
    fault: (redis) => async (shop) => {
      await tell(redis, ['FLUSHALL']);
      await shop.pause(300, 1_500);
    },
  },
  {
    title: 'made to forget its scripts',
    fallbacks: 0,
    fault: (redis) => async (shop) => {
      for (let times = 0; times < 5; times++) {
        await tell(redis, ['SCRIPT', 'FLUSH']);
        await shop.pause(0, 200);
      }
    },
  },
  {
    title: 'full (maxmemory), and in every other round emptied too',
    fallbacks: ROUNDS / 2,
    fault: (redis, round) => async (shop) => {
      await tell(redis, ['CONFIG', 'SET', 'maxmemory', TOO_SMALL]);
      await shop.pause(300, 800);
      if (round() % 2 === 1) await tell(redis, ['FLUSHALL']);
      await shop.pause(300, 800);
      await tell(redis, ['CONFIG', 'SET', 'maxmemory', '0']);
      await shop.pause(0, 800);
    },
  },
  {
    title: 'made a replica of nobody, or of an empty master, and a master again',
    fallbacks: ROUNDS,
    fault: (redis, round) => async (shop) => {
      const master = round() % 2 === 1 ? await startRedis() : undefined;
      await tell(redis, ['REPLICAOF', '127.0.0.1', `${master?.port ?? 1}`]);
      await shop.pause(500, 1_500);
      await tell(redis, ['REPLICAOF', 'NO', 'ONE']);
      await master?.stop();
      await shop.pause(0, 800);
    },
  },
];

let postgres: PostgresServer;
before(async () => {
  postgres = await startPostgres();
});
after(() => postgres?.stop());

describe('Redis under load', {
  concurrency: 4,
  timeout: patienceMs(40_000),
  ...needsServer('redis', 'postgres'),
}, () => {
  for (const harm of HARMS) {
    test(`[S1–S6, S9] ${ROUNDS} times ${harm.title}: nothing sold twice, nothing lost`, (t) => play(t, harm));
  }
});

describe('a shop whose Redis is away', {
  concurrency: 3,
  timeout: patienceMs(12_000),
  ...needsServer('redis', 'postgres'),
}, () => {
  test('[A5] it says so everywhere, sells on, and is as before when Redis is back', async (t) => {
    const { redis, open } = await prepare(t);
    const shop = await open();
    const before = await buyAt(shop);
    assert.equal(before.degraded, null);
    assert.deepEqual(await stateOf(shop), { status: 'ok', degraded: false, fallbackActivations: 0 });
    assert.doesNotMatch(shop.stdout, FALLBACK);

    await redis.kill();
    const alone = await buyAt(shop);
    assert.equal(alone.degraded, 'inventory');
    assert.deepEqual(await stateOf(shop), { status: 'degraded', degraded: true, fallbackActivations: 1 });
    const [line] = await shop.saying(/\{.*FALLBACK.*\n/); // The log is written every 100 ms.
    assert.equal((JSON.parse(line) as { level: string }).level, 'error');

    await redis.restart({ keepData: false });
    await shop.saying(BACK);
    assert.deepEqual(await stateOf(shop), { status: 'ok', degraded: false, fallbackActivations: 1 });
    const after = await buyAt(shop);
    assert.equal(after.degraded, null);
    assert.equal(new Set([before, alone, after].map(({ ticket }) => ticket)).size, 3);
    assert.ok(await knows(redis, '1'), 'the event is in Redis again');
  });

  test('[A5] a process that is started while Redis is away sells from memory, and joins when it is there', async (t) => {
    const { redis, open } = await prepare(t);
    const first = await open();
    await redis.kill();
    const second = await open();
    const alone = [await buyAt(first), await buyAt(second)];
    assert.deepEqual(
      alone.map(({ degraded }) => degraded),
      ['inventory', 'inventory'],
    );
    await redis.restart({ keepData: false });
    await Promise.all([first.saying(BACK), second.saying(BACK)]);
    const shared: number[] = [];
    for (let times = 0; times < 10; times++) {
      for (const shop of [first, second]) shared.push((await buyAt(shop)).ticket);
    }
    assert.deepEqual(
      shared,
      shared.toSorted((a, b) => a - b),
      'both take the first that is free for both',
    );
    assert.equal(new Set([...shared, ...alone.map(({ ticket }) => ticket)]).size, 22);
  });
});

describe('the control', { timeout: patienceMs(12_000), ...needsServer('redis', 'postgres') }, () => {
  test('two processes that sell alone, each with a ledger of its own, sell twice, and the checker says so', async (t) => {
    const shop = await sellAlone(t, [await postgres.createDatabase(), await postgres.createDatabase()]);
    const violations = await shop.violations(0);
    const saying = (what: RegExp) => violations.filter((violation) => what.test(violation.what)).length;
    const [twice, lost] = [saying(/was answered under orders/), saying(/was answered, and lost/)];
    t.diagnostic(`${twice} tickets told twice, ${lost} grants lost`);
    assert.ok(twice > 10 && lost > 10, formatViolations(violations));
  });

  test('the same two with one ledger pass', async (t) => {
    const shop = await sellAlone(t, [await postgres.createDatabase()]);
    await shop.assertWhole(t);
  });
});

/** Two processes whose Redis is gone, which have sold for a second or two, with a ledger each or with one. */
async function sellAlone(t: TestContext, databaseUrls: readonly string[]): Promise<SharedShop> {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const shop = await SharedShop.start(t, {
    ...{ processes: 2, rounds: 1, redisUrl: redis.url, databaseUrl: databaseUrls[0]! },
    // So few that both come to the same ones, though each begins at a place of its own.
    tickets: 150,
    envOf: (process) => ({ DATABASE_URL: databaseUrls[process % databaseUrls.length]! }),
  });
  await redis.kill();
  await shop.shop(() => shop.pause(1_000, 1_500));
  return shop;
}

/** A Redis and a database, and how to open a shop on them. */
async function prepare(t: TestContext) {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const databaseUrl = await postgres.createDatabase();
  const env = { DATABASE_URL: databaseUrl, REDIS_URL: redis.url, SEED_EVENTS: '1', SEED_TICKETS: '100' };
  return { redis, open: () => Program.open(t, { folder: temporaryFolder(t), env }) };
}

async function buyAt({ port }: { readonly port: number }) {
  const reply = await request(port, 'POST', '/buy/1');
  const { tickets } = contentOf(reply, 201, boughtAnswer);
  return { degraded: reply.headers.get('floodgate-degraded'), ticket: Number(tickets[0]!.ticketId) };
}

/** As `/health` and the JSON metrics tell it. */
async function stateOf({ port }: { readonly port: number }) {
  const health = (await request(port, 'GET', '/health')).body as { status: string; degraded: boolean };
  const metrics = (await request(port, 'GET', '/metrics?format=json')).body as {
    degraded: boolean;
    fallbackActivations: number;
  };
  assert.equal(metrics.degraded, health.degraded);
  const { degraded, fallbackActivations } = metrics;
  return { status: health.status, degraded, fallbackActivations };
}

async function play(t: TestContext, { fault, fallbacks }: Harm): Promise<void> {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const databaseUrl = await postgres.createDatabase();
  const stores = { databaseUrl, redisUrl: redis.url };
  const shop = await SharedShop.start(t, { ...stores, processes: PROCESSES, rounds: ROUNDS });
  let round = 0;
  const harm = fault(redis, () => round);
  for (; round < ROUNDS; round++) {
    if (isAlive(redis.pid)) await shop.isWell();
    await shop.play(harm);
  }
  if (!isAlive(redis.pid)) await redis.restart();
  await shop.isWell();
  await shop.assertWhole(t);
  const counts = shop.warnings(FALLBACK);
  t.diagnostic(`fallbacks of each process: ${counts.join(', ')}`);
  // A busy machine may leave Redis without a turn for 0.4 s; that is no fault of the harm's.
  if (fallbacks === 0) assert.deepEqual(shop.warnings(REASONED_FALLBACK), [0, 0, 0]);
  for (const count of counts) {
    if (fallbacks > 0) assert.ok(count >= fallbacks, `a process went alone ${count} times only`);
  }
}

async function knows(redis: RedisServer, eventId: string): Promise<boolean> {
  return (await tell(redis, ['EXISTS', `event:{${eventId}}:meta`])) === 1;
}

async function tell(redis: RedisServer, [name, ...args]: readonly [string, ...string[]]): Promise<unknown> {
  const client = new Redis(redis.url, { maxRetriesPerRequest: 0, retryStrategy: () => null });
  client.on('error', () => {}); // The command that fails says so too.
  try {
    return await client.call(name, ...args);
  } finally {
    client.disconnect();
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
