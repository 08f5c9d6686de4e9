// The layout gives every ticket number one type and one label, and every type its numbers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Block, MAX_EVENT_CAPACITY, type TicketType } from '../event/event.ts';
import { type Ticket, type TicketTypeId, ticketTypeId } from '../ids.ts';
import { houseOf, ROW_LETTERS, SELLERS, sectionOf, sells } from '../testing/houses.ts';
import { blocksFor, TicketLayout } from './layout.ts';
import type { Manifest } from './manifest.ts';
import { seatPlanOf } from './seat-plan.ts';

function typeOf(id: string, capacity: number, price = 0, currency = 'EUR'): TicketType {
  return { ticketTypeId: ticketTypeId(id)!, name: id, price, currency, capacity };
}

function block(id: string, count: number): Block {
  return { ticketType: ticketTypeId(id)!, count };
}

function ticketsOf(layout: TicketLayout): Ticket[] {
  return Array.from({ length: layout.capacity }, (_, ticket) => ticket as Ticket);
}

const TYPES = ['ga', 'vip', 'balcony'].map((id, index) => typeOf(id, 1, index * 100));

/** Blocks of the three types; a type may have several, as it does when its capacity has grown. */
const anyBlocks: fc.Arbitrary<Block[]> = fc.array(
  fc.record({ ticketType: fc.constantFrom(...TYPES.map((type) => type.ticketTypeId)), count: fc.nat(30) }),
  { maxLength: 6 },
);

test('[S2] the ranges of the types are a partition of 0 … capacity-1, and agree with typeOf and viewOf', () => {
  fc.assert(
    fc.property(anyBlocks, (blocks) => {
      const layout = new TicketLayout({ ticketTypes: TYPES, blocks });
      const typeByTicket = new Map<number, string>();
      for (const { ticketTypeId: id } of TYPES) {
        for (const [first, end] of layout.rangesOf(id)) {
          for (let ticket = first; ticket < end; ticket++) {
            assert.ok(!typeByTicket.has(ticket), `${ticket} lies in two ranges`);
            typeByTicket.set(ticket, id);
          }
        }
      }
      const tickets = ticketsOf(layout);
      assert.equal(
        layout.capacity,
        blocks.reduce((sum, { count }) => sum + count, 0),
      );
      assert.equal(typeByTicket.size, layout.capacity);
      for (const ticket of tickets) {
        assert.equal(layout.typeOf(ticket).ticketTypeId, typeByTicket.get(ticket));
        assert.equal(layout.viewOf(ticket).ticketType, typeByTicket.get(ticket));
      }
    }),
  );
});

test('[S1] no two tickets of an event have the same id or the same label', () => {
  fc.assert(
    fc.property(anyBlocks, (blocks) => {
      const layout = new TicketLayout({ ticketTypes: TYPES, blocks });
      const views = ticketsOf(layout).map((ticket) => layout.viewOf(ticket));
      assert.equal(new Set(views.map(({ ticketId }) => ticketId)).size, views.length);
      assert.equal(new Set(views.map(({ label }) => label)).size, views.length);
    }),
  );
});

test('[E2] tickets are numbered inside their type, and a later block goes on where the type stopped', () => {
  const layout = new TicketLayout({
    ticketTypes: [typeOf('ga', 4), typeOf('none', 0), typeOf('vip', 1)],
    blocks: [block('ga', 2), block('none', 0), block('vip', 1), block('ga', 2)],
  });
  assert.deepEqual(
    ticketsOf(layout).map((ticket) => layout.viewOf(ticket)),
    [
      { ticketId: '0', ticketType: 'ga', label: 'GA-1' },
      { ticketId: '1', ticketType: 'ga', label: 'GA-2' },
      { ticketId: '2', ticketType: 'vip', label: 'VIP-1' },
      { ticketId: '3', ticketType: 'ga', label: 'GA-3' },
      { ticketId: '4', ticketType: 'ga', label: 'GA-4' },
    ],
  );
  assert.deepEqual(layout.rangesOf(ticketTypeId('ga')!), [
    [0, 2],
    [3, 5],
  ]);
});

test('[E2] a type without tickets has an empty range, an unknown type none, an event without types no tickets', () => {
  const layout = new TicketLayout({ ticketTypes: [typeOf('none', 0), typeOf('ga', 1)] });
  assert.deepEqual(layout.rangesOf(ticketTypeId('none')!), [[0, 0]]);
  assert.deepEqual(layout.rangesOf(ticketTypeId('vip')!), []);
  const empty = new TicketLayout({ ticketTypes: [] });
  assert.equal(empty.capacity, 0);
  assert.equal(empty.has(0), false);
  assert.deepEqual(empty.priceOf([]), { lines: [], total: 0, currency: 'XXX' });
});

