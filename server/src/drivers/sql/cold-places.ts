// The places of cold data: the ledger's database server, on connections of their own; beside a SQLite ledger a file
// with a thread of its own. This loads the query builder, so it is imported when the first room opens its data.
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
import { coldMysql, coldPostgres } from './cold-databases.ts';
import { SqliteFile } from './sqlite/sqlite-file.ts';

/** Few: what is cold may wait, and every connection costs the server memory that sales could use. */
const SERVER_LIMITS = { size: 3, maxWaiting: 500, maxWaitMs: 10_000 };
/** One thread, so one user at a time. A transaction is as long as its slowest query. */
const FILE_LIMITS = { size: 1, maxWaiting: 500, maxWaitMs: 10_000 };

export function postgresPlace(url: string): ColdPlace {
  return Object.assign(coldPostgres(url), {
    limits: SERVER_LIMITS,
    begin: 'BEGIN ISOLATION LEVEL READ COMMITTED',
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    } satisfies ColdPlace['dialect'],
  });
}

export function mysqlPlace(url: string): ColdPlace {
  return Object.assign(coldMysql(url), {
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
