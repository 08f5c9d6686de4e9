// The real servers that tests run against, so that the last lines of `npm test` can say which took part. Later
// ones (Redis, PostgreSQL, MariaDB, Kafka, nginx, Chromium) are rows of this table.
import { DatabaseSync } from 'node:sqlite';

export interface RealServer {
  readonly name: string;
  /** Its version and where it is from, or undefined when this machine has none. */
  readonly find: () => string | undefined;
  /** One line: how to get it. */
  readonly howToGet: string;
}

export const REAL_SERVERS: readonly RealServer[] = [
  { name: 'SQLite', find: findSqlite, howToGet: 'is part of Node 24 and newer' },
];

function findSqlite(): string {
  const database = new DatabaseSync(':memory:');
  const row = database.prepare('SELECT sqlite_version() AS version').get();
  database.close();
  return `${row?.version} (node:sqlite)`;
}
