// The places of cold data: the ledger's database server, on connections of their own; beside a SQLite ledger a file
// with a thread of its own.
import {
  MysqlAdapter,
  MysqlIntrospector,
  MysqlQueryCompiler,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import type { ColdPlace } from './cold.ts';
import { MysqlDatabase } from './mysql/mysql-database.ts';
import { PostgresDatabase } from './postgres/postgres-database.ts';
import { SqliteFile } from './sqlite/sqlite-file.ts';

/** Few: what is cold may wait, and every connection costs the server memory that sales could use. */
const SERVER_LIMITS = { size: 3, maxWaiting: 500, maxWaitMs: 10_000 };
/** One thread, so one user at a time. A transaction is as long as its slowest query. */
const FILE_LIMITS = { size: 1, maxWaiting: 500, maxWaitMs: 10_000 };

/** A report may read for long; a transaction that idles holds locks, though none of the ledger's. */
const POSTGRES_SESSION = {
  ...{ connectTimeoutMs: 3_000, queryTimeoutMs: 31_000 },
  ...{ statementTimeoutMs: 30_000, lockTimeoutMs: 10_000, idleTimeoutMs: 10_000 },
};
const MYSQL_TIMEOUTS = { connectTimeoutMs: 3_000, queryTimeoutMs: 31_000 };

export function postgresPlace(url: string): ColdPlace & PostgresDatabase {
  return Object.assign(new PostgresDatabase(url, POSTGRES_SESSION), {
    limits: SERVER_LIMITS,
    begin: 'BEGIN ISOLATION LEVEL READ COMMITTED',
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    } satisfies ColdPlace['dialect'],
  });
}

export function mysqlPlace(url: string): ColdPlace & MysqlDatabase {
  return Object.assign(new MysqlDatabase(url, MYSQL_TIMEOUTS), {
    limits: SERVER_LIMITS,
    begin: 'START TRANSACTION',
    dialect: {
      createAdapter: () => new MysqlAdapter(),
      createIntrospector: (db) => new MysqlIntrospector(db),
      createQueryCompiler: () => new MysqlQueryCompiler(),
    } satisfies ColdPlace['dialect'],
  });
}

export function filePlace(file: string): ColdPlace {
  return Object.assign(new SqliteFile(file), {
    limits: FILE_LIMITS,
    // The lock is taken where a transaction begins, so none fails half-way because another came first.
    begin: 'BEGIN IMMEDIATE',
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    } satisfies ColdPlace['dialect'],
  });
}

/** `shop.db` → `shop-cold.db`, beside the ledger. A ledger in memory has its cold data in memory. */
export function coldFileOf(ledgerFile: string): string {
  return ledgerFile === ':memory:' ? ledgerFile : ledgerFile.replace(/(\.[^./\\]*)?$/, '-cold$1');
}
