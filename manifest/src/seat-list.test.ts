// The seats of a row in few letters: what they mean is kept for ever, and every row can be written so.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readSeatList, type SeatList, writeSeatList } from './seat-list.ts';

/** Seats with "|" for the aisles. */
function shown(list: string | readonly string[]): string {
  const read = readSeatList(list);
  if ('wrong' in read) return read.wrong;
  return read.names.map((name, index) => `${read.gaps[index] ? '| ' : ''}${name}`).join(' ');
}

test('[E2] ranges, steps, names and aisles mean what they always meant', () => {
  // Manifests are kept in ledgers in these words. If this test fails, the change is wrong.
  for (const [text, seats] of [
    ['1-4', '1 2 3 4'],
    ['4-1', '4 3 2 1'],
    ['0-2', '0 1 2'],
    ['1-9/4', '1 5 9'],
    ['1-10/4', '1 5 9'],
    ['10-1/3', '10 7 4 1'],
    ['5-5', '5'],
    ['1-2|3-4', '1 2 | 3 4'],
    ['1, 2 ,4A|Box 7', '1 2 4A | Box 7'],
    ['', ''],
    ['007', '007'],
  ] as const) {
    assert.equal(shown(text), seats, text);
  }
  assert.equal(shown(['A-1', '|', 'A-2', '1-20']), 'A-1 | A-2 1-20');
});

test('[E2] a list that cannot be read says what to write instead', () => {
  for (const [text, wrong] of [
    ['A1-A20', /no range of seats: write 1-20/],
    ['1-', /no range/],
    ['1-5/0', /no range/],
    ['01-05', /no range/],
    ['1-2-3', /no range/],
    ['1.5-3', /no range/],
    ['1,,2', /two commas/],
    ['1,', /two commas/],
    ['|1', /between two seats/],
    ['1|', /between two seats/],
    ['1||2', /between two seats/],
    ['|', /between two seats/],
    ['1-999999999', /more than 200000 seats/],
    [Array.from({ length: 9 }, () => '1-50000').join(','), /more than 200000 seats/],
  ] as const) {
    const read = readSeatList(text);
    assert.match('wrong' in read ? read.wrong : 'readable', wrong, text.slice(0, 20));
  }
});

test('[E2] every row can be written and is read back as it was', () => {
  const name = fc.oneof(
    fc.nat(12).map(String),
    fc.constantFrom('A', '4A', 'A-1', '1/2', '1-3', '007', 'é', 'Box 7'),
  );
  const anyList: fc.Arbitrary<SeatList> = fc
    .array(fc.record({ name, gap: fc.boolean() }), { maxLength: 12 })
    .map((seats) => ({
      names: seats.map((seat) => seat.name),
      gaps: seats.map(({ gap }, index) => gap && index > 0),
    }));
  fc.assert(
    fc.property(anyList, (list) => {
      assert.deepEqual(readSeatList(writeSeatList(list)), list);
    }),
    { numRuns: 2_000 },
  );
});

test('[E2] regular rows are written in few letters', () => {
  const written = (text: string) => {
    const read = readSeatList(text);
    return 'wrong' in read ? read.wrong : writeSeatList(read);
  };
  for (const text of ['1-500', '1-10|11-20', '1-39/2', '20-1', '1,2', '1-3,7', 'A,B|C', '9-1/4,2']) {
    assert.equal(written(text), text);
  }
  assert.equal(written('1,2,3,4'), '1-4');
  assert.equal(written('1,2,3|4,5,6'), '1-3|4-6');
});
