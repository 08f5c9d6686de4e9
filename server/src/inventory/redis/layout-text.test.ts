// Which layouts count as one layout, or as one layout grown.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sells } from '@floodgate/core/testing/houses.ts';
import { eventOf, GA, houseOf, layoutOf, VIP } from '../contract/test-events.ts';
import { beginsWith, describeLayout, readLayout } from './layout-text.ts';

const STALLS = { Stalls: ['ssss', 'sacs'] };
const more = (ticketType: typeof GA, count: number) => ({ ticketType, count });
/** Each begins with those that are named. */
const LAYOUTS = {
  vip: [eventOf({ vip: 3 }).layout, []],
  moreVipAlone: [eventOf({ vip: 3 }, undefined, [more(VIP, 2)]).layout, ['vip']],
  both: [eventOf({ vip: 3, ga: 5 }).layout, ['vip']],
  otherSizes: [eventOf({ vip: 2, ga: 5 }).layout, []],
  moreGa: [eventOf({ vip: 3, ga: 5 }, undefined, [more(GA, 2)]).layout, ['vip', 'both']],
  moreVip: [eventOf({ vip: 3, ga: 5 }, undefined, [more(VIP, 2)]).layout, ['vip', 'both']],
  moreOfBoth: [
    eventOf({ vip: 3, ga: 5 }, undefined, [more(GA, 2), more(VIP, 2)]).layout,
    ['vip', 'both', 'moreGa'],
  ],
  ga: [eventOf({ ga: 5 }).layout, []],
  seats: [houseOf(STALLS).layout, []],
  seatsAndGa: [houseOf(STALLS, { ga: 2 }).layout, ['seats']],
  seatsAndMoreGa: [houseOf(STALLS, { ga: 2, more: [more(GA, 9)] }).layout, ['seats', 'seatsAndGa']],
  otherRows: [houseOf({ Stalls: ['ssss', 'scas'] }).layout, []],
  otherSection: [houseOf({ Circle: ['ssss', 'sacs'] }).layout, []],
} as const;
type Name = keyof typeof LAYOUTS;

describe('layouts as Redis keeps them', () => {
  const names = Object.keys(LAYOUTS) as Name[];
  for (const name of names) {
    const [layout, begins] = LAYOUTS[name];
    test(`[S2] ${name} begins with itself and with what it grew from: ${begins.join(', ') || 'nothing'}`, () => {
      const text = describeLayout(layout);
      assert.equal(text.capacity, layout.capacity);
      assert.deepEqual(readLayout(text.text), text);
      const found = names.filter((other) => beginsWith(text, describeLayout(LAYOUTS[other][0])));
      assert.deepEqual(
        found,
        names.filter((other) => other === name || begins.some((each) => each === other)),
      );
    });
  }

  test('[S2] blocks of one type in a row are one block, and one without tickets is none', () => {
    const split = eventOf({ vip: 3, ga: 5 }, undefined, [more(GA, 0), more(GA, 2), more(GA, 1)]).layout;
    const whole = eventOf({ vip: 3, ga: 8 }).layout;
    assert.equal(describeLayout(split).text, describeLayout(whole).text);
  });

  test('[S2] a section may be called what it likes', () => {
    const odd = describeLayout(houseOf({ 'A|B,C:1/2': ['ss'], Ä: ['ss'] }).layout);
    assert.deepEqual(readLayout(odd.text), odd);
    assert.equal(odd.pools.length, 2);
  });

  test('[S2] what is no layout is not read as one', () => {
    for (const text of ['', '3:ga', 'a|b', 'a|b|c|d']) assert.equal(readLayout(text), undefined);
    assert.equal(readLayout('0:|ga|5:0')?.capacity, 5);
  });

  test('[S2] the order of the types is part of the layout', () => {
    const types = ['ga', 'vip'].map((name) => ({ ...sells(name, undefined, 3), category: undefined }));
    const [one, other] = [types, types.toReversed()].map((ticketTypes) =>
      describeLayout(layoutOf({ ticketTypes })),
    );
    assert.equal(beginsWith(one!, other!) || beginsWith(other!, one!), false);
  });
});
