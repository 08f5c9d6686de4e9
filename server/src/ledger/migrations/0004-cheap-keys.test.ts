// What earlier releases kept under their keys is answered by this one, word for word in the meaning it had.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { toSchema3 } from '../contract/older-schemas.ts';
import { EventEntries, underKey } from '../contract/test-entries.ts';
import { plain } from '../contract/test-script.ts';
import { SqliteWriter } from '../sqlite/writer.ts';
import { outcomeOfOldRow } from './0004-cheap-keys.ts';

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
  for (const [kept, read] of CASES) assert.deepEqual(plain(outcomeOfOldRow(JSON.stringify(kept))), read);
  for (const [, read] of CASES) assert.deepEqual(plain(outcomeOfOldRow(JSON.stringify(read))), read);
});

test('[S5] a key of an earlier release replays its answer', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'floodgate-kept-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'floodgate.db');
  const entries = new EventEntries(4);
  const sale = entries.buy([0]);
  const before = new SqliteWriter(file);
  const [, made] = before.commit([entries.create(), sale]);
  before.close();
  const outcome = { ...made, note: 3 };
  keepAsBefore(file, [
    ['', 'a', '{"status":"refused","refusal":"ALL_HELD","note":2}'],
    ['ann', 'b', JSON.stringify(outcome)],
  ]);

  const writer = new SqliteWriter(file);
  t.after(() => writer.close());
  const [refused, bought, other] = writer.commit([
    entries.buy([1], underKey('a', HASH)),
    entries.refuse('SOLD_OUT', underKey('b', HASH, 'ann')),
    entries.refuse('SOLD_OUT', underKey('b', 'another request', 'ann')),
  ]);
  const detail = { remaining: 2 };
  assert.deepEqual(plain(refused), { status: 'refused', refusal: 'ALL_HELD', detail, replayed: true });
  assert.deepEqual(plain(bought), { ...plain(made), remaining: 3, replayed: true });
  assert.deepEqual(plain(other), { status: 'refused', refusal: 'IDEMPOTENCY_KEY_REUSED' });
});

/** As many characters as earlier releases kept; the first of them count. */
const HASH = 'a-hash-of-a-request-as';

/** Takes the file back to the schema before keys were made cheap, with these in it. */
function keepAsBefore(
  file: string,
  kept: readonly (readonly [scope: string, key: string, outcome: string])[],
) {
  toSchema3(file);
  const db = new DatabaseSync(file);
  const insert = db.prepare('INSERT INTO idempotency_keys VALUES (1, ?, ?, ?, ?)');
  for (const [scope, key, outcome] of kept) insert.run(scope, key, `${HASH}-and-some-more-of-it`, outcome);
  db.close();
}
