// PostgreSQL as a server of the SQL ledger: PostgreSQL 12 or newer, or what speaks its protocol and SQL.
import { cannotReach, faultOf, isServerError } from '../../../drivers/sql/postgres/faults.ts';
import { CannotReachDatabase, type SqlFault } from '../../../drivers/sql/sql.ts';
import type { BatchConnection, SqlServer } from '../shared/sql-server.ts';
import { PLANS, PostgresBatches } from './postgres-batches.ts';
import { migrate } from './schema.ts';

const SESSION = {
  ...{ connectTimeoutMs: 3_000, queryTimeoutMs: 5_000 },
  // The server gives up before this side does.
  ...{ statementTimeoutMs: 4_500, lockTimeoutMs: 4_000, idleTimeoutMs: 5_000 },
  settings: PLANS,
};
/** Migrators that race wait for the one that is first. */
const MIGRATION_TIMEOUT_MS = 600_000;

const WEAK: Readonly<Record<string, string>> = {
  fsync: 'fsync = off: a crash of the machine can lose what was sold, or the whole database',
  synchronous_commit: 'synchronous_commit = off: a crash loses the sales of the last moments',
  full_page_writes: 'full_page_writes = off: a crash of the machine can tear pages of the database',
};

export class PostgresServer implements SqlServer {
  readonly description: string;
  // Filtered aggregates in one pass: a GROUP BY would sort all rows first, which takes twice as long.
  readonly claimedTickets = `SELECT list.sold, list.tickets FROM (
      SELECT string_agg(ticket::int::text, ',') FILTER (WHERE sold = 0) AS held,
        string_agg(ticket::int::text, ',') FILTER (WHERE sold = 1) AS sold,
        string_agg(ticket::int::text, ',') FILTER (WHERE sold = 2) AS aside
      FROM claims WHERE event_no = ? AND ticket >= ? AND ticket < ?) found
    CROSS JOIN LATERAL (VALUES (0, held), (1, sold), (2, aside)) AS list (sold, tickets) WHERE list.tickets IS NOT NULL`;
  readonly #url: string;

  /** `postgres://user:password@host:port/database?sslmode=…` */
  constructor(url: string) {
    this.#url = url;
    this.description = describe(url);
  }

  async connect(): Promise<BatchConnection> {
    return this.#open(SESSION.queryTimeoutMs);
  }

  async #open(queryTimeoutMs: number): Promise<PostgresBatches> {
    try {
      return await new PostgresBatches(this.#url, { ...SESSION, queryTimeoutMs }).open();
    } catch (error) {
      throw cannotReach(this.description, error);
    }
  }

  faultOf(error: unknown): SqlFault {
    return faultOf(error);
  }

  async migrate(): Promise<void> {
    const connection = await this.#open(MIGRATION_TIMEOUT_MS);
    try {
      await migrate(connection, this.description);
    } catch (error) {
      throw isServerError(error) ? cannotReach(this.description, error) : error;
    } finally {
      await connection.close();
    }
  }

  async weakDurability(): Promise<string[]> {
    const connection = await this.#open(SESSION.queryTimeoutMs);
    try {
      const names = Object.keys(WEAK);
      const marks = names.map(() => '?').join();
      const sql = `SELECT name FROM pg_settings WHERE setting = 'off' AND name IN (${marks}) ORDER BY name`;
      return (await connection.query(sql, names)).map(({ name }) => `${this.description}: ${WEAK[name!]}`);
    } finally {
      await connection.close();
    }
  }
}

/** Without user, password and parameters. */
function describe(url: string): string {
  const parsed = URL.parse(url);
  if (!parsed?.hostname) {
    throw new CannotReachDatabase('DATABASE_URL must be like postgres://user:password@host:5432/database');
  }
  return `PostgreSQL at ${parsed.hostname}:${parsed.port || '5432'}${parsed.pathname}`;
}
