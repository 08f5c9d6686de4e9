// Starts real MariaDB (or MySQL) servers for tests: one server for a file, one fresh database for a test. InnoDB
// stays as durable as it is by default, as the program looks at it.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { patienceMs } from '@floodgate/core/testing/patience.ts';
import { createConnection } from 'mysql2/promise';
import { findBinary, requireServer } from './binaries.ts';
import { Child, freePort, ownedFolder, ownerNamed, runOnce } from './child.ts';

export interface MariadbOptions {
  /** Server variables, after the defaults: `{ innodb_flush_log_at_trx_commit: '2' }`. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
  readonly port?: number | undefined;
  /** Where its folder is made; whom it runs as must be able to go there. Default: the temporary folder. */
  readonly parent?: string | undefined;
}

export interface MariadbServer {
  /** A database of the ordinary user `floodgate`. */
  readonly url: string;
  /** The database `mysql`, as root. */
  readonly adminUrl: string;
  readonly port: number;
  readonly pid: number;
  readonly dir: string;
  /** For example `10.11.14 (MariaDB)`. */
  readonly version: string;
  /** SIGKILL, the default, is a crash; SIGTERM an orderly end. Resolves when it is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Stops the process where it is; its connections stay open and nobody answers. */
  pause(): void;
  resume(): void;
  /** On the same port and with its data; ends it before if it runs. */
  restart(): Promise<void>;
  /** Creates an empty database for `floodgate`; returns its URL. */
  createDatabase(name?: string): Promise<string>;
  stop(): Promise<void>;
}

const USER = 'floodgate';
const PASSWORD = 'secret';
const PROBE_TIMEOUT_MS = patienceMs(200);
/** Of what is asked once. A probe is asked again. */
const CONNECT_TIMEOUT_MS = patienceMs(2_000);
const SETTINGS: Readonly<Record<string, string>> = {
  bind_address: '127.0.0.1',
  innodb_flush_log_at_trx_commit: '1',
  innodb_buffer_pool_size: '32M',
  innodb_fast_shutdown: '1',
  max_connections: '200',
};

export async function startMariadb(options: MariadbOptions = {}): Promise<MariadbServer> {
  const { binary, version, url } = requireServer('mariadb');
  if (url !== undefined) return useRunningServer(url, version);
  const server = new MariadbProcess({
    binary,
    version,
    ...options,
    port: options.port ?? (await freePort()),
  });
  try {
    await server.create();
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

interface Start {
  readonly binary: string;
  readonly version: string;
  readonly port: number;
  readonly settings?: Readonly<Record<string, string>> | undefined;
  readonly parent?: string | undefined;
}

class MariadbProcess implements MariadbServer {
  readonly dir: string;
  readonly #start: Start;
  readonly #owner = ownerNamed('mysql');
  readonly #databases = new DatabaseNames();
  #child: Child | undefined;

  constructor(start: Start) {
    this.#start = start;
    this.dir = ownedFolder('mariadb', this.#owner, start.parent);
  }

  get version(): string {
    return this.#start.version;
  }

  get port(): number {
    return this.#start.port;
  }

  get url(): string {
    return this.#urlOf(USER);
  }

  get adminUrl(): string {
    return `mysql://root@127.0.0.1:${this.port}/mysql`;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Makes the system tables, starts the server, adds the ordinary user and its database. */
  async create(): Promise<void> {
    this.#install();
    await this.#run();
    await ask(this.adminUrl, `CREATE USER '${USER}'@'%' IDENTIFIED BY '${PASSWORD}'`);
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
      await this.#child.end('SIGTERM');
    }
    await this.#run();
  }

  async createDatabase(name: string = this.#databases.next()): Promise<string> {
    await ask(this.adminUrl, `CREATE DATABASE \`${name}\` CHARACTER SET utf8mb4`);
    await ask(this.adminUrl, `GRANT ALL ON \`${name}\`.* TO '${USER}'@'%'`);
    return this.#urlOf(name);
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.dir, { recursive: true, force: true });
  }

  get #isMysql(): boolean {
    return this.version.endsWith('(MySQL)');
  }

  #install(): void {
    const dataDir = `--datadir=${join(this.dir, 'data')}`;
    const run = (file: string, args: readonly string[]) =>
      runOnce({ file, args: ['--no-defaults', ...args, dataDir], cwd: this.dir, owner: this.#owner });
    if (this.#isMysql) {
      run(this.#start.binary, ['--initialize-insecure']);
      return;
    }
    const installer = findBinary('mariadb-install-db');
    if (installer === undefined) throw new Error('mariadb-install-db is missing beside mariadbd');
    const how = ['--auth-root-authentication-method=normal', '--skip-test-db', '--skip-name-resolve'];
    run(installer, [...how, '--innodb-flush-log-at-trx-commit=0', '--skip-log-bin']);
  }

  async #run(): Promise<void> {
    const settings = { ...SETTINGS, ...this.#start.settings };
    const pairs = Object.entries(settings).map(([name, value]) => `--${name.replaceAll('_', '-')}=${value}`);
    const where = [`--datadir=${join(this.dir, 'data')}`, `--socket=${join(this.dir, 'socket')}`];
    const files = [`--pid-file=${join(this.dir, 'pid')}`, `--tmpdir=${this.dir}`];
    const args = [
      '--no-defaults',
      '--skip-name-resolve',
      `--port=${this.port}`,
      ...where,
      ...files,
      ...pairs,
    ];
    this.#child = new Child({ file: this.#start.binary, args, cwd: this.dir, owner: this.#owner });
    await this.#child.ready(() => ask(this.adminUrl, 'SELECT 1', PROBE_TIMEOUT_MS));
  }

  #urlOf(database: string): string {
    return `mysql://${USER}:${PASSWORD}@127.0.0.1:${this.port}/${database}`;
  }
}

/** Somebody else runs it: it gets fresh databases, and is neither killed nor stopped. */
async function useRunningServer(adminUrl: string, version: string): Promise<MariadbServer> {
  const databases = new DatabaseNames();
  const created: string[] = [];
  const createDatabase = async (name = databases.next()): Promise<string> => {
    await ask(adminUrl, `CREATE DATABASE \`${name}\` CHARACTER SET utf8mb4`);
    created.push(name);
    return Object.assign(new URL(adminUrl), { pathname: `/${name}` }).href;
  };
  const mayNot = (): never => {
    throw new Error(
      'the server of FLOODGATE_TEST_MARIADB_URL is not ours: unset it for tests that stop servers',
    );
  };
  const drop = async () => {
    for (const name of created.splice(0)) await ask(adminUrl, `DROP DATABASE IF EXISTS \`${name}\``);
  };
  return {
    ...{
      url: await createDatabase(),
      adminUrl,
      port: Number(new URL(adminUrl).port || 3306),
      pid: 0,
      dir: '',
    },
    ...{ version, createDatabase, pause: mayNot, resume: mayNot, stop: drop },
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
  const connection = await createConnection({ uri: url, connectTimeout: timeoutMs });
  connection.on('error', () => {}); // A connection that the end of the server breaks; the query says so too.
  try {
    await connection.query(sql);
  } finally {
    connection.destroy();
  }
}
