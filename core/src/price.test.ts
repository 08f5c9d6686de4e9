// Sums that are exact or refused.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ticketTypeId } from './ids.ts';
import { type OrderLine, priceOf } from './price.ts';

const ga = ticketTypeId('ga')!;

test('[S10] a total is the exact sum of its lines, or refused', () => {
  const line = fc.tuple(fc.constant(ga), fc.nat(500), fc.oneof(fc.nat(100_000), fc.maxSafeNat()));
  fc.assert(
    fc.property(fc.array(line), (lines: OrderLine[]) => {
      const exact = lines.reduce((sum, [, quantity, amount]) => sum + BigInt(quantity) * BigInt(amount), 0n);
      if (exact > Number.MAX_SAFE_INTEGER) assert.throws(() => priceOf(lines, 'EUR'), RangeError);
      else assert.deepEqual(priceOf(lines, 'EUR'), { lines, total: Number(exact), currency: 'EUR' });
    }),
  );
});
