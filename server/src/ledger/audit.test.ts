// The audit has teeth: a ledger file is tampered with by hand, one row at a time, and the right rules fail.
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, describe, test } from 'node:test';
import { EventEntries, TestClock } from './contract/test-entries.ts';
import type { AuditCheck } from './ledger.ts';
import { SqliteReader } from './sqlite/reader.ts';
import { SqliteWriter } from './sqlite/writer.ts';

const folder = mkdtempSync(join(tmpdir(), 'floodgate-'));
after(() => rmSync(folder, { recursive: true }));

const entries = new EventEntries(10, undefined, 1_250);
const [first, second] = [entries.buy([0, 1]), entries.buy([2, 3])];
const [active, kept, given, lapsed] = [
  ...[entries.hold([4, 5]), entries.hold([6]), entries.hold([7]), entries.hold([8], { ttlMs: 0 })],
] as const;
const confirmed = entries.confirm(kept.holdId);

const partly = entries.buy([8, 9]);
const back = entries.returnTickets(partly.orderId, [9], { refundedAmount: 1_000 });

/** A closed ledger file with a fact of every kind: journal entries 1 to 13, of which the last holds ticket 7. */
function writeLedger(): string {
  const file = join(folder, 'ledger.db');
  const writer = new SqliteWriter(file, new TestClock());
  writer.commit([entries.create(), first, second, active, kept, confirmed]);
  writer.commit([
    given,
    entries.release(given.holdId),
    lapsed,
    entries.expire(lapsed.holdId),
    ...[partly, back],
    entries.hold([7]),
  ]);
  writer.close();
  return file;
}

const original = writeLedger();
let copies = 0;

/** What the audit says of a copy of the ledger on which the statements were run. */
function auditAfter(sql: string): AuditCheck[] {
  const file = join(folder, `${++copies}.db`);
  copyFileSync(original, file);
  const db = new DatabaseSync(file);
  db.exec(sql);
  db.close();
  const reader = new SqliteReader(file);
  try {
    return reader.audit(entries.eventId);
  } finally {
    reader.close();
  }
}

const addToJournal = (kind: string, fact: object) => `
  UPDATE event_heads SET seq = 14;
  INSERT INTO journal (event_no, seq, kind, at_ms, fact) VALUES (1, 14, '${kind}', 0, '${JSON.stringify(fact)}')`;
const setFact = (seq: number, name: string, json: string) =>
  `UPDATE journal SET fact = json_set(fact, '$.${name}', json('${json}')) WHERE seq = ${seq}`;

