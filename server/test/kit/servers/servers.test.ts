// The servers that other tests lean on: each starts, answers, dies, comes back on its port and leaves nothing.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { patienceMs } from '@floodgate/core/testing/patience.ts';
import { Cluster, Redis } from 'ioredis';
import { createConnection } from 'mysql2/promise';
import { Client } from 'pg';
import { needsServer, SERVERS } from './binaries.ts';
import { startMariadb } from './mariadb.ts';
import { startPostgres } from './postgres.ts';
import { startRedis, startRedisCluster } from './redis.ts';
import { startTcpProxy } from './tcp-proxy.ts';

/** Long enough for an answer on this machine, short enough to wait for one in vain. */
const SOON_MS = 150;

test(
  'Redis answers, is paused, dies, comes back on its port and leaves nothing',
  needsServer('redis'),
  async (t) => {
    const redis = await startRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] });
    t.after(() => redis.stop());
    await withRedis(redis.url, (client) => client.set('ticket', '1'));
    redis.pause();
    const late = withRedis(redis.url, (client) => client.get('ticket'));
    assert.equal(await Promise.race([late, sleep(SOON_MS, 'nothing')]), 'nothing');
    redis.resume();
    assert.equal(await late, '1');
    const { pid, port } = redis;
    await redis.kill();
    assert.equal(isRunning(pid), false);
    await redis.restart();
    assert.equal(redis.port, port);
    assert.equal(await withRedis(redis.url, (client) => client.get('ticket')), '1');
    await redis.restart({ keepData: false });
    assert.equal(await withRedis(redis.url, (client) => client.get('ticket')), null);
    await redis.stop();
    await redis.stop();
    assert.equal(existsSync(redis.dir), false);
  },
);

test('Redis that cannot start says why', needsServer('redis'), async () => {
  await assert.rejects(
    startRedis({ args: ['--no-such-setting', 'yes'] }),
    /ended with code 1[\s\S]*no-such-setting/,
  );
  await assert.rejects(startRedis({ binary: '/nowhere/redis-server' }), /nowhere/);
});

test('a Redis cluster serves every slot, with a replica of each master', needsServer('redis'), async (t) => {
  const cluster = await startRedisCluster(3, 3);
  t.after(() => cluster.stop());
  const client = new Cluster(cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port })));
  t.after(() => client.disconnect());
  for (const id of Array(50).keys()) await client.set(`event:{${id}}:free`, id);
  assert.equal(await client.get('event:{49}:free'), '49');
  assert.equal(client.nodes('master').length, 3);
  assert.equal(client.nodes('slave').length, 3);
});

const valkeyBinary = SERVERS.valkey.find()?.binary;
// Not skipped where it is missing: most machines have none, and Redis is what must be there.
if (valkeyBinary !== undefined) {
  test('Valkey starts as Redis does', async (t) => {
    const valkey = await startRedis({ binary: valkeyBinary });
    t.after(() => valkey.stop());
    assert.match(await withRedis(valkey.url, (client) => client.info('server')), /server_name:valkey/);
  });
}

test(
  'PostgreSQL answers, is paused, dies with all its processes, comes back and leaves nothing',
  needsServer('postgres'),
  async (t) => {
    const postgres = await startPostgres({ settings: { max_connections: '17' } });
    t.after(() => postgres.stop());
    const url = await postgres.createDatabase();
    await askPostgres(url, 'CREATE TABLE ticket (id int)');
    await askPostgres(url, 'INSERT INTO ticket VALUES (7)');
    const settings = `SELECT current_setting('fsync') || current_setting('synchronous_commit') || current_setting('max_connections') AS is`;
    assert.deepEqual(await askPostgres(url, settings), [{ is: 'onon17' }]);
    await assert.rejects(askPostgres(postgres.url.replace('secret', 'wrong'), 'SELECT 1'), /password/);
    postgres.pause();
    const late = askPostgres(url, 'SELECT id FROM ticket');
    assert.equal(await Promise.race([late, sleep(SOON_MS, 'nothing')]), 'nothing');
    postgres.resume();
    assert.deepEqual(await late, [{ id: 7 }]);
    await postgres.kill();
    await assert.rejects(askPostgres(url, 'SELECT 1'), /ECONNREFUSED/);
    await postgres.restart();
    assert.deepEqual(await askPostgres(url, 'SELECT id FROM ticket'), [{ id: 7 }]);
    await postgres.stop();
    await postgres.stop();
    assert.equal(existsSync(postgres.dir), false);
  },
);

