// The two commands beside the shop: seed (mission row A1) and db:reset (row B6), run as npm runs them.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { patienceMs } from '@floodgate/core/testing/patience.ts';
import { boughtAnswer } from '../../src/contract/buying.ts';
import { eventsAnswer } from '../../src/contract/events.ts';
import { contentOf } from '../kit/answers.ts';
import { Program, type Script, scriptFile, temporaryFolder } from '../kit/program.ts';
import { ask, openTestShop, type TestShop } from '../kit/test-shop.ts';

const command = (t: TestContext, script: Script, folder: string, ...args: string[]) =>
  Program.run(t, { script, folder, args });

/** The shop on the folder's ledger, in this process: it locks the ledger like any other, and starts faster. */
const openOn = (folder: string, settings: Readonly<Record<string, string>> = {}): Promise<TestShop> =>
  openTestShop({ settings: { DATABASE_URL: `sqlite:${join(folder, 'data/floodgate.db')}`, ...settings } });

const seeded = async (t: TestContext): Promise<string> => {
  const folder = temporaryFolder(t);
  await (await openOn(folder, { SEED_EVENTS: '2', SEED_TICKETS: '7' })).close();
  return folder;
};

/** `[eventId, capacity, sold]` of every event. */
async function eventsOf(folder: string): Promise<unknown[]> {
  const shop = await openOn(folder, { SEED_EVENTS: '0' });
  const { events } = contentOf(await shop.ask('GET', '/api/v1/events'), 200, eventsAnswer);
  await shop.close();
  return events.map(({ eventId, ticketTypes: [type] }) => [
    eventId,
    type!.capacity,
    type!.capacity - type!.available,
  ]);
}

/** One clear line on standard error, exit code 1, and nothing done. */
const refused = ({ code, stdout, stderr }: Program & { readonly code: number | null }, why: RegExp) => {
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(stderr, /^floodgate: [^\n]+\n$/);
  assert.match(stderr, why);
};

describe('seed', { concurrency: 2, timeout: patienceMs(12_000) }, () => {
  test('[A1] it makes as many events with as many tickets as asked for, and says so', async (t) => {
    const folder = temporaryFolder(t);
    const { code, stdout, stderr } = await command(t, 'seed.ts', folder, '--events', '2', '--tickets', '7');
    assert.deepEqual([code, stderr], [0, '']);
    assert.equal(stdout, '2 event(s) made with 7 tickets each: 1, 2.\n');
    assert.deepEqual(await eventsOf(folder), [
      ['1', 7, 0],
      ['2', 7, 0],
    ]);
  });

  test('[A1] events that are there stay as they are, with what was sold of them', async (t) => {
    const folder = await seeded(t);
    const shop = await openOn(folder);
    contentOf(await shop.ask('POST', '/buy/2', { body: { quantity: 3 } }), 201, boughtAnswer);
    await shop.close();
    const { stdout } = await command(t, 'seed.ts', folder, '--events', '3', '--tickets', '9');
    assert.match(stdout, /^1 event\(s\) made with 9 tickets each: 3\. 2 of them were there already/);
    assert.deepEqual(await eventsOf(folder), [
      ['1', 7, 0],
      ['2', 7, 3],
      ['3', 9, 0],
    ]);
  });

  test('[A1] a thousand events are made in one go', async (t) => {
    const folder = temporaryFolder(t);
    const { code, stdout } = await command(t, 'seed.ts', folder, '--events=1000', '--tickets=5');
    assert.equal(code, 0);
    assert.equal(stdout, '1000 event(s) made with 5 tickets each: 1 … 1000.\n');
  });

  test('wrong numbers and wrong words are one line of help, and make nothing', async (t) => {
    const folder = temporaryFolder(t);
    const cases = [
      [['--events=-1'], /SEED_EVENTS must be a whole number/],
      [['--events', '-1'], /usage: npm run seed -- --events 3 --tickets 1000/],
      [['3', '1000'], /usage: npm run seed -- --events 3 --tickets 1000/],
    ] as const;
    for (const [args, why] of cases) refused(await command(t, 'seed.ts', folder, ...args), why);
    assert.deepEqual(readdirSync(folder), []);
  });

  test('[S1] beside a running shop it refuses, because the shop would not see the new events', async (t) => {
    const folder = temporaryFolder(t);
    const shop = await openOn(folder);
    refused(await command(t, 'seed.ts', folder, '--events', '3'), /in use by another Floodgate/);
    await shop.close();
  });
});

