// Starts real PostgreSQL servers for tests: one server for a file, one fresh database for a test. What makes
// commits durable (fsync, synchronous_commit) stays on, as the program looks at it.

import { rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { patienceMs } from '@floodgate/core/testing/patience.ts';
import { Client } from 'pg';
import { requireServer } from './binaries.ts';
import { Child, freePort, ownedFolder, ownerNamed, runOnce } from './child.ts';

export interface PostgresOptions {
  /** As in postgresql.conf, after the defaults: `{ synchronous_commit: 'off' }`. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
  readonly port?: number | undefined;
  /** Where its folder is made; whom it runs as must be able to go there. Default: the temporary folder. */
  readonly parent?: string | undefined;
}

export interface PostgresServer {
  /** A database of the ordinary user `floodgate`. */
  readonly url: string;
  /** The database `postgres`, as the superuser. */
  readonly adminUrl: string;
  readonly port: number;
  /** Of the postmaster, the parent of all others. */
  readonly pid: number;
  readonly dir: string;
  /** SIGKILL (the default) ends the whole process tree at this instant: a crash. SIGINT is a fast shutdown. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Stops all of its processes where they are; connections stay open and nobody answers. */
  pause(): void;
  resume(): void;
  /** On the same port and with its data; ends it before if it runs. */
  restart(): Promise<void>;
  /** Creates an empty database that belongs to `floodgate`; returns its URL. */
  createDatabase(name?: string): Promise<string>;
  stop(): Promise<void>;
}

const USER = 'floodgate';
const PASSWORD = 'secret';
const ADMIN = 'postgres';
const PROBE_TIMEOUT_MS = patienceMs(200);
/** Of what is asked once. A probe is asked again. */
const CONNECT_TIMEOUT_MS = patienceMs(2_000);
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  max_connections: '100',
  shared_buffers: '32MB',
  log_min_messages: 'warning',
  lc_messages: 'C',
};

export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const { binary, url } = requireServer('postgres');
  if (url !== undefined) return useRunningServer(url);
  const server = new PostgresProcess(binary, options, options.port ?? (await freePort()));
  try {
    await server.create();
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

class PostgresProcess implements PostgresServer {
  readonly port: number;
  readonly dir: string;
  readonly #binary: string;
  readonly #options: PostgresOptions;
  readonly #owner = ownerNamed('postgres');
  readonly #databases = new DatabaseNames();
  #child: Child | undefined;

  constructor(binary: string, options: PostgresOptions, port: number) {
    this.#binary = binary;
    this.#options = options;
    this.port = port;
    this.dir = ownedFolder('postgres', this.#owner, options.parent);
  }

  get url(): string {
    return this.#urlOf(USER);
  }

  get adminUrl(): string {
    return `postgres://${ADMIN}@127.0.0.1:${this.port}/postgres`;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Makes a new cluster of databases, starts it, adds the ordinary user and its database. */
  async create(): Promise<void> {
    const how = ['--no-sync', '--no-instructions', '--auth=trust', '--encoding=UTF8', '--locale=C'];
    const args = [...how, `--username=${ADMIN}`, `--pgdata=${join(this.dir, 'data')}`];
    runOnce({ file: join(dirname(this.#binary), 'initdb'), args, cwd: this.dir, owner: this.#owner });
    // A client that names `floodgate` must show the password, so that a wrong one is noticed as on a real server.
    const rules = `host all ${ADMIN} 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n`;
    writeFileSync(join(this.dir, 'data', 'pg_hba.conf'), rules);
    await this.#start();
    await ask(this.adminUrl, `CREATE ROLE ${USER} LOGIN PASSWORD '${PASSWORD}'`);
    await this.createDatabase(USER);
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.#child?.end(signal);
  }

  pause(): void {
    this.#child?.signalAll('SIGSTOP');
  }

  resume(): void {
    this.#child?.signalAll('SIGCONT');
  }

  async restart(): Promise<void> {
    if (this.#child?.running) {
      this.resume();
      await this.#child.end('SIGINT');
    }
    await this.#start();
  }

  async createDatabase(name: string = this.#databases.next()): Promise<string> {
    await ask(this.adminUrl, `CREATE DATABASE "${name}" OWNER ${USER}`);
    return this.#urlOf(name);
  }

  async stop(): Promise<void> {
    // At once too, but unlike a crash it gives its shared memory back to the system.
    if (this.#child?.running) this.resume();
    await this.kill('SIGQUIT');
    rmSync(this.dir, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    const settings = { ...SETTINGS, unix_socket_directories: this.dir, ...this.#options.settings };
    const pairs = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const args = ['-D', join(this.dir, 'data'), '-p', `${this.port}`, ...pairs];
    this.#child = new Child({ file: this.#binary, args, cwd: this.dir, owner: this.#owner });
    await this.#child.ready(() => ask(this.adminUrl, 'SELECT 1', PROBE_TIMEOUT_MS));
  }

  #urlOf(database: string): string {
    return `postgres://${USER}:${PASSWORD}@127.0.0.1:${this.port}/${database}`;
  }
}

/** Somebody else runs it: it gets fresh databases, and is neither killed nor stopped. */
async function useRunningServer(adminUrl: string): Promise<PostgresServer> {
  const databases = new DatabaseNames();
  const created: string[] = [];
  const createDatabase = async (name = databases.next()): Promise<string> => {
    await ask(adminUrl, `CREATE DATABASE "${name}"`);
    created.push(name);
    return Object.assign(new URL(adminUrl), { pathname: `/${name}` }).href;
  };
  const mayNot = (): never => {
    throw new Error(
      'the server of FLOODGATE_TEST_POSTGRES_URL is not ours: unset it for tests that stop servers',
    );
  };
  const drop = async () => {
    for (const name of created.splice(0))
      await ask(adminUrl, `DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`);
  };
  return {
    ...{
      url: await createDatabase(),
      adminUrl,
      port: Number(new URL(adminUrl).port || 5432),
      pid: 0,
      dir: '',
    },
    ...{ createDatabase, pause: mayNot, resume: mayNot, stop: drop },
    ...{ kill: async () => mayNot(), restart: async () => mayNot() },
  };
}

/** Unlike those of any other test process that uses the same server. */
class DatabaseNames {
  #count = 0;

  next(): string {
    this.#count += 1;
    return `test_${process.pid}_${Date.now().toString(36)}_${this.#count}`;
  }
}

async function ask(url: string, sql: string, timeoutMs = CONNECT_TIMEOUT_MS): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: timeoutMs });
  client.on('error', () => {}); // A connection that the end of the server breaks; the query says so too.
  try {
    await client.connect();
    await client.query(sql);
  } finally {
    await client.end().catch(() => {});
  }
}
