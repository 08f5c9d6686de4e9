// A batch arrives in the writer's thread as it was sent, whatever is set in its entries and whatever they cost.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AllocationId, eventId, type HoldId, type OrderId, ticketTypeId } from '@floodgate/core/ids.ts';
import { isSamePrice, type OrderLine, priceOf } from '@floodgate/core/price.ts';
import fc from 'fast-check';
import { ticketsOf } from '../contract/test-entries.ts';
import type { Buy, BuyerLimits, Entry, Hold } from '../ledger.ts';
import { decodeEntries, encodeEntries } from './wire.ts';

const [ga, vip] = [ticketTypeId('ga')!, ticketTypeId('vip')!];
const ids = fc.bigInt(1n, 2n ** 63n - 1n).map(String);
const unset = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const digest = fc.string({ minLength: 22, maxLength: 22 });

/** Few, so that neighbours often cost the same. */
const price = fc
  .array(fc.constantFrom<OrderLine>([ga, 1, 0], [ga, 2, 0], [vip, 1, 0], [vip, 1, 2_500]), {
    minLength: 1,
    maxLength: 2,
  })
  .map((lines) => priceOf(lines, 'EUR'));
const limits: fc.Arbitrary<BuyerLimits> = fc.constantFrom(
  { tickets: [{ ranges: [{ first: 0, last: 9 }], max: 4 }] } as unknown as BuyerLimits,
  { tickets: [], holds: 2 },
);

const claim = {
  eventId: fc.constantFrom('1', 'a-b').map((text) => eventId(text)!),
  version: unset(fc.nat()),
  buyer: fc.option(fc.string()),
  limits: unset(limits),
  tickets: fc.array(fc.nat(), { minLength: 1, maxLength: 4 }).map((numbers) => ticketsOf(...numbers)),
  price,
  secret: digest,
  idempotency: unset(fc.record({ digest, hash: digest })),
};
const buy: fc.Arbitrary<Buy> = fc.record({
  ...{ kind: fc.constant('buy' as const), ...claim, orderId: ids.map((id) => id as OrderId) },
  remaining: unset(fc.nat()),
});
const hold: fc.Arbitrary<Hold> = fc.record({
  ...{ kind: fc.constant('hold' as const), ...claim, holdId: ids.map((id) => id as HoldId) },
  ttlMs: fc.nat(),
  orderId: unset(ids.map((id) => id as OrderId)),
});
const other: fc.Arbitrary<Entry> = fc.constantFrom<Entry>(
  { kind: 'release', eventId: eventId('1')!, holdId: '1' as HoldId, isAllowed: true } as Entry,
  {
    kind: 'expire',
    eventId: eventId('1')!,
    holdId: '1' as HoldId,
    allocationId: '2' as AllocationId,
  } as unknown as Entry,
);

/** As JSON has it: an unset member is no member. */
const said = (entries: readonly Entry[]): unknown => JSON.parse(JSON.stringify(entries));

test('every entry of a batch arrives as it was sent', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(buy, hold, other), { maxLength: 12 }), (entries) => {
      assert.deepEqual(said(decodeEntries(encodeEntries(entries))), said(entries));
    }),
  );
});

test('prices are the same when all of their lines are', () => {
  fc.assert(
    fc.property(price, price, (a, b) => {
      assert.equal(isSamePrice(a, b), JSON.stringify(a) === JSON.stringify(b));
    }),
  );
});
