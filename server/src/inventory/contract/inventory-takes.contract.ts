// The part of the inventory's contract that is about takes of general admission (rules S1, S3).

import assert from 'node:assert/strict';
import { ticketTypeId } from '@floodgate/core/ids.ts';
import type { TakeRefusal } from '../inventory.ts';
import {
  arrange,
  assertRefused,
  BROKEN,
  claims,
  EVENT,
  eventOf,
  granted,
  inOrder,
  NOTHING,
  type Rule,
  VIP,
  want,
} from './test-events.ts';

export function taking(rule: Rule): void {
  rule('[S1] no ticket is given twice while takes race for more than there is', async (inventory) => {
    await inventory.load(eventOf({ ga: 100 }), NOTHING);
    const take = async () => inventory.take(EVENT, [want(1)]);
    const results = await Promise.all(Array.from({ length: 250 }, take));
    const tickets = results.flatMap((result) => ('refusal' in result ? [] : result.tickets));
    assert.deepEqual(inOrder(tickets), [...Array(100).keys()]);
    const refused = results.filter((result) => 'refusal' in result);
    assert.deepEqual(refused, Array(150).fill({ refusal: 'PENDING' }));
  });

  rule('[S3] a take of several wants gives what each of them asked for', async (inventory) => {
    await inventory.load(eventOf({ vip: 3, ga: 5 }), claims([1], [4]));
    const tickets = granted(await inventory.take(EVENT, [want(3), want(2, VIP), want(1)]));
    assert.deepEqual(inOrder(tickets), [0, 2, 3, 5, 6, 7]);
    const pending = (await inventory.counts(EVENT))!.map((counts) => counts.pending);
    assert.deepEqual(pending, [2, 4]);
  });

  rule('[S3] wants of one type add up to what must be left', async (inventory) => {
    await inventory.load(eventOf({ ga: 5 }), NOTHING);
    await assertRefused(inventory, [want(3), want(3)], 'SOLD_OUT');
    assert.equal(granted(await inventory.take(EVENT, [want(3), want(2)])).length, 5);
  });

  rule('[S3] a want that is no whole number from 1, or no want, is a broken invariant', async (inventory) => {
    await inventory.load(eventOf({ vip: 2, ga: 5 }), NOTHING);
    const before = await inventory.counts(EVENT);
    for (const quantity of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '2' as unknown as number]) {
      await assert.rejects(async () => inventory.take(EVENT, [want(1, VIP), want(quantity)]), BROKEN);
    }
    await assert.rejects(async () => inventory.take(EVENT, []), BROKEN);
    assert.deepEqual(await inventory.counts(EVENT), before);
  });
}

export function refusing(rule: Rule): void {
  // available, pending, held, sold; how many are wanted; the answer. Rows sit on both sides of each limit.
  const table: readonly [number, number, number, number, number, TakeRefusal | 'granted'][] = [
    [3, 2, 2, 2, 3, 'granted'],
    [3, 2, 2, 2, 4, 'PENDING'],
    [3, 2, 2, 2, 5, 'PENDING'],
    [3, 2, 2, 2, 6, 'ALL_HELD'],
    [3, 2, 2, 2, 7, 'ALL_HELD'],
    [3, 2, 2, 2, 8, 'SOLD_OUT'],
    [3, 2, 2, 2, Number.MAX_SAFE_INTEGER, 'SOLD_OUT'],
    [0, 1, 3, 5, 1, 'PENDING'],
    [0, 0, 1, 5, 1, 'ALL_HELD'],
    [0, 0, 0, 5, 1, 'SOLD_OUT'],
    [0, 0, 0, 0, 1, 'SOLD_OUT'],
  ];
  rule('[S3] a refusal tells apart what is undecided, what is held and what is gone', async (inventory) => {
    for (const [available, pending, held, sold, wanted, answer] of table) {
      await arrange(inventory, { available, pending, held, sold });
      if (answer !== 'granted') await assertRefused(inventory, [want(wanted)], answer);
      else assert.equal(granted(await inventory.take(EVENT, [want(wanted)])).length, wanted);
    }
  });

  rule('[S3] what is not there is refused before what is not left', async (inventory) => {
    const unknown = want(1, ticketTypeId('balcony'));
    assert.deepEqual(await inventory.take(EVENT, [unknown]), { refusal: 'EVENT_NOT_FOUND' });
    await inventory.load(eventOf({ ga: 1 }), claims([], [0]));
    await assertRefused(inventory, [want(1), unknown], 'TICKET_TYPE_NOT_FOUND');
    await assertRefused(inventory, [unknown, want(1)], 'TICKET_TYPE_NOT_FOUND');
  });

  rule('[S3] over several wants the most final refusal is answered, in any order', async (inventory) => {
    // vip: 1 pending, 1 held, 1 sold. ga: 2 available, 1 pending, 1 held.
    await inventory.load(eventOf({ vip: 3, ga: 4 }), claims([0, 3], [1]));
    granted(await inventory.take(EVENT, [want(1, VIP), want(1)]));
    const cases: readonly [vip: number, ga: number, TakeRefusal][] = [
      [1, 2, 'PENDING'],
      [1, 3, 'PENDING'],
      [1, 4, 'ALL_HELD'],
      [2, 2, 'ALL_HELD'],
      [2, 5, 'SOLD_OUT'],
      [3, 2, 'SOLD_OUT'],
    ];
    for (const [vip, ga, refusal] of cases) {
      await assertRefused(inventory, [want(vip, VIP), want(ga)], refusal);
      await assertRefused(inventory, [want(ga), want(vip, VIP)], refusal);
    }
  });
}
