// Follows a list that only grows, such as a journal: reads on from where it is, page by page, and hands every item on
// once, in order. It decides nothing about time or place: who owns it says when to read, and keeps its cursor.

/** Items are numbered without a gap; those of one number may be several, side by side. */
export interface Numbered {
  readonly seq: number;
}

export interface FollowerOptions<Item extends Numbered> {
  /** The next items after `afterSeq`, in order. Fewer than `limit` are the last ones. */
  readonly read: (afterSeq: number, limit: number) => Promise<readonly Item[]>;
  /** Gets every page; the follower is behind it only when this has ended. Fails: the page is read again next time. */
  readonly apply: (items: readonly Item[]) => void | Promise<void>;
  readonly pageSize: number;
}

export class Follower<Item extends Numbered> {
  readonly #options: FollowerOptions<Item>;
  #seq: number;
  /** Counts how often the follower was put elsewhere. */
  #moves = 0;
  #isStopped = false;
  #reading: Promise<boolean> | undefined;

  constructor(afterSeq: number, options: FollowerOptions<Item>) {
    this.#seq = afterSeq;
    this.#options = options;
  }

  /** The cursor: everything up to here has been handed on. */
  get seq(): number {
    return this.#seq;
  }

  /** Goes on from another place. What is being read meanwhile is of another time, and is handed on to nobody. */
  moveTo(seq: number): void {
    this.#seq = seq;
    this.#moves++;
  }

  /** Hands on nothing any more. */
  stop(): void {
    this.#isStopped = true;
    this.#moves++;
  }

  /**
   * Reads to the end. A caller that asks while a read is under way waits for the same one. False when the end is more than
   * `maxPages` ahead, or the follower was stopped meanwhile.
   */
  read(maxPages = Number.POSITIVE_INFINITY): Promise<boolean> {
    this.#reading ??= this.#readOn(maxPages).finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /** Resolves when everything that was there before the call has been handed on. */
  async catchUp(): Promise<void> {
    // A read that is under way may have looked too early; the one after it sees all.
    await this.#reading;
    await this.read();
  }

  /** Resolves when nothing is being read. */
  async settled(): Promise<void> {
    await this.#reading;
  }

  async #readOn(maxPages: number): Promise<boolean> {
    const { read, apply, pageSize } = this.#options;
    for (let page = 0; page < maxPages && !this.#isStopped; page++) {
      const moves = this.#moves;
      const from = this.#seq;
      const items = await read(from, pageSize);
      if (this.#moves !== moves) continue;
      const last = lastOf(items, from);
      await apply(items);
      if (this.#moves !== moves) continue;
      this.#seq = last;
      if (items.length < pageSize) return true;
    }
    return false;
  }
}

/** The last number. A gap would be skipped for ever, so it is an error. */
function lastOf(items: readonly Numbered[], afterSeq: number): number {
  let last = afterSeq;
  for (const { seq } of items) {
    if (seq !== last + 1 && (seq !== last || last === afterSeq)) {
      throw new Error(`broken invariant: ${seq} follows ${last}`);
    }
    last = seq;
  }
  return last;
}
