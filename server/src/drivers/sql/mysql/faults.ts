// What MySQL's and MariaDB's errors mean: for the ledger (may the same work be tried again, is the connection lost),
// and for the person who starts the program with wrong settings.
import { CannotReachDatabase, type SqlFault } from '../sql.ts';

/** An error of the server or of the connection. Unlike the driver's, it does not carry the statement. */
export class MysqlError extends Error {
  override readonly name = 'MysqlError';
  /** The server's number, or 0. */
  readonly errno: number;
  readonly fault: SqlFault;
  /** The driver's or the system's word for it, if there is one. */
  readonly code: string | undefined;

  constructor(message: string, fault: SqlFault, errno = 0, code: string | undefined = undefined) {
    super(errno === 0 ? message : `${message} (${errno})`);
    this.fault = fault;
    this.errno = errno;
    this.code = code;
  }
}

/** Also how Galera refuses a commit. It was rolled back for certain. */
export const DEADLOCK = 1213;

/** How a statement says that it did not find what it must: never the answer to a COMMIT. */
export const SUBQUERY_OF_TWO_ROWS = 1242;

/** Deadlock, lock wait timeout, record changed since it was read (MariaDB's snapshot isolation). */
const TRY_AGAIN = new Set([1205, DEADLOCK, 1020]);

/**
 * The server says so before it closes the connection, or has given up the transaction's session: shutdown, killed,
 * idle for too long, packets that do not fit. And a server that has become a read-only replica, which the address may
 * have left behind.
 */
const CONNECTION_LOST = new Set([
  1053, 1290, 1836, 1152, 1153, 1156, 1157, 1158, 1159, 1160, 1161, 1184, 1927, 2006, 2013, 3169, 4031,
]);

/** What the driver's errors carry, as far as it is of use. */
interface DriverError {
  readonly errno?: number | undefined;
  readonly code?: string | undefined;
  readonly fatal?: boolean | undefined;
  readonly message: string;
}

/** The driver's error without the statement, which has the buyers' data and may be megabytes. */
export function mysqlError(error: unknown): MysqlError {
  if (error instanceof MysqlError) return error;
  const { errno, code, fatal, message } = asDriverError(error);
  const number = typeof errno === 'number' && errno > 0 ? errno : 0;
  if (TRY_AGAIN.has(number)) return new MysqlError(message, 'try again', number);
  // Numbers are the server's; without one the network or the driver speaks, and nothing is known any more.
  const isLost = number === 0 || fatal === true || CONNECTION_LOST.has(number);
  const fault = isLost ? 'connection lost' : 'other';
  return new MysqlError(message || code || 'the connection was lost', fault, number, code);
}

export function faultOf(error: unknown): SqlFault {
  if (error instanceof CannotReachDatabase) return 'connection lost';
  return error instanceof MysqlError ? error.fault : 'other';
}

/** One clear line of why the database cannot be used. */
export function cannotReach(description: string, user: string, error: unknown): CannotReachDatabase {
  const { message } = asDriverError(error);
  const why =
    error instanceof CannotReachDatabase ? message : (adviceFor(asDriverError(error), user) ?? message);
  return new CannotReachDatabase(`cannot use ${description}: ${why}`);
}

const ADVICE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there; start the database, or correct host and port',
  ENOTFOUND: 'there is no host of this name; correct it',
  EAI_AGAIN: 'the name of the host cannot be resolved now; correct it, or check the name server',
  EHOSTUNREACH: 'there is no route to this host; correct it, or check the network',
  ENETUNREACH: 'there is no route to this network; check the network',
  ETIMEDOUT: 'no answer in time; check host, port, firewall, and whether the database is overloaded',
  ECONNRESET: 'the connection was reset while it was being made; check that a database listens there',
  EPIPE: 'the connection was closed while it was being made; check that a database listens there',
  PROTOCOL_CONNECTION_LOST: 'the server closed the connection; it may be starting or stopping',
  HANDSHAKE_NO_SSL_SUPPORT:
    'the server does not speak TLS; remove ssl-mode from the URL, or set up TLS there',
  HANDSHAKE_SSL_ERROR: 'no TLS connection: the certificate of the server is not trusted',
};

function adviceFor({ errno, code, message }: DriverError, user: string): string | undefined {
  switch (errno) {
    case 1040:
    case 1203:
    case 1226:
      return 'too many connections; raise max_connections (or the limit of the user), or stop what holds them';
    case 1045:
    case 1698:
      return `the server refuses the user ${user} with this password; correct user and password`;
    case 1044:
      return `the user ${user} has no rights on this database: GRANT ALL ON it`;
    case 1049:
      return 'there is no such database: CREATE DATABASE it first';
    case 1053:
      return 'the server is shutting down; wait until it is back';
    case 1129:
    case 1130:
      return 'the server does not accept connections from this host; allow it there';
    case 1251:
    case 2059:
      return 'the user logs in by a method this program does not know; use a password';
    case 1665:
      return 'binlog_format is STATEMENT, which cannot be used here; set it to ROW or MIXED';
    case 1142:
    case 1143:
    case 1227:
    case 1370:
      return `rights are missing: ${message}: GRANT ALL ON the database to ${user}`;
    case 1290:
    case 1792:
    case 1836:
      return 'the server is read-only (a replica?); name the primary';
    default:
      return code === undefined ? undefined : ADVICE[code];
  }
}

function asDriverError(error: unknown): DriverError {
  if (error instanceof AggregateError && error.errors.length > 0) return asDriverError(error.errors[0]);
  return error instanceof Error ? error : { message: String(error) };
}
