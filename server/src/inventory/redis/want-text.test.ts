// The texts that take.lua and take-seats.lua read, as they stand: no compiler holds the scripts to their twin here.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TicketTypeId } from '@floodgate/core/ids.ts';
import { BROKEN, best, houseOf, these, VIP, want } from '../contract/test-events.ts';
import type { Want } from '../inventory.ts';
import { WantEncoder } from './want-text.ts';

/** Of std 4 seats in the Stalls, 2 and an accessible one with a companion in the Circle; then 3 of vip, and 5 of ga. */
const { layout } = houseOf({ Stalls: ['ssss', 'SSS'], Circle: ['sa|cs'] }, { ga: 5 });
const encoder = new WantEncoder(layout);

const GENERAL: readonly (readonly [wants: readonly Want[], text: string, quantity: number])[] = [
  [[want(2)], '4:2', 2],
  [[want(2), want(1)], '4:2:3,4:1:3', 3],
  // A number that prints as 1e+21 would be read as 1.
  [[want(1e21)], '4:17', 17],
];
const SEATS: typeof GENERAL = [
  [[these(7)], '=7', 1],
  [[these(3, 4, 5, 0, 12)], '=3-5.0.12', 5],
  [[best(2)], '~2:0:3:0:1:2', 2],
  [[best(2, { ticketType: VIP, together: true })], '~2:4:5:3:3:2!', 2],
  [[best(3, { section: 'Stalls' })], '~3:0:1:0:0:3', 3],
  [[best(1, { accessible: true })], '~1:3:4:2:2:1', 1],
  [[best(2), best(3)], '~2:0:3:0:1:5,~3:0:3:0:1:5', 5],
  [
    [want(2), best(2), best(1, { section: 'Circle' }), these(0), want(1), these(11)],
    '=0,=11,~1:1:3:1:1:1,~2:0:3:0:1:4,4:2:4,4:1:4',
    8,
  ],
];

for (const [isAny, cases] of [[true, GENERAL] as const, [false, SEATS] as const]) {
  for (const [wants, text, quantity] of cases) {
    test(`[S3] wants are told as ${text}`, () => {
      assert.deepEqual(encoder.encode(wants), { text, quantity, isAny });
    });
  }
}

test('[S3] a type that the event does not have is no text, what nobody may want is a broken invariant', () => {
  const unknown = 'unknown' as TicketTypeId;
  assert.equal(encoder.encode([want(1, unknown)]), undefined);
  assert.equal(encoder.encode([these(0), best(1, { ticketType: unknown })]), undefined);
  const bad = [[], [want(0)], [these()], [these(16)], [these(1), these(1)], [best(11)], [want(1, VIP)]];
  for (const wants of bad) assert.throws(() => encoder.encode(wants), BROKEN);
  assert.throws(() => encoder.encode([best(1, { ticketType: VIP, accessible: true })]), BROKEN);
});
