// The small concurrency that everything with a connection needs: a deadline, one attempt at a time, growing pauses.
import { setTimeout as sleep } from 'node:timers/promises';

/** What the promise becomes, unless it takes longer: then rejects with `why()`. What was under way goes on unheard. */
export function within<T>(ms: number, promise: Promise<T>, why: () => Error): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(why()), ms);
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Calls that come while one is under way share its outcome; the next call after it begins anew. */
export function singleFlight<T>(act: () => Promise<T>): () => Promise<T> {
  let underWay: Promise<T> | undefined;
  return () => {
    underWay ??= act().finally(() => {
      underWay = undefined;
    });
    return underWay;
  };
}

/** The first call does it, all others share its outcome, for ever: for closing. */
export function once<T>(act: () => Promise<T>): () => Promise<T> {
  let done: Promise<T> | undefined;
  return () => {
    done ??= act();
    return done;
  };
}

/** Pauses that double, up to a limit. Each is shortened by chance, by half at most, so that many do not come together. */
export class Backoff {
  readonly #firstMs: number;
  readonly #longestMs: number;
  readonly #random: () => number;
  #nextMs: number;

  constructor(firstMs: number, longestMs: number, random: () => number = Math.random) {
    this.#firstMs = firstMs;
    this.#longestMs = longestMs;
    this.#random = random;
    this.#nextMs = firstMs;
  }

  /** How long the next pause is; the one after it is longer. */
  nextMs(): number {
    const ms = this.#nextMs * (0.5 + this.#random() / 2);
    this.#nextMs = Math.min(2 * this.#nextMs, this.#longestMs);
    return ms;
  }

  /** Waits. Rejects when the signal is given. */
  async pause(signal?: AbortSignal): Promise<void> {
    await sleep(this.nextMs(), undefined, { signal });
  }

  /** It worked: the next pause is the first again. */
  reset(): void {
    this.#nextMs = this.#firstMs;
  }
}
