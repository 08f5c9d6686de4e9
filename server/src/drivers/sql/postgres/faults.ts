// What PostgreSQL's errors mean: for the ledger (try again, connection lost), and for the operator.
import { CannotReachDatabase, type SqlFault } from '../sql.ts';

/** The connection broke, or was given up because it did not answer in time. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
}

/** An error as the server words it; the driver's other errors have no severity. */
interface ServerError extends Error {
  readonly severity: string;
  readonly code: string;
}

export function isServerError(error: unknown): error is ServerError {
  const { severity, code } = error as Partial<ServerError>;
  return error instanceof Error && typeof severity === 'string' && typeof code === 'string';
}

// Serialization failure, deadlock, lock not available in time, statement cancelled by its timeout.
const TRY_AGAIN = new Set(['40001', '40P01', '55P03', '57014']);
// Shut down, crash of another process, starting up, database dropped, idle in transaction, idle; a server that has
// become a read-only standby, which another address may have left behind; prepared statements that are not what this
// side takes them for.
const LOST = new Set(['57P01', '57P02', '57P03', '57P04', '57P05', '25P03', '25006', '26000', '42P05']);

export function faultOf(error: unknown): SqlFault {
  if (error instanceof ConnectionLost || error instanceof CannotReachDatabase) return 'connection lost';
  if (!isServerError(error)) return 'other';
  if (TRY_AGAIN.has(error.code)) return 'try again';
  const isLost = LOST.has(error.code) || error.code.startsWith('08') || error.severity !== 'ERROR';
  return isLost ? 'connection lost' : 'other';
}

const HINTS: Readonly<Record<string, string>> = {
  '28P01': 'the password is wrong: check DATABASE_URL',
  '28000': 'the server does not let this user in: check DATABASE_URL and pg_hba.conf',
  '3D000': 'there is no such database: create it, or check the name in DATABASE_URL',
  '53300': 'the server has no connection left: raise max_connections, or run fewer processes',
  '57P03': 'the server is starting up or shutting down',
  '42501': 'the user lacks rights: let it create tables (GRANT CREATE, USAGE ON SCHEMA public)',
  '25006': 'the server is a read-only standby: DATABASE_URL must name the primary',
  ECONNREFUSED: 'nobody listens there: start the server, or check host and port in DATABASE_URL',
  ENOTFOUND: 'there is no such host: check DATABASE_URL',
  EAI_AGAIN: 'the name of the host cannot be looked up now',
  EHOSTUNREACH: 'there is no way to that host',
  ENETUNREACH: 'there is no way to that host',
};

/** One clear line of why the database cannot be used. The server's words hold no password. */
export function cannotReach(description: string, error: unknown): CannotReachDatabase {
  if (error instanceof CannotReachDatabase) return error;
  const { code = '', message } =
    (error as AggregateError).errors?.[0] ?? (error as Error & { code?: string });
  const hint = HINTS[code] ?? hintOf(String(message));
  return new CannotReachDatabase(`cannot use ${description}: ${hint}`);
}

function hintOf(message: string): string {
  if (/timeout expired|in time/.test(message)) return 'it does not answer in time';
  if (/password must be a string/.test(message)) return 'the server wants a password: add it to DATABASE_URL';
  return message.split('\n', 1)[0]!;
}
