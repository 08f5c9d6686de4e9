// Whether the database can be reached. Once a connection could not be made, everybody is told so at once, instead of
// each waiting for its own timeout, while one probe tries again and again with growing pauses.
import { setTimeout as sleep } from 'node:timers/promises';
import { Backoff } from '../time.ts';
import type { SqlDatabase } from './sql.ts';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

export interface ReachListener {
  readonly onFault?: ((line: string) => void) | undefined;
  readonly onRecovered?: ((line: string) => void) | undefined;
}

export class Reach {
  readonly #database: SqlDatabase;
  readonly #listener: ReachListener;
  readonly #stop = new AbortController();
  #probe: Promise<void> | undefined;

  constructor(database: SqlDatabase, listener: ReachListener) {
    this.#database = database;
    this.#listener = listener;
  }

  get isUp(): boolean {
    return this.#probe === undefined;
  }

  /** A connection could not be made. */
  failed(error: Error): void {
    if (this.#probe || this.#stop.signal.aborted) return;
    this.#listener.onFault?.(error.message);
    const sinceMs = performance.now();
    this.#probe = this.#tryAgain().then(
      () => {
        this.#probe = undefined;
        const seconds = ((performance.now() - sinceMs) / 1000).toFixed(1);
        this.#listener.onRecovered?.(`${this.#database.description} is back after ${seconds} s`);
      },
      () => {}, // Stopped: it stays down.
    );
  }

  /** Waits until it is up, but not longer than this. */
  async upWithin(ms: number): Promise<void> {
    if (this.#probe) await Promise.race([this.#probe, sleep(Math.max(ms, 0))]);
  }

  async #tryAgain(): Promise<void> {
    const backoff = new Backoff(FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
    for (;;) {
      await backoff.pause(this.#stop.signal);
      try {
        const connection = await this.#database.connect();
        await connection.nowMs();
        await connection.close();
        return;
      } catch {
        // Still away: what is wrong was said once.
      }
    }
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#probe;
  }
}