test(
  'MariaDB answers, is paused, dies, comes back on its port and leaves nothing',
  needsServer('mariadb'),
  async (t) => {
    const mariadb = await startMariadb({ settings: { max_connections: '17' } });
    t.after(() => mariadb.stop());
    assert.match(mariadb.version, /^\d+\..* \((MariaDB|MySQL)\)$/);
    const url = await mariadb.createDatabase();
    await askMariadb(url, 'CREATE TABLE ticket (id int)');
    await askMariadb(url, 'INSERT INTO ticket VALUES (7)');
    const settings = 'SELECT @@innodb_flush_log_at_trx_commit AS flush, @@max_connections AS most';
    assert.deepEqual(await askMariadb(url, settings), [{ flush: 1, most: 17 }]);
    await assert.rejects(askMariadb(mariadb.url.replace('secret', 'wrong'), 'SELECT 1'), /denied/);
    mariadb.pause();
    const late = askMariadb(url, 'SELECT id FROM ticket');
    assert.equal(await Promise.race([late, sleep(SOON_MS, 'nothing')]), 'nothing');
    mariadb.resume();
    assert.deepEqual(await late, [{ id: 7 }]);
    await mariadb.kill();
    await assert.rejects(askMariadb(url, 'SELECT 1'), /ECONNREFUSED/);
    await mariadb.restart();
    assert.deepEqual(await askMariadb(url, 'SELECT id FROM ticket'), [{ id: 7 }]);
    await mariadb.stop();
    await mariadb.stop();
    assert.equal(existsSync(mariadb.dir), false);
  },
);

for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  test(`a server dies with a test that ${signal} ends`, { ...needsServer('redis') }, async (t) => {
    const module = JSON.stringify(new URL('./redis.ts', import.meta.url).href);
    const script = `const { startRedis } = await import(${module}); const { pid, dir } = await startRedis(); console.log(pid, dir); setInterval(() => {}, 1000);`;
    const other = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.after(() => other.kill('SIGKILL'));
    const [line] = await once(other.stdout, 'data');
    const [pid, dir] = [Number(String(line).split(' ')[0]), String(line).trim().split(' ')[1]!];
    t.after(() => rmSync(dir, { recursive: true, force: true }));
    assert.equal(isRunning(pid), true);
    other.kill(signal);
    const deadlineMs = performance.now() + patienceMs(500);
    while (isRunning(pid) && performance.now() < deadlineMs) await sleep(20);
    assert.equal(isRunning(pid), false);
  });
}

test('a proxy hands bytes on, late if told so', async (t) => {
  const { proxy, client } = await proxied(t);
  assert.equal(await answerTo(client, 'one'), 'one');
  assert.equal(proxy.connections, 1);
  proxy.delay(60);
  const startedMs = performance.now();
  assert.equal(await answerTo(client, 'two'), 'two');
  assert.ok(performance.now() - startedMs >= 115);
  proxy.delay(0);
  assert.equal(await answerTo(client, 'three'), 'three');
});

test('a cut proxy breaks connections and refuses new ones until it heals', async (t) => {
  const { proxy, client } = await proxied(t);
  const closed = new Promise((resolve) => client.once('close', resolve));
  proxy.cut();
  await closed;
  await assert.rejects(answerTo(connect(proxy.port, '127.0.0.1'), 'one'), /closed/);
  proxy.heal();
  assert.equal(await answerTo(connect(proxy.port, '127.0.0.1'), 'two'), 'two');
});

test('a stalled proxy keeps connections and swallows bytes', async (t) => {
  const { proxy, client, received } = await proxied(t);
  proxy.stall();
  assert.equal(await Promise.race([answerTo(client, 'one'), sleep(SOON_MS, 'nothing')]), 'nothing');
  assert.equal(proxy.connections, 1);
  assert.deepEqual(received, []);
  proxy.resume();
  assert.equal(await answerTo(client, 'two'), 'two');
});

test('a proxy that drops replies hands requests on', async (t) => {
  const { proxy, client, received } = await proxied(t);
  proxy.dropReplies();
  assert.equal(await Promise.race([answerTo(client, 'one'), sleep(SOON_MS, 'nothing')]), 'nothing');
  assert.deepEqual(received, ['one']);
  const closed = new Promise((resolve) => client.once('close', resolve));
  proxy.heal();
  await closed;
});

test('a proxy cuts at the n-th reply, which is then lost', async (t) => {
  const { proxy, client, received } = await proxied(t);
  proxy.cutAtReply(2);
  assert.equal(await answerTo(client, 'one'), 'one');
  await assert.rejects(answerTo(client, 'two'), /closed/);
  assert.deepEqual(received, ['one', 'two']);
  proxy.heal();
});

/** An echo behind a proxy, and a client of it. */
async function proxied(t: TestContext) {
  const received: string[] = [];
  const echo = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      received.push(String(bytes));
      socket.write(bytes);
    });
  });
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  const { port } = echo.address() as { port: number };
  const proxy = await startTcpProxy(port);
  const client = connect(proxy.port, '127.0.0.1');
  client.on('error', () => {});
  await once(client, 'connect');
  t.after(async () => {
    client.destroy();
    await proxy.stop();
    echo.close();
  });
  return { proxy, client, received };
}

function answerTo(client: Socket, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    client.on('error', () => {});
    client.once('data', (bytes) => resolve(String(bytes)));
    client.once('close', () => reject(new Error('closed')));
    client.write(text);
  });
}

async function withRedis<T>(url: string, use: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url);
  try {
    return await use(client);
  } finally {
    client.disconnect();
  }
}

async function askPostgres(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  try {
    await client.connect();
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

async function askMariadb(url: string, sql: string): Promise<unknown> {
  const connection = await createConnection(url);
  try {
    return (await connection.query(sql))[0];
  } finally {
    connection.destroy();
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch (fault) {
    return process.platform !== 'linux' && (fault as NodeJS.ErrnoException).code === 'ENOENT';
  }
}
