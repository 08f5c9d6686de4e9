// The plan of an event's seats: numbered once and for ever, and cut into runs in which parties can sit.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { TicketType } from '../event/event.ts';
import { assertLinear } from '../testing/cpu.ts';
import { houseOf, ROW_LETTERS, SELLERS, sectionOf, sells } from '../testing/houses.ts';
import { type Manifest, type Seat, type SeatedSection, seatedSection } from './manifest.ts';
import { type SeatPlan, seatPlanOf } from './seat-plan.ts';

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
    sectionOf('Stalls', ['ssSSss', 'sss|sss']),
    { section: 'Floor', category: 'floor', capacity: 5 },
    { ...sectionOf('Circle', ['cacssac|ca', 'SSs']), focus: 'left' },
  ],
};

/** "Stalls A-1" by ticket number. */
function namesOf(plan: SeatPlan): string[] {
  const at = (ticket: number) => plan.rows[plan.rowOf[ticket]!]!;
  return Array.from({ length: plan.seats }, (_, ticket) => {
    const { section, row } = at(ticket);
    return `${section.section} ${row.row}-${row.seats[plan.placeOf[ticket]!]!.seat}`;
  });
}

/** "Stalls A 1-2 @0": a run's seats, and its anchor's offset if it has one. */
function runsOf(plan: SeatPlan): string[] {
  const { count, first, length, anchor } = plan.runs;
  return Array.from({ length: count }, (_, at) => {
    const { section, row } = plan.rows[plan.rowOf[first[at]!]!]!;
    const place = plan.placeOf[first[at]!]!;
    const seats = `${row.seats[place]!.seat}-${row.seats[place + length[at]! - 1]!.seat}`;
    return `${section.section} ${row.row} ${seats}${anchor[at]! < 0 ? '' : ` @${anchor[at]}`}`;
  });
}

test('[S1] the numbering never changes: types in the event’s order, inside a type by the manifest', () => {
  // Tickets of sold seats are in ledgers by these numbers. If this test fails, the change is wrong.
  const plan = seatPlanOf(HOUSE, [sells('vip'), sells('standing', 'floor'), sells('std')]);
  assert.deepEqual(plan.types, [
    { ticketType: 'vip', category: 'vip', first: 0, count: 4 },
    { ticketType: 'std', category: 'std', first: 4, count: 20 },
  ]);
  const row = (name: string, seats: number[]) => seats.map((seat) => `${name}-${seat}`);
  assert.deepEqual(namesOf(plan), [
    ...row('Stalls A', [3, 4]),
    ...row('Circle B', [1, 2]),
    ...row('Stalls A', [1, 2, 5, 6]),
    ...row('Stalls B', [1, 2, 3, 4, 5, 6]),
    ...row('Circle A', [1, 2, 3, 4, 5, 6, 7, 8, 9]),
    ...row('Circle B', [3]),
  ]);
});

test('[E2] runs end at aisles, at other types and kinds, and come by type, kind, section and quality', () => {
  const plan = seatPlanOf(HOUSE, [sells('vip'), sells('std')]);
  assert.deepEqual(runsOf(plan), [
    'Stalls A 3-4',
    'Circle B 1-2',
    'Stalls A 1-2',
    'Stalls A 5-6',
    'Stalls B 1-3',
    'Stalls B 4-6',
    'Circle A 4-5',
    'Circle B 3-3',
    'Circle A 1-3 @1',
    'Circle A 6-7 @0',
    'Circle A 8-9 @1',
  ]);
  const { base, focus } = plan.runs;
  assert.deepEqual([...base.subarray(2, 8)], [0, 0, 4, 4, 2_000_000, 2_000_004]);
  assert.deepEqual([...focus.subarray(2, 8)], [5, -3, 5, -1, -6, -4]);
  assert.deepEqual(
    plan.pools.map(({ ticketType, kind, section, firstRun, endRun }) => [
      ticketType,
      kind,
      section,
      firstRun,
      endRun,
    ]),
    [
      ['vip', 'general', 'Stalls', 0, 1],
      ['vip', 'general', 'Circle', 1, 2],
      ['std', 'general', 'Stalls', 2, 6],
      ['std', 'general', 'Circle', 6, 8],
      ['std', 'accessible', 'Circle', 8, 11],
    ],
  );
});

