// The order's table, cell by cell as a reader expects it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLiveOrder, LIVE_ORDER_STATUSES, ORDER_STATUSES, stepOrder } from './order.ts';

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
