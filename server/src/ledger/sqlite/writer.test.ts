// The SQLite writer's guards: what makes a commit durable, and what makes a double sale impossible.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, describe, test } from 'node:test';
import { EventEntries, TestClock, underKey } from '../contract/test-entries.ts';
import type { WorkingSet } from '../judge/state.ts';
import type { Entry } from '../ledger.ts';
import { SqliteReader } from './reader.ts';
import { SqliteWriter } from './writer.ts';

const folder = mkdtempSync(join(tmpdir(), 'floodgate-'));
after(() => rmSync(folder, { recursive: true }));

let files = 0;
const newFile = () => join(folder, `${++files}.db`);

/** A writer that does not look at the claims before it grants. */
class Unguarded extends SqliteWriter {
  protected override readClaims(): void {}
}

/** A writer that does not look at what is kept under idempotency keys. */
class Forgetful extends SqliteWriter {
  protected override readWorkingSet(entries: readonly Entry[]): WorkingSet {
    const set = super.readWorkingSet(entries);
    for (const event of set.events.values()) event.kept.clear();
    return set;
  }
}

/** Takes the key from the claims table, so that a ticket can be claimed twice. */
function removeKey(file: string): void {
  const db = new DatabaseSync(file);
  db.exec('ALTER TABLE claims RENAME TO guarded; CREATE TABLE claims AS SELECT * FROM guarded');
  db.close();
}

/** Sells ticket 0 twice, the second time with a writer of the class, with or without the table's key. */
function sellTwice(Writer: typeof SqliteWriter, guard: 'with the key' | 'without the key') {
  const file = newFile();
  const entries = new EventEntries(2);
  const first = new SqliteWriter(file, new TestClock());
  first.commit([entries.create(), entries.buy([0])]);
  first.close();
  if (guard === 'without the key') removeKey(file);
  const writer = new Writer(file, new TestClock());
  const reader = new SqliteReader(file);
  try {
    return { verdict: writer.commit([entries.buy([0, 1])])[0], failed: failedRules(reader, entries) };
  } catch (error) {
    return { error: error as Error, failed: failedRules(reader, entries) };
  } finally {
    reader.close();
    writer.close();
  }
}

function failedRules(reader: SqliteReader, { eventId }: EventEntries): string[] {
  return reader
    .audit(eventId)
    .filter(({ ok }) => !ok)
    .map(({ rule }) => rule);
}

describe('SQLite writer', () => {
  test('[S4] a commit waits for fsync (write-ahead log, synchronous FULL), also after a fault', () => {
    const writer = new SqliteWriter(newFile(), new TestClock());
    const durable = { journalMode: 'wal', synchronous: 2 };
    assert.deepEqual(writer.durability(), durable);
    const entries = new EventEntries(3);
    const { orderId } = entries.buy([0]);
    writer.commit([entries.create(), entries.buy([0], { orderId })]);
    assert.throws(() => writer.commit([entries.buy([1], { orderId })]), { name: 'LedgerUnavailable' });
    writer.commit([entries.buy([2])]);
    assert.deepEqual(writer.durability(), durable);
    writer.close();
  });

  test('[S1] a second sale is refused by the judge alone', () => {
    for (const guard of ['with the key', 'without the key'] as const) {
      const { verdict, failed } = sellTwice(SqliteWriter, guard);
      const taken = [{ ticket: 0, as: 'sold' }];
      assert.deepEqual([verdict, failed], [{ status: 'refused', refusal: 'TICKET_TAKEN', taken }, []]);
    }
  });

  test('[S1] a second sale is refused by the unique key alone', () => {
    const { error, failed } = sellTwice(Unguarded, 'with the key');
    assert.match(
      `${error}`,
      /^LedgerUnavailable: UNIQUE constraint failed: claims\.event_no, claims\.ticket/,
    );
    assert.deepEqual(failed, []);
  });

  test('[S5] a second effect under a key is refused by the kept keys alone, whatever the request', () => {
    const file = newFile();
    const writer = new Forgetful(file, new TestClock());
    const entries = new EventEntries(2);
    writer.commit([entries.create(), entries.buy([0], underKey('a', 'one request'))]);
    for (const request of ['one request', 'another request']) {
      assert.throws(() => writer.commit([entries.buy([1], underKey('a', request))]), {
        name: 'LedgerUnavailable',
        message: /broken invariant: key .+ is kept already/,
      });
    }
    writer.close();
    const reader = new SqliteReader(file);
    assert.deepEqual([reader.claims(entries.eventId).sold.length, failedRules(reader, entries)], [1, []]);
    reader.close();
  });

  test('[S1] control: without judge and key a ticket is sold twice, and the audit tells', () => {
    const { verdict, failed } = sellTwice(Unguarded, 'without the key');
    assert.equal(verdict?.status, 'committed');
    assert.deepEqual(failed, ['S1', 'S2', 'S3']);
  });
});
