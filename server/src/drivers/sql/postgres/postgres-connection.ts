// One connection to PostgreSQL: single queries, and pipelines of prepared statements in one round trip.
import { Client } from 'pg';
import {
  numberOf,
  parameterOf,
  type SqlConnection,
  type SqlResult,
  type SqlRow,
  type SqlValue,
} from '../sql.ts';
import { ConnectionLost, faultOf, isServerError } from './faults.ts';
import { Messages } from './messages.ts';
import { Pipeline, type PipelineResult, type Statement, type Step } from './pipeline.ts';

/** How long saying goodbye may take. */
const CLOSE_TIMEOUT_MS = 5_000;

/** How a connection is opened and bounded. */
export interface PostgresSession {
  readonly connectTimeoutMs: number;
  /** Of single queries, on this side. */
  readonly queryTimeoutMs: number;
  /** The server's own limits are below those of this side, so that a refusal comes with its reason. */
  readonly statementTimeoutMs: number;
  readonly lockTimeoutMs: number;
  /** A process that vanished in the middle of a transaction loses its locks after this time. */
  readonly idleTimeoutMs: number;
  /** Further settings, as `SET` statements. */
  readonly settings?: string;
}

// A statement whose client has gone is ended within a second, where the server knows how (PostgreSQL 14).
function settingsOf(session: PostgresSession): string {
  const { statementTimeoutMs, lockTimeoutMs, idleTimeoutMs, settings = '' } = session;
  return `
  SET client_encoding = 'UTF8';
  SET statement_timeout = ${statementTimeoutMs}; SET lock_timeout = ${lockTimeoutMs};
  SET idle_in_transaction_session_timeout = ${idleTimeoutMs};
  SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 3; SET tcp_keepalives_count = 3;
  ${settings}
  SELECT set_config(name, '1000', false) FROM pg_settings WHERE name = 'client_connection_check_interval'`;
}

/** Every value as the server's text. */
const AS_TEXT = { getTypeParser: () => (text: string) => text };

/** PostgreSQL's numbers for its types of numbers: int8, int2, int4, float4, float8, numeric. */
const NUMBERS = new Set([20, 21, 23, 700, 701, 1700]);
const BOOLEAN = 16;

const AS_VALUES = {
  getTypeParser: (type: number) => {
    if (NUMBERS.has(type)) return numberOf;
    if (type === BOOLEAN) return (text: string) => (text === 't' ? 1 : 0);
    return (text: string) => text;
  },
};

interface WithStream {
  readonly connection: { readonly stream: { destroy(): void } };
}

export class PostgresConnection implements SqlConnection {
  readonly maxTextBytes = 100_000_000;
  readonly #client: Client;
  readonly #session: PostgresSession;
  #lost: ConnectionLost | undefined;
  readonly #messages = new Messages();
  #underWay: Promise<unknown> = Promise.resolve();

  /** To be opened before it is used. */
  constructor(url: string, session: PostgresSession) {
    this.#session = session;
    this.#client = new Client({
      connectionString: url,
      connectionTimeoutMillis: session.connectTimeoutMs,
      application_name: 'floodgate',
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
    });
    this.#client.on('error', (error) => this.lose(error.message));
    this.#client.on('end', () => this.lose('the server ended the connection'));
  }

  /** Rejects with the driver's or the server's error. */
  async open(): Promise<this> {
    try {
      await this.#client.connect();
      await this.#within(this.#session.connectTimeoutMs, this.#client.query(settingsOf(this.#session)));
      return this;
    } catch (error) {
      this.destroy();
      throw error;
    }
  }

  get isOpen(): boolean {
    return this.#lost === undefined;
  }

  async query(sql: string, parameters: readonly SqlValue[] = []): Promise<SqlRow[]> {
    let count = 0;
    const text = parameters.length === 0 ? sql : sql.replace(/\?/g, () => `$${++count}`);
    const asked = this.#client.query({ text, values: [...parameters], types: AS_TEXT });
    const { rows } = await this.#within(this.#session.queryTimeoutMs, asked);
    return rows as SqlRow[];
  }

  async execute(sql: string, parameters: readonly unknown[]): Promise<SqlResult> {
    const asked = this.#client.query({ text: sql, values: parameters.map(parameterOf), types: AS_VALUES });
    const { rows, rowCount } = await this.#within(this.#session.queryTimeoutMs, asked);
    return { rows, changed: rowCount ?? 0 };
  }

  async nowMs(): Promise<number> {
    const [row] = await this.query('SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now_ms');
    return Number(row!.now_ms);
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
    const patience = setTimeout(() => this.destroy(), CLOSE_TIMEOUT_MS);
    await ended.finally(() => clearTimeout(patience));
  }

  destroy(): void {
    this.lose('the connection was given up');
    (this.#client as unknown as WithStream).connection.stream.destroy();
  }

  /** One text without parameters, and no rows. */
  protected async tell(text: string, timeoutMs: number): Promise<void> {
    await this.#within(timeoutMs, this.#client.query(text));
  }

  /** Prepares the statements, then runs the steps, all in one round trip. */
  protected run(
    timeoutMs: number,
    steps: readonly Step[],
    prepare: readonly Statement[] = [],
  ): Promise<PipelineResult> {
    const done = new Promise<PipelineResult>((resolve, reject) => {
      const pipeline = new Pipeline(this.#messages, prepare, steps, (error, result) => {
        if (error) reject(error);
        else resolve(result!);
      });
      this.#client.query(pipeline);
    });
    return this.#within(timeoutMs, done);
  }

  /** What the driver rejects with is the server's error, or means that the connection is of no more use. */
  #within<T>(timeoutMs: number, asked: Promise<T>): Promise<T> {
    if (this.#lost) {
      asked.catch(() => {});
      return Promise.reject(this.#lost);
    }
    const timer = setTimeout(() => {
      this.lose(`no answer within ${timeoutMs} ms`);
      this.destroy();
    }, timeoutMs);
    const answered = asked
      .catch((error: Error) => {
        if (isServerError(error) && faultOf(error) !== 'connection lost') throw error;
        const lost = this.lose(error.message);
        throw isServerError(error) ? error : lost;
      })
      .finally(() => clearTimeout(timer));
    this.#underWay = answered;
    return answered;
  }

  /** From now on the connection is of no use. Returns the fault that all calls meet. */
  protected lose(why: string): ConnectionLost {
    this.#lost ??= new ConnectionLost(why);
    return this.#lost;
  }
}
