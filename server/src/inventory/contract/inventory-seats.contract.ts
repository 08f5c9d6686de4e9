// The part of the inventory's contract that is about seats: by their names, the best ones, in sections, accessible ones,
// side by side, and with other wants in one request (rules S1, S3). Houses are drawn as core/test-manifest.ts does, and
// as each is sold as one type, tickets are numbered from the first row's left end on.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bestSeats } from '../best-seats.ts';
import { AVAILABLE, type Inventory, type InventoryEvent, MAX_PARTY } from '../inventory.ts';
import {
  assertRefused,
  BROKEN,
  best,
  claims,
  EVENT,
  GA,
  granted,
  houseOf,
  inOrder,
  NOTHING,
  type Rule,
  STD,
  seededRandom,
  these,
  VIP,
  want,
} from './test-events.ts';

export function namingSeats(rule: Rule): void {
  rule('[S3] named tickets are given as they are named, or none of them', async (inventory) => {
    await inventory.load(houseOf({ Stalls: ['ssss', 'ssss'] }, { ga: 4 }), claims([2], [5]));
    assert.deepEqual(inOrder(granted(await inventory.take(EVENT, [these(7, 0, 11)]))), [0, 7, 11]);
    await assertRefused(inventory, [these(1, 2, 3)], 'SEAT_TAKEN', [2]);
    assert.deepEqual(inOrder(granted(await inventory.take(EVENT, [these(1, 3)]))), [1, 3]);
  });

  rule('[S3] SEAT_TAKEN names what is held or sold; takes in flight are waited for', async (inventory) => {
    await inventory.load(houseOf({ Stalls: ['ssssss'] }), claims([1], [2]));
    granted(await inventory.take(EVENT, [these(0)]));
    await assertRefused(inventory, [these(0, 1, 2, 3)], 'SEAT_TAKEN', [1, 2]);
    await assertRefused(inventory, [these(3, 0)], 'PENDING');
    await assertRefused(inventory, [these(0), these(2, 4)], 'SEAT_TAKEN', [2]);
    inventory.giveBack(EVENT, inOrder(granted(await inventory.take(EVENT, [these(3)]))));
    assert.deepEqual(granted(await inventory.take(EVENT, [these(3)])), [3]);
  });

  rule('[S1] of all who race for one seat, one gets it', async (inventory) => {
    await inventory.load(houseOf({ Stalls: ['ssssssssss'] }), NOTHING);
    const takes = Array.from({ length: 60 }, async (_, at) => inventory.take(EVENT, [these(at % 5, 5)]));
    const granted = (await Promise.all(takes)).filter((result) => 'tickets' in result);
    assert.equal(granted.length, 1);
  });

  rule(
    '[S3] a ticket named twice, none, or no ticket of the event is a broken invariant',
    async (inventory) => {
      await inventory.load(houseOf({ Stalls: ['ssss'] }), NOTHING);
      for (const wants of [
        [these(1, 1)],
        [these(1), these(2, 1)],
        [these()],
        [these(4)],
        [these(0, -1)],
        [these(0.5)],
      ]) {
        await assert.rejects(async () => inventory.take(EVENT, wants), BROKEN, JSON.stringify(wants));
      }
      assert.equal((await inventory.counts(EVENT))![0]!.available, 4);
    },
  );
}

