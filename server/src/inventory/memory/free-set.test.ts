// The bitmap against a plain Set, at the sizes where a word or a level ends.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { FreeSet } from './free-set.ts';

const EDGES = [0, 1, 2, 31, 32, 33, 63, 64, 65, 1_023, 1_024, 1_025, 32_767, 32_768, 32_769, 1_048_577];

function smallestFrom(members: ReadonlySet<number>, start: number, end: number): number {
  for (let member = start; member < end; member++) if (members.has(member)) return member;
  return -1;
}

describe('free set', () => {
  for (const capacity of EDGES) {
    test(`[S1] with room for ${capacity} it is full at first, and ends where it ends`, () => {
      const set = new FreeSet(capacity);
      assert.equal(set.size, capacity);
      assert.equal(set.has(capacity - 1), capacity > 0);
      assert.equal(set.firstFrom(0, capacity + 100), capacity === 0 ? -1 : 0);
      assert.equal(set.firstFrom(Math.max(capacity - 1, 0), capacity + 100), capacity - 1);
      for (const outside of [-1, capacity, capacity + 1, capacity + 32, 2 ** 31]) {
        assert.equal(set.has(outside), false, `has ${outside}`);
        assert.throws(() => set.add(outside), RangeError);
        set.delete(outside);
      }
      assert.equal(set.firstFrom(capacity, capacity + 100), -1);
      assert.equal(set.size, capacity);
    });
  }

  test('[S1] emptied from the front it gives every member once, in order', () => {
    const capacity = 40_000;
    const set = new FreeSet(capacity);
    for (let expected = 0; expected < capacity; expected++) {
      assert.equal(set.firstFrom(0, capacity), expected);
      set.delete(expected);
    }
    assert.equal(set.firstFrom(0, capacity), -1);
    assert.equal(set.size, 0);
  });

  test('[S9] one member left or added anywhere in an empty set is found from everywhere before it', () => {
    const capacity = 70_000;
    const set = new FreeSet(capacity);
    for (let member = 0; member < capacity; member++) set.delete(member);
    for (const only of [0, 31, 32, 1_023, 1_024, 32_767, 32_768, 65_535, 65_536, capacity - 1]) {
      set.add(only);
      for (const start of [0, only >>> 1, only]) assert.equal(set.firstFrom(start, capacity), only);
      assert.equal(set.firstFrom(0, only), -1);
      assert.equal(set.firstFrom(only + 1, capacity), -1);
      set.delete(only);
      assert.equal(set.firstFrom(0, capacity), -1);
    }
  });

  // Ranges are emptied and filled as well as single members, else no upper bit would ever be cleared.
  test('[S9] after any adds and deletes it agrees with a plain set', () => {
    const capacity = fc.constantFrom(1, 32, 33, 1_024, 1_057, 2_500);
    const span = fc.nat({ max: 2_500 });
    const step = fc.record({
      add: fc.boolean(),
      start: span,
      length: fc.oneof(fc.constant(1), span),
      ask: span,
    });
    const property = fc.property(capacity, fc.array(step, { maxLength: 12 }), (capacity, steps) => {
      const set = new FreeSet(capacity);
      const model = new Set(Array(capacity).keys());
      for (const { add, start, length, ask } of steps) {
        for (let member = start; member < Math.min(start + length, capacity); member++) {
          if (add) {
            set.add(member);
            model.add(member);
          } else {
            set.delete(member);
            model.delete(member);
          }
        }
        assert.equal(set.size, model.size);
        assert.equal(set.has(ask), model.has(ask));
        assert.equal(set.firstFrom(0, capacity), smallestFrom(model, 0, capacity));
        assert.equal(set.firstFrom(start, ask), smallestFrom(model, start, ask));
        assert.equal(set.firstFrom(ask, start + length), smallestFrom(model, ask, start + length));
      }
    });
    fc.assert(property, { numRuns: 500 });
  });
});
