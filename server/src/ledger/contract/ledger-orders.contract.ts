// The part of the ledger contract that is about what becomes of orders: what they cost stays what it was, and their
// tickets may come back, once.
import assert from 'node:assert/strict';
import type { BuyerLimits } from '../ledger.ts';
import { EventEntries, freshId, underKey } from './test-entries.ts';
import { assertGranted, assertRefused, CAPACITY, type Rule, TICKET_PRICE } from './test-script.ts';

const atMost = (max: number): BuyerLimits => ({ tickets: [{ ranges: [[0, CAPACITY]], max }] });

export function pricing(rule: Rule): void {
  rule(
    '[S10] orders and holds cost what they did when they were made, whatever staff change',
    async (script) => {
      const { entries, ledger } = script;
      const { orderId } = await script.grant(entries.buy([0, 1]));
      const { holdId, total, currency } = await script.grant(entries.hold([2, 3, 4]));
      assert.deepEqual([total, currency], [3 * TICKET_PRICE, 'EUR']);
      const [type] = entries.event.ticketTypes;
      const event = { ...entries.event, ticketTypes: [{ ...type!, price: 9_900, currency: 'JPY' }] };
      await script.grant(entries.change(1, { event }));
      await script.refuse(entries.buy([5], { version: 1 }), 'EVENT_CHANGED');
      const confirmed = await script.grant(entries.confirm(holdId));
      const priceOf = (tickets: number) => {
        return { lines: [['ga', tickets, TICKET_PRICE]], total: tickets * TICKET_PRICE, currency: 'EUR' };
      };
      const found = [
        await ledger.order(orderId),
        await ledger.hold(holdId),
        await ledger.order(confirmed.orderId),
      ];
      assert.deepEqual(
        found.map((record) => ({ lines: record!.lines, total: record!.total, currency: record!.currency })),
        [priceOf(2), priceOf(3), priceOf(3)],
      );
    },
  );
}

export function guardingHolds(rule: Rule): void {
  rule('[S6] who may not act on a hold cannot confirm it, and the refusal is not kept', async (script) => {
    const { entries, ledger } = script;
    const { holdId, secret } = await script.grant(entries.hold([0], { secret: 'of the hold' }));
    assert.deepEqual([secret, (await ledger.hold(holdId))?.secret], ['of the hold', 'of the hold']);
    const thief = { isAllowed: false, ...underKey('a') };
    await script.refuse(entries.confirm(holdId, thief), 'HOLD_NOT_FOUND');
    await script.refuse(entries.confirm(freshId(), underKey('a')), 'HOLD_NOT_FOUND');
    assert.equal((await ledger.hold(holdId))?.status, 'active');
    const confirmed = await script.grant(entries.confirm(holdId, underKey('a')));
    // Its order is told to the key that made it, and to nobody else who does not have the secret.
    const [again, other, keyless] = await script.post(
      entries.confirm(holdId, thief),
      entries.confirm(holdId, { isAllowed: false, ...underKey('b') }),
      entries.confirm(holdId, { isAllowed: false }),
    );
    assert.deepEqual(again, { ...confirmed, replayed: true });
    for (const outcome of [other, keyless]) assertRefused(outcome, 'HOLD_NOT_FOUND');
    const allowed = await script.post(entries.confirm(holdId, underKey('b')));
    assert.deepEqual(allowed, [{ ...confirmed, replayed: true }]);
  });
}

