// The SQLite ledger: a writer thread that commits in groups, and a reader thread beside it.
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { GroupCommit, type GroupCommitOptions } from '../group-commit.ts';
import type { Entry, Ledger, OutcomeOf } from '../ledger.ts';
import { LedgerClock } from '../ledger-clock.ts';
import { ReadingLater } from '../reading.ts';
import type { ReadName } from '../reads.ts';
import { lockLedger } from './lock.ts';
import { LedgerThread } from './thread.ts';
import { decodeVerdicts, encodeEntries } from './wire.ts';

export class SqliteLedger extends ReadingLater implements Ledger {
  readonly #writer: LedgerThread;
  readonly #reader: LedgerThread;
  readonly #commits: GroupCommit;
  readonly #clock: LedgerClock;
  readonly #unlock: () => void;
  #closed: Promise<void> | undefined;

  private constructor(
    writer: LedgerThread,
    reader: LedgerThread,
    clock: LedgerClock,
    unlock: () => void,
    options: GroupCommitOptions,
  ) {
    super();
    this.#writer = writer;
    this.#reader = reader;
    this.#clock = clock;
    this.#unlock = unlock;
    this.#commits = new GroupCommit(async (entries: Entry[]) => {
      return decodeVerdicts(entries, await writer.call<string>('commit', encodeEntries(entries)));
    }, options);
  }

  /**
   * Opens the ledger file, made with its folder when it is not there. Throws LedgerInUse, an error named
   * SchemaTooNew, or what the operating system said.
   */
  static async open(file: string, options: GroupCommitOptions): Promise<SqliteLedger> {
    mkdirSync(dirname(file), { recursive: true });
    const unlock = lockLedger(file);
    let writer: LedgerThread | undefined;
    try {
      writer = await LedgerThread.open({ role: 'writer', file });
      const reader = await LedgerThread.open({ role: 'reader', file });
      const clock = new LedgerClock(0, await writer.call<number>('clock'));
      return new SqliteLedger(writer, reader, clock, unlock, options);
    } catch (error) {
      await writer?.close();
      unlock();
      throw error;
    }
  }

  post<E extends Entry>(entry: E): Promise<OutcomeOf<E>> {
    return this.#commits.post(entry);
  }

  /** How many entries wait for the next batch. */
  get waiting(): number {
    return this.#commits.waiting;
  }

  isWritable(): boolean {
    return this.#commits.isWritable;
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  protected override answer(name: ReadName, asked: readonly unknown[]): Promise<unknown> {
    return this.#reader.call(name, ...asked);
  }

  /** Closing again waits for the first. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await this.#commits.close();
    await this.#reader.close();
    await this.#writer.close();
    this.#unlock();
  }
}
