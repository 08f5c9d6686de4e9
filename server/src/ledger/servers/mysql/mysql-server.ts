// MySQL and MariaDB as servers of the SQL ledger.
import { MysqlDatabase } from '../../../drivers/sql/mysql/mysql-database.ts';
import { LEDGER_SCHEMA } from '../../migrations/migrations.ts';
import type { SqlServer } from '../shared/sql-server.ts';
import { MysqlBatches } from './mysql-batches.ts';

const TIMEOUTS = { connectTimeoutMs: 3_000, queryTimeoutMs: 15_000 };

export class MysqlServer extends MysqlDatabase implements SqlServer {
  readonly claimedTickets = `SELECT kind, GROUP_CONCAT(ticket) AS tickets FROM claims
    WHERE event_no = ? AND ticket >= ? AND ticket < ? GROUP BY kind`;

  /** `mysql://user:password@host:port/database?ssl-mode=…`, or `mariadb://…`. Throws CannotReachDatabase. */
  constructor(url: string) {
    super(url, TIMEOUTS);
  }

  override connect(): Promise<MysqlBatches> {
    return this.opened(new MysqlBatches(this.address.options, TIMEOUTS));
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
      const [row] = await connection.query(
        `SELECT @@innodb_flush_log_at_trx_commit AS flush_log, @@innodb_doublewrite AS doublewrite,
           @@innodb_flush_method AS flush_method, @@log_bin AS log_bin, @@sync_binlog AS sync_binlog`,
      );
      return weaknesses(row!).map((weakness) => `${this.description}: ${weakness}`);
    } finally {
      await connection.close();
    }
  }
}

function weaknesses(row: Readonly<Record<string, string | null>>): string[] {
  const lines = {
    'innodb_flush_log_at_trx_commit is not 1: a crash loses the sales of the last second':
      row.flush_log !== '1',
    'sync_binlog is not 1: after a crash, commits that are not in the binary log are rolled back':
      row.log_bin === '1' && row.sync_binlog !== '1',
    'innodb_doublewrite is off: a crash of the machine can tear pages of the database':
      row.doublewrite === '0' || /^(off|detect_only)$/i.test(row.doublewrite ?? ''),
    'innodb_flush_method is nosync: a crash of the machine can lose what was sold, or the whole database':
      /nosync/i.test(row.flush_method ?? '') && !/o_direct/i.test(row.flush_method ?? ''),
  };
  return Object.entries(lines).flatMap(([line, isWeak]) => (isWeak ? [line] : []));
}
