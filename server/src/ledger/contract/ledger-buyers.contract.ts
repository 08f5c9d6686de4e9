// The part of the ledger contract that is about reads for buyers: their orders, and when a hold may lapse.
import assert from 'node:assert/strict';
import type { OrderId } from '@floodgate/core/ids.ts';
import { EventEntries, freshId, ticketsOf, underKey } from './test-entries.ts';
import type { Rule } from './test-script.ts';

export function readingForBuyers(rule: Rule): void {
  rule('[S4] a buyer’s orders are read over all events, the newest first, in pages', async (script) => {
    const { entries, ledger } = script;
    const [ann, bob] = [`user:ann ${freshId()}`, `user:bob ${freshId()}`];
    const other = new EventEntries(4);
    const ids = Array.from({ length: 5 }, () => freshId<OrderId>());
    const held = entries.hold([5], { buyer: ann });
    await script.post(other.create(), held, entries.hold([6], { buyer: ann }));
    await script.post(
      entries.buy([0], { buyer: ann, orderId: ids[2]! }),
      other.buy([0, 1], { buyer: ann, orderId: ids[0]! }),
      entries.buy([1], { buyer: bob }),
      entries.buy([2], { buyer: ann.toUpperCase() }),
      entries.buy([3], { buyer: `${ann} ` }),
      entries.buy([4], { buyer: null }),
    );
    await script.post(entries.confirm(held.holdId, { orderId: ids[4]! }));
    await script.post(
      other.buy([2], { buyer: ann, orderId: ids[3]! }),
      entries.buy([7], { buyer: ann, orderId: ids[1]! }),
    );
    const read = async (beforeId: OrderId | undefined, limit: number) =>
      (await ledger.ordersOf(ann, beforeId, limit)).map(({ orderId }) => ids.indexOf(orderId));
    assert.deepEqual(await read(undefined, 10), [4, 3, 2, 1, 0]);
    assert.deepEqual(await read(undefined, 2), [4, 3]);
    assert.deepEqual(await read(ids[3], 2), [2, 1]);
    assert.deepEqual(await read(ids[1], 2), [0]);
    assert.deepEqual(await read(ids[0], 2), []);
    assert.deepEqual(await ledger.ordersOf('nobody', undefined, 10), []);
    const [newest, , , , oldest] = await ledger.ordersOf(ann, undefined, 10);
    assert.deepEqual([newest, oldest], [await ledger.order(ids[4]!), await ledger.order(ids[0]!)]);
    await script.assertAudited(other.eventId);
  });

  rule('[S7] the next deadline of an event is that of its hold which lapses first', async (script) => {
    const { entries, ledger } = script;
    const other = new EventEntries(4);
    await script.post(other.create(), other.hold([0], { ttlMs: 1 }));
    const next = () => ledger.nextDeadline(entries.eventId);
    assert.equal(await next(), undefined);
    const late = await script.grant(entries.hold([0], { ttlMs: 50_000 }));
    const early = await script.grant(entries.hold([1], { ttlMs: 20_000 }));
    await script.grant(entries.hold([2], { ttlMs: 90_000 }));
    assert.equal(await next(), early.expiresAtMs);
    await script.grant(entries.release(early.holdId!));
    assert.equal(await next(), late.expiresAtMs);
    await script.grant(entries.confirm(late.holdId!));
    const extended = await script.grant(entries.hold([3], { ttlMs: 10_000 }));
    const { expiresAtMs } = await script.grant(entries.extend(extended.holdId!, 30_000));
    assert.equal(await next(), expiresAtMs);
    assert.equal(await ledger.nextDeadline(new EventEntries(1).eventId), undefined);
    assert.equal(await ledger.event(new EventEntries(1).eventId), undefined);
  });

  rule('[S5] a refusal for seats is kept with the seats it names', async (script) => {
    const { entries } = script;
    const seats = ticketsOf(4, 2);
    const refusal = entries.refuse({ refusal: 'SEAT_TAKEN', detail: { seats } }, underKey('a'));
    const refused = await script.refuse(refusal, 'SEAT_TAKEN');
    assert.deepEqual(refused, { status: 'refused', refusal: 'SEAT_TAKEN', detail: { seats } });
    const [again] = await script.post(entries.buy([0], underKey('a')));
    assert.deepEqual(again, { ...refused, replayed: true });
  });
}
