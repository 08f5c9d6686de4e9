// The audit's teeth for what staff and extensions do: one row at a time is tampered with, and the right rules fail.
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, describe, test } from 'node:test';
import type { AllocationId } from '@floodgate/core/ids.ts';
import { EventEntries, freshId, TestClock, ticketsOf } from './contract/test-entries.ts';
import { SqliteReader } from './sqlite/reader.ts';
import { SqliteWriter } from './sqlite/writer.ts';

const folder = mkdtempSync(join(tmpdir(), 'floodgate-'));
after(() => rmSync(folder, { recursive: true }));

const entries = new EventEntries(8);
const hold = entries.hold([2], { ttlMs: 60_000 });
const allocationId = freshId<AllocationId>();

/** Facts 1 to 7: tickets 5 and 8 are set aside, ticket 6 was and is sold, ticket 2 is held for longer. */
function writeLedger(): string {
  const file = join(folder, 'ledger.db');
  const writer = new SqliteWriter(file, new TestClock());
  const setAside = ticketsOf(5, 6, 8);
  const event = entries.grown(2);
  writer.commit([entries.create(), entries.buy([0, 1]), hold, entries.extend(hold.holdId, 120_000)]);
  writer.commit([entries.change(1, { event, setAside, allocationId })]);
  writer.commit([entries.change(5, { event, restored: ticketsOf(6) }), entries.buy([6])]);
  writer.close();
  return file;
}

const original = writeLedger();
let copies = 0;

function auditAfter(sql: string) {
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

const setFact = (seq: number, name: string, json: string) =>
  `UPDATE journal SET fact = json_set(fact, '$.${name}', json('${json}')) WHERE seq = ${seq}`;
const deadline = 'SELECT expires_at_ms FROM holds';

/** By what was done to the ledger: the statements, and the rules that must fail. */
const TAMPERINGS: Record<string, readonly [sql: string, ...rules: string[]]> = {
  'a ticket that is set aside is marked as sold': ['UPDATE claims SET kind = 1 WHERE ticket = 5', 'S1', 'S2'],
  'a sold ticket is marked as set aside': ['UPDATE claims SET kind = 2 WHERE ticket = 6', 'S1', 'S2'],
  'a ticket is set aside for another allocation': ['UPDATE claims SET claimed_by = 7 WHERE ticket = 5', 'S1'],
  'a ticket that is set aside is free': ['DELETE FROM claims WHERE ticket = 8', 'S2'],
  'a ticket comes aside from nowhere': [`INSERT INTO claims VALUES (1, 9, 2, ${allocationId})`, 'S1', 'S2'],
  'the head counts a ticket aside too much': ['UPDATE event_heads SET aside = aside + 1', 'S2'],
  'a sold ticket is set aside in the journal': [setFact(5, 'setAside', '[5, 6, 8, 0]'), 'S1', 'S2', 'S3'],
  'a ticket is set aside that the event does not have': [setFact(5, 'setAside', '[5, 6, 10]'), 'S1', 'S2'],
  'a ticket is set aside before the event has it': [setFact(5, 'capacity', '8'), 'S2'],
  'a ticket is put on sale that was not set aside': [setFact(6, 'restored', '[6, 7]'), 'S1', 'S2'],
  'a ticket is sold that was not put on sale': [setFact(6, 'restored', '[]'), 'S1', 'S2'],
  'the event shrinks in the journal': [setFact(6, 'capacity', '9'), 'S2'],
  'the event has a ticket more than staff gave it': ['UPDATE events SET capacity = 11', 'S2'],
  'the event has a ticket less than staff gave it': ['UPDATE events SET capacity = 9', 'S2'],
  'a change was made from another version': [setFact(6, 'previous', '1'), 'S11'],
  'the head names another change': ['UPDATE event_heads SET version = 5', 'S11'],
  'a hold has more time than its journal gave it': [
    'UPDATE holds SET expires_at_ms = expires_at_ms + 1',
    'S6',
  ],
  'an extension takes time': [setFact(4, 'expiresAtMs', '1'), 'S6'],
  'an extension comes after the deadline': [`UPDATE journal SET at_ms = (${deadline}) WHERE seq = 4`, 'S6'],
  'a hold is extended that never was': [setFact(4, 'holdId', '"7"'), 'S6'],
};

describe('audit of what staff did', () => {
  test('[S2] an honest ledger passes, and the audit counts what is set aside', () => {
    const checks = auditAfter('');
    for (const { rule, ok, detail } of checks) assert.ok(ok, `${rule}: ${detail}`);
    const { detail } = checks.find(({ rule }) => rule === 'S2')!;
    assert.equal(detail, '4 available + 1 held + 3 sold + 2 set aside = 10');
  });

  for (const [what, [sql, ...rules]] of Object.entries(TAMPERINGS)) {
    test(`[${rules.join(', ')}] the audit finds that ${what}`, () => {
      const failed = auditAfter(sql).filter(({ ok }) => !ok);
      assert.deepEqual(failed.map(({ rule }) => rule), rules, JSON.stringify(failed, null, 2)); // biome-ignore format: short
    });
  }
});