test('[E2] a number that is no ticket of the event is known as such, and throws where a ticket is needed', () => {
  const layout = new TicketLayout({ ticketTypes: [typeOf('ga', 10), typeOf('vip', 5)] });
  assert.ok(layout.has(0) && layout.has(14));
  for (const bad of [-1, 15, 0.5, 2 ** 32, Number.NaN, Number.NEGATIVE_INFINITY]) {
    assert.equal(layout.has(bad), false, String(bad));
    assert.throws(() => layout.typeOf(bad as Ticket), /not a ticket of this event/, String(bad));
    assert.throws(() => layout.viewOf(bad as Ticket), /not a ticket of this event/, String(bad));
    assert.throws(() => layout.priceOf([bad as Ticket]), /not a ticket of this event/, String(bad));
  }
});

test('[S10] tickets cost what their types cost together, in one currency', () => {
  const layout = new TicketLayout({ ticketTypes: [typeOf('ga', 2, 1_050), typeOf('vip', 1, 9_900)] });
  const lines = [
    ['ga', 2, 1_050],
    ['vip', 1, 9_900],
  ];
  assert.deepEqual(layout.priceOf(ticketsOf(layout)), { lines, total: 12_000, currency: 'EUR' });
});

test('[E2] a capacity that is no whole number, or too many tickets, throws', () => {
  for (const bad of [-1, 1.5, Number.NaN])
    assert.throws(() => new TicketLayout({ ticketTypes: [typeOf('ga', bad)] }), /capacity of ga/);
  assert.equal(
    new TicketLayout({ ticketTypes: [typeOf('ga', MAX_EVENT_CAPACITY)] }).capacity,
    MAX_EVENT_CAPACITY,
  );
  assert.throws(
    () => new TicketLayout({ ticketTypes: [typeOf('ga', MAX_EVENT_CAPACITY), typeOf('vip', 1)] }),
    /at most 50000000 tickets/,
  );
});

/** Any small house, and any types that sell of it. */
const anyManifest = fc
  .array(fc.array(fc.string({ unit: fc.constantFrom(...ROW_LETTERS), maxLength: 14 }), { maxLength: 5 }), {
    minLength: 1,
    maxLength: 5,
  })
  .map(houseOf);
const anySellers = fc.shuffledSubarray([...SELLERS]);

const HOUSE: Manifest = {
  name: 'House',
  sections: [
    sectionOf('Stalls', ['ssSSss', 'ca|sss']),
    sectionOf('Circle', ['ssssca', 'SSs']),
    { section: 'Floor', category: 'floor', capacity: 5 },
  ],
};

test('[E2] seats are the first blocks, in their own order, and general admission follows', () => {
  const types = [typeOf('ga', 3), sells('vip'), sells('pit', 'floor', 5), sells('std')];
  const plan = seatPlanOf(HOUSE, types);
  assert.deepEqual(blocksFor(types, plan), [
    block('vip', 4),
    block('std', 16),
    block('ga', 3),
    block('pit', 5),
  ]);
  const layout = new TicketLayout({ ticketTypes: types }, plan);
  assert.equal(layout.capacity, 28);
  assert.deepEqual(
    layout.pools.map(({ ticketType, kind, section }) => [ticketType, kind, section]),
    [
      ['ga', 'any', undefined],
      ['vip', 'general', 'Stalls'],
      ['vip', 'general', 'Circle'],
      ['pit', 'any', 'Floor'],
      ['std', 'general', 'Stalls'],
      ['std', 'general', 'Circle'],
      ['std', 'accessible', 'Stalls'],
      ['std', 'accessible', 'Circle'],
    ],
  );
  const [vip, std, pit] = ['vip', 'std', 'pit'].map((id) => ticketTypeId(id)!) as [
    TicketTypeId,
    TicketTypeId,
    TicketTypeId,
  ];
  assert.deepEqual(
    [vip, std, pit].map((type) => layout.isSeated(type)),
    [true, true, false],
  );
  assert.deepEqual(layout.poolsFor(std), [4, 5]);
  assert.deepEqual(layout.poolsFor(std, { accessible: true }), [6, 7]);
  assert.deepEqual(layout.poolsFor(std, { section: 'Circle', accessible: true }), [7]);
  assert.deepEqual(layout.poolsFor(vip, { accessible: true }), []);
  assert.deepEqual(layout.poolsFor(vip, { section: 'Balcony' }), []);
  assert.deepEqual(layout.poolsFor(pit, { section: 'Floor' }), [3]);
  assert.deepEqual(layout.poolsFor(ticketTypeId('no')!), []);
});

