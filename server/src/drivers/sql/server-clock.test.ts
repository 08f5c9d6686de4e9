import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ServerClock } from './server-clock.ts';

/** A reading of a server whose clock is `aheadMs` before this process's wall clock. */
function reading(aheadMs: number, tripMs = 0) {
  const nowMs = ServerClock.localMs();
  return { serverMs: Date.now() + aheadMs, askedMs: nowMs - tripMs / 2, answeredMs: nowMs + tripMs / 2 };
}

function assertNear(actualMs: number, expectedMs: number): void {
  assert.ok(Math.abs(actualMs - expectedMs) < 20, `${actualMs} is not near ${expectedMs}`);
}

describe('server clock', () => {
  test('[S7] starts at the clock of the server, whatever that of the machine says, and runs on', async () => {
    const clock = new ServerClock(reading(3_600_000, 40), 0);
    assertNear(clock.nowMs(), Date.now() + 3_600_000);
    await new Promise((resolve) => setTimeout(resolve, 30));
    assertNear(clock.nowMs(), Date.now() + 3_600_000);
    assert.ok(Number.isInteger(clock.nowMs()));
  });

  test('[S7] never starts before the last moment in the ledger', () => {
    const floorMs = Date.now() + 5_000;
    const clock = new ServerClock(reading(0), floorMs);
    assert.ok(clock.nowMs() >= floorMs && clock.nowMs() < floorMs + 100);
  });

  test('[S7] a server clock that jumps moves it by at most 50 ms at a time, and never back', () => {
    const clock = new ServerClock(reading(0), 0);
    const before = clock.nowMs();
    clock.correct(reading(3_600_000));
    assertNear(clock.nowMs(), before + 50);
    const ahead = clock.nowMs();
    for (let i = 0; i < 3; i++) clock.correct(reading(-3_600_000));
    assert.ok(clock.nowMs() >= ahead && clock.nowMs() < ahead + 20);
    for (let i = 0; i < 10; i++) clock.correct(reading(0));
    assertNear(clock.nowMs(), Math.max(ahead, Date.now()));
  });
});
