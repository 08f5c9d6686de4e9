// Builds the rooms and opens the doors: the only file that knows every implementation.
import { randomBytes } from 'node:crypto';
import type { Server } from 'node:http';
import { type AddressInfo, Server as TcpServer } from 'node:net';
import { relative } from 'node:path';
import { IdSource } from '@floodgate/core/ids.ts';
import { type Config, readConfig } from './config.ts';
import { createDoors } from './http/app.ts';
import { buyOperations } from './http/buy.ts';
import { eventOperations } from './http/events.ts';
import { holdOperations } from './http/holds.ts';
import { operatorOperations } from './http/operations.ts';
import { orderOperations } from './http/orders.ts';
import type { Doors } from './http/serve.ts';
import type { Inventory } from './inventory/inventory.ts';
import { MemoryInventory } from './inventory/memory-inventory.ts';
import type { Ledger } from './ledger/ledger.ts';
import { SqliteLedger } from './ledger/sqlite-ledger.ts';
import { Catalogue } from './sales/catalogue.ts';
import { seedEvents } from './sales/demo-events.ts';
import { learnEvents } from './sales/discover.ts';
import { Doubts } from './sales/doubts.ts';
import { countTickets } from './sales/events.ts';
import type { Rooms } from './sales/rooms.ts';
import { createLog, type Log } from './telemetry/logs.ts';
import { ShopTelemetry } from './telemetry/shop-telemetry.ts';
import type { TicketCount } from './telemetry/telemetry.ts';
import { startWorkers } from './workers/workers.ts';

/** One transaction takes at most this many entries, about 5 ms of work; more wait for the next. */
const MAX_BATCH = 1_000;
/**
 * See GroupCommitOptions. At 64 connections, sales as a share of the echo's rate (medians of rounds in one run): 0.54
 * with these, 0.51 with one batch at a time, 0.40 when batches also wait for the turn's end; 16 gave 0.53, 32 0.54.
 */
const START_AT = 24;
const DEPTH = 2;
/** Sales that may wait for the ledger, about half a second of work; beyond it buyers are told to come back. */
const MAX_WAITING = 20_000;
/** Connections without a request are kept this long after SIGTERM: one may be on its way. */
const LAST_REQUESTS_MS = 100;
/** In-flight requests have this long to finish after SIGTERM. */
const DRAIN_MS = 8_000;
const LISTEN_BACKLOG = 8_192;

/** Rooms that can be put in place of the usual ones; the tests' negative controls do. */
export interface Parts {
  readonly inventory?: Inventory;
  readonly ledger?: Ledger;
  readonly hasFrontLane?: boolean;
}

export interface Shop {
  readonly rooms: Rooms;
  readonly server: Server;
  readonly port: number;
  /** Stops accepting, finishes what is in flight, makes it durable, closes. */
  close(): Promise<void>;
}

/** The rooms, with every event of the ledger loaded. Throws LedgerInUse, SchemaTooNew, or what the disk said. */
export async function openRooms(config: Config, log: Log, parts: Parts = {}): Promise<Rooms> {
  const telemetry = new ShopTelemetry(log);
  const ledger =
    parts.ledger ??
    (await SqliteLedger.open(config.ledgerFile, {
      maxBatch: MAX_BATCH,
      startAt: START_AT,
      depth: DEPTH,
      maxWaiting: MAX_WAITING,
      onBatch: (batch) => telemetry.batchCommitted(batch),
    }));
  const ids = new IdSource(config.nodeId);
  const rooms: Rooms = {
    catalogue: new Catalogue(),
    inventory: parts.inventory ?? new MemoryInventory(),
    ledger,
    doubts: new Doubts(),
    telemetry,
    newId: () => ids.next(Date.now()),
    newSecret: randomSecrets(),
    holdTtlMs: config.holdTtlMs,
  };
  telemetry.watch({
    ticketCounts: () => ticketCounts(rooms),
    ledgerWaiting: () => (ledger instanceof SqliteLedger ? ledger.waiting : 0),
  });
  await learnEvents(rooms);
  return rooms;
}