/** By what was done to the ledger: the statements, and the rules that must fail. */
const TAMPERINGS: Record<string, readonly [sql: string, ...rules: string[]]> = {
  'two orders swap a ticket': [
    `UPDATE claims SET claimed_by = ${second.orderId} WHERE ticket = 0;
     UPDATE claims SET claimed_by = ${first.orderId} WHERE ticket = 2`,
    'S1',
  ],
  'a held ticket is marked as sold': ['UPDATE claims SET kind = 1 WHERE ticket = 4', 'S1', 'S2'],
  'a claim is by an order that is not there': [
    'UPDATE claims SET claimed_by = 1 WHERE ticket = 0',
    'S1',
    'S3',
  ],
  'a claim comes from nowhere': ['INSERT INTO claims VALUES (1, 9, 1, 1)', 'S1', 'S2'],
  'a claim names a ticket outside the event': [
    `INSERT INTO claims VALUES (1, 10, 1, ${first.orderId})`,
    ...['S1', 'S2', 'S3'],
  ],
  'a ticket is sold twice in the journal': [setFact(3, 'tickets', '[1, 3]'), 'S1', 'S3'],
  'a ticket is sold twice in all tables': [
    `${setFact(3, 'tickets', '[1, 3]')};
     UPDATE orders SET tickets = '[1, 3]' WHERE order_id = ${second.orderId};
     ALTER TABLE claims RENAME TO guarded;
     CREATE TABLE claims AS SELECT * FROM guarded;
     UPDATE claims SET ticket = 1 WHERE ticket = 2`,
    ...['S1', 'S3'],
  ],
  'a journal entry sells what a hold has': [
    addToJournal('bought', { orderId: '7', tickets: [4] }),
    'S1',
    'S2',
    'S3',
    'S11',
  ],
  'a hold is confirmed with the tickets of another': [setFact(6, 'tickets', '[4]'), 'S1', 'S3'],
  'a journal entry names a ticket outside the event': [setFact(3, 'tickets', '[2, 10]'), 'S1', 'S2', 'S3'],
  'more is claimed in the journal than there are tickets': [
    addToJournal('bought', { orderId: '7', tickets: [0, 1, 2, 3, 4, 5, 6] }),
    ...['S1', 'S2', 'S3', 'S11'],
  ],
  'the event has more tickets than it was made with': ['UPDATE events SET capacity = 11', 'S2'],
  'the event has fewer tickets than were sold': ['UPDATE events SET capacity = 3', 'S1', 'S2', 'S3'],
  'the head counts a sale too much': ['UPDATE event_heads SET sold = sold + 1', 'S2'],
  'the head counts a hold too little': ['UPDATE event_heads SET held = held - 1', 'S2'],
  'a claim is deleted': ['DELETE FROM claims WHERE ticket = 1', 'S2', 'S3'],
  'a claim of an active hold is deleted': ['DELETE FROM claims WHERE ticket = 5', 'S2', 'S3'],
  'an order lists another ticket': [`UPDATE orders SET tickets = '[0, 9]' WHERE seq = 2`, 'S3'],
  'an order lists one ticket less': [`UPDATE orders SET tickets = '[0]' WHERE seq = 2`, 'S3', 'S10'],
  'an active hold lists another ticket': [`UPDATE holds SET tickets = '[4, 9]' WHERE seq = 4`, 'S3'],
  'an active hold is marked as released': [`UPDATE holds SET status = 'released' WHERE seq = 4`, 'S3', 'S6'],
  'a released hold is marked as active': [`UPDATE holds SET status = 'active' WHERE seq = 7`, 'S3', 'S6'],
  'a released hold is marked as expired': [`UPDATE holds SET status = 'expired' WHERE seq = 7`, 'S6'],
  'a hold is released twice': [
    addToJournal('released', { holdId: given.holdId, tickets: [7] }),
    ...['S1', 'S2', 'S3', 'S6'],
  ],
  'a confirmed hold expires': [addToJournal('expired', { holdId: kept.holdId, tickets: [] }), 'S6'],
  'a hold that never was expires': [addToJournal('expired', { holdId: '7', tickets: [] }), 'S6'],
  'a hold is deleted': [`DELETE FROM holds WHERE seq = 7`, 'S6'],
  'an order is deleted': ['DELETE FROM orders WHERE seq = 3', 'S11'],
  'an order is added': [
    `INSERT INTO orders VALUES (1, 1, 12, 'confirmed', NULL, '', '[]', 0, NULL, '[]', 0, 'EUR', '[]', 0)`,
    ...['S11'],
  ],
  'an order is moved to another number': ['UPDATE orders SET seq = 5 WHERE seq = 2', 'S3', 'S11'],
  'a returned ticket is still claimed': [
    `INSERT INTO claims VALUES (1, 9, 1, ${partly.orderId})`,
    ...['S1', 'S2', 'S3'],
  ],
  'an order forgets what was returned': [`UPDATE orders SET returned = '[]' WHERE seq = 11`, 'S3'],
  'a ticket is returned twice': [
    addToJournal('returned', { orderId: partly.orderId, tickets: [9], refundedAmount: 0 }),
    ...['S1', 'S2', 'S3', 'S6'],
  ],
  'tickets are returned of no order': [
    addToJournal('returned', { orderId: '7', tickets: [], refundedAmount: 0 }),
    'S11',
  ],
  'an order with tickets is void': [`UPDATE orders SET status = 'void' WHERE seq = 11`, 'S6'],
  'an order costs another sum': ['UPDATE orders SET total = 1 WHERE seq = 2', 'S10'],
  'an order costs other lines': [`UPDATE orders SET price_lines = '[["ga",2,9]]' WHERE seq = 2`, 'S10'],
  'a hold costs another sum': ['UPDATE holds SET total = 1 WHERE seq = 4', 'S10'],
  'an order costs other than its hold': [setFact(6, 'total', '1'), 'S10'],
  'an order forgets what was paid back': ['UPDATE orders SET refunded_amount = 0 WHERE seq = 11', 'S10'],
  'more is paid back than was paid': [setFact(12, 'refundedAmount', '2501'), 'S10'],
  'a hold is moved to another number': ['UPDATE holds SET seq = 1 WHERE seq = 7', 'S11'],
  'a journal entry is deleted': ['DELETE FROM journal WHERE seq = 1', 'S11'],
  'the last journal entry is deleted': ['DELETE FROM journal WHERE seq = 13', 'S1', 'S2', 'S3', 'S6', 'S11'],
  'a journal entry is moved behind the others': ['UPDATE journal SET seq = 14 WHERE seq = 1', 'S11'],
  'the sequence of the event goes on without the journal': ['UPDATE event_heads SET seq = 14', 'S11'],
};

describe('audit', () => {
  test('[S1] an honest ledger passes, and the audit says what it compared', () => {
    assert.deepEqual(auditAfter(''), [
      { rule: 'S1', ok: true, detail: 'no ticket was claimed twice in 13 journal entries' },
      { rule: 'S2', ok: true, detail: '1 available + 3 held + 6 sold = 10' },
      { rule: 'S3', ok: true, detail: '4 orders and 5 holds have all their tickets' },
      { rule: 'S6', ok: true, detail: '5 holds ended at most once' },
      { rule: 'S10', ok: true, detail: '4 orders cost 8750, 1000 was paid back' },
      { rule: 'S11', ok: true, detail: 'journal entries 1 to 13 without a gap' },
    ]);
  });

  for (const [what, [sql, ...rules]] of Object.entries(TAMPERINGS)) {
    test(`[${rules.join(', ')}] the audit finds that ${what}`, () => {
      const failed = auditAfter(sql).filter(({ ok }) => !ok);
      assert.deepEqual(
        failed.map(({ rule }) => rule),
        rules,
        JSON.stringify(failed, null, 2),
      );
      for (const { detail } of failed) assert.match(detail, /^\d+ violation\(s\), the first: /);
    });
  }
});
