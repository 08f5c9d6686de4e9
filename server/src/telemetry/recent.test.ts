// The percentiles of metrics and statistics (mission rows A3, B3).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecentLatencies } from './recent.ts';

test('without latencies every percentile is 0', () => {
  assert.deepEqual(new RecentLatencies().percentiles(0, 50, 100), [0, 0, 0]);
});

test('percentiles are latencies that were met, whatever their order', () => {
  const recent = new RecentLatencies();
  for (let i = 0; i < 100; i++) recent.add(((i * 37) % 100) + 1);
  assert.deepEqual(recent.percentiles(0, 50, 95, 99, 100), [1, 51, 96, 100, 100]);
});

test('[B3] only the latest 4,096 count, so an old stall is forgotten', () => {
  const recent = new RecentLatencies();
  recent.add(60_000);
  for (let i = 0; i < 4_095; i++) recent.add(1);
  assert.deepEqual(recent.percentiles(50, 100), [1, 60_000]);
  recent.add(1);
  assert.deepEqual(recent.percentiles(50, 100), [1, 1]);
});

test('latencies are told to the microsecond', () => {
  const recent = new RecentLatencies();
  recent.add(1.234_567);
  assert.deepEqual(recent.percentiles(50), [1.235]);
});
