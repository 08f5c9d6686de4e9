// Several SQL ledgers on one database, as several processes would have them, and ways to put load on them.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { patienceMs } from '@floodgate/core/testing/patience.ts';
import type { Entry, Outcome } from '../ledger.ts';
import type { SqlServer } from '../servers/shared/sql-server.ts';
import { SqlLedger, type SqlLedgerOptions } from '../servers/sql-ledger.ts';
import type { EventEntries } from './test-entries.ts';
import { assertGranted } from './test-script.ts';

export const OPTIONS: SqlLedgerOptions = {
  commits: { maxBatch: 1_000, maxWaiting: 10_000 },
  isProduction: true,
  warn: () => {},
};

/** Opens a ledger on each server, and closes all of them when `use` ends, however it ends. */
export async function withLedgers(
  servers: readonly SqlServer[],
  use: (...ledgers: SqlLedger[]) => Promise<void>,
  options: Partial<SqlLedgerOptions> = {},
): Promise<void> {
  const ledgers: SqlLedger[] = [];
  try {
    for (const server of servers) ledgers.push(await SqlLedger.open(server, { ...OPTIONS, ...options }));
    await use(...ledgers);
  } finally {
    await Promise.all(ledgers.map((ledger) => ledger.close()));
  }
}

export async function assertAudited(ledger: SqlLedger, { eventId }: EventEntries): Promise<void> {
  for (const { rule, ok, detail } of await ledger.audit(eventId)) assert.ok(ok, `${rule}: ${detail}`);
}

/**
 * Asserts that what the journal shows at every moment is 1, 2, 3 … without a gap and in the order of time, until
 * `stop` is called.
 */
export function watchJournal(ledger: SqlLedger, { eventId }: EventEntries): { stop(): Promise<number> } {
  let isStopped = false;
  let [seen, lastMs] = [0, 0];
  const watch = async () => {
    for (;;) {
      // Once more after the stop, so that everything that was answered before it is seen.
      const isLast = isStopped;
      for (const { seq, atMs } of await ledger.journal(eventId, seen, 1_000)) {
        assert.equal(seq, seen + 1, `entry ${seq} was seen behind ${seen}`);
        assert.ok(atMs >= lastMs, `entry ${seq} is ${lastMs - atMs} ms before the one before it`);
        [seen, lastMs] = [seq, atMs];
      }
      if (isLast) return seen;
      await sleep(2);
    }
  };
  const watched = watch();
  watched.catch(() => {});
  return {
    stop: () => {
      isStopped = true;
      return watched;
    },
  };
}

/** Posts, and tells how it ended in a word. */
export async function tryPost(ledger: SqlLedger, entry: Entry): Promise<Outcome | 'unavailable' | 'unknown'> {
  try {
    return await ledger.post(entry);
  } catch (error) {
    const { name } = error as Error;
    assert.match(name, /^Ledger(Unavailable|OutcomeUnknown)$/, String(error));
    return name === 'LedgerUnavailable' ? 'unavailable' : 'unknown';
  }
}

const BUYERS = 8;

/** Buys ticket after ticket until stopped, and remembers what was answered. */
export class Load {
  /** Tickets by what became of their purchases. */
  readonly sold: number[] = [];
  readonly unknown: number[] = [];
  unavailable = 0;
  /** When the last was sold, by performance.now(). */
  lastSoldMs = 0;
  readonly #ledger: SqlLedger;
  readonly #entries: EventEntries;
  readonly #buyers: Promise<void>[] = [];
  readonly #tickets: Iterator<number>;
  #isStopped = false;

  private constructor(ledger: SqlLedger, entries: EventEntries, tickets: Iterator<number>) {
    this.#ledger = ledger;
    this.#entries = entries;
    this.#tickets = tickets;
    for (let i = 0; i < BUYERS; i++) this.#buyers.push(this.#buy());
  }

  /** One on each ledger while `use` runs; all end with it, however it ends. */
  static async on(
    ledgers: readonly SqlLedger[],
    entries: EventEntries,
    use: (...loads: Load[]) => Promise<void>,
    tickets: Iterator<number> = numbers(),
  ): Promise<void> {
    const loads = ledgers.map((ledger) => new Load(ledger, entries, tickets));
    try {
      await use(...loads);
    } finally {
      await Promise.all(loads.map((load) => load.stop()));
    }
  }

  /** How many purchases were not granted. */
  get failed(): number {
    return this.unavailable + this.unknown.length;
  }

  async #buy(): Promise<void> {
    for (let next = this.#tickets.next(); !next.done && !this.#isStopped; next = this.#tickets.next()) {
      const ticket = next.value;
      const outcome = await tryPost(this.#ledger, this.#entries.buy([ticket]));
      if (outcome === 'unavailable') {
        this.unavailable++;
        await sleep(10);
      } else if (outcome === 'unknown') {
        this.unknown.push(ticket);
      } else {
        assertGranted(outcome);
        this.sold.push(ticket);
        this.lastSoldMs = performance.now();
      }
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#buyers);
  }

  /** Every answered sale is in the ledger, and nothing that was said to be undone. */
  async assertKept(ledger: SqlLedger = this.#ledger): Promise<void> {
    const { sold } = await ledger.claims(this.#entries.eventId);
    const kept = new Set(sold);
    for (const ticket of this.sold) assert.ok(kept.has(ticket), `ticket ${ticket} was sold and is lost`);
    const explained = new Set([...this.sold, ...this.unknown]);
    for (const ticket of kept) assert.ok(explained.has(ticket), `ticket ${ticket} was refused and is sold`);
    await assertAudited(ledger, this.#entries);
  }
}

/** 0, 1, 2 … */
export function* numbers(): Iterator<number> {
  for (let n = 0; ; n++) yield n;
}

/** Waits until the condition holds, which at rest takes so long at most. */
export async function until(condition: () => boolean, what: string, neededMs = 2_000): Promise<void> {
  const giveUpMs = performance.now() + patienceMs(neededMs);
  while (!condition()) {
    assert.ok(performance.now() < giveUpMs, `it never came: ${what}`);
    await sleep(5);
  }
}