export function seatingParties(rule: Rule): void {
  rule('[S3] a party sits together in the best row, around its middle', async (inventory) => {
    await inventory.load(houseOf({ Stalls: ['ssssssss', 'ssssssss'] }), NOTHING);
    assert.deepEqual(inOrder(granted(await inventory.take(EVENT, [best(4)]))), [2, 3, 4, 5]);
  });

  rule('[S3] no single seat is left while there are seats that leave none', async (inventory) => {
    await inventory.load(houseOf({ Stalls: ['sssss', 'ssssss'] }), NOTHING);
    assert.deepEqual(inOrder(granted(await inventory.take(EVENT, [best(4)]))), [5, 6, 7, 8], 'not in row A');
    assert.deepEqual(
      inOrder(granted(await inventory.take(EVENT, [best(4)]))),
      [0, 1, 2, 3],
      'nothing else is left',
    );
  });

  rule('[S3] the first four rows with room are compared, and no more', async (inventory) => {
    const rows = houseOf({ Stalls: Array(5).fill('s'.repeat(20)) });
    const middles = (...rows: number[]) =>
      rows.flatMap((row) => [...Array(16).keys()].map((at) => 20 * row + 2 + at));
    await inventory.load(rows, claims(middles(0, 1, 2), []));
    assert.deepEqual(
      inOrder(granted(await inventory.take(EVENT, [best(2)]))),
      [69, 70],
      'the middle of row D',
    );
    await inventory.load(rows, claims(middles(0, 1, 2, 3), []));
    assert.deepEqual(
      inOrder(granted(await inventory.take(EVENT, [best(2)]))),
      [0, 1],
      'not the middle of row E',
    );
  });

  rule('[S3] a party is split when nothing is left side by side, unless it insists', async (inventory) => {
    await inventory.load(houseOf({ Stalls: ['sss|sssss', 'ss'] }), claims([5], [2]));
    // Left: 0 1, 3 4, 6 7, 8 9.
    await assertRefused(inventory, [best(3, { together: true })], 'NO_SEATS_TOGETHER');
    assert.equal(granted(await inventory.take(EVENT, [best(3)])).length, 3);
    granted(await inventory.take(EVENT, [best(2, { together: true })]));
    assert.equal(
      granted(await inventory.take(EVENT, [best(3)])).length,
      3,
      'the last ones, wherever they are',
    );
    await assertRefused(inventory, [best(1)], 'PENDING');
  });

  rule('[S3] an aisle is between seats, also for a party', async (inventory) => {
    await inventory.load(houseOf({ Stalls: ['ss|ss', 'sss'] }), NOTHING);
    assert.deepEqual(inOrder(granted(await inventory.take(EVENT, [best(3)]))), [4, 5, 6]);
  });

  rule('[S3] who wants one section gets seats there or none', async (inventory) => {
    await inventory.load(houseOf({ Stalls: ['ssss'], Circle: ['sss'] }), claims([], [4]));
    const circle = { section: 'Circle' };
    assert.deepEqual(inOrder(granted(await inventory.take(EVENT, [best(2, circle)]))), [5, 6]);
    await assertRefused(inventory, [best(1, circle)], 'PENDING');
    await assertRefused(inventory, [best(3, circle)], 'SOLD_OUT');
    inventory.settle(EVENT, granted(await inventory.take(EVENT, [best(4)])), 'held');
    await assertRefused(inventory, [best(1, { section: 'Stalls' })], 'ALL_HELD');
  });

  rule(
    '[S3] general requests never get accessible seats, and only one that asks gets them',
    async (inventory) => {
      // Tickets: 0 1 general, 2 companion, 3 accessible, 4 companion, 5 6 general; 7 companion without a place, 8 general.
      await inventory.load(houseOf({ Stalls: ['sscacss', 'c|s'] }), NOTHING);
      const general = granted(await inventory.take(EVENT, [best(5)]));
      assert.deepEqual(inOrder(general), [0, 1, 5, 6, 8]);
      inventory.settle(EVENT, general, 'sold');
      await assertRefused(inventory, [best(1)], 'SOLD_OUT');
      const accessible = { accessible: true };
      const pair = granted(await inventory.take(EVENT, [best(2, accessible)]));
      assert.deepEqual(inOrder(pair), [2, 3], 'with the accessible seat, the left one of two equal pairs');
      await assertRefused(inventory, [best(1, accessible)], 'PENDING');
      inventory.settle(EVENT, pair, 'held');
      await assertRefused(inventory, [best(1, accessible)], 'ALL_HELD');
      inventory.settle(EVENT, pair, 'sold');
      await assertRefused(inventory, [best(1, accessible)], 'SOLD_OUT');
      await assertRefused(inventory, [best(2, { accessible: true, together: true })], 'SOLD_OUT');
      assert.deepEqual(granted(await inventory.take(EVENT, [these(7)])), [7], 'by name it can be had');
    },
  );

  rule('[S3] a party is of 1 to 10, and of seats that the event has', async (inventory) => {
    await inventory.load(houseOf({ Stalls: ['ssssssssssss'] }, { ga: 5 }), NOTHING);
    const wrong = [
      best(0),
      best(MAX_PARTY + 1),
      best(1.5),
      best(1, { section: 'Moon' }),
      best(1, { accessible: true }),
    ];
    for (const each of [...wrong, best(1, { ticketType: GA }), want(1, STD)]) {
      await assert.rejects(async () => inventory.take(EVENT, [each]), BROKEN, JSON.stringify(each));
    }
    await assertRefused(inventory, [best(1, { ticketType: VIP })], 'TICKET_TYPE_NOT_FOUND');
    assert.equal(granted(await inventory.take(EVENT, [best(MAX_PARTY)])).length, MAX_PARTY);
  });

  rule(
    '[S3] the best seats are the ones that the rule names, in houses half sold at random',
    async (inventory) => {
      await fc.assert(followingTheRule(inventory), { numRuns: 40 });
    },
  );

  rule('[S3] parties strand no single seats as long as any run has better', async (inventory) => {
    for (const rowLength of [7, 10, 17]) assert.deepEqual(await strandedSeats(inventory, rowLength), []);
  });
}

