// When several refusals apply, timing must not choose the one a client sees.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { invariant, unreachable } from './assert.ts';
import { firstRefusal, REFUSALS, type RefusalCode } from './refusal.ts';

test('[A2] of any refusals, in any order, the first of the list is answered', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(REFUSALS.length - 1), { minLength: 1 }), (indices) => {
      const codes = indices.map((index) => REFUSALS[index]!);
      assert.equal(firstRefusal(codes), REFUSALS[Math.min(...indices)]);
    }),
  );
});

test('[A2] what does not exist is said before what was reused, before what is not on sale, before what is gone', () => {
  const order: readonly RefusalCode[] = [
    'EVENT_NOT_FOUND',
    'IDEMPOTENCY_KEY_REUSED',
    'NOT_ON_SALE',
    'HOLD_EXPIRED',
    'LIMIT_REACHED',
    'SOLD_OUT',
    'ALL_HELD',
  ];
  for (let i = 1; i < order.length; i++) {
    assert.equal(firstRefusal([order[i]!, order[i - 1]!]), order[i - 1]);
  }
});

test('[A2] no refusal is no answer', () => {
  assert.equal(firstRefusal([]), undefined);
});

test('a refusal stands once in the list, and is an upper-case code', () => {
  assert.equal(new Set(REFUSALS).size, REFUSALS.length);
  for (const code of REFUSALS) assert.match(code, /^[A-Z]+(_[A-Z]+)*$/);
});

test('a broken invariant throws, in production too, and says what is broken', () => {
  assert.doesNotThrow(() => invariant(true, 'never said'));
  assert.throws(() => invariant(false, 'capacity of ga'), /broken invariant: capacity of ga/);
  assert.throws(() => unreachable({ kind: 'odd' } as never), /broken invariant: unexpected \{"kind":"odd"\}/);
});
