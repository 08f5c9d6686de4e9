// Cold data: what need not be exact with a sale (cursors of followers, webhooks and their deliveries, read models, mail).
// It lies in tables of the rooms, over the ledger's database server or, on SQLite, in a file of its own, and never uses a
// connection, a lock or an fsync of the ledger's writer. Rooms query it by Kysely, the same on every store: columns are
// texts and whole numbers below 2^53.
//
// Opening a room's data is three lines: its tables as a type, its schema, `cold.open<Tables>(schema)`. Until the first
// is opened there is no connection, no thread and no file, and the query builder is not loaded.
import type {
  CompiledQuery,
  DatabaseConnection,
  Dialect,
  Driver,
  Kysely,
  QueryResult,
  Transaction,
} from 'kysely';
import { Backoff } from '../time.ts';
import { type ConnectionLimits, Connections, type Lendable, NoConnectionFree } from './connections.ts';
import type { RoomSchema } from './migration.ts';
import { CannotReachDatabase, type SqlFault, type SqlResult } from './sql.ts';

/** A connection to where cold data lies. */
export interface ColdConnection extends Lendable {
  execute(sql: string, parameters: readonly unknown[]): Promise<SqlResult>;
}

/** Where cold data lies. */
export interface ColdPlace {
  /** The most connections, and the most requests that wait for one. */
  readonly limits: ConnectionLimits;
  readonly dialect: Pick<Dialect, 'createAdapter' | 'createIntrospector' | 'createQueryCompiler'>;
  /** How a transaction begins. */
  readonly begin: string;
  connect(): Promise<ColdConnection>;
  /** Brings the room's tables to today's, on one of the connections or on one of its own. */
  migrateRoom(schema: RoomSchema, connections: Connections<ColdConnection>): Promise<void>;
  faultOf(error: unknown): SqlFault;
}

