// Where a SQLite ledger keeps idempotency keys, for ever (rule S5). Clients choose keys at random, so a B-tree over them
// writes a page of its own for nearly every key: a keyed sale cost four times the CPU of the writer's other work, most
// of it in pages of 4 kB for rows of 100 bytes. Here nothing is written out of order:
//
// - rows are appended to `kept_keys`, numbered in the order they came;
// - which number a digest has is known in memory for the last rows, the *tail*, which is read again at the start;
// - a full tail becomes a *run*: its fingerprints and numbers, in parts by the fingerprint's first bits, and a Bloom
//   filter, which stays in memory. A look-up asks the tail, then each run's filter, and reads one part of a run whose
//   filter says "maybe" (about one in a thousand without reason).
//
// So a new key costs a row at the end of a table and a share of a run, and no read. With 10 million keys the filters are
// 20 MB and a look-up passes 150 of them, each one line of the processor's cache.
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { invariant } from '@floodgate/core/assert.ts';
import type { KeptAnswer } from '../kept-outcome.ts';
import { type Row, writing } from './rows.ts';

export const KEPT_KEYS_TABLES = [
  `CREATE TABLE kept_keys (
    key_no INTEGER PRIMARY KEY,
    event_no INTEGER NOT NULL,
    digest TEXT NOT NULL,
    hash TEXT NOT NULL,
    answer TEXT NOT NULL,
    subject INTEGER,
    detail TEXT
  ) STRICT`,
  `CREATE TABLE kept_key_runs (
    run_no INTEGER PRIMARY KEY,
    last_key_no INTEGER NOT NULL,
    filter BLOB NOT NULL
  ) STRICT`,
  // `part_no` is the run's number times PARTS and the part's own.
  'CREATE TABLE kept_key_parts (part_no INTEGER PRIMARY KEY, entries BLOB NOT NULL) STRICT',
] as const;

/** Keys in a run. A tail of as many is read at the start in some 40 ms. */
const RUN_KEYS = 65_536;
/** A power of two: a part of a full run is 3 kB. */
const PARTS = 256;
const PART_BITS = 8;
/** Numbers of an entry: two of the fingerprint, and which key of its run it is. */
const ENTRY = 3;
/** Bits of a filter for each key, or up to twice as many; eight of them are set, one in each word of a block. */
const FILTER_BITS = 16;
const BLOCK_WORDS = 8;

/** 60 bits of a digest, mixed with the event's number. */
interface Fingerprint {
  high: number;
  low: number;
}

interface Run {
  readonly runNo: number;
  readonly firstKeyNo: number;
  readonly filter: Uint32Array;
}

export class KeptKeys {
  readonly #runKeys: number;
  readonly #insert: StatementSync;
  readonly #row: StatementSync;
  readonly #part: StatementSync;
  readonly #insertRun: StatementSync;
  readonly #insertPart: StatementSync;
  readonly #runs: Run[] = [];
  #lastKeyNo = 0;
  // The tail: fingerprints in the order of their rows, and a hash table (open, linear) of where in it each is, plus 1.
  readonly #high: Int32Array;
  readonly #low: Int32Array;
  readonly #slots: Int32Array;
  #tailKeys = 0;
  readonly #sought: Fingerprint = { high: 0, low: 0 };
  readonly #bits = new Int32Array(BLOCK_WORDS);

