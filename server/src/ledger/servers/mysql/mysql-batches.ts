// The round trips of a batch on a connection to MySQL or MariaDB.
import { MysqlError, SUBQUERY_OF_TWO_ROWS } from '../../../drivers/sql/mysql/faults.ts';
import { integer } from '../../../drivers/sql/mysql/literals.ts';
import {
  MysqlConnection,
  PACKET_OVERHEAD,
  type Results,
} from '../../../drivers/sql/mysql/mysql-connection.ts';
import type { SqlResult, SqlRow, SqlValue } from '../../../drivers/sql/sql.ts';
import type {
  BatchConnection,
  BatchQuery,
  BatchRows,
  BatchWrite,
  ForeseenHead,
} from '../shared/sql-server.ts';
import {
  lockForeseen,
  lockHeads,
  readBelongings,
  readClaims,
  readHolds,
  readKept,
  readOrders,
} from './read-batch.ts';
import { writes } from './write-batch.ts';

/** A batch that takes longer than this is given up: its locks must not outlive the patience of its buyers. */
const BATCH_TIMEOUT_MS = 5_000;

type Six<T> = [T, T, T, T, T, T];

export class MysqlBatches extends MysqlConnection implements BatchConnection {
  /** While a batch is under way: an event whose head it locked, and whether it read what others have committed. */
  #batch: { readonly eventNo: number; hasReadOthers: boolean } | undefined;

  async readBatch(query: BatchQuery): Promise<BatchRows> {
    const parts = [
      [lockHeads(query.eventNos)],
      readClaims(query.claims),
      readHolds(query.holds),
      readOrders(query.orders),
      readKept(query.keys),
      readBelongings(query.buyers),
    ];
    const begin = this.#begin();
    const results = await this.#runOrRollBack([...begin, ...parts.flat()]);
    let next = begin.length;
    const rowsOf = (part: readonly string[]) =>
      part.length === 1 ? (results[next++] as SqlRow[]) : part.flatMap(() => results[next++] as SqlRow[]);
    const [heads, claims, holds, orders, kept, belongings] = parts.map(rowsOf) as Six<SqlRow[]>;
    const hasReadOthers = holds.length + orders.length + kept.length > 0;
    this.#batch = { eventNo: query.eventNos[0]!, hasReadOthers };
    return { heads, claims, holds, orders, kept, belongings };
  }

  async writeBatch(write: BatchWrite): Promise<void> {
    this.#batch = undefined;
    await this.#runOrRollBack([...writes(write, this.#textBytes), ...this.#end('COMMIT')]);
  }

  async writeForeseen(foreseen: readonly ForeseenHead[], write: BatchWrite): Promise<void> {
    const statements = [
      ...this.#begin(),
      ...lockForeseen(foreseen),
      ...writes(write, this.#textBytes),
      ...this.#end('COMMIT'),
    ];
    await this.#runOrRollBack(statements);
  }

  /**
   * InnoDB shows a commit to others before it is on disk. Who read it and answers it (a replay, a hold that ended
   * before) without a commit of his own would answer what a crash can still take back. So then this rewrites a head
   * that the batch has locked, there and back, and commits: that commit waits for all before it.
   */
  async rollback(): Promise<void> {
    const batch = this.#batch;
    this.#batch = undefined;
    if (!batch?.hasReadOthers) {
      await this.run(BATCH_TIMEOUT_MS, this.#end('ROLLBACK'));
      return;
    }
    const move = (by: string) =>
      `UPDATE event_heads SET at_ms = at_ms ${by} WHERE event_no = ${integer(batch.eventNo)}`;
    await this.#runOrRollBack([move('+ 1'), move('- 1'), ...this.#end('COMMIT')]);
  }

  override query(sql: string, parameters: readonly SqlValue[] = []): Promise<SqlRow[]> {
    if (this.#batch) this.#batch.hasReadOthers = true;
    return super.query(sql, parameters);
  }

  override execute(sql: string, parameters: readonly unknown[]): Promise<SqlResult> {
    if (this.#batch) this.#batch.hasReadOthers = true;
    return super.execute(sql, parameters);
  }

  /** How much of a text fits one statement: every byte takes two digits. */
  get #textBytes(): number {
    return Math.floor(this.maxTextBytes / 2) - PACKET_OVERHEAD;
  }

  // A process that is stopped in the middle of a batch holds its events' locks. MariaDB ends a transaction that idles
  // (drivers/sql/mysql/session.ts); MySQL knows only the idle connection, so there the limit is short while a batch is
  // under way.
  #begin(): string[] {
    const limit = this.flavour.isMariadb ? [] : ['SET SESSION wait_timeout = 5'];
    return [...limit, 'START TRANSACTION'];
  }

  #end(how: 'COMMIT' | 'ROLLBACK'): string[] {
    const limit = this.flavour.isMariadb ? [] : ['SET SESSION wait_timeout = DEFAULT'];
    return [...limit, how];
  }

  /** A failed batch leaves nothing open: the next START TRANSACTION would commit it. */
  async #runOrRollBack(statements: readonly string[]): Promise<Results> {
    try {
      return await this.run(BATCH_TIMEOUT_MS, statements);
    } catch (error) {
      this.#batch = undefined;
      if (this.isOpen) await this.run(BATCH_TIMEOUT_MS, this.#end('ROLLBACK')).catch(() => this.destroy());
      if ((error as MysqlError).errno !== SUBQUERY_OF_TWO_ROWS) throw error;
      throw new MysqlError(
        'a row of the batch is missing, or is not as it was read',
        'other',
        SUBQUERY_OF_TWO_ROWS,
      );
    }
  }
}
