// Seats that lie on each other are found, as by comparing each with each.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Manifest, Seat } from '@floodgate/core/seating/manifest.ts';
import fc from 'fast-check';
import { findOverlaps, type SeatPlace } from './overlaps.ts';

type Point = readonly [x: number, y: number];

function houseOf(rows: readonly (readonly Point[])[]): Manifest {
  const seatAt = ([x, y]: Point, index: number): Seat => ({
    seat: String(index),
    x,
    y,
    kind: 'standard',
    restrictedView: false,
    gapBefore: false,
    category: 'std',
  });
  const named = rows.map((row, index) => ({ row: String(index), seats: row.map(seatAt) }));
  return { name: 'House', sections: [{ section: 'S', focus: 'centre', rows: named }] };
}

function overlapsIn(rows: readonly (readonly Point[])[]): [SeatPlace, SeatPlace][] {
  const found: [SeatPlace, SeatPlace][] = [];
  findOverlaps(houseOf(rows), (seat, other) => found.push([seat, other]) > 0);
  return found;
}

/** How many seats lie closer than a quarter of the median distance to an earlier seat that itself lies alone. */
function expectedCount(rows: readonly (readonly Point[])[]): number {
  const apart = (a: Point, b: Point) => Math.hypot(a[0] - b[0], a[1] - b[1]);
  const distances = rows.flatMap((row) => row.slice(1).map((point, index) => apart(point, row[index]!)));
  const usual = distances.sort((a, b) => a - b)[distances.length >> 1]!;
  const kept: Point[] = [];
  let count = 0;
  for (const point of rows.flat()) {
    if (kept.some((other) => apart(point, other) < usual / 4)) count++;
    else kept.push(point);
  }
  return count;
}

test('[E2] overlaps are found as by comparing each seat with each', () => {
  const coordinate = fc.integer({ min: -20, max: 20 }).map((value) => value / 8);
  const anyRow = fc.array(fc.tuple(coordinate, coordinate), { minLength: 1, maxLength: 12 });
  let some = 0;
  fc.assert(
    fc.property(anyRow, fc.array(anyRow, { maxLength: 4 }), (first, others) => {
      // Without a distance there is no usual one: two seats that are one apart give it.
      const rows = [
        [
          [90, 0],
          [91, 0],
          [92, 0],
          [93, 0],
        ] as Point[],
        first,
        ...others,
      ];
      const expected = expectedCount(rows);
      assert.equal(overlapsIn(rows).length, expected);
      if (expected > 0) some++;
    }),
    { numRuns: 1_000 },
  );
  assert.ok(some > 100, 'the rows must overlap often enough to show anything');
});

test('[E2] the usual distance decides: a quarter of it is near, in any unit and any place', () => {
  for (const scale of [1e-3, 1, 1_000]) {
    for (const origin of [-900_000, 0, 900_000]) {
      const at = (x: number): Point => [origin + x * scale, 0];
      assert.deepEqual(overlapsIn([[at(0), at(1), at(2)], [at(2.3)]]), []);
      assert.deepEqual(overlapsIn([[at(0), at(1), at(2)], [at(2.2)]]), [
        [
          [0, 1, 0],
          [0, 0, 2],
        ],
      ]);
    }
  }
});

test('[E2] rows of one seat, and rows whose seats lie all at one place, are judged too', () => {
  assert.deepEqual(overlapsIn([[[0, 0]], [[0, 1]], [[0, 2]]]), []);
  assert.equal(overlapsIn([[[5, 5]], [[5, 5]], [[5, 7]]]).length, 1);
  assert.equal(
    overlapsIn([
      [
        [1, 1],
        [1, 1],
        [1, 1],
      ],
    ]).length,
    2,
  );
  assert.deepEqual(
    overlapsIn([
      [
        [1e6, -1e6],
        [1e6, -1e6],
      ],
    ]).length,
    1,
  );
  assert.deepEqual(
    overlapsIn([
      [
        [0, 0],
        [5e-324, 0],
        [1e6, 1e6],
      ],
    ]).length,
    1,
  );
});

test('[E2] telling ends when it has told enough', () => {
  let told = 0;
  findOverlaps(houseOf([Array.from({ length: 1_000 }, () => [0, 0] as const)]), () => ++told < 20);
  assert.equal(told, 20);
});
