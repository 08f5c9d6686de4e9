// A SQLite file with a thread of its own, so that neither a long query nor an fsync stops the event loop or anybody
// else's thread. Calls go by number, answers come as promises, in order.
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { ColdConnection } from '../cold.ts';
import type { Connections } from '../connections.ts';
import { migrate, type SchemaStore } from '../migrate.ts';
import type { RoomSchema } from '../migration.ts';
import { parameterOf, type SqlFault, type SqlResult } from '../sql.ts';
import { SQLITE } from './dialect.ts';
import type { FileAnswer, FileCall } from './sqlite-thread.ts';

/** An error of SQLite, as it was thrown in the thread. */
export class SqliteError extends Error {
  override readonly name = 'SqliteError';
  /** SQLite's number for it, or 0. */
  readonly errcode: number;

  constructor(message: string, errcode: number) {
    super(message);
    this.errcode = errcode;
  }
}

/** The thread has ended, or was given up. */
export class ThreadLost extends Error {
  override readonly name = 'ThreadLost';
}

const [BUSY, LOCKED] = [5, 6];

export class SqliteFile {
  readonly description: string;
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
    this.description = file;
  }

  /** Starts the thread, and makes the file with its folder when it is not there. Rejects with SqliteError. */
  async connect(): Promise<FileConnection> {
    if (this.#file !== ':memory:') mkdirSync(dirname(this.#file), { recursive: true });
    return FileConnection.open(this.#file);
  }

  faultOf(error: unknown): SqlFault {
    if (error instanceof ThreadLost) return 'connection lost';
    const code = error instanceof SqliteError ? error.errcode & 0xff : 0;
    return code === BUSY || code === LOCKED ? 'try again' : 'other';
  }

  /** Brings the room's tables to today's. Throws SchemaTooNew or SqliteError. */
  migrateRoom(schema: RoomSchema, connections: Connections<ColdConnection>): Promise<void> {
    return connections.use((connection) => migrate(schemaOf(connection, this.description), schema));
  }
}

function schemaOf(connection: ColdConnection, description: string): SchemaStore {
  const ask: SchemaStore['ask'] = async (sql, parameters = []) =>
    (await connection.execute(sql, parameters)).rows;
  return {
    dialect: SQLITE,
    description,
    nowMs: Date.now,
    ask,
    tables: async () => {
      const rows = await ask(`SELECT name FROM sqlite_schema WHERE type = 'table'`);
      return rows.map(({ name }) => String(name));
    },
    alone: async (act) => {
      await ask('BEGIN IMMEDIATE');
      try {
        await act();
        await ask('COMMIT');
      } catch (error) {
        await ask('ROLLBACK').catch(() => connection.destroy());
        throw error;
      }
    },
  };
}

interface Waiting {
  readonly resolve: (result: SqlResult) => void;
  readonly reject: (fault: Error) => void;
}

export class FileConnection {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #exited: Promise<unknown>;
  #nextId = 1;
  #lost: ThreadLost | undefined;

  private constructor(file: string) {
    this.#worker = new Worker(new URL('./sqlite-thread.ts', import.meta.url), {
      workerData: file,
      name: 'cold data',
    });
    this.#exited = new Promise((resolve) => this.#worker.once('exit', resolve));
    this.#worker.on('message', (answer: FileAnswer) => this.#settle(answer));
    this.#worker.on('error', (error) => this.#lose((error as Error).message));
    this.#worker.on('exit', () => this.#lose('the thread of the cold data has ended'));
  }

  static async open(file: string): Promise<FileConnection> {
    const connection = new FileConnection(file);
    // Call 0 is the opening itself.
    await new Promise((resolve, reject) => connection.#waiting.set(0, { resolve, reject }));
    return connection;
  }

  get isOpen(): boolean {
    return this.#lost === undefined;
  }

  async execute(sql: string, parameters: readonly unknown[]): Promise<SqlResult> {
    if (this.#lost) throw this.#lost;
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, sql, parameters: parameters.map(parameterOf) } satisfies FileCall);
    });
  }

  async close(): Promise<void> {
    if (this.isOpen) this.#worker.postMessage('close');
    await this.#exited;
  }

  destroy(): void {
    this.#lose('the thread of the cold data was given up');
    void this.#worker.terminate();
  }

  #settle(answer: FileAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ('fault' in answer) waiting?.reject(new SqliteError(answer.fault.message, answer.fault.errcode));
    else waiting?.resolve(answer.result);
  }

  #lose(why: string): void {
    this.#lost ??= new ThreadLost(why);
    for (const { reject } of this.#waiting.values()) reject(this.#lost);
    this.#waiting.clear();
  }
}
