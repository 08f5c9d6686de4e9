// Builds the rooms and opens the doors: the only file that knows every implementation.
import { randomBytes } from 'node:crypto';
import type { Server } from 'node:http';
import { type AddressInfo, Server as TcpServer } from 'node:net';
import { IdSource } from '@floodgate/core/ids.ts';
import { seedEvents } from './commands/demo-events.ts';
import { ledgerName, openStores, type Parts, type Stores } from './compose.ts';
import { type Config, readConfig } from './config.ts';
import { allOperations } from './http/doors/doors.ts';
import { createDoors } from './http/lane/app.ts';
import { Cors } from './http/lane/cors.ts';
import { type Doors, drain as drainDoors } from './http/lane/doors.ts';
import type { Operation } from './http/lane/operation.ts';
import { ShopIdentity } from './identity/shop-identity.ts';
import { learnStaff } from './sales/access/staff-keys.ts';
import { actorOf } from './sales/access/who.ts';
import { NextExpiries } from './sales/buying/next-expiry.ts';
import { Catalogue } from './sales/catalogue/catalogue.ts';
import { InDoubt } from './sales/keeping/in-doubt.ts';
import { countTickets } from './sales/organizing/create-event.ts';
import type { Shop } from './sales/shop.ts';
import { createLog, type Log } from './telemetry/logs.ts';
import { ShopTelemetry } from './telemetry/shop-telemetry.ts';
import type { TicketCount } from './telemetry/telemetry.ts';
import { startWorkers } from './workers/workers.ts';

/** Connections without a request are kept this long after SIGTERM: one may be on its way. */
const LAST_REQUESTS_MS = 100;
/** In-flight requests have this long to finish after SIGTERM. */
const DRAIN_MS = 8_000;
const LISTEN_BACKLOG = 8_192;

export interface ShopParts extends Parts {
  readonly hasFrontLane?: boolean;
}

export interface OpenShop {
  /** What its use cases work with. */
  readonly inside: Shop;
  readonly server: Server;
  readonly port: number;
  /** All that it answers. */
  readonly operations: readonly Operation[];
  /** Stops accepting, finishes what is in flight, makes it durable, closes. */
  close(): Promise<void>;
}

/** The rooms, with every event of the ledger loaded, and the stores behind them. Throws what `openStores` throws. */
export async function openInside(
  config: Config,
  log: Log,
  parts: Parts = {},
): Promise<{ shop: Shop; stores: Stores }> {
  const telemetry = new ShopTelemetry(log);
  const stores = await openStores(config, telemetry, parts);
  const { ledger, inventory } = stores;
  let ids = new IdSource(stores.nodeId());
  const newId = () => {
    // A lease that was lost, because this process stood still too long, is followed by another.
    if (ids.nodeId !== stores.nodeId()) ids = new IdSource(stores.nodeId());
    return ids.next(Date.now());
  };
  const shop: Shop = {
    ...{ catalogue: new Catalogue(ledger, inventory), inventory, ledger, telemetry, newId },
    ...{ newSecret: randomSecrets(), holdTtlMs: config.holdTtlMs, holdMaxMs: config.holdMaxMs },
    ...{ identity: identityOf(config), nextExpiries: new NextExpiries(ledger) },
    inDoubt: new InDoubt(ledger, inventory),
    defaultEventId: config.defaultEvent,
  };
  telemetry.watch({ ticketCounts: () => ticketCounts(shop), ledgerWaiting: stores.waiting });
  await shop.catalogue.learnEvents();
  return { shop, stores };
}

function identityOf(config: Config): ShopIdentity {
  const { apiKey, jwtSecrets: secrets, jwtIssuer: issuer, jwtAudience: audience, sessionMs } = config;
  return new ShopIdentity({ apiKey, jwt: { secrets, issuer, audience }, sessionMs });
}

/** Rooms, seeds when the ledger is empty, workers, doors; listening when it resolves. */
export async function openShop(config: Config, log: Log, parts: ShopParts = {}): Promise<OpenShop> {
  const { shop, stores } = await openInside(config, log, parts);
  if (shop.catalogue.all().length === 0) {
    await seedEvents(shop, config.seedEvents, config.seedTickets);
    // Another process that began at the same moment may have made some of them.
    await shop.catalogue.learnEvents();
  }
  const { mode, degraded } = stores;
  const doors: Doors = {
    telemetry: shop.telemetry,
    actorOf: (credentials) => actorOf(shop, credentials),
    cors: Cors.of(config.corsOrigins),
    mode,
    degraded,
    isDraining: false,
    streams: new Set(),
  };
  const operations = allOperations(shop, doors);
  await learnStaff(shop);
  const server = createDoors(doors, operations, parts.hasFrontLane);
  const workers = startWorkers(shop, shop.telemetry, config.reconcileEveryMs);
  await listen(server, config);
  const { port } = server.address() as AddressInfo;
  return {
    inside: shop,
    server,
    port,
    operations,
    async close() {
      drainDoors(doors);
      await drain(server);
      await workers.stop();
      await stores.close();
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

/** What staff took out of sale has lines only where there is some. */
async function ticketCounts(shop: Shop): Promise<TicketCount[]> {
  const always = ['available', 'pending', 'held', 'sold'] as const;
  const sometimes = ['allocated', 'killed'] as const;
  return (await countTickets(shop)).flatMap(({ eventId, counts }) =>
    counts.flatMap((type) =>
      [...always, ...sometimes.filter((state) => type[state] > 0)].map((state) => ({
        ...{ event: eventId, ticketType: type.ticketType, state, tickets: type[state] },
      })),
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

  log.logger.info({ port: shop.port, readyMs, events: shop.inside.catalogue.all().length }, 'listening');
  await log.flush();
  // The reader of our output may have gone, as in `npm start | head -1`.
  process.stdout.on('error', () => {});
  if (!config.isProduction) process.stdout.write(welcome(config, shop));
}

function welcome(config: Config, shop: OpenShop): string {
  const address = `http://localhost:${shop.port}`;
  const first = shop.inside.catalogue.all()[0]?.event.eventId ?? '1';
  const key = config.isApiKeyMade ? config.apiKey : '$API_KEY';
  const keyLine = config.isApiKeyMade
    ? `${config.apiKey}   (made for this run; set API_KEY to keep one)`
    : 'as set in API_KEY';
  return `
  Floodgate is selling at ${address}

  ledger      ${ledgerName(config.database)}
  inventory   ${config.redisUrl === undefined ? 'in memory' : 'Redis'}
  admin key   ${keyLine}

  Try it:
    curl -X POST ${address}/buy/${first}
    curl ${address}/api/v1/events/${first}/availability
    curl -H 'Authorization: Bearer ${key}' ${address}/api/v1/events/${first}/audit

`;
}

/** What may be wrong with the stores at start, told in the error's own words. */
const KNOWN_FAULTS = new Set([
  ...['BadConfig', 'CannotOpenLedger', 'LedgerInUse', 'SchemaTooNew', 'SchemaTooOld', 'LedgerUnavailable'],
  ...['CannotReachDatabase', 'WeakDurability', 'UnsuitableRedis', 'RedisUnavailable', 'InventoryUnavailable'],
]);

/** One line for the person who starts it; the stack only where nobody expected the error. */
export function explainAndExit(error: unknown): never {
  const { name, message, code } = error as Error & { code?: string };
  const known = KNOWN_FAULTS.has(name) || code?.startsWith('E');
  process.stderr.write(known ? `floodgate: ${message}\n` : `floodgate: ${(error as Error).stack}\n`);
  process.exit(1);
}

if (import.meta.main) await main().catch(explainAndExit);
