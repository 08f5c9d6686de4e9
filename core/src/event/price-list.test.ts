// What tickets cost by their numbers, compared with the plainest way to say it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Ticket, ticketTypeId } from '../ids.ts';
import type { TicketType } from './event.ts';
import { PriceList } from './price-list.ts';

const typeOf = (id: string, price: number, currency = 'EUR'): TicketType => ({
  ...{ ticketTypeId: ticketTypeId(id)!, name: id, price, currency, capacity: 0 },
});
const ticketsOf = (...numbers: number[]) => numbers as Ticket[];
const [ga, vip] = [typeOf('ga', 1_050), typeOf('vip', 9_900)];
const block = ({ ticketTypeId: ticketType }: TicketType, count: number) => ({ ticketType, count });

describe('a price list', () => {
  // 0–2 and 5–44 are ga, 3 and 4 are vip.
  const prices = new PriceList([ga, vip], [block(ga, 3), block(vip, 2), block(ga, 40)]);

  test('[S10] has a line for each type, in the order in which tickets name them', () => {
    assert.deepEqual(prices.priceOf(ticketsOf(4, 0, 5, 3)), {
      lines: [
        ['vip', 2, 9_900],
        ['ga', 2, 1_050],
      ],
      total: 21_900,
      currency: 'EUR',
    });
    assert.deepEqual(prices.priceOf(ticketsOf(2, 44)).lines, [['ga', 2, 1_050]]);
    assert.deepEqual(prices.priceOf([]), { lines: [], total: 0, currency: 'EUR' });
  });

  test('[S10] sums exactly, also of what it has summed before', () => {
    const some = fc.uniqueArray(fc.nat(44), { minLength: 1 });
    fc.assert(
      fc.property(some, (numbers) => {
        const { lines, total } = prices.priceOf(ticketsOf(...numbers));
        const isVip = (ticket: number) => ticket === 3 || ticket === 4;
        assert.equal(
          total,
          numbers.reduce((sum, ticket) => sum + (isVip(ticket) ? 9_900 : 1_050), 0),
        );
        assert.equal(
          lines.reduce((sum, [, quantity]) => sum + quantity, 0),
          numbers.length,
        );
      }),
    );
  });

  test('[S10] makes the price of a few tickets of one type once', () => {
    assert.equal(prices.priceOf(ticketsOf(0, 1)), prices.priceOf(ticketsOf(1, 2)));
  });

  test('a number that is no ticket, a block of no type, and two currencies are broken invariants', () => {
    for (const bad of [-1, 45, 0.5, Number.NaN]) {
      assert.throws(() => prices.priceOf(ticketsOf(0, bad)), /not a ticket of this event/);
    }
    assert.throws(() => new PriceList([ga], [block(vip, 1)]), /the unknown ticket type vip/);
    assert.throws(() => new PriceList([ga, typeOf('vip', 1, 'USD')], []), /an event has one currency/);
  });
});
