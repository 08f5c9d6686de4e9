// Health must answer whatever the ledger does: the count of keys may be old, or unknown, but never late.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryLedger } from '../../ledger/contract/memory-ledger.ts';
import { TestClock } from '../../ledger/contract/test-entries.ts';
import { KeptKeys } from './kept-keys.ts';

/** A ledger whose counts come when the test says so. */
class SlowLedger extends MemoryLedger {
  readonly waiting: { readonly answer: (count: number) => void; readonly fail: () => void }[] = [];

  override keptKeys(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ answer: resolve, fail: () => reject(new Error('the ledger is away')) });
    });
  }
}

test('[B4] the first answer waits a moment for the count, and takes it when it comes', async () => {
  const ledger = new SlowLedger(new TestClock());
  const keys = new KeptKeys({ ledger });
  const [one, other] = [keys.latest(), keys.latest()];
  assert.equal(ledger.waiting.length, 1, 'it is counted once for all who ask');
  ledger.waiting[0]!.answer(7);
  assert.deepEqual([await one, await other], [7, 7]);
  assert.equal(await keys.latest(), 7);
  assert.equal(ledger.waiting.length, 1, 'a fresh count is not repeated');
});

test('[B4] a ledger that does not answer, or fails, makes the count unknown, not the answer late', async () => {
  const ledger = new SlowLedger(new TestClock());
  const keys = new KeptKeys({ ledger });
  assert.equal(await keys.latest(), null);
  assert.equal(ledger.waiting.length, 1, 'the slow count is still under way');
  ledger.waiting[0]!.fail();
  await new Promise(setImmediate);
  const again = keys.latest();
  assert.equal(await Promise.race([again, Promise.resolve('waits')]), 'waits');
  ledger.waiting.at(-1)!.answer(3);
  assert.equal(await again, 3);
});

test('[B3] the exact count is as late and as faulty as the ledger', async () => {
  const ledger = new SlowLedger(new TestClock());
  const keys = new KeptKeys({ ledger });
  const count = keys.count();
  ledger.waiting[0]!.answer(4);
  assert.equal(await count, 4);
  assert.equal(await keys.latest(), 4, 'it is also the latest');
  const failing = keys.count();
  ledger.waiting[1]!.fail();
  await assert.rejects(failing, /away/);
});
