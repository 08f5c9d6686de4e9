// One client of one Redis server, or of a cluster, made ready: connected, logged in and checked. A client lives as
// long as its connection; nothing is queued while there is none, and nothing is sent twice.
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { within } from '../time.ts';
import { asUnavailable, RedisUnavailable, UnsuitableRedis, withoutCommand } from './faults.ts';
import type { RedisAddress } from './redis-url.ts';
import type { Script } from './script.ts';
import { checkServer } from './server-check.ts';

export type RedisClient = Redis | Cluster;

export interface Ready {
  readonly client: RedisClient;
  readonly warnings: readonly string[];
  /** Of a cluster: where it can be reached, too. */
  readonly nodes: readonly RedisAddress[];
}

const ONE_CONNECTION = {
  lazyConnect: true,
  retryStrategy: () => null,
  enableOfflineQueue: false,
  enableReadyCheck: false,
  autoResubscribe: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  disableClientInfo: true,
  connectionName: 'floodgate',
  protocol: 2,
} as const satisfies RedisOptions;

/** Loads the scripts, too. Throws UnsuitableRedis or RedisUnavailable. */
export async function openClient(
  address: RedisAddress,
  timeoutMs: number,
  scripts: readonly Script[],
): Promise<Ready> {
  const client = new Redis({ ...ONE_CONNECTION, ...address, connectTimeout: timeoutMs });
  let cause: Error | undefined;
  client.on('error', (error: Error) => {
    cause = error; // The last is the most telling: SELECT fails before AUTH is heard of.
  });
  try {
    const info = await answered(
      timeoutMs,
      client.connect().then(() => client.info()),
    );
    const { isCluster, warnings } = checkServer(info);
    if (!isCluster) {
      await answered(timeoutMs, loadScripts(client, scripts));
      return { client, warnings, nodes: [] };
    }
  } catch (error) {
    destroyClient(client);
    throw explain(address, cause ?? error);
  }
  destroyClient(client);
  return openCluster(address, timeoutMs, scripts);
}

async function openCluster(
  address: RedisAddress,
  timeoutMs: number,
  scripts: readonly Script[],
): Promise<Ready> {
  const { host, port, db: _, ...login } = address;
  const client = new Cluster([{ host, port }], {
    redisOptions: { ...ONE_CONNECTION, ...login, connectTimeout: timeoutMs },
    lazyConnect: true,
    enableOfflineQueue: false,
    clusterRetryStrategy: () => null,
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    slotsRefreshTimeout: timeoutMs,
    // With TLS the nodes' certificates name hosts, so names are not turned into addresses.
    ...(address.tls && { dnsLookup: (name, callback) => callback(null, name) }),
  });
  client.on('error', () => {});
  client.on('node error', () => {});
  try {
    await answered(timeoutMs, client.connect());
    const masters = client.nodes('master');
    // A master that is away now must not keep us from the others.
    const infos = await Promise.allSettled(
      masters.map((node) => answered(timeoutMs, prepareNode(node, scripts))),
    );
    const unfit = infos.find((each) => each.status === 'rejected' && each.reason instanceof UnsuitableRedis);
    if (unfit?.status === 'rejected') throw unfit.reason;
    const facts = infos.flatMap((each) => (each.status === 'fulfilled' ? [checkServer(each.value)] : []));
    const warnings = [...new Set(facts.flatMap((each) => each.warnings))];
    const nodes = client.nodes().map(({ options }) => {
      return { ...address, host: options.host ?? host, port: options.port ?? port };
    });
    return { client, warnings, nodes };
  } catch (error) {
    destroyClient(client);
    throw explain(address, error);
  }
}

async function prepareNode(node: Redis, scripts: readonly Script[]): Promise<string> {
  const [info] = await Promise.all([node.info(), loadScripts(node, scripts)]);
  return info;
}

// Before anything is asked: a call that Redis does not know yet would be repeated, after others that were sent later.
async function loadScripts(client: Redis, scripts: readonly Script[]): Promise<void> {
  try {
    await Promise.all(scripts.map(({ text }) => client.script('LOAD', text)));
  } catch (error) {
    const { message } = error as Error;
    if (!message.startsWith('NOPERM')) throw error;
    throw new UnsuitableRedis(`the user of the Redis URL may not load scripts: ${message}`);
  }
}

/** Ends it at once, also when the other side is silent. Commands without an answer fail. */
export function destroyClient(client: RedisClient): void {
  const nodes = client instanceof Cluster ? client.nodes() : [client];
  const streams = nodes.map((node) => node.stream);
  client.disconnect();
  for (const stream of streams) stream?.destroy();
}

function explain({ host, port }: RedisAddress, error: unknown): Error {
  if (error instanceof UnsuitableRedis) return error;
  const { message } = withoutCommand(error);
  if (/^(NOAUTH|WRONGPASS|NOPERM)/.test(message)) {
    return new UnsuitableRedis(`Redis at ${host}:${port} refuses user or password of its URL: ${message}`);
  }
  return asUnavailable(error, `connecting to Redis at ${host}:${port}`);
}

function answered<T>(limitMs: number, promise: Promise<T>): Promise<T> {
  return within(limitMs, promise, () => new RedisUnavailable(`Redis did not answer within ${limitMs} ms`));
}
