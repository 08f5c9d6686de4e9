// Commits batches on a database server, whatever happens on the way: tries again what the server rolled back, goes
// on after a broken connection, and finds out what became of a commit whose answer was lost.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connections } from '../../../drivers/sql/connections.ts';
import type { Reach } from '../../../drivers/sql/reach.ts';
import { CannotReachDatabase } from '../../../drivers/sql/sql.ts';
import { singleFlight, within } from '../../../drivers/time.ts';
import type { Verdict } from '../../judge/state.ts';
import { type Entry, LedgerOutcomeUnknown, LedgerUnavailable } from '../../ledger.ts';
import { type BatchRooms, CommitUnanswered, runBatch, type Unanswered, wasCommitted } from './batch.ts';
import type { BatchConnection } from './sql-server.ts';

/** How often a batch is tried again that the server rolled back (deadlock, serialization failure, lock timeout). */
const MAX_TRIES_AGAIN = 5;
/** And for how long: who waited in vain for a lock, some seconds long, is not made to wait for it once more. */
const TRY_AGAIN_MS = 2_500;
/** How long a batch looks for a connection that works. */
const RECONNECT_MS = 2_000;
/**
 * It is looked for what became of a commit until its batch is so old: longer than a server keeps the locks of who
 * vanished. A batch that is nearly so old already, because its answer was waited for, gets the shorter time.
 */
const RESOLVE_MS = 6_500;
const SHORT_RESOLVE_MS = 1_500;
const PAUSE_MS = 100;

export interface WriterRooms extends BatchRooms {
  readonly connections: Connections<BatchConnection>;
  readonly reach: Reach;
}

export class SqlWriter {
  readonly #rooms: WriterRooms;
  /** The last commit's fault, until one succeeds. */
  #hasFailed = false;
  readonly #checkOnce = singleFlight(() => this.#look());

  constructor(rooms: WriterRooms) {
    this.#rooms = rooms;
  }

  /** False while the last commit failed and nothing has shown since that the next may succeed. */
  get isWritable(): boolean {
    return this.#rooms.reach.isUp && !this.#hasFailed;
  }

  /** The database is back. */
  recovered(): void {
    this.#hasFailed = false;
  }

  /**
   * Somebody could make no connection: looks whether ours still work. The server may only have none left for others,
   * and then selling goes on.
   */
  check(): void {
    if (this.#rooms.reach.isUp) void this.#checkOnce();
  }

  /** A connection that breaks says nothing about the next, so another is asked: only one that cannot be made does. */
  async #look(): Promise<void> {
    const { connections, reach, server } = this.#rooms;
    for (let tries = 0; tries < 3; tries++) {
      try {
        return await connections.use(async (connection) => void (await connection.nowMs()));
      } catch (error) {
        if (error instanceof CannotReachDatabase) return reach.failed(error);
        if (server.faultOf(error) !== 'connection lost') return;
      }
    }
  }

  /** Rejects with LedgerUnavailable, or with LedgerOutcomeUnknown. */
  async commit(entries: readonly Entry[]): Promise<Verdict[]> {
    try {
      const verdicts = await new Attempts(this.#rooms, entries).run();
      this.#hasFailed = false;
      return verdicts;
    } catch (error) {
      this.#hasFailed = true;
      if (error instanceof LedgerOutcomeUnknown) throw error;
      throw new LedgerUnavailable((error as Error).message, { cause: error });
    }
  }
}

/** The tries of one batch. */
class Attempts {
  readonly #rooms: WriterRooms;
  readonly #entries: readonly Entry[];
  readonly #startMs = performance.now();
  #triesAgain = 0;

  constructor(rooms: WriterRooms, entries: readonly Entry[]) {
    this.#rooms = rooms;
    this.#entries = entries;
  }

  async run(): Promise<Verdict[]> {
    for (;;) {
      try {
        return await this.#try();
      } catch (error) {
        await this.#beforeNext(error as Error);
      }
    }
  }

  async #try(): Promise<Verdict[]> {
    const { reach, connections } = this.#rooms;
    if (!reach.isUp) throw new CannotReachDatabase(`${this.#rooms.server.description} is away`);
    try {
      return await connections.use((connection) => runBatch(this.#rooms, connection, this.#entries));
    } catch (error) {
      if (error instanceof CannotReachDatabase) reach.failed(error);
      if (!(error instanceof CommitUnanswered)) throw error;
      if (await this.#wasCommitted(error.unanswered)) return error.unanswered.verdicts;
      throw error;
    }
  }

  /** Returns when the batch may be tried again, throws when not. */
  async #beforeNext(error: Error): Promise<void> {
    const { server, reach } = this.#rooms;
    const passedMs = performance.now() - this.#startMs;
    if (error instanceof LedgerOutcomeUnknown) throw error;
    if (server.faultOf(error) === 'try again') {
      if (++this.#triesAgain > MAX_TRIES_AGAIN || passedMs > TRY_AGAIN_MS) throw error;
      await sleep(Math.random() * 10 * 2 ** this.#triesAgain);
    } else if (error instanceof CommitUnanswered || server.faultOf(error) === 'connection lost') {
      // Nothing was written: for an unanswered commit, that was looked up.
      if (passedMs >= RECONNECT_MS) throw error;
      await reach.upWithin(RECONNECT_MS - passedMs);
      if (!reach.isUp) throw error;
    } else {
      throw error;
    }
  }

  async #wasCommitted(unanswered: Unanswered): Promise<boolean> {
    const passedMs = performance.now() - this.#startMs;
    const leftMs = Math.max(RESOLVE_MS - passedMs, SHORT_RESOLVE_MS);
    return within(leftMs, this.#lookFor(unanswered, performance.now() + leftMs), () => {
      const waitedMs = Math.round(leftMs);
      return new LedgerOutcomeUnknown(`what became of a commit was not known after ${waitedMs} ms`);
    });
  }

  async #lookFor(unanswered: Unanswered, deadlineMs: number): Promise<boolean> {
    const { server, connections, reach } = this.#rooms;
    for (;;) {
      try {
        await reach.upWithin(deadlineMs - performance.now());
        if (!reach.isUp) throw new CannotReachDatabase(`${server.description} is away`);
        const found = await connections.use((connection) => wasCommitted(connection, unanswered));
        if (found) this.#rooms.catalogue.rememberWritten(unanswered.write);
        return found;
      } catch (error) {
        if (error instanceof CannotReachDatabase) reach.failed(error);
        if (performance.now() > deadlineMs) {
          throw new LedgerOutcomeUnknown(`what became of a commit is not known: ${(error as Error).message}`);
        }
        await sleep(PAUSE_MS);
      }
    }
  }
}
