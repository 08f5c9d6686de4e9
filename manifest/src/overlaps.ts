// Finds seats that lie on each other. Two seats do when they are closer than a quarter of the usual (median) distance
// between neighbours in a row. Seats are hashed by the cell of a grid as wide as that distance, so each is compared with
// the few in its own and the nearest cells: 200,000 seats take some 50 ms.
import { type Manifest, seatedSection } from '@floodgate/core/seating/manifest.ts';

/** Indexes of a section, a row in it and a seat in that. */
export type SeatPlace = readonly [section: number, row: number, seat: number];

interface Points {
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** Where a row's points begin, by row of all sections; and which row that is. */
  readonly starts: readonly number[];
  readonly rows: readonly (readonly [section: number, row: number])[];
}

/** Tells of each seat that lies on an earlier one, until `tell` says that it knows enough. */
export function findOverlaps(manifest: Manifest, tell: (seat: SeatPlace, other: SeatPlace) => boolean): void {
  const points = pointsOf(manifest);
  const grid = new Grid(points.x, points.y, usualDistance(points));
  for (let point = 0; point < points.x.length; point++) {
    const other = grid.put(point);
    if (other >= 0 && !tell(placeOf(points, point), placeOf(points, other))) return;
  }
}

function pointsOf({ sections }: Manifest): Points {
  const xs: number[] = [];
  const ys: number[] = [];
  const starts: number[] = [];
  const rows: [number, number][] = [];
  for (const [section, part] of sections.entries()) {
    if (!seatedSection(part)) continue;
    for (const [row, { seats }] of part.rows.entries()) {
      starts.push(xs.length);
      rows.push([section, row]);
      for (const { x, y } of seats) {
        xs.push(x);
        ys.push(y);
      }
    }
  }
  return { x: Float64Array.from(xs), y: Float64Array.from(ys), starts, rows };
}

function placeOf({ starts, rows }: Points, point: number): SeatPlace {
  const index = starts.findLastIndex((start) => start <= point);
  const [section, row] = rows[index]!;
  return [section, row, point - starts[index]!];
}

/** The median distance of neighbours in a row; without such, what the seats would be apart if they stood in one line. */
function usualDistance({ x, y, starts }: Points): number {
  const isFirst = new Set(starts);
  const distances = new Float64Array(Math.max(0, x.length - starts.length));
  let count = 0;
  for (let point = 1; point < x.length; point++) {
    if (isFirst.has(point)) continue;
    distances[count++] = Math.hypot(x[point]! - x[point - 1]!, y[point]! - y[point - 1]!);
  }
  distances.sort();
  return distances[distances.length >> 1] || Math.max(extent(x), extent(y)) / x.length || 1;
}

function extent(values: Float64Array): number {
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  return most - least;
}

/** So fine that a grid over all coordinates still counts its cells in whole numbers. */
const FINEST_CELL = 2 ** -20;

/** Chains of points by the hash of their cell. Cells that share a hash cost comparisons, not mistakes. */
class Grid {
  readonly #x: Float64Array;
  readonly #y: Float64Array;
  readonly #cell: number;
  readonly #near: number;
  readonly #heads: Int32Array;
  readonly #next: Int32Array;

  constructor(x: Float64Array, y: Float64Array, distance: number) {
    this.#x = x;
    this.#y = y;
    this.#cell = Math.max(distance, FINEST_CELL);
    this.#near = this.#cell / 4;
    this.#heads = new Int32Array(2 ** Math.ceil(Math.log2(2 * x.length + 2))).fill(-1);
    this.#next = new Int32Array(x.length);
  }

  /** The earlier point that this one lies on; -1 when there is none, and then it is put down. */
  put(point: number): number {
    const x = this.#x[point]!;
    const y = this.#y[point]!;
    for (let i = this.#index(x - this.#near); i <= this.#index(x + this.#near); i++) {
      for (let j = this.#index(y - this.#near); j <= this.#index(y + this.#near); j++) {
        const other = this.#nearIn(this.#slot(i, j), x, y);
        if (other >= 0) return other;
      }
    }
    const slot = this.#slot(this.#index(x), this.#index(y));
    this.#next[point] = this.#heads[slot]!;
    this.#heads[slot] = point;
    return -1;
  }

  #nearIn(slot: number, x: number, y: number): number {
    for (let other = this.#heads[slot]!; other >= 0; other = this.#next[other]!) {
      if (Math.hypot(this.#x[other]! - x, this.#y[other]! - y) < this.#near) return other;
    }
    return -1;
  }

  // Cells are centred on the multiples of the distance, where the seats of a regular house are.
  #index(value: number): number {
    return Math.floor(value / this.#cell + 0.5);
  }

  #slot(i: number, j: number): number {
    const mixed = Math.imul(i ^ Math.imul(j, 0x9e3779b1), 0x85ebca6b);
    return (mixed ^ (mixed >>> 15)) & (this.#heads.length - 1);
  }
}
