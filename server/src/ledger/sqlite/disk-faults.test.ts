// Real disk faults under the SQLite ledger: a full disk, an fsync that fails, files that may not grow or be
// written. What the machine does not permit (to mount a small disk needs root on Linux) is skipped.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  rmdirSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import { EventEntries, TestClock } from '../contract/test-entries.ts';
import { assertGranted } from '../contract/test-script.ts';
import type { Buy } from '../ledger.ts';
import { SqliteReader } from './reader.ts';
import { SqliteLedger } from './sqlite-ledger.ts';
import { SqliteWriter } from './writer.ts';

const KiB = 1024;
const CAPACITY = 100_000;
const isRoot = process.getuid?.() === 0;
/** Anyone but root, who may write what is read-only. */
const GUEST = 65_534;

function run(command: string, ...args: string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

function works(check: () => void): boolean {
  try {
    check();
    return true;
  } catch {
    return false;
  }
}

const canMount = works(() => {
  const folder = mkdtempSync(join(tmpdir(), 'floodgate-'));
  try {
    run('mount', '-t', 'tmpfs', 'tmpfs', folder);
    run('umount', folder);
  } finally {
    rmdirSync(folder);
  }
});
const canLoop = canMount && existsSync('/dev/loop-control') && works(() => run('mke2fs', '-V'));
const canLimit = process.platform === 'linux' && works(() => run('prlimit', '--version'));
const mounting = { skip: canMount ? false : 'needs to mount a small disk, as root on Linux' };
const looping = { skip: canLoop ? false : 'needs to mount a file as a disk, as root on Linux' };
const limiting = { skip: canLimit ? false : 'needs prlimit, on Linux' };

/** A folder of its own while `use` runs. */
async function inFolder(use: (folder: string) => unknown): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'floodgate-'));
  try {
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Whatever `args` mount, in a folder of its own, while `use` runs. */
async function onMount(args: readonly string[], use: (disk: string) => unknown): Promise<void> {
  await inFolder(async (folder) => {
    run('mount', ...args, folder);
    try {
      await use(folder);
    } finally {
      // Lazily, so that a ledger which a failed test left open does not hide what failed.
      run('umount', '--lazy', folder);
    }
  });
}

/** A disk in memory of that size, while `use` runs. */
function onSmallDisk(sizeKiB: number, use: (disk: string) => unknown): Promise<void> {
  return onMount(['-t', 'tmpfs', '-o', `size=${sizeKiB}k`, 'tmpfs'], use);
}

/** Fills the disk with one file until only that much is free. */
function fill(disk: string, leaveFreeKiB: number): void {
  makeRoom(disk);
  const { bavail, bsize } = statfsSync(disk);
  writeFileSync(join(disk, 'filler'), Buffer.alloc(bavail * bsize - leaveFreeKiB * KiB));
}

function makeRoom(disk: string): void {
  rmSync(join(disk, 'filler'), { force: true });
}

/** Batches of three sales, each of two tickets that no other has. */
class Sales {
  readonly entries = new EventEntries(CAPACITY);
  #ticket = 0;

  next(): Buy[] {
    return Array.from({ length: 3 }, () => this.entries.buy([this.#ticket++, this.#ticket++]));
  }
}

/** Sells until a commit fails: the fault, the batch it took, and how many sales were committed before. */
function sellUntilFault(writer: SqliteWriter, sales: Sales, beforeEach = () => {}) {
  for (let committed = 0; committed < CAPACITY / 2; committed += 3) {
    beforeEach();
    const batch = sales.next();
    try {
      writer.commit(batch);
    } catch (fault) {
      return { fault, batch, committed };
    }
  }
  throw new Error('no commit failed');
}

/** The ledger's rules hold, and exactly that many sales are in it. */
function assertSold(file: string, { eventId }: EventEntries, count: number): void {
  const reader = new SqliteReader(file);
  try {
    for (const { rule, ok, detail } of reader.audit(eventId)) assert.ok(ok, `${rule}: ${detail}`);
    const { seq, sold } = reader.claims(eventId);
    assert.deepEqual([seq, sold.length], [1 + count, 2 * count]);
  } finally {
    reader.close();
  }
}

/** None of the batch is kept, and once the cause is gone the same writer commits the same batch. */
function assertRecovers(
  file: string,
  writer: SqliteWriter,
  sales: Sales,
  { batch, committed }: { batch: Buy[]; committed: number },
): void {
  assertSold(file, sales.entries, committed);
  for (const verdict of writer.commit(batch)) assert.equal(verdict.status, 'committed');
  assertSold(file, sales.entries, committed + batch.length);
}

describe('SQLite ledger on a failing disk', () => {
  test('[S4] a full disk: nothing is granted or kept, reads go on, and sales with the space', mounting, () =>
    onSmallDisk(2_048, async (disk) => {
      const ledger = await SqliteLedger.open(join(disk, 'ledger.db'), { maxBatch: 100, maxWaiting: 100 });
      try {
        await fillAndMakeRoom(disk, ledger);
      } finally {
        await ledger.close();
      }
    }),
  );

  test('[S4] a disk too full for the index of the log: unknown, for a crash brings it back', mounting, () =>
    onSmallDisk(32_768, fillBeforeIndex),
  );

  test('[S4] a failed fsync: unknown, and nothing is granted until a restart', looping, () =>
    onSmallDisk(4_096, async (backing) => {
      const image = join(backing, 'image');
      run('truncate', '--size', '32M', image);
      run('mke2fs', '-q', '-F', '-t', 'ext2', '-b', '4096', image);
      await onMount(['-o', 'loop', image], (disk) => failFsync(disk, backing));
    }),
  );

  test('[S4] a failed write: nothing is granted or kept, and the same writer goes on', limiting, () =>
    inFolder((folder) => {
      const limitFiles = (bytes: string) => run('prlimit', '--pid', `${process.pid}`, `--fsize=${bytes}:`);
      const [file, sales] = [join(folder, 'ledger.db'), new Sales()];
      const writer = new SqliteWriter(file, new TestClock());
      writer.commit([sales.entries.create()]);
      limitFiles(`${200 * KiB}`);
      let found: ReturnType<typeof sellUntilFault>;
      try {
        found = sellUntilFault(writer, sales);
      } finally {
        limitFiles('unlimited');
      }
      assert.equal(`${found.fault}`, 'LedgerUnavailable: disk I/O error (SQLite 778)');
      assert.ok(found.committed > 0);
      assertRecovers(file, writer, sales, found);
      writer.close();
    }),
  );

  test('[S4] a read-only file: nothing is granted or kept, and the same writer goes on', () =>
    inFolder((folder) => {
      if (!isRoot) return writeReadOnly(folder);
      chownSync(folder, GUEST, GUEST);
      process.seteuid?.(GUEST);
      try {
        writeReadOnly(folder);
      } finally {
        process.seteuid?.(0);
      }
    }));
});

/** Sells until the disk is full, and on when it is not. */
async function fillAndMakeRoom(disk: string, ledger: SqliteLedger): Promise<void> {
  const sales = new Sales();
  const { eventId } = sales.entries;
  const post = (batch: Buy[]) => Promise.allSettled(batch.map((entry) => ledger.post(entry)));
  await ledger.post(sales.entries.create());
  fill(disk, 100);
  let committed = 0;
  let batch = sales.next();
  let outcomes = await post(batch);
  for (; outcomes.every(({ status }) => status === 'fulfilled'); outcomes = await post(batch)) {
    committed += batch.length;
    batch = sales.next();
  }
  assert.ok(committed > 0);
  for (const outcome of outcomes) {
    const fault = outcome.status === 'rejected' ? outcome.reason : undefined;
    assert.equal(`${fault}`, 'LedgerUnavailable: database or disk is full (SQLite 13)');
  }
  assert.equal(ledger.isWritable(), false);
  await assert.rejects(ledger.post(sales.entries.hold([CAPACITY - 1])), { name: 'LedgerUnavailable' });
  const refused = batch.flatMap(({ tickets }) => tickets);
  assert.deepEqual(await ledger.claimsOf(eventId, refused), []);
  assert.equal((await ledger.orders(eventId, 0, CAPACITY)).length, committed);

  makeRoom(disk);
  for (const entry of batch) assertGranted(await ledger.post(entry));
  assert.equal(ledger.isWritable(), true);
  for (const { rule, ok, detail } of await ledger.audit(eventId)) assert.ok(ok, `${rule}: ${detail}`);
  assert.equal((await ledger.claims(eventId)).sold.length, 2 * (committed + batch.length));
}

/** Sells until a commit is in the log but not in its index, and on when there is room. */
async function fillBeforeIndex(disk: string): Promise<void> {
  const [file, sales] = [join(disk, 'ledger.db'), new Sales()];
  const writer = new SqliteWriter(file, new TestClock());
  writer.commit([sales.entries.create()]);
  const longRead = new DatabaseSync(file, { readOnly: true });
  longRead.exec('BEGIN; SELECT * FROM events'); // The log cannot be reset, so it grows.
  // One page of the index has room for 4,062 frames of the log; the next page is 32 KiB.
  let sold = 0;
  for (; statSync(`${file}-wal`).size < 4_050 * (4_096 + 24); sold += 3) writer.commit(sales.next());
  // Room for the frames of a batch, but not for them and a page of the index.
  const { fault, batch, committed } = sellUntilFault(writer, sales, () => fill(disk, 44));
  sold += committed;
  assert.equal(`${fault}`, 'LedgerOutcomeUnknown: disk I/O error (SQLite 4874)');
  assertSold(file, sales.entries, sold);
  await inFolder((crashed) => {
    for (const part of ['', '-wal']) copyFileSync(file + part, join(crashed, `ledger.db${part}`));
    assertSold(join(crashed, 'ledger.db'), sales.entries, sold + batch.length);
  });
  makeRoom(disk);
  assertRecovers(file, writer, sales, { batch, committed: sold });
  longRead.close();
  writer.close();
}

/** Sells on a disk that takes writes but cannot put them anywhere, because what is under it is full. */
function failFsync(disk: string, backing: string): void {
  const [file, sales] = [join(disk, 'ledger.db'), new Sales()];
  const writer = new SqliteWriter(file, new TestClock());
  writer.commit([sales.entries.create()]);
  fill(backing, 0);
  const { fault, batch, committed } = sellUntilFault(writer, sales);
  assert.equal(`${fault}`, 'LedgerOutcomeUnknown: disk I/O error (SQLite 1034)');
  makeRoom(backing);
  const refusal = { name: 'LedgerUnavailable', message: /the disk failed to keep an earlier write/ };
  assert.throws(() => writer.commit(batch), refusal);
  assert.throws(() => writer.commit(sales.next()), refusal);
  writer.close();

  const restarted = new SqliteWriter(file, new TestClock());
  const reader = new SqliteReader(file);
  const kept = batch.filter(({ orderId }) => reader.order(orderId)).length;
  reader.close();
  assert.ok(kept === 0 || kept === batch.length, `${kept} of the batch`);
  assertSold(file, sales.entries, committed + kept);
  assert.equal(restarted.commit(sales.next())[0]?.status, 'committed');
  restarted.close();
}

/** Sells on a file that may not be written, and on when it may. */
function writeReadOnly(folder: string): void {
  const [file, sales] = [join(folder, 'ledger.db'), new Sales()];
  const first = new SqliteWriter(file, new TestClock());
  first.commit([sales.entries.create(), ...sales.next()]);
  first.close();
  chmodSync(file, 0o444);
  const writer = new SqliteWriter(file, new TestClock());
  const { fault, batch } = sellUntilFault(writer, sales);
  assert.equal(`${fault}`, 'LedgerUnavailable: attempt to write a readonly database (SQLite 8)');
  // SQLite gave its log and the log's index the mode of the file.
  for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o644);
  assertRecovers(file, writer, sales, { batch, committed: 3 });
  writer.close();
}
