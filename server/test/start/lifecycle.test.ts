// The program from its first line to its last: what it prints, what it refuses to start with and why, and how it
// ends while people buy (mission rows A11, B6, B8).

import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { patienceMs } from '@floodgate/core/testing/patience.ts';
import { boughtAnswer } from '../../src/contract/buying.ts';
import { auditAnswer, availabilityAnswer, eventsAnswer, journalAnswer } from '../../src/contract/events.ts';
import { orderAnswer } from '../../src/contract/orders.ts';
import { contentOf } from '../kit/answers.ts';
import { keyOfGuest } from '../kit/checker/guest-key.ts';
import { Program, temporaryFolder } from '../kit/program.ts';
import { RawConnection, requestText } from '../kit/raw-http.ts';
import { ask, openTestShop } from '../kit/test-shop.ts';

const KEY = 'lifecycle-test-key-0123456789';

const buy = async (port: number, key?: string) => {
  const reply = await ask(port, 'POST', '/buy/1', key === undefined ? {} : { key });
  return contentOf(reply, 201, boughtAnswer);
};
const staff = (port: number, path: string) => {
  return ask(port, 'GET', path, { headers: { authorization: `Bearer ${KEY}` } });
};
/** It did not start: exit code 1, nothing on standard output, and one line on standard error, without a stack. */
const refusedToStart = (program: Program & { readonly code: number | null }, why: RegExp) => {
  assert.equal(program.code, 1);
  assert.equal(program.stdout, '');
  assert.match(program.stderr, /^floodgate: [^\n]+\n$/);
  assert.match(program.stderr, why);
};

