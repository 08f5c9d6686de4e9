// The commands beside the shop on every kind of ledger: seed makes events (mission row A1), audit finds a broken rule
// (F8), db:reset leaves nothing behind, neither in the database nor in Redis (B6).

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, type TestContext, test } from 'node:test';
import { patienceMs } from '@floodgate/core/testing/patience.ts';
import { Redis } from 'ioredis';
import { createConnection } from 'mysql2/promise';
import { Client } from 'pg';
import { eventsAnswer } from '../../src/contract/events.ts';
import { contentOf } from '../kit/answers.ts';
import { Program, type Script, temporaryFolder } from '../kit/program.ts';
import { needsServer, type ServerName } from '../kit/servers/binaries.ts';
import { freePort } from '../kit/servers/child.ts';
import { startMariadb } from '../kit/servers/mariadb.ts';
import { startPostgres } from '../kit/servers/postgres.ts';
import { startRedis } from '../kit/servers/redis.ts';
import { ask } from '../kit/test-shop.ts';

/** Stores of a test, and a way to run a statement in the database behind the shop's back. */
interface Stores {
  readonly env: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly tamper: (sql: string) => Promise<unknown>;
}

interface Kind {
  readonly title: string;
  readonly servers: readonly ServerName[];
  readonly open: (t: TestContext) => Promise<Stores>;
}

const KINDS: readonly Kind[] = [
  {
    title: 'PostgreSQL and Redis',
    servers: ['postgres', 'redis'],
    async open(t) {
      const redis = await startRedis();
      t.after(() => redis.stop());
      const server = await startPostgres();
      t.after(() => server.stop());
      const env = { DATABASE_URL: server.url, REDIS_URL: redis.url };
      return { env, folder: temporaryFolder(t), tamper: (sql) => askPostgres(server.url, sql) };
    },
  },
  {
    title: 'MariaDB',
    servers: ['mariadb'],
    async open(t) {
      const server = await startMariadb();
      t.after(() => server.stop());
      const tamper = (sql: string) => askMariadb(server.url, sql);
      return { env: { DATABASE_URL: server.url }, folder: temporaryFolder(t), tamper };
    },
  },
  {
    title: 'SQLite',
    servers: [],
    async open(t) {
      const folder = temporaryFolder(t);
      const tamper = async (sql: string) => {
        const db = new DatabaseSync(join(folder, 'data', 'floodgate.db'));
        db.exec(sql);
        db.close();
      };
      return { env: {}, folder, tamper };
    },
  },
];

for (const { title, servers, open } of KINDS) {
  describe(`commands on ${title}`, { timeout: patienceMs(24_000), ...needsServer(...servers) }, () => {
    test('[A1] seed makes events that a shop sells; events that are there stay as they are', async (t) => {
      const stores = await open(t);
      const seed = (...args: string[]) => run(t, stores, 'seed.ts', ...args);
      assert.equal(
        (await seed('--events=2', '--tickets=7')).stdout,
        '2 event(s) made with 7 tickets each: 1, 2.\n',
      );
      const shop = await openShop(t, stores);
      assert.equal(await buy(shop, 2, 3), 201);
      await close(shop);
      const { code, stdout, stderr } = await seed('--events=3', '--tickets=9');
      assert.deepEqual([code, stderr], [0, '']);
      assert.match(stdout, /^1 event\(s\) made with 9 tickets each: 3\. 2 of them were there already/);
      const again = await openShop(t, stores);
      assert.deepEqual(await left(again), [7, 4, 9]);
      await close(again);
    });

    test('[F8] audit is content with what was sold, and finds a claim that is not what it was', async (t) => {
      const stores = await open(t);
      const shop = await openShop(t, stores);
      for (const eventId of [1, 1, 2]) assert.equal(await buy(shop, eventId, 2), 201);
      const beside = await run(t, stores, 'audit.ts');
      assert.deepEqual([beside.code, beside.stderr], [0, ''], 'beside the shop');
      await close(shop);
      const good = await run(t, stores, 'audit.ts');
      assert.deepEqual([good.code, good.stderr], [0, '']);
      assert.match(good.stdout, /^Auditing 2 event\(s\) of .*\n✔ 1 .*\n✔ 2 .*\nEvery rule holds\.\n$/);
      assert.doesNotMatch(good.stdout, /secret/);

      // All of the event's: which tickets were sold is by chance where processes begin at places of their own.
      const ofEvent = "event_no = (SELECT event_no FROM events WHERE event_id = '1')";
      await stores.tamper(`UPDATE claims SET claimed_by = claimed_by + 1 WHERE ${ofEvent}`);
      const bad = await run(t, stores, 'audit.ts');
      assert.deepEqual([bad.code, bad.stderr], [1, '']);
      assert.match(bad.stdout, /✖ 1 [\s\S]*\n {4}S1: .*\n[\s\S]*A RULE IS BROKEN/);
      const one = await run(t, stores, 'audit.ts', '--event', '2');
      assert.match(one.stdout, /^Auditing 1 event\(s\)/);
      refused(await run(t, stores, 'audit.ts', '--event', '77'), /there is no event 77/);
      refused(await run(t, stores, 'audit.ts', '--evnt', '1'), /usage: npm run audit/);
    });

    test('[B6] db:reset leaves a running shop alone, and then deletes all and nothing else', async (t) => {
      const stores = await open(t);
      const shop = await openShop(t, stores);
      assert.equal(await buy(shop, 1, 7), 201);
      refused(await run(t, stores, 'db-reset.ts', '--yes'), /in use by another Floodgate/);
      assert.equal(await buy(shop, 2, 1), 201);
      await close(shop);
      refused(await run(t, stores, 'db-reset.ts'), /say --yes/);
      const isServer = stores.env.DATABASE_URL !== undefined;
      if (isServer) await stores.tamper('CREATE TABLE others (id int)');

      const { code, stdout, stderr } = await run(t, stores, 'db-reset.ts', '--yes');
      assert.deepEqual([code, stderr], [0, '']);
      assert.match(stdout, / is deleted\. The next start makes a new one with demo events\.\n$/);
      if (isServer) await stores.tamper('SELECT id FROM others');
      assert.deepEqual(await keysOf(stores.env.REDIS_URL), []);
      const again = await openShop(t, stores);
      assert.deepEqual(await left(again), [7, 7]);
      assert.equal(await buy(again, 1, 7), 201);
      await close(again);
      assert.equal((await run(t, stores, 'audit.ts')).code, 0);
    });
  });
}

