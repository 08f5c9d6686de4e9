// A verdict must not be kinder than what was measured.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { figure, round, type Target, tableOf } from './bench.ts';

const verdict = (value: number, target: Target, problems: string[] = []) =>
  figure({ name: 'n', value, unit: '×', detail: '' }, target, problems).met;

test('each comparison is met on its right side only', () => {
  assert.deepEqual(
    [0.49, 0.5, 0.51].map((value) => verdict(value, { is: '≥', limit: 0.5 })),
    [false, true, true],
  );
  assert.deepEqual(
    [9, 10, 11].map((value) => verdict(value, { is: '≤', limit: 10 })),
    [true, true, false],
  );
  assert.deepEqual(
    [9, 10, 11].map((value) => verdict(value, { is: '<', limit: 10 })),
    [true, false, false],
  );
  assert.deepEqual(
    [0, 1].map((value) => verdict(value, { is: '=', limit: 0 })),
    [true, false],
  );
});

test('what is not a number meets no target', () => {
  for (const is of ['≥', '≤', '<', '='] as const) assert.equal(verdict(Number.NaN, { is, limit: 1 }), false);
});

test('a good value from a run in which something went wrong does not meet its target', () => {
  assert.equal(verdict(0.9, { is: '≥', limit: 0.5 }, ['12 connections failed']), false);
});

test('a figure without a target has no verdict, unless something went wrong', () => {
  const claim = { name: 'n', value: 1, unit: 'ms', detail: 'd' };
  assert.equal(figure(claim).met, undefined);
  assert.equal(figure(claim, undefined, ['broken']).met, false);
  assert.match(figure(claim, undefined, ['broken']).detail, /d; WRONG: broken/);
});

test('the table says the verdict in words', () => {
  const claim = { name: 'durable', value: 0.4, unit: '×', detail: 'beside it' };
  const table = tableOf([
    figure(claim, { is: '≥', limit: 0.5 }),
    figure({ ...claim, value: 0.6 }, { is: '≥', limit: 0.5 }),
  ]);
  assert.match(
    table,
    /durable {2}0\.400 × {2}≥ 0\.500 {2}NOT MET\n\s+beside it\n\s+durable {2}0\.600 × {2}≥ 0\.500 {2}met\n/,
  );
});

test('numbers are rounded to what matters', () => {
  assert.deepEqual([0.58764, 12.345, 123.4, 43_210.9, 5].map(round), ['0.588', '12.3', '123', '43,211', '5']);
});
