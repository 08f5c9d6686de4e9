// What happens to Redis: it is killed and comes back empty or with an old snapshot, stops, is emptied, is full, becomes
// a replica. Three processes of the real program sell meanwhile, on one PostgreSQL. After every round the checker
// compares what clients were told with what the ledger has; at the end every ticket is sold or on sale, everywhere alike.
import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { Redis } from 'ioredis';
import { needsServer } from './servers/binaries.ts';
import { type PostgresServer, startPostgres } from './servers/postgres.ts';
import { type RedisServer, startRedis } from './servers/redis.ts';
import { type Fault, SharedShop } from './shared-shop.ts';

const ROUNDS = 10;
const PROCESSES = 3;
const FALLBACK = /FALLBACK/;
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
  timeout: 200_000,
  ...needsServer('redis', 'postgres'),
}, () => {
  for (const harm of HARMS) {
    test(`[S1–S6, S9] ${ROUNDS} times ${harm.title}: nothing sold twice, nothing lost`, (t) => play(t, harm));
  }
});

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
  for (const count of counts) {
    if (fallbacks === 0) assert.equal(count, 0, 'a process went alone');
    else assert.ok(count >= fallbacks, `a process went alone ${count} times only`);
  }
}

async function tell(redis: RedisServer, [name, ...args]: readonly [string, ...string[]]): Promise<void> {
  const client = new Redis(redis.url, { maxRetriesPerRequest: 0, retryStrategy: () => null });
  client.on('error', () => {}); // The command that fails says so too.
  try {
    await client.call(name, ...args);
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
