// Ledger time on a database server (rule S7): that of the server, so that all processes agree on when a hold ends.
// It is read at the start and every minute; in between the process's monotonic clock carries it on. It only moves
// forward, and is corrected by at most 50 ms at a time, so a clock that jumps neither expires holds nor keeps them.

const MAX_CORRECTION_MS = 50;

function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000;
}

/** A reading of the server's clock: when it was asked for and answered, by {@link ServerClock.localMs}. */
export interface ClockReading {
  readonly serverMs: number;
  readonly askedMs: number;
  readonly answeredMs: number;
}

export class ServerClock {
  #offsetMs: number;
  #lastMs: number;

  /** `floorMs`: the latest time the ledger holds, or 0. */
  constructor(reading: ClockReading, floorMs: number) {
    this.#offsetMs = Math.max(offsetOf(reading), floorMs - monotonicMs());
    this.#lastMs = floorMs;
  }

  static localMs(): number {
    return monotonicMs();
  }

  /** Milliseconds since 1970. */
  nowMs(): number {
    this.#lastMs = Math.max(this.#lastMs, Math.floor(monotonicMs() + this.#offsetMs));
    return this.#lastMs;
  }

  correct(reading: ClockReading): void {
    const wantedMs = offsetOf(reading) - this.#offsetMs;
    this.#offsetMs += Math.max(-MAX_CORRECTION_MS, Math.min(MAX_CORRECTION_MS, wantedMs));
  }
}

/** The server read its clock somewhere between question and answer: half-way, as good as it gets. */
function offsetOf({ serverMs, askedMs, answeredMs }: ClockReading): number {
  return serverMs - (askedMs + answeredMs) / 2;
}
