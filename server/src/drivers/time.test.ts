// Deadlines, single flights and pauses, without waiting for any: what counts is the order of things.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Backoff, once, singleFlight, within } from './time.ts';

const late = () => new Error('too late');

describe('within', () => {
  test('passes on what comes in time, good or bad', async () => {
    assert.equal(await within(60_000, Promise.resolve('ticket'), late), 'ticket');
    await assert.rejects(within(60_000, Promise.reject(new Error('gone')), late), /^Error: gone/);
  });

  test('rejects with the reason when it takes longer, and a later failure is nobody’s business', async () => {
    const { promise, reject } = Promise.withResolvers<never>();
    await assert.rejects(within(1, promise, late), /too late/);
    reject(new Error('much later'));
  });

  test('leaves no timer behind', async () => {
    const before = process.getActiveResourcesInfo().filter((each) => each === 'Timeout').length;
    await within(60_000, Promise.resolve(), late);
    assert.equal(process.getActiveResourcesInfo().filter((each) => each === 'Timeout').length, before);
  });
});

describe('singleFlight', () => {
  test('calls share the attempt that is under way; the next call is a new one', async () => {
    const attempts: PromiseWithResolvers<number>[] = [];
    const fly = singleFlight(() => {
      attempts.push(Promise.withResolvers<number>());
      return attempts.at(-1)!.promise;
    });
    const calls = [fly(), fly(), fly()];
    assert.equal(attempts.length, 1);
    attempts[0]!.resolve(1);
    assert.deepEqual(await Promise.all(calls), [1, 1, 1]);
    const failing = [fly(), fly()];
    assert.equal(attempts.length, 2);
    attempts[1]!.reject(new Error('no'));
    for (const call of failing) await assert.rejects(call, /no/);
    void fly();
    assert.equal(attempts.length, 3);
  });
});

test('once: is done one time, no matter who asks or how late', async () => {
  let times = 0;
  const close = once(async () => ++times);
  assert.deepEqual(await Promise.all([close(), close()]), [1, 1]);
  assert.equal(await close(), 1);
});

describe('Backoff', () => {
  test('doubles up to its limit, and begins anew after a success', () => {
    const backoff = new Backoff(100, 500, () => 1);
    assert.deepEqual([1, 2, 3, 4, 5].map(() => backoff.nextMs()), [100, 200, 400, 500, 500]); // biome-ignore format: short
    backoff.reset();
    assert.equal(backoff.nextMs(), 100);
  });

  test('chance shortens a pause by half at most', () => {
    assert.equal(new Backoff(100, 500, () => 0).nextMs(), 50);
  });

  test('a pause ends when it is told to', async () => {
    const stop = new AbortController();
    const pause = new Backoff(60_000, 60_000).pause(stop.signal);
    stop.abort();
    await assert.rejects(pause, { name: 'AbortError' });
  });
});
