// The real servers that tests run against, so that the last lines of `npm test` can say which took part. Later
// ones (Kafka, nginx) are rows of this table.
import { DatabaseSync } from 'node:sqlite';
import { SERVERS, type ServerName } from '../server/test/kit/servers/binaries.ts';

export interface RealServer {
  readonly name: string;
  /** Its version and where it is from, or undefined when this machine has none. */
  readonly find: () => string | undefined;
  /** One line: how to get it. */
  readonly howToGet: string;
}

export const REAL_SERVERS: readonly RealServer[] = [
  { name: 'SQLite', find: findSqlite, howToGet: 'is part of Node 24 and newer' },
  // Valkey takes part where it is there, and is not missed where it is not.
  { name: 'Redis', find: () => versionOf('redis', 'valkey'), howToGet: SERVERS.redis.howToGet },
  { name: 'PostgreSQL', find: () => versionOf('postgres'), howToGet: SERVERS.postgres.howToGet },
  { name: 'MariaDB', find: () => versionOf('mariadb'), howToGet: SERVERS.mariadb.howToGet },
  { name: 'Chromium', find: () => versionOf('chromium'), howToGet: SERVERS.chromium.howToGet },
];

function findSqlite(): string {
  const database = new DatabaseSync(':memory:');
  const row = database.prepare('SELECT sqlite_version() AS version').get();
  database.close();
  return `${row?.version} (node:sqlite)`;
}

/** Of the server and of those that speak its language too; undefined when the first is missing. */
function versionOf(name: ServerName, ...alike: readonly ServerName[]): string | undefined {
  const [first, ...others] = [name, ...alike].map((each) => SERVERS[each].find()?.version);
  if (first === undefined) return undefined;
  return [first, ...others.filter((version) => version !== undefined)].join(' and ');
}
