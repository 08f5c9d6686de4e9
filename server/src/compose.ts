// Opens the stores that the settings name, and puts the inventory in front of the ledger: with main.ts, the only file
// that knows every implementation.
import { randomInt } from 'node:crypto';
import { relative } from 'node:path';
import { unreachable } from '@floodgate/core/assert.ts';
import { type TicketMove, ticketMoves } from '@floodgate/core/facts.ts';
import { MAX_NODE_ID } from '@floodgate/core/ids.ts';
import type { Config, Database } from './config.ts';
import { ColdData, type ColdPlace } from './drivers/sql/cold.ts';
import { coldFileOf, coldMysql, coldPostgres } from './drivers/sql/cold-databases.ts';
import { type Leases, OwnLeases, SqlLeases } from './drivers/sql/lease.ts';
import { FailoverInventory } from './inventory/failover/failover-inventory.ts';
import {
  FollowingInventory,
  type LedgerFeed,
  type TicketChange,
} from './inventory/following/following-inventory.ts';
import type { Inventory } from './inventory/inventory.ts';
import { MemoryInventory } from './inventory/memory/memory-inventory.ts';
import { RedisInventory } from './inventory/redis/redis-inventory.ts';
import type { GroupCommitOptions } from './ledger/group-commit.ts';
import type { JournalEntry, Ledger } from './ledger/ledger.ts';
import { MysqlServer } from './ledger/servers/mysql/mysql-server.ts';
import { PostgresServer } from './ledger/servers/postgres/postgres-server.ts';
import type { SqlServer } from './ledger/servers/shared/sql-server.ts';
import { SqlLedger } from './ledger/servers/sql-ledger.ts';
import { SqliteLedger } from './ledger/sqlite/sqlite-ledger.ts';
import { STATE_OF } from './sales/ticket-states.ts';
import type { ShopTelemetry } from './telemetry/shop-telemetry.ts';

/** One transaction takes at most this many entries, about 5 ms of work; more wait for the next. */
const MAX_BATCH = 1_000;
/**
 * See GroupCommitOptions. At 64 connections, sales as a share of the echo's rate (medians of rounds in one run): 0.54
 * with these, 0.51 with one batch at a time, 0.40 when batches also wait for the turn's end; 16 gave 0.53, 32 0.54.
 */
const SQLITE = { startAt: 24, depth: 2 };
/**
 * A database server does a batch for some 0.2 ms beside its rows, and holds the event's lock meanwhile: so one batch at a
 * time, of all that a turn brought. Sales a second at 64 / 512 connections, with Redis, on PostgreSQL: 22,100 / 33,100;
 * with two batches under way, started at 24: 21,400 / 32,500; with one, started at 24: 22,700 / 29,700.
 */
const SERVER = { depth: 1 };
/** Sales that may wait for the ledger, about half a second of work; beyond it buyers are told to come back. */
const MAX_WAITING = 20_000;

/** Rooms that can be put in place of the usual ones; the tests' negative controls do. */
export interface Parts {
  readonly inventory?: Inventory;
  readonly ledger?: Ledger;
}

export interface Stores {
  readonly ledger: Ledger;
  readonly inventory: Inventory;
  /** What rooms keep beside the ledger. Nothing is opened or made until the first of them asks. */
  readonly cold: ColdData;
  /** For what one process must do for all of them. */
  readonly leases: Leases;
  /** For ids; of its own in every process that shares the ledger. */
  readonly nodeId: () => number;
  /** Which stores these are, and how they do, for people. */
  readonly mode: () => string;
  /** Names of what does not work as it should. */
  readonly degraded: () => string;
  /** Sales that wait for the ledger. */
  readonly waiting: () => number;
  close(): Promise<void>;
}

/** Opens what the settings name. Throws an error of one clear line when that cannot be had. */
export async function openStores(config: Config, telemetry: ShopTelemetry, parts: Parts): Promise<Stores> {
  const opened = parts.ledger ? given(parts.ledger) : await openLedger(config, telemetry);
  const { ledger } = opened;
  const cold = new ColdData(() => coldPlaceOf(parts.ledger ? IN_MEMORY : config.database));
  const leases = parts.ledger ? new OwnLeases() : leasesOf(config.database);
  try {
    const inventory = parts.inventory ?? (await openInventory(config, ledger, telemetry));
    const isAlone = () => inventory instanceof FailoverInventory && inventory.isDegraded;
    return {
      ...opened,
      inventory,
      cold,
      leases,
      mode: () => `ledger: ${config.database.kind}, inventory: ${inventoryName(config, isAlone())}`,
      degraded: () => {
        if (ledger.isWritable()) return isAlone() ? 'inventory' : '';
        return isAlone() ? 'ledger, inventory' : 'ledger';
      },
      async close() {
        await inventory.close();
        await leases.close();
        await cold.close();
        await ledger.close();
      },
    };
  } catch (error) {
    await ledger.close();
    throw error;
  }
}

type OpenedLedger = Pick<Stores, 'ledger' | 'nodeId' | 'waiting'>;

function given(ledger: Ledger): OpenedLedger {
  return { ledger, nodeId: () => 0, waiting: () => 0 };
}

