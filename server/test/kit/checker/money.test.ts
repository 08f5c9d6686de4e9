// The checker on money and on returned tickets: a journal that is right has no complaint, and each single lie is told.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type CheckOptions, check } from './check.ts';
import type { Fact, FinalEvent } from './final-ledger.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const price = (quantity: number) => {
  return { lines: [['ga', quantity, 250] as const], total: quantity * 250, currency: 'EUR' };
};
const held = { holdId: '7', tickets: [3, 4], ...price(2) };

/** A hold that became an order, two tickets bought of which one came back, and was sold again. */
function honest(): { event: Mutable<FinalEvent>; fact: (seq: number) => Mutable<Fact> } {
  const facts: Fact[] = [
    { seq: 1, atMs: 0, kind: 'event-created', capacity: 5 },
    { seq: 2, atMs: 1, kind: 'bought', orderId: '1', tickets: [0, 1], buyer: 'ann', ...price(2) },
    { seq: 3, atMs: 2, kind: 'held', expiresAtMs: 9, ...held },
    { seq: 4, atMs: 3, kind: 'confirmed', orderId: '2', ...held },
    { seq: 5, atMs: 4, kind: 'returned', orderId: '1', tickets: [1], buyer: 'ann', refundedAmount: 300 },
    { seq: 6, atMs: 5, kind: 'bought', orderId: '3', tickets: [1], buyer: 'ann', ...price(1) },
  ];
  const orders = facts
    .filter(({ kind }) => kind === 'bought' || kind === 'confirmed')
    .map(({ orderId, seq, tickets, total }) => {
      return { orderId: orderId!, seq, tickets: tickets!, total: { amount: total!, currency: 'EUR' } };
    });
  const counts = { available: 1, held: 0, sold: 4 };
  const types = [{ ticketType: 'ga', capacity: 5, counts }];
  return { event: { eventId: '1', types, journal: facts, orders }, fact: (seq) => facts[seq - 1]! };
}

/** What is said of the journal, but for that nobody asked for anything in it. */
function complaints(event: FinalEvent, options: CheckOptions = {}): string[] {
  return check([], [event], options)
    .filter(({ rule }) => rule !== 'resolve')
    .map(({ rule, what }) => `${rule}: ${what}`);
}

const LIES: Record<string, readonly [tamper: (run: ReturnType<typeof honest>) => void, says: RegExp]> = {
  'lines that do not add up': [({ fact }) => { fact(2).total = 1; }, /^money: lines of 500 cost 1 EUR/],
  'a line of a ticket too much': [({ fact }) => { Object.assign(fact(2), price(3)); }, /^money: 2 tickets are priced as 3/],
  'a price that is left out later': [({ fact }) => { fact(6).total = undefined; }, /^money: lines of 250 cost undefined/],
  'an order dearer than its hold': [({ fact }) => { Object.assign(fact(4), { lines: [['ga', 2, 300]], total: 600 }); }, /^money: a hold of/],
  'more paid back than was paid': [({ fact }) => { fact(5).refundedAmount = 501; }, /^money: 501 is paid back of 500/],
  'an order that is shown to cost other': [({ event }) => { event.orders = [{ ...event.orders[0]!, total: { amount: 500, currency: 'USD' } }, ...event.orders.slice(1)]; }, /^money: order 1 is shown/],
  'a ticket that is returned of another order': [({ fact }) => { fact(5).orderId = '2'; }, /^uniqueness: ticket 1 is returned of order 2 while it is sold/],
  'a ticket that is sold before it is back': [({ event }) => { event.journal = event.journal.toSpliced(4, 1); }, /^uniqueness: ticket 1 is claimed while it is sold/],
}; // biome-ignore format: a table

describe('the checker on money', () => {
  test('[S10] has no complaint about what is right', () => {
    assert.deepEqual(complaints(honest().event), []);
  });

  test('[S8] counts returned tickets for nobody', () => {
    assert.deepEqual(complaints(honest().event, { limits: { ticketsPerBuyer: 2 } }), []);
    const found = complaints(honest().event, { limits: { ticketsPerBuyer: 1 } });
    assert.deepEqual(found, Array(2).fill('bound: ann has 2 tickets, 1 are allowed'));
  });

  test('[S10] says nothing of journals that say nothing of money', () => {
    const { event } = honest();
    const old = event.journal.map((fact) => ({ ...fact, total: undefined, lines: undefined }));
    assert.deepEqual(complaints({ ...event, journal: old.filter(({ seq }) => seq < 5) }).filter((said) => said.startsWith('money')), []); // biome-ignore format: short
  });

  for (const [what, [tamper, says]] of Object.entries(LIES)) {
    test(`[S10] finds ${what}`, () => {
      const run = honest();
      tamper(run);
      const found = complaints(run.event);
      assert.ok(found.some((said) => says.test(said)), found.join('\n')); // biome-ignore format: short
    });
  }
});
