// MySQL and MariaDB as servers of the SQL ledger: MariaDB 10.6 or newer (tested with 10.11), MySQL 8.0.17 or newer
// (written for, not tested).
import { addressOf, type MysqlAddress } from '../../../drivers/sql/mysql/address.ts';
import { cannotReach, faultOf, MysqlError } from '../../../drivers/sql/mysql/faults.ts';
import { CannotReachDatabase, type SqlFault } from '../../../drivers/sql/sql.ts';
import type { BatchConnection, SqlServer } from '../shared/sql-server.ts';
import { MysqlBatches } from './mysql-batches.ts';
import { migrate } from './schema.ts';

const CONNECT_TIMEOUT_MS = 3_000;
const QUERY_TIMEOUT_MS = 15_000;
const MIGRATION_TIMEOUT_MS = 600_000;

export class MysqlServer implements SqlServer {
  readonly description: string;
  readonly claimedTickets = `SELECT sold, GROUP_CONCAT(ticket) AS tickets FROM claims
    WHERE event_no = ? AND ticket >= ? AND ticket < ? GROUP BY sold`;
  readonly #address: MysqlAddress;

  /** `mysql://user:password@host:port/database?ssl-mode=…`, or `mariadb://…`. Throws CannotReachDatabase. */
  constructor(url: string) {
    this.#address = addressOf(url);
    this.description = this.#address.description;
  }

  async connect(): Promise<BatchConnection> {
    return this.#open(QUERY_TIMEOUT_MS);
  }

  async #open(queryTimeoutMs: number): Promise<MysqlBatches> {
    try {
      const timeouts = { connectTimeoutMs: CONNECT_TIMEOUT_MS, queryTimeoutMs };
      return await new MysqlBatches(this.#address.options, timeouts).open();
    } catch (error) {
      throw this.#cannotReach(error);
    }
  }

  faultOf(error: unknown): SqlFault {
    return faultOf(error);
  }

  async migrate(): Promise<void> {
    const connection = await this.#open(MIGRATION_TIMEOUT_MS);
    try {
      await migrate(connection);
    } catch (error) {
      throw this.#cannotReach(error);
    } finally {
      await connection.close();
    }
  }

  async weakDurability(): Promise<string[]> {
    const connection = await this.#open(QUERY_TIMEOUT_MS);
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

  #cannotReach(error: unknown): unknown {
    const isOfDatabase = error instanceof MysqlError || error instanceof CannotReachDatabase;
    return isOfDatabase ? cannotReach(this.description, this.#address.user, error) : error;
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