describe('the program', { concurrency: 2, timeout: patienceMs(12_000) }, () => {
  // First, because it only waits: the others run meanwhile.
  test('[B8] a client that dawdles delays the end by 8 seconds at most, and impatient signals change nothing', async (t) => {
    const folder = temporaryFolder(t);
    const env = { API_KEY: KEY, SEED_EVENTS: '1' };
    const shop = await Program.open(t, { folder, env });
    const orders = [await buy(shop.port), await buy(shop.port)];
    const idle = new RawConnection(shop.port);
    idle.send(requestText('GET', '/health/ready'));
    assert.equal((await idle.answer()).status, 200);
    const slow = new RawConnection(shop.port);
    slow.send(
      'POST /buy/1 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{',
    );
    await sleep(100);
    const signalledMs = performance.now();
    shop.child.kill('SIGTERM');
    await idle.closed();
    await assert.rejects(ask(shop.port, 'GET', '/health'), /fetch failed/);
    for (let i = 0; i < 3; i++) {
      await sleep(100);
      shop.child.kill(i === 1 ? 'SIGTERM' : 'SIGINT');
    }
    const { code, signal } = await shop.ended;
    const tookMs = performance.now() - signalledMs;
    assert.deepEqual([code, signal], [0, null]);
    // Its request never comes, so that the end came at all shows that it was not waited for without end.
    assert.ok(tookMs > 1_000, `ended after ${tookMs} ms`);

    const again = await Program.open(t, { folder, env });
    const audit = contentOf(await staff(again.port, '/api/v1/events/1/audit'), 200, auditAnswer);
    assert.deepEqual([audit.ok, audit.counts[0]?.sold], [true, 2]);
    for (const { orderId } of orders) {
      contentOf(await staff(again.port, `/api/v1/orders/${orderId}`), 200, orderAnswer);
    }
  });

  test('[A11] it says where it sells, with which key, and three commands that work as they are', async (t) => {
    const shop = await Program.open(t, { folder: temporaryFolder(t) });
    const [welcome] = await shop.saying(/\n {2}Floodgate is selling[\s\S]*\n\n$/);
    const address = `http://localhost:${shop.port}`;
    assert.ok(welcome.includes(`Floodgate is selling at ${address}\n`), welcome);
    assert.match(welcome, /ledger {6}data\/floodgate\.db\n/);
    const [, key = ''] = /admin key {3}([\w-]{24}) /.exec(welcome) ?? [];
    assert.ok(key);
    const commands = [...welcome.matchAll(/^ {4}(curl .+)$/gm)].map(([, command]) => command ?? '');
    assert.equal(commands.length, 3);
    const [bought, availability, audit] = await runAll(commands);
    boughtAnswer.parse(bought);
    assert.equal(availabilityAnswer.parse(availability).sold, 1);
    assert.equal(auditAnswer.parse(audit).ok, true);

    const events = contentOf(await ask(shop.port, 'GET', '/api/v1/events'), 200, eventsAnswer).events;
    assert.deepEqual(
      events.map(({ eventId, ticketTypes }) => [eventId, ticketTypes[0]?.capacity]),
      [
        ['1', 10_000],
        ['2', 10_000],
        ['3', 10_000],
      ],
    );
    assert.equal(shop.stderr, '');
  });

  test('[A1] [B6] SEED_EVENTS and SEED_TICKETS make the events of an empty ledger, and change none of a full one', async (t) => {
    const folder = temporaryFolder(t);
    const capacities = async (env: Readonly<Record<string, string>>) => {
      const shop = await Program.open(t, { folder, env });
      const { events } = contentOf(await ask(shop.port, 'GET', '/api/v1/events'), 200, eventsAnswer);
      shop.child.kill('SIGINT');
      assert.equal((await shop.ended).code, 0);
      return events.map(({ ticketTypes }) => ticketTypes[0]?.capacity);
    };
    assert.deepEqual(await capacities({ SEED_EVENTS: '0' }), []);
    assert.deepEqual(await capacities({ SEED_EVENTS: '2', SEED_TICKETS: '7' }), [7, 7]);
    assert.deepEqual(await capacities({ SEED_EVENTS: '5', SEED_TICKETS: '9' }), [7, 7]);
  });

  test('[D9] in production a missing API_KEY or JWT_SECRET is one clear line, and nothing is made', async (t) => {
    const folder = temporaryFolder(t);
    const program = await Program.run(t, { folder, env: { NODE_ENV: 'production' } });
    refusedToStart(program, /API_KEY is required in production/);
    const unsigned = await Program.run(t, { folder, env: { NODE_ENV: 'production', API_KEY: KEY } });
    refusedToStart(unsigned, /JWT_SECRET is required in production/);
    assert.ok(!existsSync(join(folder, 'data')));
  });

  test('every wrong setting is told in a line of its own', async (t) => {
    const env = { PORT: 'abc', SEED_TICKETS: '-1', LOG_LEVEL: 'loud', DATABASE_URL: 'foo' };
    const one = await Program.run(t, { folder: temporaryFolder(t), env: { PORT: 'abc' } });
    refusedToStart(one, /^floodgate: PORT must be a whole number\n$/);
    const all = await Program.run(t, { folder: temporaryFolder(t), env });
    assert.equal(all.code, 1);
    assert.equal(all.stderr.split('\n').length, 4 + 1);
    assert.doesNotMatch(all.stderr, /\n\s+at /);
  });

  test('a port that is taken is one clear line', async (t) => {
    const holder = createServer().listen(0, '127.0.0.1');
    t.after(() => holder.close());
    await once(holder, 'listening');
    const { port } = holder.address() as AddressInfo;
    const env = { HOST: '127.0.0.1', PORT: `${port}`, SEED_EVENTS: '1' };
    const program = await Program.run(t, { folder: temporaryFolder(t), env });
    refusedToStart(program, new RegExp(`address already in use.*:${port}`));
  });

  test('[S1] a second server on the same ledger refuses to start, and the first sells on', async (t) => {
    const folder = temporaryFolder(t);
    const first = await Program.open(t, { folder });
    const second = await Program.run(t, { folder, env: { HOST: '127.0.0.1', PORT: '0' } });
    refusedToStart(second, /floodgate\.db is in use by another Floodgate/);
    await buy(first.port);
  });

  test('a ledger of a newer schema is left alone, with one clear line', async (t) => {
    const folder = temporaryFolder(t);
    mkdirSync(join(folder, 'data'));
    const file = join(folder, 'data', 'floodgate.db');
    const db = new DatabaseSync(file);
    db.exec('CREATE TABLE future (x); PRAGMA user_version = 999');
    db.close();
    const before = readFileSync(file);
    refusedToStart(await Program.run(t, { folder }), /newer|999/);
    const db2 = new DatabaseSync(file, { readOnly: true });
    const tables = db2.prepare('SELECT name FROM sqlite_schema').all();
    db2.close();
    assert.deepEqual(
      tables.map(({ name }) => name),
      ['future'],
    );
    assert.equal(readFileSync(file).length, before.length);
  });

  test('a ledger that cannot be opened is one clear line', async (t) => {
    const folder = temporaryFolder(t);
    writeFileSync(join(folder, 'file'), 'not a folder');
    mkdirSync(join(folder, 'folder.db'));
    writeFileSync(join(folder, 'text.db'), 'This is no database, however long it is. '.repeat(100));
    for (const path of ['file/floodgate.db', 'folder.db', 'text.db']) {
      const program = await Program.run(t, { folder, env: { DATABASE_URL: `sqlite:${path}` } });
      refusedToStart(program, /EEXIST|ENOTDIR|ENOENT|cannot open|unable to open|not a database/);
    }
    assert.match(readFileSync(join(folder, 'text.db'), 'utf8'), /^This is no database/);
  });

  test('[B8] [S4] SIGTERM under load: what was begun is answered, what was answered is kept', async (t) => {
    const folder = temporaryFolder(t);
    const env = { API_KEY: KEY, SEED_EVENTS: '1', SEED_TICKETS: '500000', LOG_LEVEL: 'warn' };
    const shop = await Program.open(t, { folder, env });
    const answers = new Map<string, { status: number; body: string }>();
    const lost = new Set<string>();
    let resets = 0;
    const client = async (name: number): Promise<void> => {
      let connection = new RawConnection(shop.port);
      for (let i = 0; ; i++) {
        const key = `client-${name}-${i}`;
        connection.send(requestText('POST', '/buy/1', { headers: { 'Idempotency-Key': key } }));
        const [answer] = await connection.answers(1);
        if (answer === undefined) {
          lost.add(key);
          if (connection.faultCode !== 'ECONNREFUSED') resets++;
          return;
        }
        answers.set(key, answer);
        connection.forget();
        // One in four opens a connection for every purchase; all heed the server's wish to end theirs.
        if (name % 4 === 0 || answer.headers.connection === 'close') {
          connection.socket.destroy();
          connection = new RawConnection(shop.port);
        }
      }
    };
    const clients = Array.from({ length: 48 }, (_, name) => client(name));
    while (answers.size < 1_000) await sleep(20);
    shop.child.kill('SIGTERM');
    const { code } = await shop.ended;
    assert.equal(code, 0, shop.stdout.slice(-2_000));
    await Promise.all(clients);
    const statuses = new Set([...answers.values()].map(({ status }) => status));
    assert.deepEqual(statuses, new Set([201]));

    const again = await Program.open(t, { folder, env });
    const kept = await keysInJournal(again.port);
    for (const [key, { body }] of answers) {
      const { orderId, ledgerSeq } = boughtAnswer.parse(JSON.parse(body));
      assert.deepEqual(kept.get(keyOfGuest(key)), { orderId, ledgerSeq }, key);
    }
    const begun = [...lost].filter((key) => kept.has(keyOfGuest(key)));
    assert.deepEqual(begun, [], 'these were sold and never answered');
    t.diagnostic(`${answers.size} answered, ${lost.size} not begun, ${resets} of them reset`);
  });

  test('[B8] a request that is on its way on an idle connection when the end begins is answered', async () => {
    const shop = await openTestShop();
    const idle = new RawConnection(shop.port);
    idle.send(requestText('GET', '/health/ready'));
    assert.equal((await idle.answer()).status, 200);
    idle.forget();
    const closing = shop.close();
    idle.send(requestText('POST', '/buy/1'));
    const answer = await idle.answer();
    assert.deepEqual([answer.status, answer.headers.connection], [201, 'close']);
    await closing;
    const late = new RawConnection(shop.port);
    await late.closed();
    assert.equal(late.faultCode, 'ECONNREFUSED');
  });

  test('[B8] a request under way at SIGTERM is answered, and its connection closed', async (t) => {
    const shop = await Program.open(t, { folder: temporaryFolder(t), env: { API_KEY: KEY } });
    const slow = new RawConnection(shop.port);
    slow.send(
      'POST /buy/1 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{',
    );
    await sleep(100);
    shop.child.kill('SIGTERM');
    await shop.saying(/"msg":"shutting down"/);
    slow.send('}');
    const answer = await slow.answer();
    assert.equal(answer.status, 201);
    assert.equal(answer.headers.connection, 'close');
    boughtAnswer.parse(JSON.parse(answer.body));
    assert.equal((await shop.ended).code, 0);
  });
});

