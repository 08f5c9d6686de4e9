// The databases that cold data and leases are kept in: the ledger's, with other limits than a sale has. Apart from the
// places, because those load the query builder: 20 MB, and twice the time of a driver.
import { MysqlDatabase } from './mysql/mysql-database.ts';
import { PostgresDatabase } from './postgres/postgres-database.ts';

/** A report may read for long; a transaction that idles holds locks, though none of the ledger's. */
const POSTGRES_SESSION = {
  ...{ connectTimeoutMs: 3_000, queryTimeoutMs: 31_000 },
  ...{ statementTimeoutMs: 30_000, lockTimeoutMs: 10_000, idleTimeoutMs: 10_000 },
};
const MYSQL_TIMEOUTS = { connectTimeoutMs: 3_000, queryTimeoutMs: 31_000 };

export function coldPostgres(url: string): PostgresDatabase {
  return new PostgresDatabase(url, POSTGRES_SESSION);
}

export function coldMysql(url: string): MysqlDatabase {
  return new MysqlDatabase(url, MYSQL_TIMEOUTS);
}

/** `shop.db` → `shop-cold.db`, beside the ledger. A ledger in memory has its cold data in memory. */
export function coldFileOf(ledgerFile: string): string {
  return ledgerFile === ':memory:' ? ledgerFile : ledgerFile.replace(/(\.[^./\\]*)?$/, '-cold$1');
}
