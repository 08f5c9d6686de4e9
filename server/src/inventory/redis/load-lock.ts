// Who loads an event holds its lock, so that of many processes which find Redis empty one reads the ledger. The lock
// does not guard the tickets: load.lua checks it, and the epoch keeps late messages out.
import { randomUUID } from 'node:crypto';
import type { RedisConnection } from '../../drivers/redis/redis-connection.ts';
import { asUnavailable } from './faults.ts';
import { UNLOCK } from './scripts.ts';

const LOCK_MS = 10_000;
const RENEW_MS = 3_000;

export class LoadLock {
  readonly key: string;
  readonly token = randomUUID();
  readonly #connection: RedisConnection;
  #renewal: NodeJS.Timeout | undefined;

  constructor(connection: RedisConnection, key: string) {
    this.#connection = connection;
    this.key = key;
  }

  /** False when another process has it. */
  async acquire(): Promise<boolean> {
    const answer = await this.#connection
      .call('SET', [this.key, this.token, 'NX', 'PX', `${LOCK_MS}`])
      .catch((error: unknown) => Promise.reject(asUnavailable(error, 'locking an event')));
    if (answer === null) return false;
    // Reading a large ledger may take longer than the lock lasts when its owner dies. Should it have passed to
    // another process meanwhile, this makes that one's last longer, and load.lua refuses ours.
    this.#renewal = setInterval(() => {
      this.#connection.call('PEXPIRE', [this.key, `${LOCK_MS}`]).catch(() => {});
    }, RENEW_MS).unref();
    return true;
  }

  /** After a load there is nothing left to release. */
  async release(): Promise<void> {
    clearInterval(this.#renewal);
    await this.#connection.run(UNLOCK, [this.key], [this.token]).catch(() => {});
  }
}
