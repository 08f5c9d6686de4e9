// Stores that cannot be used as configured: the program says so in one line that helps, without a stack and without a
// password, and ends with exit code 1 (mission row B6).

import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import { patienceMs } from '@floodgate/core/testing/patience.ts';
import { Redis } from 'ioredis';
import { createConnection } from 'mysql2/promise';
import { Client } from 'pg';
import { Program, temporaryFolder } from '../kit/program.ts';
import { JWT_SECRET } from '../kit/server-process.ts';
import { needsServer } from '../kit/servers/binaries.ts';
import { freePort } from '../kit/servers/child.ts';
import { type MariadbServer, startMariadb } from '../kit/servers/mariadb.ts';
import { type PostgresServer, startPostgres } from '../kit/servers/postgres.ts';
import { startRedis } from '../kit/servers/redis.ts';

/** No output may hold it. */
const WRONG = 'wr0ng-Passw0rd';
const IN_PRODUCTION = { NODE_ENV: 'production', API_KEY: 'start-test-key-0123456789', JWT_SECRET };

type Env = Readonly<Record<string, string>>;

async function refusesToStart(t: TestContext, env: Env, why: RegExp): Promise<void> {
  const program = await Program.run(t, { folder: temporaryFolder(t), env });
  const { code, signal, stdout, stderr } = program;
  assert.deepEqual([code, signal], [1, null], stderr);
  assert.match(stderr, /^floodgate: [^\n]+\n$/, 'one line');
  assert.match(stderr, why);
  assert.doesNotMatch(stdout + stderr, /wr0ng|secret|\bat .*:\d+:\d+/, 'no password and no stack');
}

/** It starts, and has logged that warning. */
async function startsWithWarning(t: TestContext, env: Env, warning: RegExp): Promise<void> {
  const program = await Program.open(t, { folder: temporaryFolder(t), env: { ...env, SEED_EVENTS: '1' } });
  const warned = program.log.filter(({ level, msg }) => level === 'warn' && warning.test(String(msg)));
  assert.equal(warned.length, 1, program.stdout);
  program.child.kill('SIGTERM');
  assert.equal((await program.ended).code, 0);
}

/** Starts and ends once, so that the schema is there. */
async function makeLedger(t: TestContext, url: string): Promise<void> {
  const env = { DATABASE_URL: url, SEED_EVENTS: '1', SEED_TICKETS: '5' };
  const program = await Program.run(t, { script: 'seed.ts', folder: temporaryFolder(t), env });
  assert.equal(program.code, 0, program.stderr);
}

const changed = (url: string, changes: Partial<URL>) => Object.assign(new URL(url), changes).href;

describe('PostgreSQL at the start', {
  concurrency: 2,
  timeout: patienceMs(24_000),
  ...needsServer('postgres'),
}, () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres();
  });
  after(() => server?.stop());
  const at = (changes: Partial<URL>) => ({ DATABASE_URL: changed(server.url, changes) });

  test('a wrong password', (t) => refusesToStart(t, at({ password: WRONG }), /password.*DATABASE_URL/));
  test('no password', (t) => refusesToStart(t, at({ password: '' }), /password.*DATABASE_URL/));
  test('an unknown user', (t) =>
    refusesToStart(t, at({ username: 'nobody' }), /PostgreSQL at .*DATABASE_URL/));
  test('an unknown database', (t) =>
    refusesToStart(t, at({ pathname: '/nowhere' }), /no such database.*nowhere|nowhere.*no such database/));
  test('a port where nobody listens', async (t) => {
    await refusesToStart(t, at({ port: `${await freePort()}` }), /nobody listens there/);
  });

  test('a user without the right to make tables', async (t) => {
    await askPostgres(server.adminUrl, `CREATE ROLE reader LOGIN PASSWORD '${WRONG}'`);
    await refusesToStart(t, at({ username: 'reader', password: WRONG }), /rights.*GRANT CREATE/);
  });

  test('a ledger of a newer Floodgate', async (t) => {
    const url = await server.createDatabase();
    await makeLedger(t, url);
    await askPostgres(url, `INSERT INTO schema_versions (version, name) VALUES (99, 'later')`);
    await refusesToStart(t, { DATABASE_URL: url }, /schema 99.*start the newer version/);
  });

  test('[S4] without fsync it starts with a warning, but not in production', async (t) => {
    const weak = await startPostgres({ settings: { fsync: 'off' } });
    t.after(() => weak.stop());
    const env = { DATABASE_URL: weak.url };
    await refusesToStart(t, { ...env, ...IN_PRODUCTION }, /fsync = off/);
    await startsWithWarning(t, env, /fsync = off/);
  });

  test('[S4] so it is when commits are not waited for, which a role may set', async (t) => {
    const url = await server.createDatabase('hasty');
    await askPostgres(server.adminUrl, 'ALTER DATABASE hasty SET synchronous_commit = off');
    await refusesToStart(t, { DATABASE_URL: url, ...IN_PRODUCTION }, /synchronous_commit = off/);
  });

  test('a read replica of another kind', async (t) => {
    const env = at({});
    await refusesToStart(
      t,
      { ...env, DATABASE_READ_URL: 'mysql://u:secret@localhost/x' },
      /DATABASE_READ_URL/,
    );
  });
});

