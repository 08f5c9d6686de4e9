import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { EventEntries } from './contract/test-entries.ts';
import { SqliteReader } from './sqlite/reader.ts';
import { SqliteWriter } from './sqlite/writer.ts';
import { journalEntry } from './tables.ts';

test('[S11] a row of the journal is the fact it was written as', () => {
  const entry = { seq: 3, kind: 'extended', atMs: 7, fact: { holdId: '8', expiresAtMs: 9 } };
  assert.deepEqual(
    journalEntry({ seq: 3, kind: 'extended', at_ms: 7, fact: JSON.stringify(entry.fact) }),
    entry,
  );
});

test('[S11] a fact of a kind that is not known here is never skipped: the reader of the journal is told', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'floodgate-facts-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'floodgate.db');
  const entries = new EventEntries(4);
  const writer = new SqliteWriter(file);
  writer.commit([entries.create(), entries.buy([0]), entries.buy([1])]);
  writer.close();
  const db = new DatabaseSync(file);
  db.exec(`UPDATE journal SET kind = 'refunded' WHERE seq = 2`);
  db.close();
  const reader = new SqliteReader(file);
  t.after(() => reader.close());
  const isTold = /entry 2 of the journal is of the kind "refunded"/;
  assert.throws(() => reader.journal(entries.eventId, 0, 10), isTold);
  assert.throws(() => reader.orders(entries.eventId, 0, 10), isTold);
  assert.throws(() => reader.audit(entries.eventId), isTold);
  assert.equal(reader.journal(entries.eventId, 2, 10).length, 1);
});