test('[E2] companion seats go to the nearest accessible seat, the left one of two, or to nobody', () => {
  const plan = seatPlanOf({ name: 'X', sections: [sectionOf('S', ['caccccacca', 'sccs', 'aacca'])] }, [
    sells('std'),
  ]);
  assert.deepEqual(runsOf(plan), [
    'S B 1-1',
    'S B 4-4',
    'S A 5-8 @2',
    'S A 1-4 @1',
    'S A 9-10 @1',
    'S C 2-3 @0',
    'S C 4-5 @1',
    'S C 1-1 @0',
  ]);
  const alone = namesOf(plan).flatMap((name, ticket) => (plan.runs.positionOf[ticket] === -1 ? [name] : []));
  assert.deepEqual(alone, ['S B-2', 'S B-3']);
  assert.deepEqual(
    plan.pools.map(({ kind, ranges }) => [kind, ranges.map((range) => [...range])]),
    [
      [
        'general',
        [
          [10, 11],
          [13, 14],
        ],
      ],
      [
        'accessible',
        [
          [0, 10],
          [11, 13],
          [14, 19],
        ],
      ],
    ],
  );
});

interface Sold {
  readonly name: string;
  readonly seat: Seat;
  readonly type: number;
  readonly section: number;
  readonly row: number;
  readonly place: number;
}

/** The seats in the order their tickets must have, found in the plainest way. */
function expectedSeats(manifest: Manifest, ticketTypes: readonly TicketType[]): Sold[] {
  return ticketTypes.flatMap(({ category }, type) =>
    manifest.sections.flatMap((section, s) =>
      (seatedSection(section) ? section.rows : []).flatMap((row, r) =>
        row.seats.flatMap((seat, place) => {
          const name = `${section.section} ${row.row}-${seat.seat}`;
          return seat.category === category ? [{ name, seat, type, section: s, row: r, place }] : [];
        }),
      ),
    ),
  );
}

const apart = (a: Sold | undefined, b: Sold | undefined) =>
  !a ||
  !b ||
  a.type !== b.type ||
  a.section !== b.section ||
  a.row !== b.row ||
  a.place + 1 !== b.place ||
  b.seat.gapBefore ||
  (a.seat.kind === 'standard') !== (b.seat.kind === 'standard');

/** The offsets of the accessible seat each seat of a stretch belongs to; -1 when there is none. */
function nearest(stretch: readonly Sold[], offset: number): number {
  let best = -1;
  for (const [at, { seat }] of stretch.entries()) {
    if (seat.kind !== 'accessible') continue;
    if (best < 0 || Math.abs(at - offset) < Math.abs(best - offset)) best = at;
  }
  return best;
}

/** Throws when the plan is not what its rules say of this manifest. */
function checkPlan(plan: SeatPlan, manifest: Manifest, ticketTypes: readonly TicketType[]): void {
  const sold = expectedSeats(manifest, ticketTypes);
  assert.deepEqual(
    namesOf(plan),
    sold.map(({ name }) => name),
  );
  const { count, first, length, anchor, positionOf } = plan.runs;
  let seen = 0;
  for (let at = 0; at < count; at++) {
    const end = first[at]! + length[at]!;
    assert.ok(length[at]! >= 1 && positionOf.subarray(first[at], end).every((position) => position === at));
    seen += length[at]!;
  }
  assert.equal(seen + positionOf.filter((position) => position === -1).length, plan.seats);
  for (let start = 0; start < sold.length; ) {
    let end = start + 1;
    while (!apart(sold[end - 1], sold[end])) end++;
    checkStretch(sold.slice(start, end), start);
    start = end;
  }
  for (let at = 1; at < count; at++) assert.ok(compare(runAt(plan, sold, at - 1), runAt(plan, sold, at)) < 0);

  function checkStretch(stretch: readonly Sold[], start: number): void {
    const run = positionOf[start]!;
    if (stretch[0]!.seat.kind === 'standard') {
      assert.deepEqual([first[run], length[run], anchor[run]], [start, stretch.length, -1]);
      return;
    }
    for (const offset of stretch.keys()) {
      const position = positionOf[start + offset]!;
      const anchored = position < 0 ? -1 : first[position]! + anchor[position]! - start;
      assert.equal(anchored, nearest(stretch, offset));
    }
  }
}

