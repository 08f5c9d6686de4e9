// One connection to PostgreSQL: the round trips of a batch, and single queries.
import { Client } from 'pg';
import type {
  BatchQuery,
  BatchRows,
  BatchWrite,
  ForeseenHead,
  SqlConnection,
  SqlRow,
  SqlValue,
} from '../shared/sql-server.ts';
import { ConnectionLost, faultOf, isServerError } from './faults.ts';
import { Messages } from './messages.ts';
import { Pipeline, type PipelineResult, type Step } from './pipeline.ts';
import { readSteps, rowsOf } from './read-batch.ts';
import { STATEMENTS, type Statement } from './statements.ts';
import { foreseenSteps, writeSteps } from './write-batch.ts';

/** A batch that takes longer than this is given up: its locks must not outlive the patience of its buyers. */
const BATCH_TIMEOUT_MS = 5_000;

// The server gives up before this side does, so that a refusal comes with its reason. Whoever vanished in the middle
// of a transaction, and so holds an event's lock, is ended after five seconds. Plans are made once per connection,
// when tables may still be empty: a plan that reads whole tables would stay with it, so there is none.
const SESSION = `
  SET client_encoding = 'UTF8';
  SET statement_timeout = 4500; SET lock_timeout = 4000; SET idle_in_transaction_session_timeout = 5000;
  SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 3; SET tcp_keepalives_count = 3;
  SET plan_cache_mode = force_generic_plan; SET jit = off;
  SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
  SELECT set_config(name, CASE vartype WHEN 'bool' THEN 'off' ELSE '1000' END, false) FROM pg_settings
    WHERE name IN ('client_connection_check_interval', 'enable_memoize')`;

/** Every value as the server's text. */
const AS_TEXT = { getTypeParser: () => (text: string) => text };

interface WithStream {
  readonly connection: { readonly stream: { destroy(): void } };
}

export class PostgresConnection implements SqlConnection {
  readonly maxTextBytes = 100_000_000;
  readonly #client: Client;
  readonly #queryTimeoutMs: number;
  #lost: ConnectionLost | undefined;
  readonly #messages = new Messages();
  #isPrepared = false;
  #underWay: Promise<unknown> = Promise.resolve();

  private constructor(client: Client, queryTimeoutMs: number) {
    this.#client = client;
    this.#queryTimeoutMs = queryTimeoutMs;
    client.on('error', (error) => this.#lose(error.message));
    client.on('end', () => this.#lose('the server ended the connection'));
  }

  /** Rejects with the driver's or the server's error. */
  static async open(
    url: string,
    { connectTimeoutMs, queryTimeoutMs }: { connectTimeoutMs: number; queryTimeoutMs: number },
  ): Promise<PostgresConnection> {
    const client = new Client({
      connectionString: url,
      connectionTimeoutMillis: connectTimeoutMs,
      application_name: 'floodgate',
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
    });
    const connection = new PostgresConnection(client, queryTimeoutMs);
    try {
      await client.connect();
      await connection.#within(connectTimeoutMs, client.query(SESSION));
      return connection;
    } catch (error) {
      connection.destroy();
      throw error;
    }
  }

  get isOpen(): boolean {
    return this.#lost === undefined;
  }

  async readBatch(query: BatchQuery): Promise<BatchRows> {
    if (query.eventNos.length === 0) return this.#readClock();
    if (!this.#isPrepared) await this.#prepare();
    const steps = readSteps(query);
    const { rows } = await this.#run(steps);
    return rowsOf(steps, rows);
  }

  async #readClock(): Promise<BatchRows> {
    const [row] = await this.query('SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now_ms');
    return { heads: [], claims: [], holds: [], kept: [], belongings: [], nowMs: Number(row!.now_ms) };
  }

  writeBatch(write: BatchWrite): Promise<void> {
    return this.#commit(writeSteps(write));
  }

  async writeForeseen(foreseen: readonly ForeseenHead[], write: BatchWrite): Promise<void> {
    if (!this.#isPrepared) await this.#prepare();
    await this.#commit(foreseenSteps(foreseen, write));
  }

  async #commit(steps: readonly Step[]): Promise<void> {
    const { lastCommand } = await this.#run(steps);
    // A COMMIT of a failed transaction is answered with ROLLBACK; it cannot come so far, but must never pass.
    if (lastCommand !== 'COMMIT') throw new Error(`the server answered COMMIT with ${lastCommand}`);
  }

  async rollback(): Promise<void> {
    await this.#within(BATCH_TIMEOUT_MS, this.#client.query('ROLLBACK'));
  }

  async query(sql: string, parameters: readonly SqlValue[] = []): Promise<SqlRow[]> {
    let count = 0;
    const text = parameters.length === 0 ? sql : sql.replace(/\?/g, () => `$${++count}`);
    const asked = this.#client.query({ text, values: [...parameters], types: AS_TEXT });
    const { rows } = await this.#within(this.#queryTimeoutMs, asked);
    return rows as SqlRow[];
  }

  async inOneView<T>(read: () => Promise<T>): Promise<T> {
    await this.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    try {
      return await read();
    } finally {
      if (this.isOpen) await this.query('ROLLBACK');
    }
  }

  async close(): Promise<void> {
    await this.#underWay.catch(() => {});
    if (!this.isOpen) return;
    const ended = this.#client.end();
    const patience = setTimeout(() => this.destroy(), BATCH_TIMEOUT_MS);
    await ended.finally(() => clearTimeout(patience));
  }

  destroy(): void {
    this.#lose('the connection was given up');
    (this.#client as unknown as WithStream).connection.stream.destroy();
  }

  /**
   * Apart from the first batch: if that fails, its statements are prepared all the same, and preparing them again
   * would fail for ever. With some of them prepared a connection is of no use.
   */
  async #prepare(): Promise<void> {
    try {
      await this.#run([], STATEMENTS);
      this.#isPrepared = true;
    } catch (error) {
      this.#lose((error as Error).message);
      throw this.#lost;
    }
  }

  #run(steps: readonly Step[], prepare: readonly Statement[] = []): Promise<PipelineResult> {
    const done = new Promise<PipelineResult>((resolve, reject) => {
      const pipeline = new Pipeline(this.#messages, prepare, steps, (error, result) => {
        if (error) reject(error);
        else resolve(result!);
      });
      this.#client.query(pipeline);
    });
    return this.#within(BATCH_TIMEOUT_MS, done);
  }

  /** What the driver rejects with is the server's error, or means that the connection is of no more use. */
  #within<T>(timeoutMs: number, asked: Promise<T>): Promise<T> {
    if (this.#lost) {
      asked.catch(() => {});
      return Promise.reject(this.#lost);
    }
    const timer = setTimeout(() => {
      this.#lose(`no answer within ${timeoutMs} ms`);
      this.destroy();
    }, timeoutMs);
    const answered = asked
      .catch((error: Error) => {
        if (isServerError(error) && faultOf(error) !== 'connection lost') throw error;
        this.#lose(error.message);
        throw isServerError(error) ? error : this.#lost;
      })
      .finally(() => clearTimeout(timer));
    this.#underWay = answered;
    return answered;
  }

  #lose(why: string): void {
    this.#lost ??= new ConnectionLost(why);
  }
}
