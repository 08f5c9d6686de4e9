// One connection to MySQL or MariaDB: single queries, and several statements in one round trip. What a round trip
// carries is one text; the first statement that fails ends it, and a commit is always the last.
import type { Socket } from 'node:net';
import { type Connection, type ConnectionOptions, createConnection, type QueryError } from 'mysql2';
import {
  numberOf,
  parameterOf,
  type SqlConnection,
  type SqlResult,
  type SqlRow,
  type SqlValue,
} from '../sql.ts';
import { DEADLOCK, MysqlError, mysqlError, SUBQUERY_OF_TWO_ROWS } from './faults.ts';
import { withParameters } from './literals.ts';
import { DRIVER, type Flavour, flavourOf, openSocket, sessionOf } from './session.ts';

/** What a packet needs beside its statements. */
export const PACKET_OVERHEAD = 1_024;

/** Every value as the server's text. Several statements together need it not: their columns are texts and BIGINTs. */
const AS_TEXT: TypeCast = { typeCast: (field) => field.string() };

interface TypeCast {
  readonly typeCast: (field: { readonly type: string; string(): string | null }) => unknown;
}

/** The driver's names for types of numbers. */
const NUMBERS = new Set([
  ...['TINY', 'SHORT', 'INT24', 'LONG', 'LONGLONG', 'FLOAT', 'DOUBLE', 'DECIMAL', 'NEWDECIMAL'],
]);

const AS_VALUES: TypeCast = {
  typeCast: (field) => {
    const text = field.string();
    return text !== null && NUMBERS.has(field.type) ? numberOf(text) : text;
  },
};

/** Results of the statements of one text, in order: rows, or what an INSERT or UPDATE did. */
export type Results = readonly unknown[];

export interface Timeouts {
  readonly connectTimeoutMs: number;
  readonly queryTimeoutMs: number;
}

export class MysqlConnection implements SqlConnection {
  readonly #driver: Connection;
  readonly #socket: Socket;
  readonly #timeouts: Timeouts;
  #flavour: Flavour = { isMariadb: false, maxPacket: 0 };
  #lost: MysqlError | undefined;
  /** Reject the answers that are waited for. */
  readonly #waiting = new Set<(error: MysqlError) => void>();
  #underWay: Promise<unknown> = Promise.resolve();

  /** To be opened before it is used. */
  constructor(options: ConnectionOptions, timeouts: Timeouts) {
    this.#socket = openSocket(options);
    this.#driver = createConnection({ ...DRIVER, ...options, stream: () => this.#socket });
    this.#timeouts = timeouts;
    this.#driver.on('error', (error) => this.#lose(mysqlError(error)));
    this.#socket.on('close', () => this.#lose(lost('the connection was closed')));
  }

  /** Rejects with the driver's or the server's error. */
  async open(): Promise<this> {
    try {
      await this.#start();
      return this;
    } catch (error) {
      this.destroy();
      throw error;
    }
  }

  async #start(): Promise<void> {
    const { connectTimeoutMs, queryTimeoutMs } = this.#timeouts;
    await this.#within(connectTimeoutMs, (done) => this.#driver.connect((error) => done(error)));
    const about = 'SELECT VERSION() AS version, @@max_allowed_packet AS max_packet';
    const [rows] = (await this.#send([about], connectTimeoutMs)) as [SqlRow[]];
    this.#flavour = flavourOf(rows[0]!);
    await this.#send(sessionOf(this.#flavour, queryTimeoutMs), connectTimeoutMs);
  }

  get flavour(): Flavour {
    return this.#flavour;
  }

  get maxTextBytes(): number {
    return this.#flavour.maxPacket - PACKET_OVERHEAD;
  }

  get isOpen(): boolean {
    return this.#lost === undefined;
  }

  async query(sql: string, parameters: readonly SqlValue[] = []): Promise<SqlRow[]> {
    const statement = withParameters(sql, parameters);
    const [rows] = await this.#send([statement], this.#timeouts.queryTimeoutMs, AS_TEXT);
    return Array.isArray(rows) ? (rows as SqlRow[]) : [];
  }

  async execute(sql: string, parameters: readonly unknown[]): Promise<SqlResult> {
    const statement = withParameters(sql, parameters.map(parameterOf));
    const [result] = await this.#send([statement], this.#timeouts.queryTimeoutMs, AS_VALUES);
    if (Array.isArray(result)) return { rows: result, changed: 0 };
    return { rows: [], changed: (result as { readonly affectedRows?: number }).affectedRows ?? 0 };
  }