test('[E2] a seat is shown with its names, and found by them; a seat that nobody sells is not', () => {
  const types = [sells('vip'), typeOf('ga', 1)];
  const layout = new TicketLayout({ ticketTypes: types }, seatPlanOf(HOUSE, types));
  assert.deepEqual(layout.viewOf(2 as Ticket), {
    ticketId: '2',
    ticketType: 'vip',
    label: 'Circle B-1',
    seat: { section: 'Circle', row: 'B', seat: '1' },
  });
  assert.equal(layout.seatNamed('Circle', 'B', '1'), 2);
  assert.deepEqual(layout.viewOf(4 as Ticket), { ticketId: '4', ticketType: 'ga', label: 'GA-1' });
  assert.equal(layout.seatOf(4 as Ticket), undefined);
  assert.throws(() => layout.seatOf(5 as Ticket), /not a ticket of this event/);
  for (const [section, row, seat] of [
    ['Circle', 'B', '3'],
    ['Circle', 'C', '1'],
    ['Floor', 'A', '1'],
    ['__proto__', 'A', '1'],
  ]) {
    assert.equal(layout.seatNamed(section!, row!, seat!), undefined);
  }
});

test('[S2] pools are a partition of the tickets, and their runs of all runs; names lead back to tickets', () => {
  fc.assert(
    fc.property(anyManifest, anySellers, (manifest, types) => {
      const plan = seatPlanOf(manifest, types);
      const layout = new TicketLayout({ ticketTypes: types }, plan);
      const poolOf = new Map<number, number>();
      for (const [index, { ranges, ticketType }] of layout.pools.entries()) {
        for (const [first, end] of ranges) {
          for (let ticket = first; ticket < end; ticket++) {
            assert.ok(!poolOf.has(ticket), `${ticket} is in two pools`);
            poolOf.set(ticket, index);
            assert.equal(layout.typeOf(ticket as Ticket).ticketTypeId, ticketType);
          }
        }
      }
      assert.equal(poolOf.size, layout.capacity);
      for (const ticket of ticketsOf(layout)) checkSeat(layout, ticket, poolOf.get(ticket)!);
      for (const { ticketTypeId: id } of types)
        for (const accessible of [false, true]) checkPools(layout, id, accessible);
      const runs = layout.pools.reduce((sum, { firstRun, endRun }) => sum + endRun - firstRun, 0);
      assert.equal(runs, plan.runs.count);
    }),
    { numRuns: 300 },
  );
});

function checkSeat(layout: TicketLayout, ticket: Ticket, poolIndex: number): void {
  const pool = layout.pools[poolIndex]!;
  const seat = layout.seatOf(ticket);
  assert.equal(seat !== undefined, pool.kind !== 'any');
  if (!seat) return;
  assert.equal(seat.section, pool.section);
  assert.equal(layout.seatNamed(seat.section, seat.row, seat.seat), ticket);
  const { row } = layout.plan!.rows[layout.plan!.rowOf[ticket]!]!;
  const { kind } = row.seats[layout.plan!.placeOf[ticket]!]!;
  assert.equal(pool.kind, kind === 'standard' ? 'general' : 'accessible');
  const position = layout.plan!.runs.positionOf[ticket]!;
  assert.ok(position === -1 ? kind === 'companion' : pool.firstRun <= position && position < pool.endRun);
}

/** The pools of a type and kind follow each other, and so do their runs; one section's are among them. */
function checkPools(layout: TicketLayout, type: TicketTypeId, accessible: boolean): void {
  const all = layout.poolsFor(type, { accessible });
  for (const [at, index] of all.entries()) {
    const { section, firstRun } = layout.pools[index]!;
    if (at > 0) assert.deepEqual([index, firstRun], [all[at - 1]! + 1, layout.pools[index - 1]!.endRun]);
    if (section !== undefined) assert.deepEqual(layout.poolsFor(type, { section, accessible }), [index]);
  }
}

test('[S1] control: blocks that number the seats otherwise than their plan throw', () => {
  const types = [sells('vip'), sells('std'), typeOf('ga', 3)];
  const plan = seatPlanOf(HOUSE, types);
  const layout = (blocks: Block[], ticketTypes = types) => new TicketLayout({ ticketTypes, blocks }, plan);
  const seats = [block('vip', 4), block('std', 16)];
  assert.equal(layout([...seats, block('ga', 3), block('ga', 2)]).capacity, 25);
  for (const wrong of [
    [block('std', 16), block('vip', 4)],
    [block('vip', 4), block('std', 15)],
    [block('ga', 3), ...seats],
    [...seats, block('ga', 3), block('std', 1)],
  ]) {
    assert.throws(() => layout(wrong), /numbered otherwise/);
  }
  assert.throws(() => layout([block('vip', 4)]), /seats have no ticket numbers/);
  assert.throws(() => new TicketLayout({ ticketTypes: types }), /seats without their plan/);
});