/** Runs the commands one after the other as they stand, by a shell; where there is no curl, by fetch. */
async function runAll(commands: readonly string[]): Promise<unknown[]> {
  const hasCurl = spawnSync('curl', ['--version']).status === 0;
  const answers: unknown[] = [];
  for (const command of commands) {
    if (hasCurl) {
      const { stdout } = await promisify(execFile)('sh', [
        '-c',
        `${command} --silent --show-error --max-time 10`,
      ]);
      answers.push(JSON.parse(stdout));
    } else {
      const [, method = 'GET'] = /-X (\w+)/.exec(command) ?? [];
      const [, name, value] = /-H '(\w+): ([^']+)'/.exec(command) ?? [];
      const [url = ''] = /http:\S+/.exec(command) ?? [];
      const reply = await fetch(url, { method, headers: name === undefined ? {} : { [name]: value! } });
      answers.push(await reply.json());
    }
  }
  return answers;
}

/** The orders of event 1 by the key they were asked for with. */
async function keysInJournal(port: number): Promise<Map<string, { orderId: string; ledgerSeq: number }>> {
  const found = new Map<string, { orderId: string; ledgerSeq: number }>();
  for (let after = 0; ; ) {
    const reply = await staff(port, `/api/v1/events/1/journal?limit=1000&after=${after}`);
    const { entries } = contentOf(reply, 200, journalAnswer);
    for (const { key, orderId, seq } of entries) {
      if (key !== undefined && orderId !== undefined) found.set(key, { orderId, ledgerSeq: seq });
    }
    const last = entries.at(-1);
    if (last === undefined) return found;
    after = last.seq;
  }
}