async function openLedger(config: Config, telemetry: ShopTelemetry): Promise<OpenedLedger> {
  const commits: GroupCommitOptions = {
    maxBatch: MAX_BATCH,
    ...(config.database.kind === 'sqlite' ? SQLITE : SERVER),
    maxWaiting: MAX_WAITING,
    onBatch: (batch) => telemetry.batchCommitted(batch),
  };
  const { database } = config;
  if (database.kind === 'sqlite') {
    const ledger = await SqliteLedger.open(database.file, commits);
    const nodeId = config.nodeId ?? randomInt(MAX_NODE_ID + 1);
    return { ledger, nodeId: () => nodeId, waiting: () => ledger.waiting };
  }
  const ledger = await SqlLedger.open(sqlServer(database), {
    commits,
    readReplica: replicaOf(database),
    isProduction: config.isProduction,
    warn: (line) => telemetry.warn(line),
    onFault: (line) => telemetry.warn(line),
    onRecovered: (line) => telemetry.warn(line),
  });
  const moved = (moved: number) => {
    nodeId = moved;
  };
  let nodeId = config.nodeId ?? (await ledger.leaseNodeId(moved));
  return { ledger, nodeId: () => nodeId, waiting: () => ledger.waiting };
}

const IN_MEMORY: Database = { kind: 'sqlite', file: ':memory:' };

function leasesOf(database: Database): Leases {
  switch (database.kind) {
    case 'sqlite':
      return new OwnLeases();
    case 'postgres':
      return new SqlLeases(coldPostgres(database.url));
    case 'mysql':
      return new SqlLeases(coldMysql(database.url));
    default:
      return unreachable(database);
  }
}

/** Where what is not of the ledger is kept: never on the connections, or in the file, that sales are written to. */
export async function coldPlaceOf(database: Database): Promise<ColdPlace> {
  const { filePlace, mysqlPlace, postgresPlace } = await import('./drivers/sql/cold-places.ts');
  switch (database.kind) {
    case 'sqlite':
      return filePlace(coldFileOf(database.file));
    case 'postgres':
      return postgresPlace(database.url);
    case 'mysql':
      return mysqlPlace(database.url);
    default:
      return unreachable(database);
  }
}

type ServerDatabase = Extract<Database, { readonly url: string }>;

function replicaOf({ kind, readUrl }: ServerDatabase): SqlServer | undefined {
  return readUrl === undefined ? undefined : sqlServer({ kind, url: readUrl, readUrl: undefined });
}

/** A ledger on a database server, for reading only. Throws CannotReachDatabase, SchemaTooNew and SchemaTooOld. */
export function openSqlLedger(database: ServerDatabase, warn: (line: string) => void): Promise<SqlLedger> {
  return SqlLedger.open(sqlServer(database), {
    commits: { maxBatch: 1, maxWaiting: 1 },
    onlyReads: true,
    isProduction: false,
    warn,
  });
}

/** The database server of a URL. */
export function sqlServer({ kind, url }: ServerDatabase): SqlServer {
  return kind === 'postgres' ? new PostgresServer(url) : new MysqlServer(url);
}

async function openInventory(config: Config, ledger: Ledger, telemetry: ShopTelemetry): Promise<Inventory> {
  const feed = feedOf(ledger);
  const onFault = (message: string, error: unknown) => telemetry.fault(message, error);
  if (config.redisUrl === undefined) {
    if (config.database.kind === 'sqlite') return new MemoryInventory();
    // Others may sell from the same ledger.
    return new FollowingInventory(feed, {
      from: Math.random(),
      onFault: (error) => onFault('following the ledger failed', error),
    });
  }
  const shared = await RedisInventory.connect(config.redisUrl, {
    nowMs: () => ledger.nowMs(),
    // A process that is started again while Redis is away sells from memory, like those that were there before.
    mayWait: true,
    warn: (line) => telemetry.warn(line),
  });
  return new FailoverInventory(shared, feed, {
    onFallback: (reason) => telemetry.wentAlone(reason),
    onReturn: (aloneMs) => telemetry.becameShared(aloneMs),
    onFault,
  });
}

function inventoryName({ redisUrl }: Config, isAlone: boolean): string {
  if (redisUrl === undefined) return 'memory';
  return isAlone ? 'memory of this process, because redis failed' : 'redis';
}

/** The ledger as inventories may see it. */
export function feedOf(ledger: Ledger): LedgerFeed {
  return {
    heads: () => ledger.heads(),
    changes: async (eventId, afterSeq, limit) =>
      (await ledger.journal(eventId, afterSeq, limit)).flatMap(changesOf),
  };
}

/** At least one, also of an entry that moves no tickets: readers that page on count them. */
function changesOf(entry: JournalEntry): TicketChange[] {
  const { seq } = entry;
  const moves = ticketMoves(entry);
  if (moves.length === 0) return [{ seq, tickets: [], to: 'available' }];
  return moves.map((move) => ({ seq, tickets: move.tickets, to: becomes(move) }));
}

/** In an inventory. */
function becomes({ from, to }: TicketMove): TicketChange['to'] {
  switch (to) {
    case 'held':
    case 'sold':
    case 'aside':
      return STATE_OF[to];
    case 'free':
      return from === 'held' ? 'available' : 'restored';
    default:
      return unreachable(to);
  }
}

/** How the ledger is named to who started the program: never with a password. */
export function ledgerName(database: Database): string {
  if (database.kind === 'sqlite') return relative(process.cwd(), database.file) || database.file;
  const { protocol, host, pathname } = new URL(database.url);
  return `${protocol}//${host}${pathname}`;
}
