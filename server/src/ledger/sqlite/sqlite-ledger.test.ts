// The contract on SQLite: the whole of it on writer and reader in this thread, which follow the test's clock, and
// what needs no clock on the real ledger with its threads. Then what only the real ledger has: its lock, its clock.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { SLOWNESS } from '@floodgate/core/testing/patience.ts';
import { ledgerContract } from '../contract/ledger.contract.ts';
import { EventEntries, TestClock } from '../contract/test-entries.ts';
import { assertGranted, assertRefused } from '../contract/test-script.ts';
import { TestSqliteLedger } from '../contract/test-sqlite-ledger.ts';
import type { Outcome } from '../ledger.ts';
import { SqliteLedger } from './sqlite-ledger.ts';
import { SqliteWriter } from './writer.ts';

const OPTIONS = { maxBatch: 1_000, maxWaiting: 10_000 };
const HOUR_MS = 3_600_000;
const folder = mkdtempSync(join(tmpdir(), 'floodgate-'));
after(() => rmSync(folder, { recursive: true }));

let files = 0;
const newFile = () => join(folder, `${++files}.db`);
const open = (file: string) => SqliteLedger.open(file, OPTIONS);

/** Asserts that the file cannot be opened. */
async function assertNotOpened(file: string, fault: { name: string; message: RegExp }): Promise<void> {
  await assert.rejects(async () => (await open(file)).close(), fault);
}

/** A ledger on the file while `use` runs: its threads would keep a failed test from ending. */
async function withLedger(file: string, use: (ledger: SqliteLedger) => Promise<void>): Promise<void> {
  const ledger = await open(file);
  try {
    await use(ledger);
  } finally {
    await ledger.close();
  }
}

ledgerContract(
  'SQLite in this thread',
  async (clock) => {
    const file = newFile();
    let ledger = new TestSqliteLedger(file, clock);
    const reopen = async () => {
      await ledger.close();
      ledger = new TestSqliteLedger(file, clock);
      return ledger;
    };
    return { ledger, reopen, close: () => ledger.close() };
  },
  { followsTestClock: true, reopens: true },
);

// Its threads take a tenth of a second to start, so all rules share one ledger.
const sharedFile = newFile();
let shared: Promise<SqliteLedger> | undefined;
after(async () => (await shared)?.close());

ledgerContract(
  'SQLite ledger',
  async () => {
    shared ??= open(sharedFile);
    const reopen = async () => {
      await (await shared)!.close();
      shared = open(sharedFile);
      return shared;
    };
    return { ledger: await shared, reopen, close: async () => {} };
  },
  { followsTestClock: false, reopens: true },
);

