// The stores of a shop of several processes, for the suites: real servers with durable settings, the database on
// the disk of the checkout as the embedded ledger is.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startMariadb } from '../server/test/kit/servers/mariadb.ts';
import { startPostgres } from '../server/test/kit/servers/postgres.ts';
import { type RedisServer, startRedis } from '../server/test/kit/servers/redis.ts';
import { familyCpuMs } from './process-cpu.ts';
import type { Program, StoresCpu } from './program.ts';

/**
 * A database in use writes its log into segments that it has written before. A new one fills each with zeros first, and
 * everybody waits for it: 50 ms, once a second at 20,000 sales a second. So that is left out.
 */
const POSTGRES = { shared_buffers: '128MB', wal_init_zero: 'off' };

export type DatabaseKind = 'postgres' | 'mariadb';

/** One database server, and as many Redis servers as were asked for. */
export interface RealStores {
  /** A fresh database and a fresh Redis for one shop, as the environment of its process. */
  fresh(): Promise<StoreEnv>;
  /** A fresh database alone. */
  freshDatabase(): Promise<string>;
  /** CPU time since their start: of all Redis servers together, and of the database. */
  cpuMs(): StoresCpu;
  stop(): Promise<void>;
}

export interface StoreEnv extends Readonly<Record<string, string>> {
  readonly REDIS_URL: string;
  readonly DATABASE_URL: string;
}

/**
 * More than any of these suites sells from one event. Ten times as many would be compared with the ledger by every
 * process that is under load, ticket by ticket, every few seconds.
 */
export const MILLIONS_OF_TICKETS = 2_000_000;

const DATA = join(import.meta.dirname, '..', 'data');

export async function startStores(kind: DatabaseKind): Promise<RealStores> {
  mkdirSync(DATA, { recursive: true });
  const database = await startDatabase(kind);
  const redisServers: RedisServer[] = [];
  return {
    freshDatabase: () => database.createDatabase(),
    cpuMs: () => ({
      redis: redisServers.reduce((sum, { pid }) => sum + familyCpuMs(pid), 0),
      database: familyCpuMs(database.pid),
    }),
    fresh: async () => {
      const redis = await startRedis();
      redisServers.push(redis);
      return { REDIS_URL: redis.url, DATABASE_URL: await database.createDatabase() };
    },
    stop: async () => {
      await Promise.all([database, ...redisServers].map((server) => server.stop()));
    },
  };
}

/** With the memory that each has as it is shipped; the tests make do with less. */
function startDatabase(kind: DatabaseKind) {
  return kind === 'postgres'
    ? startPostgres({ parent: DATA, settings: POSTGRES })
    : startMariadb({ parent: DATA, settings: { innodb_buffer_pool_size: '128M' } });
}

/** The program, with the CPU time of the stores it works on. Others that use them must be idle while it is measured. */
export async function onStores<P extends Program>(starting: Promise<P>, stores: RealStores): Promise<P> {
  return { ...(await starting), storesCpuMs: stores.cpuMs };
}

/** Runs `use` with the stores and stops them afterwards, whatever happened. */
export async function withStores<Result>(
  kind: DatabaseKind,
  use: (stores: RealStores) => Promise<Result>,
): Promise<Result> {
  const stores = await startStores(kind);
  try {
    return await use(stores);
  } finally {
    await stores.stop();
  }
}