/** What a run is sorted by, worked out from its seats. */
function runAt(plan: SeatPlan, sold: readonly Sold[], at: number): readonly number[] {
  const start = plan.runs.first[at]!;
  const seats = sold.slice(start, start + plan.runs.length[at]!);
  const { type, section, row, place, seat } = seats[0]!;
  const { focus, rows } = plan.manifest.sections[section] as SeatedSection;
  const width = rows[row]!.seats.length;
  const best = { left: 0, centre: width - 1, right: 2 * (width - 1) }[focus];
  const away = Math.min(...seats.map((one) => Math.abs(2 * one.place - best)));
  assert.equal(plan.runs.focus[at], best - 2 * place);
  assert.equal(plan.runs.base[at], 1_000_000 * section + 4 * row);
  return [type, seat.kind === 'standard' ? 0 : 1, section, 4 * row + away, row, place];
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (const [index, value] of a.entries()) if (value !== b[index]) return value - b[index]!;
  return 0;
}

test('[S1] every seat that is sold has one ticket and one run, and runs cross no aisle, row, type or kind', () => {
  fc.assert(
    fc.property(anyManifest, anySellers, (manifest, sellers) => {
      checkPlan(seatPlanOf(manifest, sellers), manifest, sellers);
    }),
    { numRuns: 500 },
  );
});

test('[S1] control: the plan of another seat map does not pass', () => {
  const types = [sells('vip'), sells('std')];
  const changes: [string, string, readonly string[]][] = [
    ['an aisle', 'ssss', ['ss|ss']],
    ['an accessible seat', 'ssss', ['ssas']],
    ['another type', 'ssss', ['sSss']],
    ['a companion of another', 'accca', ['acaca']],
    ['two rows', 'ssss', ['ss', 'ss']],
    ['a lonely companion', 'sacs', ['sscs']],
  ];
  for (const [what, before, after] of changes) {
    const manifest = (rows: readonly string[]): Manifest => ({ name: 'X', sections: [sectionOf('S', rows)] });
    checkPlan(seatPlanOf(manifest([before]), types), manifest([before]), types);
    assert.throws(() => checkPlan(seatPlanOf(manifest([before]), types), manifest(after), types), what);
  }
});

test('[S1] two types that would sell the same seats throw; the same area may be sold by several', () => {
  assert.throws(() => seatPlanOf(HOUSE, [sells('a', 'std'), sells('b', 'std')]), /two ticket types sell std/);
  assert.equal(seatPlanOf(HOUSE, [sells('a', 'floor'), sells('b', 'floor')]).seats, 0);
});

test('[E2] the cost to plan 100,000 seats grows no faster than their number, also when each is a run of its own', async () => {
  const seat = (index: number): Seat => ({
    seat: String(index),
    x: index,
    y: 0,
    kind: index % 3 === 0 ? 'accessible' : 'standard',
    restrictedView: false,
    gapBefore: true,
    category: index % 2 === 0 ? 'std' : 'vip',
  });
  const rows = Array.from({ length: 125 }, (_, row) => ({
    row: String(row),
    seats: Array.from({ length: 50 }, (_, i) => seat(i)),
  }));
  const sections = Array.from({ length: 16 }, (_, s) => ({
    section: `S${s}`,
    focus: 'centre' as const,
    rows,
  }));
  const plan = (size: number) => () => {
    const house = { name: 'Arena', sections: sections.slice(0, size) };
    const { seats, runs } = seatPlanOf(house, [sells('std'), sells('vip')]);
    assert.deepEqual([seats, runs.count], [6_250 * size, 6_250 * size]);
  };
  await assertLinear(plan);
});
