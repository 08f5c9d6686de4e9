// The ledger's clock (rule S7). It follows the wall clock at start-up and the monotonic clock from then on, so
// a wall clock that jumps while the shop runs neither expires holds at once nor keeps them for ever; and it
// never starts before the last moment the ledger recorded, so a restart never lengthens a hold.

/** Milliseconds of a clock that only moves forward, the same in every thread of a process. */
function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}

export class LedgerClock {
  readonly #offsetMs: number;

  /** `floorMs`: the latest time the ledger holds, or 0. */
  constructor(floorMs: number, wallMs: number = Date.now()) {
    this.#offsetMs = Math.max(wallMs, floorMs) - monotonicMs();
  }

  /** Milliseconds since 1970. */
  nowMs(): number {
    return this.#offsetMs + monotonicMs();
  }
}
