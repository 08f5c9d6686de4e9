// Every statement that SQLite prepares in a life of a ledger is asked for its plan: none may walk a table that grows
// with what is sold, for its cost would grow with it.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { EventEntries, TestClock, ticketsOf, underKey } from '../contract/test-entries.ts';
import { SqliteReader } from './reader.ts';
import { SqliteWriter } from './writer.ts';

/** What an audit and statistics read is all of it, or bounded otherwise. */
const READ_WHOLE_TABLES = [
  // At the start, what is in no run yet: at most as many keys as a run has.
  'FROM kept_keys WHERE key_no > ? ORDER BY key_no',
  'FROM journal WHERE event_no = ? AND pos > ? ORDER BY pos',
  'FROM holds h WHERE event_no = ? AND h.hold_id > ?',
  'FROM orders o WHERE event_no = ? AND o.order_id > ?',
];

const SALES = ['orders', 'holds', 'journal', 'claims', 'kept_keys'];

/** Whether the step of a plan goes through all of a table of sales, or all of it from some place on. */
function isWalk(sql: string, step: string): boolean {
  const walked = /^(?:SCAN (\w+)|SEARCH (\w+) USING INTEGER PRIMARY KEY \(rowid>)/.exec(step);
  const name = walked?.[1] ?? walked?.[2];
  if (!name) return false;
  const named = new RegExp(`\\b(?:FROM|JOIN) (\\w+) ${name}\\b`).exec(sql);
  return SALES.includes(named?.[1] ?? name);
}

test('no statement of the SQLite ledger walks a table of sales, but those of the audit', () => {
  const statements = new Set<string>();
  const { prepare } = DatabaseSync.prototype;
  DatabaseSync.prototype.prepare = function (sql) {
    statements.add(sql);
    return prepare.call(this, sql);
  };
  const folder = mkdtempSync(join(tmpdir(), 'floodgate-'));
  const file = join(folder, 'ledger.db');
  try {
    live(file);
    const db = new DatabaseSync(file);
    const walks = [...statements].flatMap((sql) => {
      // The last two are of migrations, which read what earlier releases wrote, once.
      if (/^\s*(PRAGMA|BEGIN|COMMIT|DROP)|idempotency_keys|AS id, tickets FROM/.test(sql)) return [];
      const plan = prepare.call(db, `EXPLAIN QUERY PLAN ${sql}`).all();
      const steps = plan.map(({ detail }) => String(detail));
      return steps.filter((step) => isWalk(sql, step)).map(() => sql);
    });
    db.close();
    assert.ok(statements.size > 25, `${statements.size} statements`);
    const unexpected = walks.filter((sql) => !READ_WHOLE_TABLES.some((whole) => sql.includes(whole)));
    assert.deepEqual(unexpected, []);
    assert.equal(walks.length, READ_WHOLE_TABLES.length, 'the audit is seen to walk');
  } finally {
    DatabaseSync.prototype.prepare = prepare;
    rmSync(folder, { recursive: true });
  }
});

function live(file: string): void {
  const writer = new SqliteWriter(file, new TestClock());
  const reader = new SqliteReader(file);
  const entries = new EventEntries(20);
  const { eventId } = entries;
  const [buy, hold] = [entries.buy([0], underKey('a')), entries.hold([1, 2])];
  const limits = { tickets: [{ ranges: [[0, 20] as const], max: 9 }], holds: 1 };
  writer.commit([entries.create(), buy, hold, entries.buy([3], { buyer: 'ann', limits })]);
  writer.commit([entries.extend(hold.holdId, 1), entries.confirm(hold.holdId), entries.change(1)]);
  const beforeId = buy.orderId;
  reader.events();
  reader.event(eventId);
  reader.heads();
  reader.order(buy.orderId);
  reader.hold(hold.holdId);
  reader.orders(eventId, 0, 10);
  reader.ordersOf('ann', beforeId, 10);
  reader.nextDeadline(eventId);
  reader.manifest('m');
  reader.dueHolds(0, 10);
  reader.journal(eventId, 0, 10);
  reader.claims(eventId);
  reader.claimsOf(eventId, ticketsOf(1, 2));
  reader.keptKeys();
  reader.audit(eventId);
  reader.close();
  writer.close();
}
