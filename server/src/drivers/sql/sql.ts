// What rooms share of a database server: connections that are bounded in time, single queries, faults by what they
// mean. PostgreSQL and MySQL/MariaDB implement it; what only the ledger asks of a server is in its own room.

/** A row by column name, every value as the server's text, because 64-bit ids do not fit a double. */
export type SqlRow = Readonly<Record<string, string | null>>;
export type SqlValue = string | number | null;

/**
 * `try again`: the transaction was rolled back by the server and the same work may succeed now (deadlock,
 * serialization failure, lock wait timeout). `connection lost`: the connection is of no more use, and a commit that
 * was under way may or may not have happened. `other`: the statement failed, the connection lives.
 */
export type SqlFault = 'try again' | 'connection lost' | 'other';

/** One database of one server. */
export interface SqlDatabase<C extends SqlConnection = SqlConnection> {
  /** For people, without user and password: `PostgreSQL at db.example.org:5432/floodgate`. */
  readonly description: string;
  /** Rejects with an error of one clear line (see CannotReachDatabase) within the connect timeout. */
  connect(): Promise<C>;
  faultOf(error: unknown): SqlFault;
}

/** One connection, used by one caller at a time. Every call is bounded in time; a call too late loses the connection. */
export interface SqlConnection {
  /** False after any `connection lost`. */
  readonly isOpen: boolean;
  /** The longest text that can be written and read, in bytes of UTF-8. */
  readonly maxTextBytes: number;
  /** One statement with `?` for its parameters. */
  query(sql: string, parameters?: readonly SqlValue[]): Promise<SqlRow[]>;
  /** The server's clock, milliseconds since 1970; asking for it also shows that the server answers. */
  nowMs(): Promise<number>;
  /** What `read` queries on this connection is one consistent, read-only view. */
  inOneView<T>(read: () => Promise<T>): Promise<T>;
  /** Waits for what is under way, then closes. */
  close(): Promise<void>;
  /** Gives the connection up immediately. */
  destroy(): void;
}

/** The database cannot be used as configured: one clear line for the operator, without secrets. */
export class CannotReachDatabase extends Error {
  override readonly name = 'CannotReachDatabase';
}