describe('SQLite ledger', () => {
  test('[S7] a hold lapses on the real clock, and the main thread never sees it due too early', () =>
    withLedger(newFile(), async (ledger) => {
      const entries = new EventEntries(2);
      const hold = entries.hold([0], { ttlMs: Math.ceil(40 * SLOWNESS) });
      await ledger.post(entries.create());
      const { expiresAtMs } = assertGranted(await ledger.post(hold));
      assertRefused(await ledger.post(entries.expire(hold.holdId)), 'HOLD_NOT_DUE');
      while (ledger.nowMs() < expiresAtMs!) await sleep(expiresAtMs! - ledger.nowMs());
      const due = { eventId: entries.eventId, holdId: hold.holdId };
      assert.deepEqual(await ledger.dueHolds(ledger.nowMs(), 1), [due]);
      assertGranted(await ledger.post(entries.expire(hold.holdId)));
    }));

  test('[S7] after a restart the clock goes on from the last recorded moment, not from before it', async () => {
    const file = newFile();
    const early = Date.now();
    const ahead = new TestClock(early + HOUR_MS);
    const writer = new SqliteWriter(file, ahead);
    const [entries, quiet] = [new EventEntries(2), new EventEntries(1)];
    writer.commit([entries.create()]);
    ahead.pass(5);
    writer.commit([entries.hold([0]), entries.buy([1])]);
    writer.close();

    await withLedger(file, async (ledger) => {
      const [first, created] = [ledger.nowMs(), assertGranted(await ledger.post(quiet.create()))];
      assert.ok(first >= early + HOUR_MS + 5, `${first - early} ms after the start`);
      assert.ok(first < early + 2 * HOUR_MS, `${first - early} ms after the start`);
      assert.ok(created.atMs >= first && ledger.nowMs() >= created.atMs - 1);
    });
  });

  test('[S4] a ledger that is closed takes no more, and its file can be opened at once', async () => {
    const file = newFile();
    const entries = new EventEntries(1);
    let posted: Promise<Outcome> | undefined;
    await withLedger(file, async (ledger) => {
      posted = ledger.post(entries.create());
      const closed = ledger.close();
      await assert.rejects(ledger.post(entries.buy([0])), { name: 'LedgerUnavailable' });
      await closed;
    });
    assertGranted(await posted!);
    await withLedger(file, async (ledger) => {
      assertRefused(await ledger.post(entries.create()), 'EVENT_EXISTS');
    });
  });

  test('[S1] a ledger file has one program: the second is told so, in this process and in another', () => {
    const file = newFile();
    return withLedger(file, async (ledger) => {
      await assertNotOpened(file, { name: 'LedgerInUse', message: new RegExp(`${file} is in use`) });
      const { firstLine, exit } = startProgram(file);
      assert.match(await firstLine, /^LedgerInUse: .* is in use by another Floodgate/);
      assert.equal(await exit, 1);
      assertGranted(await ledger.post(new EventEntries(1).create()));
    });
  });

  test('[S1] the lock dies with its program, however that dies', async () => {
    const file = newFile();
    const other = startProgram(file);
    try {
      assert.equal(await other.firstLine, 'open');
      await assertNotOpened(file, { name: 'LedgerInUse', message: /in use/ });
    } finally {
      other.program.kill('SIGKILL');
      await other.exit;
    }
    await withLedger(file, async () => {});
  });

  test('[S4] a ledger of a newer schema is not opened, and the error says what to do', async () => {
    const file = newFile();
    setSchema(file, 99);
    await assertNotOpened(file, {
      name: 'SchemaTooNew',
      message: /the ledger has schema 99, this Floodgate knows up to \d+: start the newer version/,
    });
    setSchema(file, 0);
    await withLedger(file, async (ledger) => assert.deepEqual((await ledger.events()).events, []));
    await withLedger(file, async (ledger) => assert.deepEqual((await ledger.events()).events, []));
  });

  test('[S4] a file that is no ledger is named in the error, and left as it was', async () => {
    const file = newFile();
    const list = 'a shopping list, longer than the header of a database: '.repeat(4);
    writeFileSync(file, list);
    const name = 'CannotOpenLedger';
    await assertNotOpened(file, {
      name,
      message: new RegExp(`^cannot open ${file}: file is not a database$`),
    });
    assert.equal(readFileSync(file, 'utf8'), list);
    const directory = newFile();
    mkdirSync(directory);
    const message = new RegExp(`^cannot open ${directory}: unable to open database file$`);
    await assertNotOpened(directory, { name, message });
  });
});

function setSchema(file: string, version: number): void {
  const db = new DatabaseSync(file);
  db.exec(`PRAGMA user_version = ${version}`);
  db.close();
}

/** Another process that opens the ledger, says so (or what went wrong), and stays until it is killed. */
function startProgram(file: string) {
  const script = join(folder, 'program.mjs');
  const ledgerModule = JSON.stringify(new URL('./sqlite-ledger.ts', import.meta.url).href);
  writeFileSync(
    script,
    `import { SqliteLedger } from ${ledgerModule};
     try {
       await SqliteLedger.open(process.argv[2], { maxBatch: 1, maxWaiting: 1 });
       console.log('open');
       setInterval(() => {}, 60_000);
     } catch (error) {
       console.log(error.name + ': ' + error.message);
       process.exitCode = 1;
     }`,
  );
  const program = spawn(process.execPath, [script, file], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = once(program, 'exit').then(([code]) => code as number | null);
  const firstLine = once(program.stdout.setEncoding('utf8'), 'data').then(([text]) => String(text).trim());
  return { program, exit, firstLine };
}
