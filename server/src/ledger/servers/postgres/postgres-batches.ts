// The round trips of a batch on a connection to PostgreSQL.
import type { Step } from '../../../drivers/sql/postgres/pipeline.ts';
import { PostgresConnection } from '../../../drivers/sql/postgres/postgres-connection.ts';
import type {
  BatchConnection,
  BatchQuery,
  BatchRows,
  BatchWrite,
  ForeseenHead,
} from '../shared/sql-server.ts';
import { readSteps, rowsOf } from './read-batch.ts';
import { STATEMENTS } from './statements.ts';
import { foreseenSteps, writeSteps } from './write-batch.ts';

/** A batch that takes longer than this is given up: its locks must not outlive the patience of its buyers. */
const BATCH_TIMEOUT_MS = 5_000;

/**
 * Plans are made once per connection, when tables may still be empty: a plan that reads whole tables would stay with
 * it, so there is none.
 */
export const PLANS = `
  SET plan_cache_mode = force_generic_plan; SET jit = off;
  SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
  SELECT set_config(name, 'off', false) FROM pg_settings WHERE name = 'enable_memoize';`;

export class PostgresBatches extends PostgresConnection implements BatchConnection {
  #isPrepared = false;

  async readBatch(query: BatchQuery): Promise<BatchRows> {
    if (!this.#isPrepared) await this.#prepare();
    const steps = readSteps(query);
    const { rows } = await this.run(BATCH_TIMEOUT_MS, steps);
    return rowsOf(steps, rows);
  }

  writeBatch(write: BatchWrite): Promise<void> {
    return this.#commit(writeSteps(write));
  }

  async writeForeseen(foreseen: readonly ForeseenHead[], write: BatchWrite): Promise<void> {
    if (!this.#isPrepared) await this.#prepare();
    await this.#commit(foreseenSteps(foreseen, write));
  }

  async #commit(steps: readonly Step[]): Promise<void> {
    const { lastCommand } = await this.run(BATCH_TIMEOUT_MS, steps);
    // A COMMIT of a failed transaction is answered with ROLLBACK; it cannot come so far, but must never pass.
    if (lastCommand !== 'COMMIT') throw new Error(`the server answered COMMIT with ${lastCommand}`);
  }

  rollback(): Promise<void> {
    return this.tell('ROLLBACK', BATCH_TIMEOUT_MS);
  }

  /**
   * Apart from the first batch: if that fails, its statements are prepared all the same, and preparing them again
   * would fail for ever. With some of them prepared a connection is of no use.
   */
  async #prepare(): Promise<void> {
    try {
      await this.run(BATCH_TIMEOUT_MS, [], STATEMENTS);
      this.#isPrepared = true;
    } catch (error) {
      throw this.lose((error as Error).message);
    }
  }
}
