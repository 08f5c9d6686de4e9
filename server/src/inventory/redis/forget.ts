// Removes every event from a Redis, when the ledger that they were loaded from is deleted.
import { Cluster, type Redis } from 'ioredis';
import { destroyClient, openClient, type RedisClient } from '../../drivers/redis/redis-client.ts';
import { parseRedisUrl } from '../../drivers/redis/redis-url.ts';

const CONNECT_TIMEOUT_MS = 2_000;
const KEYS_AT_ONCE = 500;

/** A Redis, or a cluster, that can be reached. */
export class EventKeys {
  readonly #client: RedisClient;

  private constructor(client: RedisClient) {
    this.#client = client;
  }

  /** Rejects with UnsuitableRedis or RedisUnavailable, each with one line for people. */
  static async reach(url: string): Promise<EventKeys> {
    const { client } = await openClient(parseRedisUrl(url), CONNECT_TIMEOUT_MS, []);
    return new EventKeys(client);
  }

  /** Deletes all keys `event:{…}:…`. */
  async forgetAll(): Promise<void> {
    const nodes = this.#client instanceof Cluster ? this.#client.nodes('master') : [this.#client];
    for (const node of nodes) await forgetOf(node);
  }

  close(): void {
    destroyClient(this.#client);
  }
}

async function forgetOf(node: Redis): Promise<void> {
  const pages = node.scanStream({ match: 'event:{*}:*', count: KEYS_AT_ONCE });
  for await (const keys of pages as AsyncIterable<string[]>) {
    // One by one: the keys of two events may lie in different slots of a cluster.
    await Promise.all(keys.map((key) => node.unlink(key)));
  }
}
