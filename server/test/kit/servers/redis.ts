// Starts real Redis servers for tests: one, or a cluster. Nothing is kept on disk unless the arguments say so.

import { readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { patienceMs } from '@floodgate/core/testing/patience.ts';
import { Redis } from 'ioredis';
import { requireServer } from './binaries.ts';
import { Child, CLUSTER_BUS, freePort, ownedFolder } from './child.ts';

export interface RedisOptions {
  /** After the defaults, so that they win: `['--appendonly', 'yes']`. */
  readonly args?: readonly string[] | undefined;
  readonly port?: number | undefined;
  /** Default: a temporary folder, which stop() removes. A given one stays. */
  readonly dir?: string | undefined;
  /** Default: the redis-server of this machine. */
  readonly binary?: string | undefined;
}

export interface RedisServer {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly dir: string;
  /** Ends it at this very instant (SIGKILL) unless told otherwise. Resolves when it is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Stops the process where it is; its connections stay open and nobody answers. */
  pause(): void;
  resume(): void;
  /** On the same port; ends it before if it runs. Without keepData its folder is emptied. Default: keep. */
  restart(options?: { readonly keepData?: boolean }): Promise<void>;
  stop(): Promise<void>;
}

export interface RedisCluster {
  /** Of the first node. */
  readonly url: string;
  /** Masters first, then their replicas. */
  readonly nodes: readonly RedisServer[];
  stop(): Promise<void>;
}

const PROBE_TIMEOUT_MS = patienceMs(200);
const CLUSTER_TIMEOUT_MS = patienceMs(5_000);
const SLOTS = 16_384;
/** By default a replica waits 5 s for others before it copies, and is named to clients after a ping each 10 s. */
const QUICK_REPLICAS = ['--repl-diskless-sync-delay', '0', '--repl-ping-replica-period', '1'];

export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const server = new RedisProcess(options, options.port ?? (await freePort()));
  try {
    await server.start();
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

class RedisProcess implements RedisServer {
  readonly port: number;
  readonly dir: string;
  readonly #options: RedisOptions;
  #child: Child | undefined;

  constructor(options: RedisOptions, port: number) {
    this.#options = options;
    this.port = port;
    this.dir = options.dir ?? ownedFolder('redis', undefined);
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  async start(): Promise<void> {
    const file = this.#options.binary ?? requireServer('redis').binary;
    const where = ['--bind', '127.0.0.1', '--port', `${this.port}`, '--dir', this.dir];
    const args = [...where, '--save', '', '--appendonly', 'no', ...(this.#options.args ?? [])];
    this.#child = new Child({ file, args, cwd: this.dir });
    await this.#child.ready(() => ping(this.port));
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

  async restart({ keepData = true } = {}): Promise<void> {
    if (this.#child?.running) {
      this.resume();
      await this.#child.end(keepData ? 'SIGTERM' : 'SIGKILL');
    }
    if (!keepData) emptyFolder(this.dir);
    await this.start();
  }

  async stop(): Promise<void> {
    await this.kill();
    if (this.#options.dir === undefined) rmSync(this.dir, { recursive: true, force: true });
  }
}

/** The masters share all slots evenly; replica i follows master i modulo their number. */
export async function startRedisCluster(masters = 3, replicas = 0): Promise<RedisCluster> {
  const args = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000', ...QUICK_REPLICAS];
  const starts = Array.from({ length: masters + replicas }, () => startRedis({ args }));
  const settled = await Promise.allSettled(starts);
  const nodes = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.stop()));
  };
  const clients = nodes.map(({ url }) => new Redis(url));
  try {
    const failed = settled.find((each) => each.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    await joinNodes(clients, nodes, masters);
  } catch (error) {
    await stop();
    throw error;
  } finally {
    for (const client of clients) client.disconnect();
  }
  return { url: nodes[0]!.url, nodes, stop };
}

async function joinNodes(
  clients: readonly Redis[],
  nodes: readonly RedisServer[],
  masters: number,
): Promise<void> {
  for (let i = 0; i < masters; i += 1) {
    const first = Math.floor((i * SLOTS) / masters);
    const last = Math.floor(((i + 1) * SLOTS) / masters) - 1;
    await clients[i]!.call('CLUSTER', 'ADDSLOTSRANGE', first, last);
    // Two nodes of the same epoch would have to settle first which of them is the newer.
    await clients[i]!.call('CLUSTER', 'SET-CONFIG-EPOCH', i + 1);
  }
  for (const { port } of nodes.slice(1)) {
    await clients[0]!.call('CLUSTER', 'MEET', '127.0.0.1', port, port + CLUSTER_BUS);
  }
  await clusterUntil(clients, async (client) => {
    return field(await client.call('CLUSTER', 'INFO'), 'cluster_known_nodes') === `${nodes.length}`;
  });
  for (let i = masters; i < clients.length; i += 1) {
    const master = await clients[(i - masters) % masters]!.call('CLUSTER', 'MYID');
    await clients[i]!.call('CLUSTER', 'REPLICATE', String(master));
  }
  const replicas = clients.length - masters;
  await clusterUntil(clients, (client) => isWhole(client, replicas));
}

/** Whether this node serves, is in step with its master, and knows of all replicas. */
async function isWhole(client: Redis, replicas: number): Promise<boolean> {
  if (field(await client.call('CLUSTER', 'INFO'), 'cluster_state') !== 'ok') return false;
  const slots = (await client.call('CLUSTER', 'SLOTS')) as unknown[][];
  // Of each range: its first and last slot, its master, its replicas.
  if (slots.reduce((sum, range) => sum + range.length - 3, 0) !== replicas) return false;
  const info = await client.info('replication');
  return field(info, 'role') === 'master' || field(info, 'master_link_status') === 'up';
}

async function clusterUntil(
  clients: readonly Redis[],
  isSo: (client: Redis) => Promise<boolean>,
): Promise<void> {
  const deadline = Date.now() + CLUSTER_TIMEOUT_MS;
  for (const client of clients) {
    while (!(await isSo(client))) {
      if (Date.now() > deadline) {
        throw new Error(`the cluster is not whole in time: ${await client.call('CLUSTER', 'NODES')}`);
      }
      await sleep(20);
    }
  }
}

function field(info: unknown, name: string): string | undefined {
  return new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(String(info))?.[1];
}

function emptyFolder(dir: string): void {
  for (const name of readdirSync(dir)) rmSync(join(dir, name), { recursive: true, force: true });
}

/** A server that asks for a password is ready too; one that still loads its data is not. */
function ping(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    socket.setTimeout(PROBE_TIMEOUT_MS, () => socket.destroy(new Error('no answer to PING')));
    socket.once('data', (answer) => {
      if (/^(\+PONG|-NOAUTH)/.test(String(answer))) resolve();
      socket.destroy(new Error(`answered ${String(answer).trim()}`));
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed')));
  });
}
