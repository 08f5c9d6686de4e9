// When the next hold of an event may lapse: told to all who hear that everything is held. A whole on-sale may ask at
// once, so the ledger is asked at most twice a second for each event.
import type { EventId } from '@floodgate/core/ids.ts';
import type { Ledger } from '../../ledger/ledger.ts';

const FRESH_MS = 500;
/**
 * What is told is rounded up to this: to the millisecond it would tell when the hold was made, and with that nearly what
 * its id is.
 */
const TOLD_IN_STEPS_OF_MS = 5_000;
/** The longest time that a refused buyer is told to wait. */
const PATIENCE_MS = 250;

interface Look {
  /** On the monotonic clock. */
  readonly startMs: number;
  readonly done: Promise<void>;
  isDone: boolean;
  nextMs: number | undefined;
}

export class NextExpiries {
  readonly #ledger: Ledger;
  readonly #looks = new Map<EventId, Look>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** In ledger time, not before it may lapse; undefined when no hold is left, or when the ledger cannot say. */
  async of(eventId: EventId): Promise<number | undefined> {
    let look = this.#looks.get(eventId);
    if (!look || (look.isDone && performance.now() - look.startMs >= FRESH_MS)) {
      look = this.#lookUp(eventId);
      this.#looks.set(eventId, look);
    }
    if (!look.isDone) await patiently(look.done);
    return look.nextMs;
  }

  #lookUp(eventId: EventId): Look {
    const reading = this.#ledger.nextDeadline(eventId);
    const look: Look = {
      startMs: performance.now(),
      isDone: false,
      nextMs: undefined,
      // That everything is held is true without it, so a fault of this read is no fault of the answer.
      done: reading.then(
        (nextMs) => this.#finish(look, nextMs),
        () => this.#finish(look, undefined),
      ),
    };
    return look;
  }

  #finish(look: Look, nextMs: number | undefined): void {
    look.nextMs = nextMs && Math.ceil(nextMs / TOLD_IN_STEPS_OF_MS) * TOLD_IN_STEPS_OF_MS;
    look.isDone = true;
  }
}

async function patiently(done: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, PATIENCE_MS);
  });
  await Promise.race([done, patience]);
  clearTimeout(timer);
}
