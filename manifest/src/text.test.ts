// The text in which a manifest is kept leads back to the same manifest, for ever.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Manifest, Seat } from '@floodgate/core/seating/manifest.ts';
import { seatPlanOf } from '@floodgate/core/seating/seat-plan.ts';
import { houseOf, ROW_LETTERS, sells } from '@floodgate/core/testing/houses.ts';
import fc from 'fast-check';
import { judged } from './rules.ts';
import { generate } from './shapes.ts';
import { manifestText, parseManifestText } from './text.ts';

/** Any small house. */
const anyManifest = fc
  .array(fc.array(fc.string({ unit: fc.constantFrom(...ROW_LETTERS), maxLength: 14 }), { maxLength: 5 }), {
    minLength: 1,
    maxLength: 5,
  })
  .map(houseOf);

const KEPT =
  '{"name":"House","sections":[' +
  '{"section":"Stalls","category":"std","focus":"left","rows":[' +
  '{"row":"A","seats":"1-3|4","categories":{"vip":"3,4"},"x":-2,"y":0,"accessible":"1","companion":"2","restricted":"4"},' +
  '{"row":"B","seats":["A-1","|","A-2","A-3"],"category":"side","x":[0.1,7,8],"y":[9,8.5,8.5]},' +
  '{"row":"C","seats":"9-1/2","x":4,"y":12,"dx":-1.5,"dy":0.25}]},' +
  '{"section":"Floor","category":"floor","capacity":500}]}';

test('[E2] a kept text is read as it always was, and written as it was', () => {
  // Texts like this one are in ledgers. If this test fails, the change is wrong.
  const manifest = parseManifestText(KEPT);
  const seat = { kind: 'standard', restrictedView: false, gapBefore: false, category: 'std' } as const;
  assert.deepEqual(manifest, {
    name: 'House',
    sections: [
      {
        section: 'Stalls',
        focus: 'left',
        rows: [
          {
            row: 'A',
            seats: [
              { ...seat, seat: '1', x: -2, y: 0, kind: 'accessible' },
              { ...seat, seat: '2', x: -1, y: 0, kind: 'companion' },
              { ...seat, seat: '3', x: 0, y: 0, category: 'vip' },
              { ...seat, seat: '4', x: 2, y: 0, category: 'vip', gapBefore: true, restrictedView: true },
            ],
          },
          {
            row: 'B',
            seats: [
              { ...seat, seat: 'A-1', x: 0.1, y: 9, category: 'side' },
              { ...seat, seat: 'A-2', x: 7, y: 8.5, category: 'side', gapBefore: true },
              { ...seat, seat: 'A-3', x: 8, y: 8.5, category: 'side' },
            ],
          },
          {
            row: 'C',
            seats: [9, 7, 5, 3, 1].map((name, index) => ({
              ...seat,
              seat: String(name),
              x: 4 - 1.5 * index,
              y: 12 + 0.25 * index,
            })),
          },
        ],
      },
      { section: 'Floor', category: 'floor', capacity: 500 },
    ],
  });
  assert.equal(manifestText(manifest), KEPT);
});

/** Seats anywhere, with awkward names, of any category. */
const anySeat: fc.Arbitrary<Omit<Seat, 'seat'>> = fc.record({
  x: fc
    .oneof(fc.integer({ min: -9, max: 9 }), fc.double({ min: -1e6, max: 1e6, noNaN: true }))
    .map((x) => x + 0),
  y: fc
    .oneof(fc.integer({ min: -9, max: 9 }), fc.double({ min: -1e6, max: 1e6, noNaN: true }))
    .map((y) => y + 0),
  kind: fc.constantFrom('standard', 'standard', 'accessible', 'companion'),
  restrictedView: fc.boolean(),
  gapBefore: fc.boolean(),
  category: fc.constantFrom('std', 'vip', '__proto__', '1', 'é "'),
});
const anyName = fc.oneof(
  fc.nat(30).map(String),
  fc.constantFrom('A-1', '1/2', '4A', '07', 'x y', '"', '__proto__', '\\'),
);
const anyRow = fc.array(fc.tuple(anyName, anySeat), { minLength: 1, maxLength: 10 }).map((seats) => ({
  seats: [...new Map(seats)].map(([seat, rest], index) => ({
    ...rest,
    seat,
    gapBefore: rest.gapBefore && index > 0,
  })),
}));
const anyAwkward: fc.Arbitrary<Manifest> = fc.array(anyRow, { minLength: 1, maxLength: 5 }).map((rows) => ({
  name: 'Hoüse\n',
  sections: [
    { section: 'S "1"', focus: 'right', rows: rows.map(({ seats }, index) => ({ row: `R${index}`, seats })) },
  ],
}));

test('[E2] every manifest is written in one line and read back as it was, and so is its plan', () => {
  const types = [sells('vip'), sells('std'), sells('box')];
  fc.assert(
    fc.property(fc.oneof(anyManifest, anyAwkward), (manifest) => {
      const text = manifestText(manifest);
      assert.ok(!/[\n\r]/.test(text));
      const read = parseManifestText(text);
      assert.deepEqual(read, manifest);
      assert.equal(manifestText(read), text);
      assert.deepEqual(seatPlanOf(read, types), seatPlanOf(manifest, types));
    }),
    { numRuns: 1_000 },
  );
});

test('[E2] a kept manifest is read although the rules became stricter; no manifest at all throws', () => {
  const lonely = parseManifestText(
    '{"name":"","sections":[{"section":"S","rows":[{"row":"A","seats":"1,1","companion":"1"}]}]}',
  );
  assert.ok('problems' in judged(lonely, () => ({})));
  for (const text of ['', '{}', '[]', 'null', KEPT.slice(1), KEPT.replace('"x":', '"z":')]) {
    assert.throws(() => parseManifestText(text), /a kept manifest cannot be read/, text);
  }
});

test('[E2] 50,000 seats are kept in well under 2 MB, and a usual hall in a tenth of that', () => {
  const sizes = [
    { shape: 'arena', name: 'Arena', blocks: 40, rows: 25, seatsPerRow: 50 } as const,
    { shape: 'grid', name: 'Hall', blocks: 10, rows: 100, seatsPerRow: 50, aisleEvery: 10 } as const,
  ].map((shape) => {
    const made = generate(shape);
    assert.ok('manifest' in made);
    return manifestText(made.manifest).length;
  });
  assert.ok(sizes[0]! < 1_000_000 && sizes[1]! < 100_000, `${sizes} characters`);
});
