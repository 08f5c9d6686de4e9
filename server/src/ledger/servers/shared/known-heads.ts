// Where the heads of events stand, as far as this process can foresee. Who alone sells an event knows where its head
// will stand after his own batches, and need not ask: a batch of nothing but new claims is judged on what is foreseen
// and sent whole, in one round trip that the server refuses if the head stands elsewhere or a claim or key is there
// already. Then it is judged again on what is really there, so a wrong guess costs time and nothing else.
import type { SqlRow } from '../../../drivers/sql/sql.ts';
import type { KnownHead } from './sql-server.ts';

/** This many wrong guesses in a row, or nearly, mean that other processes sell the event too. */
const MAX_WRONG = 3;
/** What a right guess makes up for. */
const RIGHT = 0.1;
/** Then it is not tried again for so long: a wrong guess costs about a batch. */
const WARY_MS = 1_000;

interface Trust {
  wrong: number;
  waryUntilMs: number;
}

export class KnownHeads {
  readonly #heads = new Map<number, KnownHead>();
  readonly #trust = new Map<number, Trust>();
  /** Batches that are asking the server where a head stands. */
  readonly #learning = new Map<number, Promise<void>>();

  /** Resolves when no batch of this process is learning where these heads stand. */
  async settled(eventNos: readonly number[]): Promise<void> {
    if (this.#learning.size === 0 || this.#isWary(eventNos)) return;
    await Promise.all(eventNos.map((eventNo) => this.#learning.get(eventNo)));
  }

  /**
   * Where the heads will stand once all batches before are committed; undefined when that is not known. Who goes on
   * with it says at once, in the same turn, where they stand then.
   */
  foresee(eventNos: readonly number[]): KnownHead[] | undefined {
    if (this.#isWary(eventNos)) return undefined;
    const heads: KnownHead[] = [];
    for (const eventNo of eventNos) {
      const head = this.#heads.get(eventNo);
      if (!head) return undefined;
      heads.push(head);
    }
    return heads;
  }

  /** A batch asks the server; the function that is returned says that it knows, or has failed. */
  learn(eventNos: readonly number[]): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    for (const eventNo of eventNos) this.#learning.set(eventNo, promise);
    return () => {
      for (const eventNo of eventNos) {
        if (this.#learning.get(eventNo) === promise) this.#learning.delete(eventNo);
      }
      resolve();
    };
  }

  stand(heads: readonly KnownHead[]): void {
    for (const head of heads) this.#heads.set(head.eventNo, head);
  }

  forget(eventNos: readonly number[]): void {
    for (const eventNo of eventNos) this.#heads.delete(eventNo);
  }

  wasRight(eventNos: readonly number[]): void {
    for (const eventNo of eventNos) {
      const trust = this.#trust.get(eventNo);
      if (trust) trust.wrong = Math.max(0, trust.wrong - RIGHT);
    }
  }

  wasWrong(eventNos: readonly number[]): void {
    this.forget(eventNos);
    for (const eventNo of eventNos) {
      const trust = this.#trust.get(eventNo) ?? { wrong: 0, waryUntilMs: 0 };
      this.#trust.set(eventNo, trust);
      if (++trust.wrong < MAX_WRONG) continue;
      trust.wrong = 0;
      trust.waryUntilMs = performance.now() + WARY_MS;
    }
  }

  #isWary(eventNos: readonly number[]): boolean {
    if (this.#trust.size === 0) return false;
    const nowMs = performance.now();
    return eventNos.some((eventNo) => (this.#trust.get(eventNo)?.waryUntilMs ?? 0) > nowMs);
  }
}

/** As the server would have answered. */
export function headRow(head: KnownHead): SqlRow {
  const { eventNo, seq, held, sold, atMs, version, aside } = head;
  const counts = { seq: `${seq}`, held: `${held}`, sold: `${sold}`, aside: `${aside}` };
  return { event_no: `${eventNo}`, ...counts, at_ms: `${atMs}`, version: `${version}` };
}

export function knownHead(row: SqlRow): KnownHead {
  return {
    eventNo: Number(row.event_no),
    seq: Number(row.seq),
    held: Number(row.held),
    sold: Number(row.sold),
    atMs: Number(row.at_ms),
    version: Number(row.version),
    aside: Number(row.aside),
  };
}
