// Names that one process has at a time: the number in its ids, or a worker that must run once for all processes. A lease
// ends by itself on the server's clock, so one whose process died is free again; it is renewed long before. A process
// that was away for longer than that may find its lease taken, and is told.
//
// On SQLite the process has the ledger file for itself, and with it every lease.
import { randomUUID } from 'node:crypto';
import { type ConnectionLimits, Connections } from './connections.ts';
import { type RoomSchema, tableOnServer } from './migration.ts';
import type { SqlConnection, SqlDatabase } from './sql.ts';

export interface LeaseTimes {
  /** How long a lease lasts that is not renewed. */
  readonly leaseMs: number;
  readonly renewMs: number;
}

export const LEASE_TIMES: LeaseTimes = { leaseMs: 60_000, renewMs: 15_000 };

export interface Leases {
  /** Undefined while another process has it. `onLost` is called once if it is lost before it is released. */
  take(name: string, onLost: () => void): Promise<Lease | undefined>;
  /** Releases what is held. */
  close(): Promise<void>;
}

export interface Lease {
  /** Whether it is certain now that no other process has it. */
  readonly isHeld: boolean;
  release(): Promise<void>;
}

// The rows of a table of leases --------------------------------------------------------------------------

/** A table with the columns `token` and `expires_at_ms` beside its key. */
export interface LeaseTable {
  readonly table: string;
  readonly key: string;
}

/** What one process does with a table of leases. Every call is decided by one statement. */
export class LeaseRows<Name extends string | number> {
  readonly #at: LeaseTable;
  readonly #leaseMs: number;
  readonly #token = randomUUID();

  constructor(at: LeaseTable, { leaseMs }: LeaseTimes) {
    this.#at = at;
    this.#leaseMs = leaseMs;
  }

  /** Names that are leased now. */
  async leased(connection: SqlConnection): Promise<Set<string>> {
    const { table, key } = this.#at;
    const nowMs = await connection.nowMs();
    const sql = `SELECT ${key} AS name FROM ${table} WHERE expires_at_ms >= ?`;
    return new Set((await connection.query(sql, [nowMs])).map(({ name }) => name!));
  }

