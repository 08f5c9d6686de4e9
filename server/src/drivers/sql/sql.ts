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

/** What a statement did: its rows, with numbers as numbers, and how many rows it inserted, changed or deleted. */
export interface SqlResult {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly changed: number;
}

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
  /**
   * One statement in the dialect's own words (`$1` or `?` for its parameters). Numbers come back as numbers, yes and no
   * as 1 and 0; a whole number beyond 2^53 is a fault: such ids are to be kept as text.
   */
  execute(sql: string, parameters: readonly unknown[]): Promise<SqlResult>;
  /** The server's clock, milliseconds since 1970; asking for it also shows that the server answers. */
  nowMs(): Promise<number>;
  /** What `read` queries on this connection is one consistent, read-only view. */
  inOneView<T>(read: () => Promise<T>): Promise<T>;
  /** Waits for what is under way, then closes. */
  close(): Promise<void>;
  /** Gives the connection up immediately. */
  destroy(): void;
}

/** A number as a column has it. Throws RangeError where digits would be lost. */
export function numberOf(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && !Number.isSafeInteger(number)) {
    throw new RangeError(`${text} does not fit a number: keep it as text`);
  }
  return number;
}

/** A parameter as it may be sent. Throws TypeError for what the stores would not all keep in the same way. */
export function parameterOf(parameter: unknown): SqlValue {
  if (parameter === null || typeof parameter === 'string') return parameter;
  if (typeof parameter === 'number' && Number.isSafeInteger(parameter)) return parameter;
  const what = typeof parameter === 'number' ? String(parameter) : typeof parameter;
  throw new TypeError(`${what} cannot be kept: only texts, whole numbers and null are`);
}

/** The database cannot be used as configured: one clear line for the operator, without secrets. */
export class CannotReachDatabase extends Error {
  override readonly name = 'CannotReachDatabase';
}
