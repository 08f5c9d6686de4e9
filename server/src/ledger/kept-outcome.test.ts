// What earlier releases kept under their keys is answered by this one, word for word in the meaning it had.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { EventEntries, underKey } from './contract/test-entries.ts';
import { plain } from './contract/test-script.ts';
import { keptOutcome } from './kept-outcome.ts';
import { SqliteWriter } from './sqlite/writer.ts';

const REFUSED = { status: 'refused' };
const BOUGHT = { status: 'committed', seq: 2, atMs: 5, tickets: [0], buyer: null, orderId: '7', secret: 's' };

const CASES = [
  [{ ...BOUGHT, note: 3 }, { ...BOUGHT, remaining: 3 }],
  [BOUGHT, BOUGHT],
  [{ ...REFUSED, refusal: 'SOLD_OUT', note: 0 }, { ...REFUSED, refusal: 'SOLD_OUT', detail: { remaining: 0 } }],
  [{ ...REFUSED, refusal: 'SOLD_OUT' }, { ...REFUSED, refusal: 'SOLD_OUT' }],
  [{ ...REFUSED, refusal: 'ALL_HELD', note: 12 }, { ...REFUSED, refusal: 'ALL_HELD', detail: { remaining: 12 } }],
  [
    { ...REFUSED, refusal: 'ALL_HELD', note: 1_790_000_000_000 },
    { ...REFUSED, refusal: 'ALL_HELD', detail: { nextExpiryAtMs: 1_790_000_000_000 } },
  ],
  [
    { ...REFUSED, refusal: 'NOT_ON_SALE', note: 1_790_000_000_000 },
    { ...REFUSED, refusal: 'NOT_ON_SALE', detail: { onSaleAtMs: 1_790_000_000_000 } },
  ],
  [{ ...REFUSED, refusal: 'BELOW_MINIMUM', note: 2 }, { ...REFUSED, refusal: 'BELOW_MINIMUM', detail: { perOrder: 2 } }],
  [{ ...REFUSED, refusal: 'LIMIT_REACHED', note: 4 }, { ...REFUSED, refusal: 'LIMIT_REACHED', detail: { perOrder: 4 } }],
  [
    { ...REFUSED, refusal: 'SEAT_TAKEN', seats: [4, 2] },
    { ...REFUSED, refusal: 'SEAT_TAKEN', detail: { seats: [4, 2] } },
  ],
] as const; // biome-ignore format: a table

test('[S5] an outcome kept by an earlier release is read in the meaning it had', () => {
  for (const [kept, read] of CASES) assert.deepEqual(plain(keptOutcome(JSON.stringify(kept))), read);
  for (const [, read] of CASES) assert.deepEqual(keptOutcome(JSON.stringify(read)), read);
});

test('[S5] a key of an earlier release replays its answer', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'floodgate-kept-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'floodgate.db');
  const entries = new EventEntries(4);
  const writer = new SqliteWriter(file);
  t.after(() => writer.close());
  writer.commit([
    entries.create(),
    entries.refuse('ALL_HELD', underKey('a')),
    entries.buy([0], underKey('b')),
  ]);
  const db = new DatabaseSync(file);
  const rewrite = db.prepare('UPDATE idempotency_keys SET outcome = ? WHERE idempotency_key = ?');
  rewrite.run('{"status":"refused","refusal":"ALL_HELD","note":2}', 'a');
  rewrite.run(JSON.stringify({ ...BOUGHT, note: 3 }), 'b');
  db.close();
  const [refused, bought] = writer.commit([
    entries.buy([1], underKey('a')),
    entries.refuse('SOLD_OUT', underKey('b')),
  ]);
  assert.deepEqual(plain(refused), {
    status: 'refused',
    refusal: 'ALL_HELD',
    detail: { remaining: 2 },
    replayed: true,
  });
  assert.deepEqual(plain(bought), { ...BOUGHT, remaining: 3, replayed: true });
});
