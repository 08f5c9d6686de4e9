// One connection to MySQL or MariaDB: the round trips of a batch, and single queries. What a round trip carries is
// one text of several statements; the first that fails ends it, and the commit is always the last.
import type { Socket } from 'node:net';
import { type Connection, type ConnectionOptions, createConnection, type QueryError } from 'mysql2';
import type {
  BatchQuery,
  BatchRows,
  BatchWrite,
  ForeseenHead,
  SqlConnection,
  SqlRow,
  SqlValue,
} from '../shared/sql-server.ts';
import { DEADLOCK, MysqlError, mysqlError } from './faults.ts';
import { integer, withParameters } from './literals.ts';
import { lockForeseen, lockHeads, readBelongings, readClaims, readHolds, readKept } from './read-batch.ts';
import { FOUND_TOO_FEW } from './row-lists.ts';
import { DRIVER, type Flavour, flavourOf, openSocket, sessionOf } from './session.ts';
import { writes } from './write-batch.ts';

/** A batch that takes longer than this is given up: its locks must not outlive the patience of its buyers. */
const BATCH_TIMEOUT_MS = 5_000;
/** What a packet needs beside its statements. */
const PACKET_OVERHEAD = 1_024;

/** Every value as the server's text. Batches need it not: their columns are texts and BIGINTs. */
const AS_TEXT = { typeCast: (field: { string(): string | null }) => field.string() };

/** Results of the statements of one text, in order: rows, or what an INSERT or UPDATE did. */
type Results = readonly unknown[];
type Five<T> = [T, T, T, T, T];

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
  /** While a batch is under way: an event whose head it locked, and whether it read what others have committed. */
  #batch: { readonly eventNo: number; hasReadOthers: boolean } | undefined;

  private constructor(driver: Connection, socket: Socket, timeouts: Timeouts) {
    this.#driver = driver;
    this.#socket = socket;
    this.#timeouts = timeouts;
    driver.on('error', (error) => this.#lose(mysqlError(error)));
    socket.on('close', () => this.#lose(lost('the connection was closed')));
  }

  /** Rejects with the driver's or the server's error. */
  static async open(options: ConnectionOptions, timeouts: Timeouts): Promise<MysqlConnection> {
    const socket = openSocket(options);
    const driver = createConnection({ ...DRIVER, ...options, stream: () => socket });
    const connection = new MysqlConnection(driver, socket, timeouts);
    try {
      await connection.#start();
      return connection;
    } catch (error) {
      connection.destroy();
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

  async readBatch(query: BatchQuery): Promise<BatchRows> {
    if (query.eventNos.length === 0) return this.#readClock();
    const parts = [
      [lockHeads(query.eventNos)],
      readClaims(query.claims),
      readHolds(query.holds),
      readKept(query.keys),
      readBelongings(query.buyers),
    ];
    const begin = this.#begin();
    const results = await this.#runOrRollBack([...begin, ...parts.flat()]);
    let next = begin.length;
    const rowsOf = (part: readonly string[]) =>
      part.length === 1 ? (results[next++] as SqlRow[]) : part.flatMap(() => results[next++] as SqlRow[]);
    const [heads, claims, holds, kept, belongings] = parts.map(rowsOf) as Five<SqlRow[]>;
    this.#batch = { eventNo: query.eventNos[0]!, hasReadOthers: holds.length + kept.length > 0 };
    return { heads, claims, holds, kept, belongings, nowMs: 0 };
  }

  async #readClock(): Promise<BatchRows> {
    const [row] = await this.query('SELECT FLOOR(UNIX_TIMESTAMP(NOW(3)) * 1000) AS now_ms');
    return { heads: [], claims: [], holds: [], kept: [], belongings: [], nowMs: Number(row!.now_ms) };
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
      await this.#run(this.#end('ROLLBACK'));
      return;
    }
    const move = (by: string) =>
      `UPDATE event_heads SET at_ms = at_ms ${by} WHERE event_no = ${integer(batch.eventNo)}`;
    await this.#runOrRollBack([move('+ 1'), move('- 1'), ...this.#end('COMMIT')]);
  }

  async query(sql: string, parameters: readonly SqlValue[] = []): Promise<SqlRow[]> {
    const statement = withParameters(sql, parameters);
    if (this.#batch) this.#batch.hasReadOthers = true;
    const [rows] = await this.#send([statement], this.#timeouts.queryTimeoutMs, AS_TEXT);
    return Array.isArray(rows) ? (rows as SqlRow[]) : [];
  }

  async inOneView<T>(read: () => Promise<T>): Promise<T> {
    await this.#run([
      'SET TRANSACTION ISOLATION LEVEL REPEATABLE READ',
      'START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY',
    ]);
    try {
      return await read();
    } finally {
      if (this.isOpen) await this.#run(['ROLLBACK']);
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

  /** How much of a text fits one statement: every byte takes two digits. */
  get #textBytes(): number {
    return Math.floor(this.maxTextBytes / 2) - PACKET_OVERHEAD;
  }

  // A process that is stopped in the middle of a batch holds its events' locks. MariaDB ends a transaction that idles
  // (session.ts); MySQL knows only the idle connection, so there the limit is short while a batch is under way.
  #begin(): string[] {
    const limit = this.#flavour.isMariadb ? [] : ['SET SESSION wait_timeout = 5'];
    return [...limit, 'START TRANSACTION'];
  }

  #end(how: 'COMMIT' | 'ROLLBACK'): string[] {
    const limit = this.#flavour.isMariadb ? [] : ['SET SESSION wait_timeout = DEFAULT'];
    return [...limit, how];
  }

  /** A failed batch leaves nothing open: the next START TRANSACTION would commit it. */
  async #runOrRollBack(statements: readonly string[]): Promise<Results> {
    try {
      return await this.#run(statements);
    } catch (error) {
      this.#batch = undefined;
      if (this.isOpen) await this.#run(this.#end('ROLLBACK')).catch(() => this.destroy());
      if ((error as MysqlError).errno !== FOUND_TOO_FEW) throw error;
      throw new MysqlError('a row of the batch is missing, or is not as it was read', 'other', FOUND_TOO_FEW);
    }
  }

  /** One round trip, unless the statements do not fit one packet. */
  async #run(statements: readonly string[]): Promise<Results> {
    const packets = packed(statements, this.#flavour.maxPacket - PACKET_OVERHEAD);
    if (packets.length === 1) return this.#send(statements, BATCH_TIMEOUT_MS);
    const results: unknown[] = [];
    for (const some of packets) results.push(...(await this.#send(some, BATCH_TIMEOUT_MS)));
    return results;
  }

  #send(statements: readonly string[], timeoutMs: number, options?: typeof AS_TEXT): Promise<Results> {
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
  return errno !== FOUND_TOO_FEW && answered === statements.length - 1 && statements.at(-1) === 'COMMIT';
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