describe('commands without their stores', { timeout: patienceMs(12_000) }, () => {
  test('[B6] db:reset deletes nothing when Redis cannot be reached', async (t) => {
    const folder = temporaryFolder(t);
    const stores = { env: {}, folder, tamper: async () => {} };
    await run(t, stores, 'seed.ts', '--events=1', '--tickets=3');
    const env = { REDIS_URL: `redis://:secret@127.0.0.1:${await freePort()}` };
    const reset = await run(t, { ...stores, env }, 'db-reset.ts', '--yes');
    refused(reset, /connecting to Redis at 127\.0\.0\.1:\d+ failed/);
    assert.equal((await run(t, stores, 'audit.ts')).code, 0);
  });

  test('[F8] every command says in one line that the database is away', async (t) => {
    const DATABASE_URL = `postgres://floodgate:secret@127.0.0.1:${await freePort()}/floodgate`;
    const stores = { env: { DATABASE_URL }, folder: temporaryFolder(t), tamper: async () => {} };
    for (const script of ['seed.ts', 'audit.ts', 'db-reset.ts'] as const) {
      const args = script === 'db-reset.ts' ? ['--yes'] : [];
      refused(
        await run(t, stores, script, ...args),
        /PostgreSQL at 127\.0\.0\.1:\d+\/floodgate: nobody listens there/,
      );
    }
  });
});

type Shop = Awaited<ReturnType<typeof Program.open>>;

/** Two events of seven tickets, unless there are some already. */
function openShop(t: TestContext, { env, folder }: Stores): Promise<Shop> {
  return Program.open(t, { folder, env: { ...env, SEED_EVENTS: '2', SEED_TICKETS: '7' } });
}

async function close(shop: Shop): Promise<void> {
  shop.child.kill('SIGTERM');
  assert.equal((await shop.ended).code, 0, shop.stderr);
}

function run(t: TestContext, { env, folder }: Stores, script: Script, ...args: string[]) {
  return Program.run(t, { script, folder, env, args });
}

async function buy(shop: Shop, eventId: number, quantity: number): Promise<number> {
  return (await ask(shop.port, 'POST', `/buy/${eventId}`, { body: { quantity } })).status;
}

/** Tickets available, of each event. */
async function left(shop: Shop): Promise<number[]> {
  const { events } = contentOf(await ask(shop.port, 'GET', '/api/v1/events'), 200, eventsAnswer);
  return events.map(({ ticketTypes: [type] }) => type!.available);
}

/** One clear line on standard error, exit code 1, and no password. */
function refused({ code, stderr }: { code: number | null; stderr: string }, why: RegExp): void {
  assert.equal(code, 1);
  assert.match(stderr, /^floodgate: [^\n]+\n$/);
  assert.match(stderr, why);
  assert.doesNotMatch(stderr, /secret/);
}

async function keysOf(redisUrl: string | undefined): Promise<string[]> {
  if (redisUrl === undefined) return [];
  const redis = new Redis(redisUrl);
  try {
    return await redis.keys('*');
  } finally {
    redis.disconnect();
  }
}

async function askPostgres(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(sql).finally(() => client.end());
}

async function askMariadb(url: string, sql: string): Promise<void> {
  const connection = await createConnection({ uri: url });
  await connection.query(sql).finally(() => connection.end());
}