/** The cold data of one room. */
export interface ColdStore<Tables> {
  /** Each query is a transaction by itself. Rejects with ColdUnavailable, ColdOutcomeUnknown or the store's error. */
  readonly db: Kysely<Tables>;
  /**
   * All that `act` does through `tx`, or nothing. What the store rolled back (a deadlock) is done again, so `act` must do
   * nothing but its queries. Rejects as `db` does, or with what `act` threw.
   */
  transaction<T>(act: (tx: Transaction<Tables>) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** The store is away, or too busy: nothing was written. */
export class ColdUnavailable extends Error {
  override readonly name = 'ColdUnavailable';
}

/** The connection broke before the answer came: nobody knows whether it was written. */
export class ColdOutcomeUnknown extends Error {
  override readonly name = 'ColdOutcomeUnknown';
}

const MAX_TRIES = 5;
const MAX_TRYING_MS = 10_000;

interface Opened {
  readonly place: ColdPlace;
  readonly connections: Connections<ColdConnection>;
}

/** The cold data of all rooms, in one place. */
export class ColdData {
  readonly #find: () => ColdPlace | Promise<ColdPlace>;
  #opened: Promise<Opened> | undefined;
  readonly #stores: ColdStore<never>[] = [];
  #isClosed = false;

  constructor(find: () => ColdPlace | Promise<ColdPlace>) {
    this.#find = find;
  }

  /** Brings the room's tables to today's. Throws SchemaTooNew, CannotReachDatabase or what the store said. */
  async open<Tables>(schema: RoomSchema): Promise<ColdStore<Tables>> {
    if (this.#isClosed) throw new ColdUnavailable('cold data is closed');
    this.#opened ??= openAt(this.#find());
    const { place, connections } = await this.#opened;
    await place.migrateRoom(schema, connections);
    // Not at the program's start: it takes twice the time of a database's driver.
    const { Kysely } = await import('kysely');
    const db = new Kysely<Tables>({
      dialect: { ...place.dialect, createDriver: () => new ColdDriver(place, connections) },
    });
    const store: ColdStore<Tables> = {
      db,
      transaction: (act) => again(place, () => db.transaction().execute(act)),
      close: () => db.destroy(),
    };
    this.#stores.push(store as unknown as ColdStore<never>);
    return store;
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#stores.map((store) => store.close()));
    await (await this.#opened)?.connections.close();
  }
}

async function openAt(found: ColdPlace | Promise<ColdPlace>): Promise<Opened> {
  const place = await found;
  return { place, connections: new Connections(place, place.limits) };
}

async function again<T>(place: ColdPlace, act: () => Promise<T>): Promise<T> {
  const untilMs = performance.now() + MAX_TRYING_MS;
  const backoff = new Backoff(10, 200);
  for (let tries = 1; ; tries++) {
    try {
      return await act();
    } catch (error) {
      const mayTry = tries < MAX_TRIES && performance.now() < untilMs;
      if (place.faultOf(error) !== 'try again' || !mayTry) throw error;
      await backoff.pause();
    }
  }
}

/** Kysely's side of a place: lends its connections, and names what fails. */
class ColdDriver implements Driver {
  readonly #place: ColdPlace;
  readonly #connections: Connections<ColdConnection>;

  constructor(place: ColdPlace, connections: Connections<ColdConnection>) {
    this.#place = place;
    this.#connections = connections;
  }

  async init(): Promise<void> {}

  /** Lent until it is released. */
  acquireConnection(): Promise<Borrowed> {
    return new Promise((resolve, reject) => {
      const use = (connection: ColdConnection) =>
        new Promise<void>((release) => resolve(new Borrowed(this.#place, connection, release)));
      this.#connections.use(use).catch((error: Error) => {
        const isAway = error instanceof CannotReachDatabase || error instanceof NoConnectionFree;
        reject(isAway ? new ColdUnavailable(error.message, { cause: error }) : error);
      });
    });
  }

  async beginTransaction(connection: Borrowed): Promise<void> {
    await connection.begin();
  }

  async commitTransaction(connection: Borrowed): Promise<void> {
    await connection.commit();
  }

  async rollbackTransaction(connection: Borrowed): Promise<void> {
    await connection.rollback();
  }

  async releaseConnection(connection: Borrowed): Promise<void> {
    connection.release();
  }

  /** The connections are those of all rooms. */
  async destroy(): Promise<void> {}
}

class Borrowed implements DatabaseConnection {
  readonly release: () => void;
  readonly #place: ColdPlace;
  readonly #connection: ColdConnection;
  #isInTransaction = false;

  constructor(place: ColdPlace, connection: ColdConnection, release: () => void) {
    this.#place = place;
    this.#connection = connection;
    this.release = release;
  }

  async begin(): Promise<void> {
    this.#isInTransaction = true;
    await this.#do(this.#place.begin);
  }

  async commit(): Promise<void> {
    this.#isInTransaction = false;
    await this.#do('COMMIT');
  }

  /** A connection that cannot roll back is given up, which does. */
  async rollback(): Promise<void> {
    this.#isInTransaction = false;
    if (this.#connection.isOpen) await this.#do('ROLLBACK').catch(() => this.#connection.destroy());
  }

  async executeQuery<R>({ sql, parameters, query }: CompiledQuery): Promise<QueryResult<R>> {
    const { rows, changed } = await this.#do(sql, parameters, query.kind === 'SelectQueryNode');
    return { rows: rows as R[], numAffectedRows: BigInt(changed) };
  }

  // biome-ignore lint/correctness/useYield: there is none.
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('cold data is not streamed: read it by pages');
  }

  async #do(sql: string, parameters: readonly unknown[] = [], onlyReads = false): Promise<SqlResult> {
    try {
      return await this.#connection.execute(sql, parameters);
    } catch (error) {
      if (this.#place.faultOf(error) !== 'connection lost') throw error;
      const Fault = onlyReads || this.#isInTransaction ? ColdUnavailable : ColdOutcomeUnknown;
      throw new Fault((error as Error).message, { cause: error });
    }
  }
}
