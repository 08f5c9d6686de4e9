// Virtual time for the simulated shop: everybody who sleeps is woken in order of time, and nothing else makes
// time pass, so a run is repeatable and takes as long as its computation.
import { setImmediate } from 'node:timers/promises';

interface Sleeper {
  readonly atMs: number;
  readonly wake: () => void;
}

export class SimClock {
  nowMs = 0;
  /** By descending time, so that the next one is last. */
  readonly #sleepers: Sleeper[] = [];

  sleep(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const atMs = this.nowMs + ms;
    let index = this.#sleepers.length;
    while (index > 0 && this.#sleepers[index - 1]!.atMs <= atMs) index--;
    this.#sleepers.splice(index, 0, { atMs, wake: resolve });
    return promise;
  }

  /** Lets time pass until the work is done. Rejects when all wait and nobody sleeps. */
  async run<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    const settle = () => {
      isDone = true;
    };
    work.then(settle, settle);
    for (;;) {
      await setImmediate(); // Everything that can happen at this instant happens first.
      if (isDone) return work;
      const next = this.#sleepers.pop();
      if (next === undefined) throw new Error('the simulation is stuck: all wait, and nobody for time');
      this.nowMs = next.atMs;
      next.wake();
    }
  }
}