export function mixingWants(rule: Rule): void {
  rule('[S3] named, best and any tickets of several types come together or not at all', async (inventory) => {
    const event = houseOf({ Stalls: ['ssss', 'SSSS'] }, { ga: 3 });
    await inventory.load(event, claims([8], []));
    const vip = best(2, { ticketType: VIP });
    await assertRefused(inventory, [these(0), vip, want(3)], 'ALL_HELD');
    await assertRefused(inventory, [these(8), vip, want(1)], 'SEAT_TAKEN', [8]);
    await assertRefused(inventory, [best(5), these(8)], 'SEAT_TAKEN', [8]);
    await assertRefused(inventory, [want(3), best(5)], 'SOLD_OUT');
    assert.deepEqual(
      inOrder(granted(await inventory.take(EVENT, [want(2), vip, these(0)]))),
      [0, 4, 5, 9, 10],
    );
  });

  rule(
    '[S3] what is found for one want is back when another one cannot be seated together',
    async (inventory) => {
      await inventory.load(houseOf({ Stalls: ['ss|ss'], Circle: ['ss'] }, { ga: 2 }), NOTHING);
      const together = best(3, { together: true });
      await assertRefused(inventory, [these(4), want(2), best(3), together], 'SOLD_OUT');
      await assertRefused(inventory, [these(4), want(2), best(1), together], 'NO_SEATS_TOGETHER');
      assert.equal(granted(await inventory.take(EVENT, [these(4), want(2), best(1), best(3)])).length, 7);
    },
  );

  rule('[S3] needs of the same seats add up, and no want takes what another one needs', async (inventory) => {
    const house = houseOf({ Stalls: ['ss'], Circle: ['ss'] });
    const circle = (party: number) => best(party, { section: 'Circle' });
    await inventory.load(house, NOTHING);
    await assertRefused(inventory, [best(1), these(2), circle(2)], 'SOLD_OUT');
    await assertRefused(inventory, [best(2), these(0), circle(2)], 'SOLD_OUT');
    assert.equal(granted(await inventory.take(EVENT, [best(1), these(0), circle(2)])).length, 4);
    await inventory.load(house, NOTHING);
    assert.equal(granted(await inventory.take(EVENT, [best(2), these(3), circle(1)])).length, 4);
    await inventory.load(house, NOTHING);
    assert.equal(granted(await inventory.take(EVENT, [best(2), best(2, { section: 'Stalls' })])).length, 4);
    await inventory.load(house, claims([], [0, 1]));
    await assertRefused(inventory, [best(1), circle(2)], 'SOLD_OUT');
    assert.equal(granted(await inventory.take(EVENT, [best(1), circle(1)])).length, 2);
  });

  rule('[S3] two who want the same two types in other orders do not block each other', async (inventory) => {
    await inventory.load(houseOf({ Stalls: ['ss', 'SS'] }), NOTHING);
    const [std, vip] = [best(2), best(2, { ticketType: VIP })];
    const results = await Promise.all(
      [
        [std, vip],
        [vip, std],
      ].map(async (wants) => inventory.take(EVENT, wants)),
    );
    assert.deepEqual(
      results.map((result) => ('tickets' in result ? result.tickets.length : result.refusal)).sort(),
      [4, 'PENDING'],
    );
  });
}