  async nowMs(): Promise<number> {
    const [row] = await this.query('SELECT FLOOR(UNIX_TIMESTAMP(NOW(3)) * 1000) AS now_ms');
    return Number(row!.now_ms);
  }

  async inOneView<T>(read: () => Promise<T>): Promise<T> {
    await this.run(this.#timeouts.queryTimeoutMs, [
      'SET TRANSACTION ISOLATION LEVEL REPEATABLE READ',
      'START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY',
    ]);
    try {
      return await read();
    } finally {
      if (this.isOpen) await this.run(this.#timeouts.queryTimeoutMs, ['ROLLBACK']);
    }
  }

  async close(): Promise<void> {
    await this.#underWay.catch(() => {});
    if (!this.isOpen) return;
    const closed = new Promise((resolve) => this.#socket.once('close', resolve));
    const patience = setTimeout(() => this.#socket.destroy(), this.#timeouts.connectTimeoutMs);
    this.#driver.end();
    await closed;
    clearTimeout(patience);
  }

  destroy(): void {
    this.#lose(lost('the connection was given up'));
  }

  /** One round trip, unless the statements do not fit one packet. */
  protected async run(timeoutMs: number, statements: readonly string[]): Promise<Results> {
    const packets = packed(statements, this.#flavour.maxPacket - PACKET_OVERHEAD);
    if (packets.length === 1) return this.#send(statements, timeoutMs);
    const results: unknown[] = [];
    for (const some of packets) results.push(...(await this.#send(some, timeoutMs)));
    return results;
  }

  #send(statements: readonly string[], timeoutMs: number, options?: TypeCast): Promise<Results> {
    return this.#within(timeoutMs, (done) => {
      const sql = statements.join(';');
      const command = this.#driver.query({ ...options, sql }, (error, results) => {
        if (error) done(isOfCommit(statements, answered, error) ? unknownCommit(error) : error);
        else done(null, statements.length === 1 ? [results] : (results as unknown as Results));
      });
      let answered = 0;
      command.on('fields', () => {
        answered++;
      });
    });
  }

  /** Whatever fails without the server saying that the connection lives on ends it. */
  #within<T>(timeoutMs: number, ask: (done: (error: unknown, answer?: T) => void) => void): Promise<T> {
    if (this.#lost) return Promise.reject(this.#lost);
    const answered = new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => this.#lose(late(timeoutMs)), timeoutMs);
      const fail = (error: MysqlError) => {
        clearTimeout(timer);
        this.#waiting.delete(fail);
        reject(error);
      };
      this.#waiting.add(fail);
      ask((error, answer) => {
        if (error) {
          const fault = mysqlError(error);
          if (fault.fault === 'connection lost') this.#lose(fault);
          fail(fault);
          return;
        }
        clearTimeout(timer);
        this.#waiting.delete(fail);
        resolve(answer as T);
      });
    });
    this.#underWay = answered;
    return answered;
  }

  #lose(why: MysqlError): void {
    if (this.#lost) return;
    this.#lost = why;
    this.#driver.destroy();
    this.#socket.destroy();
    for (const fail of this.#waiting) fail(why);
  }
}

function lost(message: string): MysqlError {
  return new MysqlError(message, 'connection lost');
}

function late(timeoutMs: number): MysqlError {
  return new MysqlError(`no answer within ${timeoutMs} ms`, 'connection lost', 0, 'ETIMEDOUT');
}

/** Whether the statement that failed, after `answered` others, is the commit. */
function isOfCommit(statements: readonly string[], answered: number, { errno }: QueryError): boolean {
  return (
    errno !== SUBQUERY_OF_TWO_ROWS && answered === statements.length - 1 && statements.at(-1) === 'COMMIT'
  );
}

/** A commit that failed may have happened all the same, unless the server says that it rolled back. */
function unknownCommit(error: QueryError): MysqlError {
  const { errno, message } = mysqlError(error);
  if (errno === DEADLOCK) return mysqlError(error);
  return new MysqlError(`the commit failed: ${message}`, 'connection lost', errno);
}

/** The statements in runs that each fit a packet. Every statement is ASCII: a character is a byte. */
function packed(statements: readonly string[], maxBytes: number): (readonly string[])[] {
  const total = statements.reduce((sum, statement) => sum + statement.length + 1, 0);
  if (total <= maxBytes) return [statements];
  const packets: string[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const statement of statements) {
    bytes += statement.length + 1;
    if (bytes > maxBytes) {
      packets.push([]);
      bytes = statement.length + 1;
    }
    packets.at(-1)!.push(statement);
  }
  return packets;
}
