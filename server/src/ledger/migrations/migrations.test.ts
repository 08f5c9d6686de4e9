// What migrations do to a ledger that was written before them: on SQLite, whose files live longest.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, describe, test } from 'node:test';
import { migrationsFrom } from '../../drivers/sql/migrate.ts';
import { toSchema3 } from '../contract/older-schemas.ts';
import { EventEntries, TestClock, ticketsOf } from '../contract/test-entries.ts';
import { SqliteReader } from '../sqlite/reader.ts';
import { SqliteWriter } from '../sqlite/writer.ts';
import { LEDGER_SCHEMA, MIGRATIONS, SCHEMA_VERSION } from './migrations.ts';

const folder = mkdtempSync(join(tmpdir(), 'floodgate-'));
after(() => rmSync(folder, { recursive: true }));

const PRICE = 1_250;

describe('migrations', () => {
  test('are numbered from 1 without a gap, and none is for a newer ledger', () => {
    const versions = MIGRATIONS.map(({ version }) => version);
    assert.deepEqual(versions, Array.from({ length: SCHEMA_VERSION }, (_, index) => index + 1)); // biome-ignore format: short
    assert.deepEqual(migrationsFrom(LEDGER_SCHEMA, SCHEMA_VERSION), []);
    assert.throws(() => migrationsFrom(LEDGER_SCHEMA, SCHEMA_VERSION + 1), { name: 'SchemaTooNew' });
  });

  test('[S10] holds and orders of schema 3 cost what their event said, and their secrets stay unknown', () => {
    const file = join(folder, 'unpriced.db');
    const [one, two] = [new EventEntries(1_400, undefined, PRICE), new EventEntries(4, undefined, 900)];
    const [hold, kept] = [one.hold([4, 5, 6]), two.hold([2])];
    // More than a page of rows, and their ids as long as ids are.
    const many = Array.from({ length: 1_200 }, (_, index) => one.buy([100 + index]));
    const before = new SqliteWriter(file, new TestClock());
    before.commit([one.create(), two.create(), one.buy([0, 1]), hold, two.buy([0, 1, 3]), kept, ...many]);
    before.commit([two.confirm(kept.holdId), one.release(hold.holdId)]);
    before.close();
    const read = () => {
      const reader = new SqliteReader(file);
      try {
        const events = [one, two].map(({ eventId }) => ({
          orders: reader.orders(eventId, 0, 2_000),
          audit: reader.audit(eventId).filter(({ ok }) => !ok),
        }));
        return {
          events,
          holds: [hold, kept].map(({ holdId }) => ({ ...reader.hold(holdId)!, secret: null })),
        };
      } finally {
        reader.close();
      }
    };
    const found = read();
    assert.deepEqual(found.events[1]!.orders.map(({ total }) => total), [2_700, 900]); // biome-ignore format: short
    toSchema3(file);
    new SqliteWriter(file, new TestClock()).close();
    assert.deepEqual(read(), found);
    const reader = new SqliteReader(file);
    assert.equal(reader.hold(hold.holdId)?.secret, null);
    reader.close();
  });

  test('[S2] a ledger of schema 1 gets heads that count what is claimed, and goes on', () => {
    const file = join(folder, 'ledger.db');
    const [one, two, empty] = [new EventEntries(10), new EventEntries(10), new EventEntries(3)];
    const hold = one.hold([4, 5, 6]);
    const before = new SqliteWriter(file, new TestClock());
    before.commit([one.create(), two.create(), empty.create(), one.buy([0, 1]), hold, two.buy([9])]);
    before.close();
    toSchema1(file);

    const writer = new SqliteWriter(file, new TestClock());
    const reader = new SqliteReader(file);
    try {
      const stand = () => reader.heads().map(({ seq, held, sold }) => [seq, held, sold]);
      assert.deepEqual(stand(), [[3, 3, 2], [2, 0, 1], [1, 0, 0]]); // biome-ignore format: a table
      writer.commit([one.confirm(hold.holdId)]);
      assert.deepEqual(stand()[0], [4, 0, 5]);
      const staff = () => reader.heads().map(({ version, aside }) => [version, aside]);
      assert.deepEqual(staff(), [[1, 0], [1, 0], [1, 0]]); // biome-ignore format: a table
      writer.commit([two.change(1, { setAside: ticketsOf(3, 4) })]);
      assert.deepEqual(staff()[1], [3, 2]);
      for (const { eventId } of [one, two, empty]) {
        for (const { rule, ok, detail } of reader.audit(eventId)) assert.ok(ok, `${rule}: ${detail}`);
      }
    } finally {
      reader.close();
      writer.close();
    }
  });
});

/** What the second release wrote. */
function toSchema2(file: string): void {
  toSchema3(file);
  const db = new DatabaseSync(file);
  for (const index of ['orders_by_buyer', 'holds_by_deadline', 'holds_by_event', 'holds_by_buyer']) {
    db.exec(`DROP INDEX ${index}`);
  }
  db.exec('CREATE INDEX holds_by_deadline ON holds (status, expires_at_ms)');
  db.exec('DROP TABLE manifests');
  db.exec('ALTER TABLE event_heads DROP COLUMN version');
  db.exec('ALTER TABLE event_heads DROP COLUMN aside');
  db.exec('PRAGMA user_version = 2');
  db.close();
}

/** What the first release wrote. */
function toSchema1(file: string): void {
  toSchema2(file);
  const db = new DatabaseSync(file);
  db.exec('ALTER TABLE event_heads DROP COLUMN held');
  db.exec('ALTER TABLE event_heads DROP COLUMN sold');
  db.exec('PRAGMA user_version = 1');
  db.close();
}
