// The SQLite ledger without its threads: writer and reader in this one, so that tests can give it their clock, or a
// writer of theirs.
import { GroupCommit } from '../group-commit.ts';
import type { Verdict } from '../judge/state.ts';
import type { Entry, Ledger, OutcomeOf } from '../ledger.ts';
import { ReadingLater } from '../reading.ts';
import type { ReadName } from '../reads.ts';
import { SqliteReader } from '../sqlite/reader.ts';
import { SqliteWriter } from '../sqlite/writer.ts';

export class TestSqliteLedger extends ReadingLater implements Ledger {
  readonly #writer: SqliteWriter;
  readonly #reader: SqliteReader;
  readonly #commits: GroupCommit;

  /** `commit` stands in for the writer's own. */
  constructor(
    file: string,
    clock: { nowMs(): number } | undefined,
    writer = new SqliteWriter(file, clock),
    commit: (entries: readonly Entry[]) => Promise<Verdict[]> = async (entries) => writer.commit(entries),
  ) {
    super();
    this.#writer = writer;
    this.#reader = new SqliteReader(file);
    this.#commits = new GroupCommit(commit, { maxBatch: 1_000, maxWaiting: 20_000 });
  }

  post<E extends Entry>(entry: E): Promise<OutcomeOf<E>> {
    return this.#commits.post(entry);
  }

  nowMs(): number {
    return this.#writer.nowMs();
  }

  isWritable(): boolean {
    return this.#commits.isWritable;
  }

  protected override async answer(name: ReadName, asked: readonly unknown[]): Promise<unknown> {
    return this.#reader.answer(name, asked);
  }

  async close(): Promise<void> {
    await this.#commits.close();
    this.#reader.close();
    this.#writer.close();
  }
}
