// Kept keys against a plain map, and what they are made for: pages written do not grow with what is kept.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { keyDigest } from '../ledger.ts';
import { KEPT_KEYS_TABLES, KeptKeys } from './kept-keys.ts';

/** So small that a few keys make many runs. */
const RUN_KEYS = 8;
const ANSWER = { answer: 'SOLD_OUT', detail: null, subject: null } as const;

function newFile(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'floodgate-kept-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'kept.db');
  const db = openFile(file);
  for (const table of KEPT_KEYS_TABLES) db.exec(table);
  db.close();
  return file;
}

function openFile(file: string): DatabaseSync {
  const db = new DatabaseSync(file);
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 0');
  return db;
}

const digestOf = (key: number) => keyDigest('', `key ${key}`);

test('[S5] what is kept is found, in its event only, whatever runs and restarts lie between', (t) => {
  const file = newFile(t);
  const steps = fc.array(
    fc.record({
      eventNo: fc.integer({ min: 1, max: 3 }),
      key: fc.integer({ min: 0, max: 60 }),
      next: fc.constantFrom('go on', 'go on', 'go on', 'roll back', 'open again'),
    }),
    { maxLength: 120 },
  );
  fc.assert(
    fc.property(steps, (all) => {
      let db = openFile(file);
      db.exec('DELETE FROM kept_keys; DELETE FROM kept_key_runs; DELETE FROM kept_key_parts');
      let keys = new KeptKeys(db, RUN_KEYS);
      const kept = new Map<string, string>();
      for (const [step, { eventNo, key, next }] of all.entries()) {
        const digest = digestOf(key);
        const address = `${eventNo} ${digest}`;
        assert.equal(keys.find(eventNo, digest)?.hash, kept.get(address));
        db.exec('BEGIN');
        if (kept.has(address)) {
          assert.throws(() => keys.keep(eventNo, digest, 'again', ANSWER), /is kept already/);
        } else keys.keep(eventNo, digest, `${step}`, ANSWER);
        if (next !== 'roll back' && !kept.has(address)) kept.set(address, `${step}`);
        db.exec(next === 'roll back' ? 'ROLLBACK' : 'COMMIT');
        if (next === 'open again') {
          db.close();
          db = openFile(file);
        }
        if (next !== 'go on') keys = new KeptKeys(db, RUN_KEYS);
      }
      for (const [address, hash] of kept) {
        const [eventNo, digest] = address.split(' ');
        assert.equal(keys.find(Number(eventNo), digest!)?.hash, hash);
      }
      db.close();
    }),
    { numRuns: 60 },
  );
});

test('[S5] the same key in a thousand events is a thousand keys, and none is a long list of candidates', (t) => {
  const db = openFile(newFile(t));
  t.after(() => db.close());
  const keys = new KeptKeys(db, 256);
  db.exec('BEGIN');
  for (let eventNo = 1; eventNo <= 1_000; eventNo++) keys.keep(eventNo, digestOf(1), `${eventNo}`, ANSWER);
  db.exec('COMMIT');
  for (let eventNo = 1; eventNo <= 1_000; eventNo++) {
    assert.equal(keys.find(eventNo, digestOf(1))?.hash, `${eventNo}`);
  }
  assert.equal(keys.find(1_001, digestOf(1)), undefined);
});

test('[S5] fingerprints that agree are told apart by the whole digest', (t) => {
  const db = openFile(newFile(t));
  t.after(() => db.close());
  const keys = new KeptKeys(db, RUN_KEYS);
  // The first ten characters are all that a fingerprint knows.
  const digests = Array.from({ length: 3 * RUN_KEYS }, (_, n) => `AAAAAAAAAA-${n}`.padEnd(22, 'x'));
  db.exec('BEGIN');
  for (const digest of digests) keys.keep(1, digest, digest, ANSWER);
  db.exec('COMMIT');
  for (const digest of digests) assert.equal(keys.find(1, digest)?.hash, digest);
  assert.equal(keys.find(1, 'AAAAAAAAAA-other-xxxxx'), undefined);
});

test('[S5] a batch of keys writes as few pages into a large table as into an empty one', (t) => {
  const file = newFile(t);
  const db = openFile(file);
  t.after(() => db.close());
  const keys = new KeptKeys(db, 4_096);
  let next = 0;
  /** Bytes that the write-ahead log grows by: a frame for each page that a commit touched. */
  const grownBy = (batches: number) => {
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    for (let batch = 0; batch < batches; batch++) {
      db.exec('BEGIN');
      for (let key = 0; key < 64; key++) keys.keep(1, digestOf(next++), 'hash-of-twenty-two-char', ANSWER);
      db.exec('COMMIT');
    }
    return statSync(`${file}-wal`).size;
  };
  const first = grownBy(256);
  for (let rounds = 0; rounds < 3; rounds++) grownBy(256);
  const last = grownBy(256);
  // A tree over random keys would touch a page for nearly every key of a batch: some 64 instead of 3.
  assert.ok(last < 1.5 * first, `${last} bytes, ${first} at first`);
  assert.ok(last < 256 * 64 * 400, `${last / (256 * 64)} bytes a key`);
});
