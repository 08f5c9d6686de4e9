// How many idempotency keys the ledger keeps: exactly for statistics, and for health, which must answer at once also
// when the ledger does not.
import type { Shop } from '../shop.ts';

/** Counting walks through an index, which takes a while when there are millions. */
const FRESH_MS = 10_000;
/** The very first answer waits this long for a count. */
const FIRST_WAIT_MS = 250;

export class KeptKeys {
  readonly #shop: Pick<Shop, 'ledger'>;
  #latest: number | null = null;
  #counting: Promise<void> | undefined;
  #countedAtMs = Number.NEGATIVE_INFINITY;

  constructor(shop: Pick<Shop, 'ledger'>) {
    this.#shop = shop;
  }

  /** As the ledger has it now. Throws when it cannot be read. */
  async count(): Promise<number> {
    this.#latest = await this.#shop.ledger.keptKeys();
    this.#countedAtMs = performance.now();
    return this.#latest;
  }

  /** The latest count, at most some seconds old while the ledger can be read; null before the first. Never throws. */
  async latest(): Promise<number | null> {
    if (performance.now() - this.#countedAtMs >= FRESH_MS) this.#recount();
    if (this.#latest === null && this.#counting) await atMost(FIRST_WAIT_MS, this.#counting);
    return this.#latest;
  }

  #recount(): void {
    this.#counting ??= this.count()
      .then(
        () => {},
        () => {},
      )
      .finally(() => {
        this.#counting = undefined;
      });
  }
}

/** Resolves with the promise, or when it takes too long. */
function atMost(ms: number, done: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    void done.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
