// Tickets as text and back: strictly for what events keep, in any order for what processes and Redis tell each other.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MAX_EVENT_CAPACITY } from '../event/event.ts';
import type { Ticket } from '../ids.ts';
import { fromRuns, RunReader, RunWriter, rangesIn, toRuns } from './ticket-runs.ts';

test('[E2] tickets are written as runs, and read back', () => {
  assert.equal(toRuns([12, 13, 14, 77].map((ticket) => ticket as Ticket)), '12-14,77');
  assert.deepEqual(rangesIn('12-40,77'), [
    [12, 41],
    [77, 78],
  ]);
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(200)), (numbers) => {
      const tickets = numbers.sort((a, b) => a - b) as Ticket[];
      assert.deepEqual(fromRuns(toRuns(tickets)), tickets);
    }),
  );
  assert.throws(() => toRuns([2, 1] as Ticket[]), /ascending/);
  assert.throws(() => toRuns([1, 1] as Ticket[]), /ascending/);
});

test('[E2] a text that is no ascending list of runs throws', () => {
  const nonsense = [
    ' ',
    ',',
    '1,',
    '-1',
    '1-',
    '01',
    '1-01',
    '1.5',
    '2-1',
    '3-3',
    '3,2',
    '2,2',
    '1-4,4',
    '1 ,2',
    '1e3',
    'x',
  ];
  for (const bad of [...nonsense, '1-50000000', '50000000', '9'.repeat(40), '1--2', '1-2-3']) {
    assert.throws(() => fromRuns(bad), RangeError, bad);
  }
  assert.deepEqual(rangesIn('0-49999999'), [[0, MAX_EVENT_CAPACITY]]);
});

test('tickets in any order are written as runs where they follow each other, and read back in that order', () => {
  const runs = new RunWriter('.');
  for (const ticket of [3, 4, 5, 0, 12, 11]) runs.add(ticket as Ticket);
  assert.equal(runs.take(), '3-5.0.12.11');
  assert.equal(runs.take(), '', 'each ticket is taken once');
  runs.add(6 as Ticket);
  assert.equal(runs.take(), '6', 'a run ends where the text was taken');
  const property = fc.property(fc.array(fc.nat(40)), fc.nat(5), (numbers, atOnce) => {
    const writer = new RunWriter();
    for (const number of numbers) writer.add(number as Ticket);
    const reader = new RunReader(`1-3|${writer.take()}`, 4);
    const read: number[] = [];
    while (read.length < numbers.length) {
      read.push(...reader.next(Math.min(atOnce + 1, numbers.length - read.length)));
    }
    assert.deepEqual(read, numbers);
    assert.equal(reader.highest, Math.max(-1, ...numbers));
    assert.throws(() => reader.next(1), /broken invariant/);
  });
  fc.assert(property);
});
