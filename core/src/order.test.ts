// The order's table, cell by cell as a reader expects it, and sums that are exact or refused.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ticketTypeId } from './ids.ts';
import { isLiveOrder, LIVE_ORDER_STATUSES, ORDER_STATUSES, type OrderLine, priceOf, stepOrder } from './order.ts'; // biome-ignore format: short

/** The next status, or the refusal: when tickets are left, and when none is. */
const EXPECTED = { confirmed: ['confirmed', 'void'], void: ['TICKET_VOID', 'TICKET_VOID'] } as const;

for (const status of ORDER_STATUSES) {
  test(`a return from an order that is ${status}: ${EXPECTED[status].join(' | ')}`, () => {
    const steps = [3, 0].map((left) => stepOrder(status, 'return', left));
    assert.deepEqual(
      steps.map((step) => ('to' in step ? step.to : step.refusal)),
      EXPECTED[status],
    );
  });
}

test('[S8] an order has tickets until it is void', () => {
  assert.deepEqual(LIVE_ORDER_STATUSES, ['confirmed']);
  assert.deepEqual(
    ORDER_STATUSES.map((status) => isLiveOrder({ status })),
    [true, false],
  );
});

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
