// Seat maps of usual shapes keep to all rules, whatever their numbers, and impossible numbers are refused.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Manifest, seatedSection } from '@floodgate/core/seating/manifest.ts';
import { seatPlanOf } from '@floodgate/core/seating/seat-plan.ts';
import { assertLinear } from '@floodgate/core/testing/cpu.ts';
import { sells } from '@floodgate/core/testing/houses.ts';
import fc from 'fast-check';
import type { Problem } from './input-errors.ts';
import { manifestFromJson } from './json.ts';
import type { ManifestReading } from './rules.ts';
import { generate, manifestFromShape, type Shape } from './shapes.ts';
import { manifestText } from './text.ts';

function manifestIn(read: ManifestReading): Manifest {
  assert.ok('manifest' in read, JSON.stringify('problems' in read && read.problems));
  return read.manifest;
}

function problemsIn(read: ManifestReading): readonly Problem[] {
  assert.ok('problems' in read, 'was made without problems');
  return read.problems;
}

function seatsIn({ sections }: Manifest) {
  return sections.flatMap((part) => (seatedSection(part) ? part.rows.flatMap(({ seats }) => seats) : []));
}

const rows = fc.integer({ min: 1, max: 30 });
const none = fc.integer({ min: 0, max: 5 });
const accessible = fc.integer({ min: 0, max: 1 });
const seatsPerRow = fc.integer({ min: 2, max: 60 });
const base = { name: fc.constant('House'), rows, seatsPerRow, accessible };
const anyShape: fc.Arbitrary<Shape> = fc.oneof(
  fc.record({
    shape: fc.constant('grid' as const),
    ...base,
    blocks: fc.integer({ min: 1, max: 5 }),
    aisleEvery: none,
  }),
  fc.record({ shape: fc.constant('theatre' as const), ...base, circleRows: none, balconyRows: none }),
  fc.record({
    shape: fc.constant('arena' as const),
    ...base,
    rows: fc.integer({ min: 1, max: 8 }),
    blocks: fc.integer({ min: 1, max: 12 }),
    tiers: fc.integer({ min: 1, max: 3 }),
    floor: none,
  }),
);

test('[E2] every shape makes a map without overlaps or double names, from its numbers or as JSON', () => {
  fc.assert(
    fc.property(anyShape, (shape) => {
      const manifest = manifestIn(generate(shape));
      assert.deepEqual(manifestIn(manifestFromShape(JSON.stringify(shape, undefined, 1))), manifest);
      const kinds = seatsIn(manifest).map(({ kind }) => kind);
      const wheelchairs = kinds.filter((kind) => kind === 'accessible').length;
      assert.equal(kinds.filter((kind) => kind === 'companion').length, wheelchairs);
      const sections = shape.shape === 'theatre' ? 1 : (shape.blocks ?? 1);
      assert.equal(wheelchairs, (shape.accessible ?? 0) * sections);
    }),
    { numRuns: 150 },
  );
});

test('[E2] a grid, a theatre and an arena have the sections, categories and seats one expects', () => {
  const shapes: Shape[] = [
    { shape: 'grid', name: 'Hall', rows: 30, seatsPerRow: 20, aisleEvery: 10 },
    { shape: 'grid', name: 'Hall', rows: 2, seatsPerRow: 2, blocks: 2 },
    { shape: 'theatre', name: 'Opera', rows: 20, seatsPerRow: 40, circleRows: 5, accessible: 2 },
    { shape: 'arena', name: 'Dome', rows: 2, seatsPerRow: 10, blocks: 3, tiers: 2, floor: 900 },
  ];
  const seen = shapes.map((shape) => {
    const manifest = manifestIn(generate(shape));
    const categories = new Set(seatsIn(manifest).map(({ category }) => category));
    return [
      manifest.sections.map(({ section }) => section).join(', '),
      [...categories].join(),
      seatsIn(manifest).length,
    ];
  });
  assert.deepEqual(seen, [
    ['Main', 'standard', 600],
    ['Block 1, Block 2', 'standard', 8],
    ['Stalls, Circle', 'stalls,circle', 874],
    ['Floor, Block 101, Block 102, Block 103, Block 201, Block 202, Block 203', 'lower,upper', 120],
  ]);
  const [hall] = manifestIn(generate(shapes[0]!)).sections;
  assert.ok(hall && seatedSection(hall));
  assert.deepEqual(
    hall.rows.slice(25, 28).map(({ row }) => row),
    ['Z', 'AA', 'AB'],
  );
  assert.deepEqual(
    hall.rows[0]!.seats.flatMap(({ gapBefore }, index) => (gapBefore ? [index] : [])),
    [10],
  );
});

test('[E2] numbers that make no house are refused with their member, their line and their bounds', () => {
  const grid = '"shape": "grid", "name": "X",\n"rows": 2,\n"seatsPerRow":';
  for (const [text, line, message] of [
    ['{"shape": "grid",', 1, /no JSON/],
    ['[1]', 1, /must be an object/],
    ['{"name": "X"}', 1, /shape must be one of grid, theatre, arena/],
    ['{"name": "X",\n"shape": "cube"}', 2, /shape must be one of/],
    ['{"name": "X",\n"shape": "__proto__"}', 2, /shape must be one of/],
    [`{${grid} 2.5}`, 3, /seatsPerRow must be a whole number from 1 to 2000/],
    [`{${grid} "9"}`, 3, /seatsPerRow must be/],
    [`{${grid} -1}`, 3, /seatsPerRow must be/],
    [`{${grid} 1e300}`, 3, /seatsPerRow must be/],
    [`{${grid} 9,\n"tiers": 2}`, 4, /"tiers" is unknown here, where there are shape, name, rows/],
    [`{${grid} 9,\n"accessible": 5}`, 4, /must fit in one row/],
    ['{"shape": "grid", "rows": 1, "seatsPerRow": 1}', 1, /name must be/],
    [
      '{"shape": "grid", "name": "", "rows": 1, "seatsPerRow": 1}',
      undefined,
      /name of the seat map is empty/,
    ],
    ['{"shape": "arena", "name": "X", "rows": 1, "seatsPerRow": 1}', 1, /blocks must be/],
    [
      '{"shape": "grid", "name": "X",\n"rows": 1000, "seatsPerRow": 2000}',
      2,
      /1000 rows of 2000 seats are too many/,
    ],
    [
      '{"shape": "arena", "name": "X",\n"rows": 100, "seatsPerRow": 100, "blocks": 21}',
      2,
      /2100 rows of 100 seats/,
    ],
  ] as const) {
    const [problem] = problemsIn(manifestFromShape(text));
    assert.match(problem!.message, message, text);
    assert.equal(problem!.line, line, text);
  }
  const negative = generate({ shape: 'theatre', name: 'X', rows: 1, seatsPerRow: 1, circleRows: -1 });
  assert.equal(problemsIn(negative)[0]!.path, 'circleRows');
});

test('[E2] the cost to make, judge, write, read and plan 100,000 seats grows no faster than their number', async () => {
  const types = [sells('lower'), sells('upper')];
  const plan = (size: number) => () => {
    const blocks = { blocks: 2 * size, tiers: 2, rows: 25, seatsPerRow: 63 };
    const made = generate({ shape: 'arena', name: 'Arena', ...blocks });
    const read = manifestIn(manifestFromJson(manifestText(manifestIn(made))));
    assert.equal(seatPlanOf(read, types).seats, size * 6_300);
  };
  await assertLinear(plan);
});
