// Where the database is, from its URL. Nothing of the URL but host, port and database's name is ever shown.
import { readFileSync } from 'node:fs';
import type { ConnectionOptions, SslOptions } from 'mysql2';
import { CannotReachDatabase } from '../sql.ts';

export interface MysqlAddress {
  /** For people: `MariaDB at db.example.org:3306/floodgate`. */
  readonly description: string;
  readonly user: string;
  readonly options: ConnectionOptions;
}

const NAMES: Readonly<Record<string, string>> = { 'mysql:': 'MySQL', 'mariadb:': 'MariaDB' };
const EXAMPLE = 'mysql://user:password@host:3306/database';

/** `mysql://user:password@host:port/database`; parameters `ssl-mode`, `ssl-ca`, `socket`. Throws CannotReachDatabase. */
export function addressOf(url: string): MysqlAddress {
  const parsed = URL.parse(url);
  const name = NAMES[parsed?.protocol ?? ''];
  if (!parsed || name === undefined) throw new CannotReachDatabase(`DATABASE_URL must be like ${EXAMPLE}`);
  const { hostname, searchParams } = parsed;
  const database = decoded(parsed.pathname.slice(1));
  if (database === '')
    throw new CannotReachDatabase(`DATABASE_URL names no database; it must be like ${EXAMPLE}`);
  checkParameters(searchParams);
  const host = hostname.replace(/^\[|\]$/g, '') || 'localhost';
  const port = Number(parsed.port || 3306);
  const user = decoded(parsed.username);
  const socketPath = searchParams.get('socket') ?? undefined;
  const ssl = sslOf(searchParams);
  const password = decoded(parsed.password);
  return {
    description: `${name} at ${socketPath ?? `${hostname || host}:${port}`}/${database}`,
    user,
    options: { host, port, user, password, database, ...(socketPath && { socketPath }), ...(ssl && { ssl }) },
  };
}

const PARAMETERS = new Set(['ssl-mode', 'ssl-ca', 'socket']);

function checkParameters(given: URLSearchParams): void {
  for (const name of given.keys()) {
    if (PARAMETERS.has(name)) continue;
    const known = [...PARAMETERS].join(', ');
    throw new CannotReachDatabase(`DATABASE_URL has an unknown parameter ${name}; known are ${known}`);
  }
}

/** MySQL's own words; without one the connection is not encrypted. */
function sslOf(parameters: URLSearchParams): SslOptions | undefined {
  const mode = (parameters.get('ssl-mode') ?? 'DISABLED').toUpperCase();
  const caFile = parameters.get('ssl-ca');
  const ca = caFile === null ? {} : { ca: readCertificate(caFile) };
  switch (mode) {
    case 'DISABLED':
      return undefined;
    case 'REQUIRED':
      return { ...ca, rejectUnauthorized: false };
    case 'VERIFY_CA':
      return { ...ca, rejectUnauthorized: true };
    case 'VERIFY_IDENTITY':
      return { ...ca, rejectUnauthorized: true, verifyIdentity: true };
    default:
      throw new CannotReachDatabase(
        'ssl-mode in DATABASE_URL must be DISABLED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY',
      );
  }
}

function readCertificate(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new CannotReachDatabase(`ssl-ca in DATABASE_URL: ${file} cannot be read`);
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new CannotReachDatabase('DATABASE_URL has a % that begins no escape; write it as %25');
  }
}
