// The arithmetic every figure rests on, against definitions and against plain counting.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { median, medianRatio, percentile, summarize } from './stats.ts';

const milliseconds = fc.double({ min: 0, max: 1e6, noNaN: true });

test('the median of an odd list is its middle, of an even list the mean of the middle two', () => {
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.equal(median([7]), 7);
  assert.throws(() => median([]), RangeError);
});

test('taking a median leaves the list in its order', () => {
  const values = [3, 1, 2];
  median(values);
  assert.deepEqual(values, [3, 1, 2]);
});

test('percentiles of 1 … 1,000 are the ranks themselves', () => {
  const samples = Float64Array.from({ length: 1_000 }, (_, index) => 1_000 - index);
  assert.deepEqual(summarize(samples), { p50: 500, p90: 900, p99: 990, p999: 999, max: 1_000 });
});

test('a percentile is a sample, enough samples do not exceed it, and no smaller sample would do', () => {
  fc.assert(
    fc.property(
      fc.array(milliseconds, { minLength: 1, maxLength: 200 }),
      fc.constantFrom(1, 25, 50, 90, 99, 99.9, 100),
      (values, percent) => {
        const found = percentile(Float64Array.from(values).sort(), percent);
        const atMost = (limit: number) => values.filter((value) => value <= limit).length / values.length;
        assert.ok(values.includes(found));
        assert.ok(atMost(found) >= percent / 100 - 1e-9);
        for (const value of values) if (value < found) assert.ok(atMost(value) < percent / 100);
      },
    ),
  );
});

test('nothing measured is summarized as zeros, and has no percentile', () => {
  assert.equal(summarize(new Float64Array(0)).max, 0);
  assert.throws(() => percentile(new Float64Array(0), 50), RangeError);
});

test('a ratio is taken inside each pair, so a machine that slows down for one pair does not bend it', () => {
  const pairs = [
    { a: 100, b: 60 },
    { a: 10, b: 6 },
    { a: 100, b: 61 },
  ];
  assert.equal(medianRatio(pairs), 0.6);
  assert.throws(() => medianRatio([{ a: 0, b: 1 }]), RangeError);
});
