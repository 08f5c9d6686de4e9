// Group commit: what is posted while one batch commits becomes the next batch, so durability costs each sale a
// share of a commit. There is no timer: an idle ledger commits as soon as a few entries are there or the turn of
// the event loop ends, a busy one takes its next batch while the one before is being made durable.
import { invariant } from '@floodgate/core/assert.ts';
import type { Verdict } from './judge/state.ts';
import {
  type Entry,
  LedgerOutcomeUnknown,
  LedgerUnavailable,
  type Outcome,
  type OutcomeOf,
} from './ledger.ts';

interface Posted {
  readonly entry: Entry;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (fault: Error) => void;
  readonly postedMs: number;
}

/** Bounds and counters. Sizes are in entries. */
export interface GroupCommitOptions {
  /** The most entries of one transaction: bounds how long one commit can take. */
  readonly maxBatch: number;
  /**
   * This many entries, if they are a quarter of all that wait for an answer, are worth a batch before the turn ends: the
   * ledger starts while the rest of the turn's requests are still being read. Default: it starts when it ends.
   */
  readonly startAt?: number;
  /**
   * How many batches may be under way. The second waits in the ledger's thread and starts the moment the first is
   * durable, without a round trip through this one. Default: 1.
   */
  readonly depth?: number;
  /** The most entries that wait; beyond it, posting is refused with LedgerUnavailable. */
  readonly maxWaiting: number;
  /** What waited longer than this is refused with LedgerUnavailable, instead of being committed for a buyer who left. */
  readonly maxWaitMs?: number | undefined;
  /** Called after every batch, for metrics. */
  readonly onBatch?: ((batch: { size: number; waiting: number; ms: number }) => void) | undefined;
}

export class GroupCommit {
  readonly #commit: (entries: Entry[]) => Promise<Verdict[]>;
  readonly #options: GroupCommitOptions;
  readonly #startAt: number;
  readonly #depth: number;
  #waiting: Posted[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #entriesUnderWay = 0;
  #patience: NodeJS.Timeout | undefined;
  #isScheduled = false;
  #isClosed = false;
  #hasFailed = false;

  constructor(commit: (entries: Entry[]) => Promise<Verdict[]>, options: GroupCommitOptions) {
    // Async also when it throws at once: `#next` counts on a batch being under way when `#run` returns.
    this.#commit = async (entries) => commit(entries);
    this.#options = options;
    this.#startAt = options.startAt ?? Number.POSITIVE_INFINITY;
    this.#depth = options.depth ?? 1;
  }

  /** How many entries wait for the next batch. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** False while the last commit failed. */
  get isWritable(): boolean {
    return !this.#hasFailed;
  }

  post<E extends Entry>(entry: E): Promise<OutcomeOf<E>> {
    if (this.#isClosed) return Promise.reject(new LedgerUnavailable('the ledger is closing'));
    if (this.#waiting.length >= this.#options.maxWaiting) {
      return Promise.reject(new LedgerUnavailable('too many sales are waiting for the ledger'));
    }
    return new Promise<OutcomeOf<E>>((resolve, reject) => {
      const { maxWaitMs } = this.#options;
      // The judge answers every entry with an outcome of its kind, whatever else is in the batch.
      const answer = resolve as (outcome: Outcome) => void;
      this.#waiting.push({ entry, resolve: answer, reject, postedMs: maxWaitMs ? performance.now() : 0 });
      if (maxWaitMs) this.#watch(maxWaitMs, maxWaitMs);
      if (this.#isWorthABatch()) this.#next();
      else this.#schedule();
    });
  }

  // One timer for all, because the longest waiting is always the first.
  #watch(inMs: number, maxWaitMs: number): void {
    this.#patience ??= setTimeout(() => {
      this.#patience = undefined;
      const dueMs = performance.now() - maxWaitMs;
      const firstInTime = this.#waiting.findIndex(({ postedMs }) => postedMs > dueMs);
      const overdue = this.#waiting.splice(0, firstInTime < 0 ? this.#waiting.length : firstInTime);
      for (const { reject } of overdue) {
        reject(new LedgerUnavailable(`the ledger was busy for ${maxWaitMs} ms`));
      }
      const [first] = this.#waiting;
      if (first) this.#watch(Math.ceil(first.postedMs - dueMs), maxWaitMs);
    }, inMs);
  }

  #isWorthABatch(): boolean {
    const { length } = this.#waiting;
    return length >= this.#startAt && length >= (length + this.#entriesUnderWay) / 4;
  }

  // setImmediate runs after all input of this turn of the event loop was read, so one batch takes all of it.
  #schedule(): void {
    if (this.#isScheduled || this.#underWay.size > 0) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#next();
    });
  }

  #next(): void {
    const { size } = this.#underWay;
    if (size >= this.#depth || this.#waiting.length === 0 || (size > 0 && !this.#isWorthABatch())) return;
    const run = this.#run(this.#waiting.splice(0, this.#options.maxBatch), () => this.#underWay.delete(run));
    this.#underWay.add(run);
  }

  async #run(batch: readonly Posted[], ended: () => void): Promise<void> {
    this.#entriesUnderWay += batch.length;
    const startMs = performance.now();
    let settle: () => void;
    try {
      const verdicts = await this.#commit(batch.map((posted) => posted.entry));
      invariant(verdicts.length === batch.length, 'one verdict per entry');
      this.#hasFailed = false;
      settle = () => {
        for (let i = 0; i < batch.length; i++) answer(batch[i]!, verdicts[i]!);
      };
    } catch (error) {
      this.#hasFailed = true;
      settle = () => {
        for (const { reject } of batch) reject(asFault(error));
      };
    }
    // The ledger gets its next batch before this one is answered: answering is the longer part for the main thread.
    ended();
    this.#entriesUnderWay -= batch.length;
    this.#next();
    settle();
    const { onBatch } = this.#options;
    onBatch?.({ size: batch.length, waiting: this.#waiting.length, ms: performance.now() - startMs });
  }

  /** Commits what waits, then takes no more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    while (this.#underWay.size > 0 || this.#waiting.length > 0) {
      this.#next();
      await Promise.all(this.#underWay);
    }
    clearTimeout(this.#patience);
  }
}

function answer(posted: Posted, verdict: Verdict): void {
  if (verdict.status === 'broken') posted.reject(new Error(`broken invariant: ${verdict.message}`));
  else posted.resolve(verdict);
}

function asFault(error: unknown): Error {
  const isKnown = error instanceof LedgerUnavailable || error instanceof LedgerOutcomeUnknown;
  // What a commit throws without saying how far it came must be taken as unknown.
  return isKnown ? error : new LedgerOutcomeUnknown((error as Error).message, { cause: error });
}