describe('MariaDB at the start', {
  concurrency: 2,
  timeout: patienceMs(24_000),
  ...needsServer('mariadb'),
}, () => {
  let server: MariadbServer;
  before(async () => {
    server = await startMariadb();
  });
  after(() => server?.stop());
  const at = (changes: Partial<URL>) => ({ DATABASE_URL: changed(server.url, changes) });

  test('a wrong password', (t) =>
    refusesToStart(t, at({ password: WRONG }), /refuses the user floodgate.*password/));
  test('an unknown database', (t) =>
    refusesToStart(t, at({ pathname: '/nowhere' }), /no (such database|rights)/));
  test('a port where nobody listens', async (t) => {
    await refusesToStart(t, at({ port: `${await freePort()}` }), /nothing listens there/);
  });

  test('a user without the right to make tables', async (t) => {
    await askMariadb(server.adminUrl, `CREATE USER 'reader'@'%' IDENTIFIED BY '${WRONG}'`);
    await askMariadb(server.adminUrl, `GRANT SELECT, INSERT, UPDATE, DELETE ON floodgate.* TO 'reader'@'%'`);
    await refusesToStart(t, at({ username: 'reader', password: WRONG }), /rights are missing.*GRANT ALL/);
  });

  test('a ledger of a newer Floodgate', async (t) => {
    const url = await server.createDatabase();
    await makeLedger(t, url);
    await askMariadb(url, `INSERT INTO schema_versions (version, name) VALUES (99, 'later')`);
    await refusesToStart(t, { DATABASE_URL: url }, /schema 99.*start the newer version/);
  });

  test('[S4] with commits that are not flushed it starts with a warning, but not in production', async (t) => {
    const weak = await startMariadb({ settings: { innodb_flush_log_at_trx_commit: '2' } });
    t.after(() => weak.stop());
    const env = { DATABASE_URL: weak.url };
    await refusesToStart(t, { ...env, ...IN_PRODUCTION }, /innodb_flush_log_at_trx_commit/);
    await startsWithWarning(t, env, /innodb_flush_log_at_trx_commit/);
  });
});

describe('URLs at the start', { concurrency: 2, timeout: patienceMs(12_000) }, () => {
  const malformed: Readonly<Record<string, RegExp>> = {
    'postgres://': /DATABASE_URL must be/,
    'postgres://floodgate:secret@localhost': /DATABASE_URL must be/,
    'postgres://floodgate:secret@localhost:port/floodgate': /DATABASE_URL must be/,
    'postgres://floodgate:secr%zzet@localhost:1/floodgate': /DATABASE_URL|%25/,
    'mysql://floodgate:secr%zzet@localhost:1/floodgate': /DATABASE_URL.*%25/,
    'mysql://floodgate:secret@localhost:1/floodgate?sslmode=require': /unknown parameter sslmode.*ssl-mode/,
    'mongodb://floodgate:secret@localhost/floodgate': /DATABASE_URL must be/,
    'floodgate:secret@localhost/floodgate': /DATABASE_URL must be/,
  };
  for (const [url, why] of Object.entries(malformed)) {
    test(`DATABASE_URL=${url}`, (t) => refusesToStart(t, { DATABASE_URL: url }, why));
  }
  for (const url of ['localhost:6379', 'http://:secret@localhost:6379', 'redis://:secret@:6379']) {
    test(`REDIS_URL=${url}`, (t) => refusesToStart(t, { REDIS_URL: url }, /REDIS_URL must be redis:\/\//));
  }
});

describe('Redis at the start', {
  concurrency: 2,
  timeout: patienceMs(12_000),
  ...needsServer('redis'),
}, () => {
  test('a wrong password, and none', async (t) => {
    const redis = await startRedis();
    t.after(() => redis.stop());
    // Afterwards, because the starter asks without a password whether the server is up.
    const client = new Redis(redis.url);
    await client.config('SET', 'requirepass', 'secret');
    client.disconnect();
    await refusesToStart(
      t,
      { REDIS_URL: changed(redis.url, { password: WRONG }) },
      /Redis at .* refuses.*password/,
    );
    await refusesToStart(t, { REDIS_URL: redis.url }, /Redis at .* refuses.*password/);
  });

  test('a Redis that may drop tickets when it is full', async (t) => {
    const redis = await startRedis({ args: ['--maxmemory', '50mb', '--maxmemory-policy', 'allkeys-lru'] });
    t.after(() => redis.stop());
    await refusesToStart(t, { REDIS_URL: redis.url }, /allkeys-lru.*set maxmemory-policy noeviction/);
  });
});

async function askPostgres(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(sql).finally(() => client.end());
}

async function askMariadb(url: string, sql: string): Promise<void> {
  const connection = await createConnection({ uri: url });
  await connection.query(sql).finally(() => connection.end());
}