  /** Reads what is not in a run yet. After a transaction that failed it must be made anew. */
  constructor(db: DatabaseSync, runKeys = RUN_KEYS) {
    this.#runKeys = runKeys;
    this.#high = new Int32Array(runKeys);
    this.#low = new Int32Array(runKeys);
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(runKeys * 2)));
    this.#insert = writing(db, 'INSERT INTO kept_keys VALUES (?, ?, ?, ?, ?, ?, ?)');
    this.#row = db.prepare(
      `SELECT hash, answer, CAST(subject AS TEXT) AS subject, detail FROM kept_keys
       WHERE key_no = ? AND event_no = ? AND digest = ?`,
    );
    this.#part = db.prepare('SELECT entries FROM kept_key_parts WHERE part_no = ?');
    this.#insertRun = db.prepare('INSERT INTO kept_key_runs VALUES (?, ?, ?)');
    this.#insertPart = db.prepare('INSERT INTO kept_key_parts VALUES (?, ?)');
    for (const row of db
      .prepare('SELECT run_no, last_key_no, filter FROM kept_key_runs ORDER BY run_no')
      .all()) {
      const filter = wordsOf(row.filter as Uint8Array, Uint32Array);
      this.#runs.push({ runNo: Number(row.run_no), firstKeyNo: this.#lastKeyNo + 1, filter });
      this.#lastKeyNo = Number(row.last_key_no);
    }
    const tail = db.prepare(
      'SELECT key_no, event_no, digest FROM kept_keys WHERE key_no > ? ORDER BY key_no',
    );
    for (const row of tail.iterate(this.#lastKeyNo)) {
      // Only an upgrade finds more than a tail: its keys came from a table of another kind.
      if (this.#tailKeys === this.#runKeys) this.#makeRun();
      fingerprint(Number(row.event_no), row.digest as string, this.#sought);
      this.#remember(this.#sought);
    }
  }

  /** The row that is kept under the key; undefined for a new one. */
  find(eventNo: number, digest: string): Row | undefined {
    const sought = this.#sought;
    fingerprint(eventNo, digest, sought);
    const { high, low } = sought;
    for (let slot = this.#slotOf(sought); ; slot = this.#next(slot)) {
      const at = this.#slots[slot]! - 1;
      if (at < 0) break;
      if (this.#high[at] !== high || this.#low[at] !== low) continue;
      const row = this.#read(this.#lastKeyNo - this.#tailKeys + 1 + at, eventNo, digest);
      if (row) return row;
    }
    const bits = bitsOf(low, this.#bits);
    for (const run of this.#runs) {
      if (!mayHold(run.filter, high, bits)) continue;
      const row = this.#findIn(run, sought, eventNo, digest);
      if (row) return row;
    }
    return undefined;
  }

  /**
   * Keeps a new key, inside the transaction of its entry. No key of a table guards it, so it looks itself whether the key
   * is there: the second line behind the judge.
   */
  keep(eventNo: number, digest: string, hash: string, { answer, subject, detail }: KeptAnswer): void {
    const isKept = this.find(eventNo, digest) !== undefined;
    if (isKept) invariant(false, `key ${digest} of event ${eventNo} is kept already`);
    if (this.#tailKeys === this.#runKeys) this.#makeRun();
    // `find` has left the key's fingerprint there.
    this.#remember(this.#sought);
    this.#insert.run(
      this.#lastKeyNo,
      eventNo,
      digest,
      hash,
      answer,
      subject,
      detail && JSON.stringify(detail),
    );
  }

  #remember(print: Fingerprint): void {
    this.#high[this.#tailKeys] = print.high;
    this.#low[this.#tailKeys] = print.low;
    this.#lastKeyNo++;
    let slot = this.#slotOf(print);
    while (this.#slots[slot] !== 0) slot = this.#next(slot);
    this.#slots[slot] = ++this.#tailKeys;
  }

  #slotOf({ low }: Fingerprint): number {
    return low & (this.#slots.length - 1);
  }

  #next(slot: number): number {
    return (slot + 1) & (this.#slots.length - 1);
  }

  #read(keyNo: number, eventNo: number, digest: string): Row | undefined {
    return this.#row.get(keyNo, eventNo, digest) as Row | undefined;
  }

  #findIn(run: Run, { high, low }: Fingerprint, eventNo: number, digest: string): Row | undefined {
    const part = this.#part.get(run.runNo * PARTS + partOf(high));
    const entries = wordsOf(part!.entries as Uint8Array, Int32Array);
    for (let at = 0; at < entries.length; at += ENTRY) {
      if (entries[at] !== high || entries[at + 1] !== low) continue;
      const row = this.#read(run.firstKeyNo + entries[at + 2]!, eventNo, digest);
      if (row) return row;
    }
    return undefined;
  }

  /** The full tail becomes a run: 800 kB in some milliseconds, once in 65,536 keys. */
  #makeRun(): void {
    const keys = this.#tailKeys;
    const counts = new Int32Array(PARTS);
    for (let at = 0; at < keys; at++) counts[partOf(this.#high[at]!)]!++;
    const parts = Array.from(counts, (count) => new Int32Array(count * ENTRY));
    const filled = new Int32Array(PARTS);
    const filter = new Uint32Array(
      Math.max(BLOCK_WORDS, 2 ** Math.ceil(Math.log2((keys * FILTER_BITS) / 32))),
    );
    for (let at = 0; at < keys; at++) {
      const [high, low] = [this.#high[at]!, this.#low[at]!];
      const part = partOf(high);
      parts[part]!.set([high, low, at], filled[part]!);
      filled[part]! += ENTRY;
      const block = blockOf(filter, high);
      for (const [word, bit] of bitsOf(low, this.#bits).entries()) filter[block + word]! |= bit;
    }
    const runNo = this.#runs.length;
    const firstKeyNo = this.#lastKeyNo - keys + 1;
    for (const [part, entries] of parts.entries())
      this.#insertPart.run(runNo * PARTS + part, bytesOf(entries));
    this.#insertRun.run(runNo, this.#lastKeyNo, bytesOf(filter));
    this.#runs.push({ runNo, firstKeyNo, filter });
    this.#slots.fill(0);
    this.#tailKeys = 0;
  }
}

// Fingerprints and filters ---------------------------------------------------------------------------------

/** The six bits of a character of base64url. Others do not occur, and would only make look-ups slower. */
const SIX_BITS = new Int8Array(128);
for (const [value, character] of [
  ...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_',
].entries()) {
  SIX_BITS[character.charCodeAt(0)] = value;
}

/** The first ten characters of the digest, five for each number: it is the digest that makes them random. */
function fingerprint(eventNo: number, digest: string, to: Fingerprint): void {
  let high = 0;
  let low = 0;
  for (let at = 0; at < 5; at++) high = (high << 6) | SIX_BITS[digest.charCodeAt(at) & 127]!;
  for (let at = 5; at < 10; at++) low = (low << 6) | SIX_BITS[digest.charCodeAt(at) & 127]!;
  // The same key in many events must not be one long list of candidates.
  const mixed = Math.imul(eventNo, 0x9e3779b1);
  to.high = (high ^ (mixed >>> 2)) & 0x3fffffff;
  to.low = (low ^ Math.imul(mixed, 0x85ebca6b)) & 0x3fffffff;
}

const partOf = (high: number): number => high >>> (30 - PART_BITS);

/** Odd numbers, at random: each spreads a fingerprint over the bits of one word of its block. */
const SPREAD = [
  0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31,
] as const;

/** Where a fingerprint's block of eight words begins. Filters have a power of two of words. */
const blockOf = (filter: Uint32Array, high: number): number => (high << 3) & (filter.length - 1);

/** One bit for each word of a block: a split block Bloom filter, as Parquet has them. */
function bitsOf(low: number, to: Int32Array): Int32Array {
  for (let word = 0; word < BLOCK_WORDS; word++) to[word] = 1 << (Math.imul(low, SPREAD[word]!) >>> 27);
  return to;
}

function mayHold(filter: Uint32Array, high: number, bits: Int32Array): boolean {
  const block = blockOf(filter, high);
  for (let word = 0; word < BLOCK_WORDS; word++) {
    if ((filter[block + word]! & bits[word]!) === 0) return false;
  }
  return true;
}

function bytesOf({ buffer }: Int32Array | Uint32Array): Uint8Array {
  return new Uint8Array(buffer);
}

/** Copies, because what SQLite returns need not begin at a multiple of four. */
function wordsOf<Words>(bytes: Uint8Array, Words: new (buffer: ArrayBuffer) => Words): Words {
  return new Words(bytes.slice().buffer as ArrayBuffer);
}
