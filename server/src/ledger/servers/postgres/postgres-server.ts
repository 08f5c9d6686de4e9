// PostgreSQL as a server of the SQL ledger: PostgreSQL 12 or newer, or what speaks its protocol and SQL.
import { PostgresDatabase } from '../../../drivers/sql/postgres/postgres-database.ts';
import { LEDGER_SCHEMA } from '../../migrations/migrations.ts';
import type { SqlServer } from '../shared/sql-server.ts';
import { PLANS, PostgresBatches } from './postgres-batches.ts';

const SESSION = {
  ...{ connectTimeoutMs: 3_000, queryTimeoutMs: 5_000 },
  // The server gives up before this side does.
  ...{ statementTimeoutMs: 4_500, lockTimeoutMs: 4_000, idleTimeoutMs: 5_000 },
  settings: PLANS,
};

const WEAK: Readonly<Record<string, string>> = {
  fsync: 'fsync = off: a crash of the machine can lose what was sold, or the whole database',
  synchronous_commit: 'synchronous_commit = off: a crash loses the sales of the last moments',
  full_page_writes: 'full_page_writes = off: a crash of the machine can tear pages of the database',
};

export class PostgresServer extends PostgresDatabase implements SqlServer {
  // Filtered aggregates in one pass: a GROUP BY would sort all rows first, which takes twice as long.
  readonly claimedTickets = `SELECT list.kind, list.tickets FROM (
      SELECT string_agg(ticket::int::text, ',') FILTER (WHERE kind = 0) AS held,
        string_agg(ticket::int::text, ',') FILTER (WHERE kind = 1) AS sold,
        string_agg(ticket::int::text, ',') FILTER (WHERE kind = 2) AS aside
      FROM claims WHERE event_no = ? AND ticket >= ? AND ticket < ?) found
    CROSS JOIN LATERAL (VALUES (0, held), (1, sold), (2, aside)) AS list (kind, tickets) WHERE list.tickets IS NOT NULL`;

  /** `postgres://user:password@host:port/database?sslmode=…` */
  constructor(url: string) {
    super(url, SESSION);
  }

  override connect(): Promise<PostgresBatches> {
    return this.opened(new PostgresBatches(this.url, SESSION));
  }

  migrate(): Promise<void> {
    return this.migrateRoom(LEDGER_SCHEMA);
  }

  assertMigrated(): Promise<void> {
    return this.assertToday(LEDGER_SCHEMA);
  }

  async weakDurability(): Promise<string[]> {
    const connection = await this.connect();
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