describe('db:reset', { concurrency: 2, timeout: patienceMs(12_000) }, () => {
  const files = (folder: string) =>
    readdirSync(join(folder, 'data')).filter((name) => !name.endsWith('.lock'));

  test('[B6] with --yes the ledger is gone, and the next start makes a new, empty one', async (t) => {
    const folder = await seeded(t);
    const { code, stdout, stderr } = await command(t, 'db-reset.ts', folder, '--yes');
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /^data\/floodgate\.db is deleted\./);
    assert.deepEqual(files(folder), []);
    assert.deepEqual(await eventsOf(folder), []);
  });

  test('[B6] after a crash it takes the write-ahead log with it', async (t) => {
    const folder = temporaryFolder(t);
    const shop = await Program.open(t, { folder });
    contentOf(await ask(shop.port, 'POST', '/buy/1'), 201, boughtAnswer);
    shop.child.kill('SIGKILL');
    await shop.ended;
    assert.ok(existsSync(join(folder, 'data', 'floodgate.db-wal')));
    assert.equal((await command(t, 'db-reset.ts', folder, '--yes')).code, 0);
    assert.deepEqual(files(folder), []);
  });

  test('[B6] without a terminal and without --yes it refuses and keeps everything', async (t) => {
    const folder = await seeded(t);
    const before = files(folder);
    refused(await command(t, 'db-reset.ts', folder), /say --yes/);
    assert.deepEqual(files(folder), before);
  });

  test('[B6] while a shop runs it refuses, also with --yes, and the shop sells on', async (t) => {
    const folder = await seeded(t);
    const shop = await openOn(folder);
    refused(await command(t, 'db-reset.ts', folder, '--yes'), /in use by another Floodgate/);
    contentOf(await shop.ask('POST', '/buy/1'), 201, boughtAnswer);
    await shop.close();
    assert.deepEqual(await eventsOf(folder), [
      ['1', 7, 1],
      ['2', 7, 0],
    ]);
  });

  test('[B6] where there is no ledger there is nothing to reset, and none is made', async (t) => {
    const folder = temporaryFolder(t);
    const { code, stdout } = await command(t, 'db-reset.ts', folder, '--yes');
    assert.equal(code, 0);
    assert.match(stdout, /nothing to reset/);
    assert.deepEqual(readdirSync(folder), []);
  });

  test('wrong words are one line of help', async (t) => {
    const folder = await seeded(t);
    refused(await command(t, 'db-reset.ts', folder, '--force'), /usage: npm run db:reset/);
    assert.notDeepEqual(files(folder), []);
  });

  test('[B6] on a terminal it asks, and only yes means yes', async (t) => {
    if (process.platform !== 'linux' || spawnSync('script', ['--version']).status !== 0) {
      return t.skip('there is no script(1) of util-linux here to make a terminal');
    }
    const folder = await seeded(t);
    for (const [answer, code] of [
      ['nay\n', 1],
      ['yes\n', 0],
    ] as const) {
      const said = await onTerminal(`${process.execPath} ${scriptFile('db-reset.ts')}`, folder, answer);
      assert.match(said.text, /Delete data\/floodgate\.db with every event, hold and order in it\? \[y\/N\]/);
      assert.equal(said.code, code, said.text);
      assert.equal(files(folder).length > 0, code === 1, `after ${JSON.stringify(answer)}`);
    }
  });
});

/** Runs the command on a terminal and types the answer when it asks. */
async function onTerminal(
  commandLine: string,
  cwd: string,
  answer: string,
): Promise<{ code: number; text: string }> {
  const child = spawn('script', ['-qefc', commandLine, '/dev/null'], {
    cwd,
    env: { PATH: process.env.PATH, TERM: 'dumb' },
    stdio: ['pipe', 'pipe', 'inherit'],
    timeout: patienceMs(4_000),
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    if (!text.includes('[y/N]') && (text + piece).includes('[y/N]')) child.stdin.write(answer);
    text += piece;
  });
  const [code] = (await once(child, 'close')) as [number];
  return { code, text };
}
