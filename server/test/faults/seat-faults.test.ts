// Several processes that sell a house with seats from one database and one Redis, while processes, Redis and the
// database are killed, answers of commits are lost, and staff change the event at any of them: its capacity, its seats,
// whether it sells at all.

import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { patienceMs, SLOWNESS } from '@floodgate/core/testing/patience.ts';
import { callsOf } from '../kit/checker/history.ts';
import { SeatShop } from '../kit/seat-shop.ts';
import { needsServer } from '../kit/servers/binaries.ts';
import { type MariadbServer, startMariadb } from '../kit/servers/mariadb.ts';
import { type PostgresServer, startPostgres } from '../kit/servers/postgres.ts';
import { type RedisServer, startRedis } from '../kit/servers/redis.ts';
import { startTcpProxy, type TcpProxy } from '../kit/servers/tcp-proxy.ts';

/** Two looks of the reconciliation, and two seconds for a machine that is busy with other tests. */
const STALE_MS = 2_000 + 2_000 * SLOWNESS;
/** A house is shopped for some rounds, until little is left of it; then the next. */
const ROUNDS_PER_HOUSE = 2;
/** Each harm comes this often at most, on a machine that is so slow that staff get little done between two of them. */
const MOST_TURNS = 6;

interface Stores {
  readonly redis: RedisServer;
  readonly database: PostgresServer | MariadbServer;
  /** The way of all processes to the database. */
  readonly network: TcpProxy;
}
type Harm = (shop: SeatShop, stores: Stores) => Promise<void>;

const killProcess: Harm = async (shop) => {
  const process = shop.anyProcess();
  await process.kill();
  await shop.pause(0, 300);
  await process.start();
};
const killAll: Harm = async (shop) => {
  await Promise.all(shop.processes.map((process) => process.kill()));
  await Promise.all(shop.processes.map((process) => process.start()));
};
const killRedis: Harm = async (shop, { redis }) => {
  await redis.kill();
  await shop.pause(0, 600);
  await redis.restart({ keepData: false });
  await shop.pause(0, 800);
};
const killBoth: Harm = async (shop, stores) => {
  await Promise.all([killProcess(shop, stores), killRedis(shop, stores)]);
};
const killDatabase: Harm = async (shop, { database }) => {
  await database.kill();
  await shop.pause(0, 300);
  await database.restart();
  await shop.pause(500, 1_000);
};

/** Commits arrive, their answers do not. */
const loseAnswers: Harm = async (shop, { network }) => {
  for (let times = 0; times < 3; times++) {
    network.dropReplies();
    await shop.pause(10, 210);
    network.cut();
    await shop.pause(0, 100);
    network.heal();
    await shop.pause(50, 350);
    network.cutAtReply(1 + Math.floor(shop.random() * 12));
    await shop.pause(100, 100);
    network.heal();
    await shop.pause(50, 350);
  }
};

describe('seats at several processes', { timeout: patienceMs(24_000) }, () => {
  test(
    '[S1–S6, S8, S9, E1] three processes on PostgreSQL and Redis',
    needsServer('redis', 'postgres'),
    async (t) => {
      const database = await startPostgres();
      t.after(() => database.stop());
      const harms = [killProcess, killRedis, killDatabase, killBoth, killAll, loseAnswers];
      await play(t, { processes: 3, database, harms });
    },
  );

  test(
    '[S1–S6, S8, S9, E1] two processes on MariaDB and Redis',
    needsServer('redis', 'mariadb'),
    async (t) => {
      const database = await startMariadb();
      t.after(() => database.stop());
      await play(t, { processes: 2, database, harms: [killBoth, loseAnswers] });
    },
  );
});

interface Ground {
  readonly processes: number;
  readonly database: Stores['database'];
  readonly harms: readonly Harm[];
}

async function play(t: TestContext, { processes, database, harms }: Ground): Promise<void> {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const network = await startTcpProxy(database.port);
  t.after(() => network.stop());
  const DATABASE_URL = Object.assign(new URL(database.url), { port: network.port }).href;
  const env = { DATABASE_URL, REDIS_URL: redis.url, RECONCILE_SECONDS: '1' };
  const shop = await SeatShop.start(t, { processes, env, staleMs: STALE_MS });
  const most = MOST_TURNS * harms.length;
  for (let round = 0; round < harms.length || (round < most && missing(shop, harms.length)); round++) {
    if (round % ROUNDS_PER_HOUSE === 0) await shop.open();
    const harm = harms[round % harms.length]!;
    await shop.play(() => harm(shop, { redis, database, network }), true);
  }
  await shop.assertWhole(t);
  await Promise.all(shop.processes.map((process) => process.stop()));
  const counts = [...shop.staff.answers].map(([name, count]) => `${count} ${name}`).sort();
  t.diagnostic(`staff: ${counts.join(', ')}`);
  assert.equal(missing(shop, harms.length), undefined, counts.join(', '));
}

/** What has not happened often enough, for a test in which nothing happened proves nothing; undefined when all has. */
function missing({ log, staff }: SeatShop, harms: number): string | undefined {
  const calls = callsOf(log.records);
  const granted = calls.filter(({ outcome }) => outcome === 'ok').length;
  if (granted <= 40 * harms) return `only ${granted} grants`;
  for (const name of ['pause 200', 'resume 200', 'change 200', 'kill 201', 'release 200']) {
    if (!staff.answers.has(name)) return `no ${name}`;
  }
  const isRefused = calls.some(({ said }) => said.error === 'NOT_ON_SALE');
  return isRefused ? undefined : 'nobody was refused while it was paused';
}