export function returningTickets(rule: Rule): void {
  rule('[S9] tickets are returned once; an order that has none left is void', async (script) => {
    const { entries, ledger } = script;
    const { orderId } = await script.grant(entries.buy([0, 1, 2]));
    const returned = await script.grant(entries.returnTickets(orderId, [1], { refundedAmount: 500 }));
    const order = await ledger.order(orderId);
    assert.deepEqual([returned.tickets, returned.orderId], [[1], orderId]);
    const { status, tickets, returned: back, refundedAmount, total } = order!;
    assert.deepEqual({ status, tickets, back, refundedAmount, total }, {
      ...{ status: 'confirmed', tickets: [0, 1, 2], back: [1], refundedAmount: 500, total: 3 * TICKET_PRICE },
    }); // biome-ignore format: short
    assert.deepEqual(await script.claims(), { held: [], sold: [0, 2] });
    await script.refuse(entries.returnTickets(orderId, [0, 1]), 'TICKET_VOID');
    await script.refuse(entries.returnTickets(orderId, [0, 3]), 'TICKET_NOT_FOUND');
    await script.refuse(entries.returnTickets(freshId(), [0]), 'ORDER_NOT_FOUND');
    await script.grant(entries.buy([1], { buyer: 'bob' }));

    await script.grant(entries.returnTickets(orderId, [2, 0]));
    const voided = await ledger.order(orderId);
    assert.deepEqual([voided!.status, voided!.returned], ['void', [1, 2, 0]]);
    await script.refuse(entries.returnTickets(orderId, [0]), 'TICKET_VOID');
    assert.deepEqual(await script.claims(), { held: [], sold: [1] });
    const facts = await ledger.journal(entries.eventId, 2, 1);
    assert.deepEqual(
      facts.map(({ kind, fact }) => ({ kind, fact: { ...fact } })),
      [
        {
          kind: 'returned',
          fact: { orderId, tickets: [1], buyer: 'ann@example.org', refundedAmount: 500, by: 'key-1' },
        },
      ],
    );
  });

  rule('[S9] an order is listed once, whatever becomes of it', async (script) => {
    const { entries, ledger } = script;
    const first = await script.grant(entries.buy([0, 1], { buyer: 'ann' }));
    const second = await script.grant(entries.buy([2], { buyer: 'ann' }));
    await script.grant(entries.returnTickets(first.orderId, [0]));
    await script.grant(entries.returnTickets(first.orderId, [1]));
    const listed = await ledger.orders(entries.eventId, 0, 10);
    assert.deepEqual(
      listed.map(({ orderId, status }) => [orderId, status]),
      [
        [first.orderId, 'void'],
        [second.orderId, 'confirmed'],
      ],
    );
    assert.deepEqual(await ledger.orders(entries.eventId, first.seq, 1), listed.slice(1));
  });

  rule('[S10] no more is paid back than the order cost, also in one batch', async (script) => {
    const { entries } = script;
    const hold = entries.hold([0, 1, 2]);
    const confirm = entries.confirm(hold.holdId);
    const { orderId } = confirm;
    const most = { refundedAmount: 3 * TICKET_PRICE };
    const outcomes = await script.post(
      ...[hold, confirm, entries.returnTickets(orderId, [0], { refundedAmount: 3 * TICKET_PRICE + 1 })],
      ...[entries.returnTickets(orderId, [0], most), entries.returnTickets(orderId, [0])],
      ...[entries.returnTickets(orderId, [1], { refundedAmount: 1 }), entries.buy([0])],
      ...[entries.returnTickets(orderId, [1, 2])],
    );
    const words = outcomes.map((outcome) => (outcome.status === 'refused' ? outcome.refusal : 'granted'));
    assert.deepEqual(words, [
      ...['granted', 'granted', 'REFUND_TOO_MUCH', 'granted', 'TICKET_VOID', 'REFUND_TOO_MUCH'],
      ...['granted', 'granted'],
    ]);
    const order = await script.ledger.order(orderId);
    assert.deepEqual([order!.status, order!.refundedAmount], ['void', most.refundedAmount]);
  });

  rule('[S8] returned tickets count for nobody, in later batches and in the same', async (script) => {
    const { entries } = script;
    const ann = { buyer: 'ann', limits: atMost(3) };
    const { orderId } = await script.grant(entries.buy([0, 1, 2], ann));
    await script.refuse(entries.buy([3], ann), 'LIMIT_REACHED');
    await script.grant(entries.returnTickets(orderId, [1, 2]));
    const again = await script.grant(entries.buy([2, 3], ann));
    await script.refuse(entries.hold([1], ann), 'LIMIT_REACHED');
    const [, held, refused, , bought] = await script.post(
      entries.returnTickets(orderId, [0]),
      entries.hold([0], ann),
      entries.buy([4], ann),
      entries.returnTickets(again.orderId, [2, 3]),
      entries.buy([4, 2], ann),
    );
    assertGranted(held!);
    assertRefused(refused!, 'LIMIT_REACHED');
    assertGranted(bought!);
    await script.refuse(entries.buy([5], ann), 'LIMIT_REACHED');
  });

  rule(
    '[S9] a return that could never be right fails alone, and so does one of another event',
    async (script) => {
      const { entries } = script;
      const other = new EventEntries(2);
      assertGranted((await script.post(other.create()))[0]);
      const { orderId } = await script.grant(entries.buy([0]));
      await script.refuse(other.returnTickets(orderId, [0]), 'ORDER_NOT_FOUND');
      for (const broken of [
        entries.returnTickets(orderId, []),
        entries.returnTickets(orderId, [0, 0]),
        entries.returnTickets(orderId, [0], { refundedAmount: -1 }),
        entries.returnTickets(orderId, [0], { refundedAmount: 0.5 }),
      ]) {
        await assert.rejects(script.ledger.post(broken));
      }
      assert.deepEqual(await script.claims(), { held: [], sold: [0] });
    },
  );
}
