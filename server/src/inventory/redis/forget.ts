// Removes every event from a Redis, for who deletes the ledger that they were loaded from.
import { Redis } from 'ioredis';

const KEYS_AT_ONCE = 500;

/** Deletes all keys `event:{…}:…`. Rejects when Redis cannot be reached. */
export async function forgetAllEvents(url: string): Promise<void> {
  const redis = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => null });
  await redis.connect();
  try {
    const pages = redis.scanStream({ match: 'event:{*}:*', count: KEYS_AT_ONCE });
    for await (const keys of pages as AsyncIterable<string[]>)
      if (keys.length > 0) await redis.unlink(...keys);
  } finally {
    redis.disconnect();
  }
}