/** Rows of one to twenty seats in two sections, some of them accessible. */
const house = fc
  .array(fc.array(fc.constantFrom(...'ssssssssssss|ac'), { minLength: 1, maxLength: 20, size: 'max' }), {
    minLength: 2,
    maxLength: 12,
    size: 'max',
  })
  .map((rows) => rows.map((letters) => `s${letters.join('')}`))
  .map((rows) => ({ Stalls: rows.slice(0, rows.length >> 1), Circle: rows.slice(rows.length >> 1) }));

const request = fc.record({
  party: fc.integer({ min: 1, max: MAX_PARTY }),
  section: fc.constantFrom(undefined, undefined, 'Stalls', 'Circle'),
  accessible: fc.nat({ max: 5 }).map((n) => n === 0),
  together: fc.boolean(),
});

function followingTheRule(inventory: Inventory) {
  const requests = fc.array(request, { minLength: 1, maxLength: 25, size: 'max' });
  return fc.asyncProperty(
    house,
    fc.integer(),
    fc.nat({ max: 90 }),
    requests,
    async (rows, seed, sold, requests) => {
      const event = houseOf(rows);
      const random = seededRandom(seed);
      const tickets = [...Array(event.layout.capacity).keys()].filter(() => 100 * random() < sold);
      await inventory.load(event, claims([], tickets));
      for (const { party, ...more } of requests) {
        if (event.layout.poolsFor(STD, more).length === 0) continue;
        const states = (await inventory.states(EVENT))!;
        const expected = byTheRule(event, states, party, more);
        const answer = await inventory.take(EVENT, [best(party, more)]);
        if ('tickets' in answer) assert.deepEqual(inOrder(answer.tickets), expected && inOrder(expected));
        else assert.equal(expected, undefined, answer.refusal);
      }
    },
  );
}

function byTheRule(
  { layout }: InventoryEvent,
  states: Uint8Array,
  party: number,
  more: { readonly section?: string | undefined; readonly accessible?: boolean; readonly together?: boolean },
) {
  const pools = layout.poolsFor(STD, more).map((pool) => layout.pools[pool]!);
  const search = { first: pools[0]!.firstRun, end: pools.at(-1)!.endRun, from: 0 };
  const isFree = (seat: number) => states[seat] === AVAILABLE;
  return bestSeats(layout.plan!.runs, isFree, search, { best: party, together: more.together });
}

/**
 * Sells a house of twenty equal rows in parties of two to five, and lists which takes left a single seat between others
 * although the same party had room that leaves none.
 */
export async function strandedSeats(inventory: Inventory, rowLength: number): Promise<string[]> {
  const rows = Array<string>(20).fill('s'.repeat(rowLength));
  await inventory.load(houseOf({ Stalls: rows }), NOTHING);
  const random = seededRandom(7);
  const stranded: string[] = [];
  for (;;) {
    const party = 2 + Math.floor(4 * random());
    const before = stretchesOf((await inventory.states(EVENT))!, rowLength);
    const answer = await inventory.take(EVENT, [best(party)]);
    if ('refusal' in answer) return stranded;
    const after = stretchesOf((await inventory.states(EVENT))!, rowLength);
    const singles = (stretches: readonly number[]) => stretches.filter((length) => length === 1).length;
    const hasRoom = before.some((length) => length === party || length >= party + 2);
    if (hasRoom && singles(after) > singles(before)) stranded.push(`${party} on ${inOrder(answer.tickets)}`);
  }
}

/** How long the stretches of free seats are, in rows of one length. */
function stretchesOf(states: Uint8Array, rowLength: number): number[] {
  const stretches: number[] = [];
  let length = 0;
  for (const [ticket, state] of states.entries()) {
    if (state === AVAILABLE) length++;
    const isEnd = state !== AVAILABLE || ticket % rowLength === rowLength - 1;
    if (isEnd && length > 0) stretches.push(length);
    if (isEnd) length = 0;
  }
  return stretches;
}