/** Rooms, seeds when the ledger is empty, workers, doors; listening when it resolves. */
export async function openShop(config: Config, log: Log, parts: Parts = {}): Promise<Shop> {
  const rooms = await openRooms(config, log, parts);
  if (rooms.catalogue.all().length === 0) await seedEvents(rooms, config.seedEvents, config.seedTickets);
  const doors: Doors = {
    telemetry: rooms.telemetry,
    apiKey: config.apiKey,
    mode: 'ledger: sqlite, inventory: memory',
    isDraining: false,
  };
  const { defaultEvent } = config;
  const operations = [
    ...buyOperations(rooms, defaultEvent),
    ...eventOperations(rooms, defaultEvent),
    ...holdOperations(rooms),
    ...orderOperations(rooms),
    ...operatorOperations(rooms, doors, defaultEvent),
  ];
  const server = createDoors(doors, operations, parts.hasFrontLane);
  const workers = startWorkers(rooms);
  await listen(server, config);
  const { port } = server.address() as AddressInfo;
  return {
    rooms,
    server,
    port,
    async close() {
      doors.isDraining = true;
      await drain(server);
      await workers.stop();
      await rooms.ledger.close();
    },
  };
}

function listen(server: Server, config: Config): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const address = config.host === undefined ? {} : { host: config.host };
    server.listen({ port: config.port, backlog: LISTEN_BACKLOG, ...address }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function drain(server: Server): Promise<void> {
  // The listener alone: http's own close also cuts idle connections at once, with the requests on their way in them.
  const closed = new Promise((resolve) => TcpServer.prototype.close.call(server, resolve));
  const lastRequests = setTimeout(() => server.close(), LAST_REQUESTS_MS);
  const patience = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
  await closed;
  clearTimeout(lastRequests);
  clearTimeout(patience);
}

/** Random bytes are fetched for 256 secrets at a time: one call to the generator costs as much as fifty secrets. */
function randomSecrets(): () => string {
  const SECRET_BYTES = 16;
  let pool = Buffer.alloc(0);
  let used = 0;
  return () => {
    if (used === pool.length) {
      pool = randomBytes(SECRET_BYTES * 256);
      used = 0;
    }
    used += SECRET_BYTES;
    return pool.toString('base64url', used - SECRET_BYTES, used);
  };
}

async function ticketCounts(rooms: Rooms): Promise<TicketCount[]> {
  const states = ['available', 'pending', 'held', 'sold'] as const;
  return (await countTickets(rooms)).flatMap(({ eventId, counts }) =>
    counts.flatMap((type) =>
      states.map((state) => ({ event: eventId, ticketType: type.ticketType, state, tickets: type[state] })),
    ),
  );
}

/** Runs the shop until a signal. */
async function main(): Promise<void> {
  const startMs = performance.now();
  const config = readConfig(process.env);
  const log = createLog(config.logLevel);
  const shop = await openShop(config, log);
  const readyMs = Math.round(performance.now() - startMs);

  let isStopping = false;
  const stop = async (signal: string): Promise<void> => {
    if (isStopping) return;
    isStopping = true;
    log.logger.info({ signal }, 'shutting down');
    await shop.close();
    log.logger.info('closed: everything answered is in the ledger');
    await log.flush();
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop(signal));

  log.logger.info({ port: shop.port, readyMs, events: shop.rooms.catalogue.all().length }, 'listening');
  await log.flush();
  // Whoever read along may have gone, as in `npm start | head -1`.
  process.stdout.on('error', () => {});
  if (!config.isProduction) process.stdout.write(welcome(config, shop));
}

function welcome(config: Config, shop: Shop): string {
  const address = `http://localhost:${shop.port}`;
  const first = shop.rooms.catalogue.all()[0]?.event.eventId ?? '1';
  const key = config.isApiKeyMade ? config.apiKey : '$API_KEY';
  const keyLine = config.isApiKeyMade
    ? `${config.apiKey}   (made for this run; set API_KEY to keep one)`
    : 'as set in API_KEY';
  return `
  Floodgate is selling at ${address}

  ledger      ${relative(process.cwd(), config.ledgerFile) || config.ledgerFile}
  admin key   ${keyLine}

  Try it:
    curl -X POST ${address}/buy/${first}
    curl ${address}/api/v1/events/${first}/availability
    curl -H 'Authorization: Bearer ${key}' ${address}/api/v1/events/${first}/audit

`;
}

/** One line for the person who starts it; the stack only where nobody expected the error. */
export function explainAndExit(error: unknown): never {
  const { name, message, code } = error as Error & { code?: string };
  const known =
    ['BadConfig', 'CannotOpenLedger', 'LedgerInUse', 'SchemaTooNew'].includes(name) || code?.startsWith('E');
  process.stderr.write(known ? `floodgate: ${message}\n` : `floodgate: ${(error as Error).stack}\n`);
  process.exit(1);
}

if (import.meta.main) await main().catch(explainAndExit);
