import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ServerClock } from './server-clock.ts';

/** What was read, with how long it took to read here: by half of that a clock made from it may be off. */
interface TimedReading {
  readonly reading: { readonly serverMs: number; readonly askedMs: number; readonly answeredMs: number };
  readonly offMs: number;
}

/** A reading of a server whose clock is `aheadMs` before this process's wall clock. */
function readingOf(aheadMs: number, tripMs = 0): TimedReading {
  const askedMs = ServerClock.localMs();
  const serverMs = Date.now() + aheadMs;
  const answeredMs = ServerClock.localMs();
  const reading = { serverMs, askedMs: askedMs - tripMs / 2, answeredMs: answeredMs + tripMs / 2 };
  // And some milliseconds for clocks that tell whole ones.
  return { reading, offMs: answeredMs - askedMs + 3 };
}

const reading = (aheadMs: number, tripMs = 0) => readingOf(aheadMs, tripMs).reading;

/** It tells what the other tells, between two looks at that: however long the machine takes from one to the next. */
function assertTells(clock: ServerClock, expectedMs: () => number, offMs: number): void {
  const fromMs = expectedMs() - offMs;
  const nowMs = clock.nowMs();
  const toMs = expectedMs() + offMs;
  assert.ok(nowMs >= fromMs && nowMs <= toMs, `${nowMs} is not from ${fromMs} to ${toMs}`);
}

describe('server clock', () => {
  test('[S7] starts at the clock of the server, whatever that of the machine says, and runs on', async () => {
    const { reading, offMs } = readingOf(3_600_000, 40);
    const clock = new ServerClock(reading, 0);
    assertTells(clock, () => Date.now() + 3_600_000, offMs);
    await new Promise((resolve) => setTimeout(resolve, 30));
    assertTells(clock, () => Date.now() + 3_600_000, offMs);
    assert.ok(Number.isInteger(clock.nowMs()));
  });

  test('[S7] never starts before the last moment in the ledger', () => {
    const floorMs = Date.now() + 3_600_000;
    const clock = new ServerClock(reading(0), floorMs);
    assert.ok(clock.nowMs() >= floorMs && clock.nowMs() < floorMs + 3_600_000);
  });

  test('[S7] a server clock that jumps moves it by at most 50 ms at a time, and never back', () => {
    const clock = new ServerClock(reading(0), 0);
    const beforeMs = ServerClock.localMs();
    const before = clock.nowMs();
    const lookedMs = ServerClock.localMs() - beforeMs;
    clock.correct(reading(3_600_000));
    assertTells(clock, () => before + 50 + ServerClock.localMs() - beforeMs, lookedMs + 3);
    const aheadMs = ServerClock.localMs();
    const ahead = clock.nowMs();
    for (let i = 0; i < 3; i++) clock.correct(reading(-3_600_000));
    assert.ok(clock.nowMs() >= ahead && clock.nowMs() <= ahead + ServerClock.localMs() - aheadMs + 3);
    let offMs = 0;
    for (let i = 0; i < 10; i++) {
      const now = readingOf(0);
      clock.correct(now.reading);
      offMs = Math.max(offMs, now.offMs);
    }
    assertTells(clock, () => Math.max(ahead, Date.now()), offMs);
  });
});