  /** Whether it is this process's now: it was free, its lease had ended, or it was this process's before. */
  async take(connection: SqlConnection, name: Name): Promise<boolean> {
    const { table, key } = this.#at;
    const nowMs = await connection.nowMs();
    const expiresMs = nowMs + this.#leaseMs;
    const update = `UPDATE ${table} SET token = ?, expires_at_ms = ? WHERE ${key} = ? AND expires_at_ms < ?`;
    await connection.query(update, [this.#token, expiresMs, name, nowMs]);
    if (await this.#isThere(connection, name)) return this.#isOurs(connection, name);
    const insert = `INSERT INTO ${table} (${key}, token, expires_at_ms) VALUES (?, ?, ?)`;
    // Another process may be faster; the holder is read below.
    await connection.query(insert, [name, this.#token, expiresMs]).catch((error) => {
      if (!connection.isOpen) throw error;
    });
    return this.#isOurs(connection, name);
  }

  /** False when it is another's by now. One that ended, and that nobody took meanwhile, is this process's again. */
  async renew(connection: SqlConnection, name: Name): Promise<boolean> {
    const { table, key } = this.#at;
    const nowMs = await connection.nowMs();
    const sql = `UPDATE ${table} SET expires_at_ms = ? WHERE ${key} = ? AND token = ?`;
    await connection.query(sql, [nowMs + this.#leaseMs, name, this.#token]);
    return this.#isOurs(connection, name);
  }

  async release(connection: SqlConnection, name: Name): Promise<void> {
    const { table, key } = this.#at;
    const sql = `UPDATE ${table} SET expires_at_ms = 0 WHERE ${key} = ? AND token = ?`;
    await connection.query(sql, [name, this.#token]);
  }

  async #isThere(connection: SqlConnection, name: Name): Promise<boolean> {
    const { table, key } = this.#at;
    return (await connection.query(`SELECT token FROM ${table} WHERE ${key} = ?`, [name])).length > 0;
  }

  async #isOurs(connection: SqlConnection, name: Name): Promise<boolean> {
    const { table, key } = this.#at;
    const sql = `SELECT token FROM ${table} WHERE ${key} = ? AND token = ?`;
    return (await connection.query(sql, [name, this.#token])).length > 0;
  }
}

// Leases by name -----------------------------------------------------------------------------------------

const LEASES: RoomSchema = {
  room: 'leases',
  migrations: [
    {
      version: 1,
      name: 'leases',
      statements: (sql) =>
        tableOnServer(
          sql,
          'leases',
          [
            `name ${sql.shortText} NOT NULL PRIMARY KEY`,
            `token ${sql.shortText} NOT NULL`,
            `expires_at_ms ${sql.bigint} NOT NULL`,
          ],
          sql.rewritten,
        ),
    },
  ],
};

/** One of its own, so that a lease is renewed whatever else the process asks of the database. */
const LIMITS: ConnectionLimits = { size: 1, maxWaiting: 100, maxWaitMs: 5_000 };

/** A database with tables of rooms. */
export interface LeaseDatabase extends SqlDatabase {
  migrateRoom(schema: RoomSchema): Promise<void>;
}

/** On a database server, for all processes that share it. The first lease makes the table, and connects. */
export class SqlLeases implements Leases {
  readonly #database: LeaseDatabase;
  readonly #times: LeaseTimes;
  readonly #connections: Connections<SqlConnection>;
  readonly #rows: LeaseRows<string>;
  readonly #held = new Map<string, HeldLease>();
  readonly #taking = new Set<string>();
  #ready: Promise<void> | undefined;

  constructor(database: LeaseDatabase, times: LeaseTimes = LEASE_TIMES) {
    this.#database = database;
    this.#times = times;
    this.#connections = new Connections<SqlConnection>(database, LIMITS);
    this.#rows = new LeaseRows({ table: 'leases', key: 'name' }, times);
  }

  /** Rejects when the database cannot be asked. */
  async take(name: string, onLost: () => void): Promise<Lease | undefined> {
    // To the server, two of this process are one.
    if (this.#taking.has(name) || this.#held.get(name)?.isHeld) return undefined;
    this.#taking.add(name);
    try {
      return await this.#take(name, onLost);
    } finally {
      this.#taking.delete(name);
    }
  }

  async #take(name: string, onLost: () => void): Promise<Lease | undefined> {
    await this.#makeTable();
    const askedMs = performance.now();
    if (!(await this.#connections.use((connection) => this.#rows.take(connection, name)))) return undefined;
    const lease = new HeldLease(askedMs, this.#times, {
      renew: () => this.#connections.use((connection) => this.#rows.renew(connection, name)),
      release: async () => {
        this.#held.delete(name);
        // When the database is away, the lease ends by itself.
        await this.#connections.use((connection) => this.#rows.release(connection, name)).catch(() => {});
      },
      onLost: () => {
        this.#held.delete(name);
        onLost();
      },
    });
    this.#held.set(name, lease);
    return lease;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#held.values()].map((lease) => lease.release()));
    await this.#connections.close();
  }

  #makeTable(): Promise<void> {
    this.#ready ??= this.#database.migrateRoom(LEASES).catch((error: unknown) => {
      this.#ready = undefined;
      throw error;
    });
    return this.#ready;
  }
}

interface Holding {
  readonly renew: () => Promise<boolean>;
  readonly release: () => Promise<void>;
  readonly onLost: () => void;
}

/** Counts from when it was asked for, by this process's own clock: so it never lasts longer here than at the server. */
class HeldLease implements Lease {
  readonly #times: LeaseTimes;
  readonly #holding: Holding;
  #untilMs: number;
  #timer: NodeJS.Timeout | undefined;
  #renewing: Promise<void> = Promise.resolve();
  #isOver = false;

  constructor(askedMs: number, times: LeaseTimes, holding: Holding) {
    this.#times = times;
    this.#holding = holding;
    this.#untilMs = askedMs + times.leaseMs;
    this.#plan();
  }

  get isHeld(): boolean {
    return !this.#isOver && performance.now() < this.#untilMs;
  }

  async release(): Promise<void> {
    if (this.#isOver) return;
    this.#end();
    await this.#renewing;
    await this.#holding.release();
  }

  #plan(): void {
    const leftMs = this.#untilMs - performance.now();
    const waitMs = Math.max(Math.min(this.#times.renewMs, leftMs), 0);
    this.#timer = setTimeout(() => {
      if (!this.isHeld) this.#lose();
      else this.#renewing = this.#renew();
    }, waitMs);
    this.#timer.unref();
  }

  /** While the database is away it is tried again, until the lease has ended here. */
  async #renew(): Promise<void> {
    const askedMs = performance.now();
    const isOurs = await this.#holding.renew().catch(() => undefined);
    if (this.#isOver) return;
    if (isOurs) this.#untilMs = askedMs + this.#times.leaseMs;
    if (isOurs === false) this.#lose();
    else this.#plan();
  }

  #lose(): void {
    this.#end();
    this.#holding.onLost();
  }

  #end(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }
}

/** For a process that has its store for itself. */
export class OwnLeases implements Leases {
  readonly #held = new Set<string>();

  async take(name: string, _onLost: () => void): Promise<Lease | undefined> {
    if (this.#held.has(name)) return undefined;
    const held = this.#held;
    held.add(name);
    let isHeld = true;
    return {
      get isHeld() {
        return isHeld;
      },
      release: async () => {
        if (isHeld) held.delete(name);
        isHeld = false;
      },
    };
  }

  async close(): Promise<void> {
    this.#held.clear();
  }
}
