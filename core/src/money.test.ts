// Sums are exact or refused: no float slips in, no currency turns into another.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addMoney, money, timesMoney } from './money.ts';

const anyAmount = fc.maxSafeInteger();

test('[S10] a sum is exact, or refused when it would not be', () => {
  fc.assert(
    fc.property(anyAmount, anyAmount, (a, b) => {
      const sum = () => addMoney(money(a, 'EUR'), money(b, 'EUR'));
      const exact = BigInt(a) + BigInt(b);
      if (isExact(exact))
        assert.deepEqual({ ...sum(), amount: BigInt(sum().amount) }, { amount: exact, currency: 'EUR' });
      else assert.throws(sum, RangeError);
    }),
  );
});

test('[S10] a price times a quantity is exact, or refused when it would not be', () => {
  const price = fc.oneof(fc.nat(1_000_000), anyAmount);
  const quantity = fc.oneof(fc.nat(1_000), fc.nat());
  fc.assert(
    fc.property(price, quantity, (unitPrice, count) => {
      const product = () => timesMoney(money(unitPrice, 'JPY'), count);
      const exact = BigInt(unitPrice) * BigInt(count);
      if (isExact(exact)) assert.equal(BigInt(product().amount), exact);
      else assert.throws(product, RangeError);
    }),
  );
});

test('[S10] the order of a sum does not matter', () => {
  const amounts = fc.array(fc.integer({ min: -1_000_000, max: 1_000_000 }), { minLength: 1 });
  fc.assert(
    fc.property(amounts, (list) => {
      const sum = (all: readonly number[]) =>
        all.map((amount) => money(amount, 'EUR')).reduce(addMoney, money(0, 'EUR'));
      assert.deepEqual(sum(list), sum(list.toReversed()));
    }),
  );
});

test('[S10] money of two currencies is not added', () => {
  assert.throws(() => addMoney(money(1, 'EUR'), money(1, 'USD')), /cannot add USD to EUR/);
});

test('[S10] an amount that is no exact integer is not money', () => {
  for (const bad of [0.5, Number.NaN, Number.POSITIVE_INFINITY, Number.MAX_SAFE_INTEGER + 1]) {
    assert.throws(() => money(bad, 'EUR'), RangeError, String(bad));
  }
  assert.throws(() => timesMoney(money(100, 'EUR'), 0.125), RangeError);
});

test('[S10] a currency is three capital letters', () => {
  for (const bad of ['', 'eur', 'EU', 'EURO', 'E1R', 'EUR\n', '€']) {
    assert.throws(() => money(1, bad), RangeError, JSON.stringify(bad));
  }
});

function isExact(amount: bigint): boolean {
  return amount >= BigInt(Number.MIN_SAFE_INTEGER) && amount <= BigInt(Number.MAX_SAFE_INTEGER);
}
