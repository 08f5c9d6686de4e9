// Seat maps of usual shapes from a few numbers, for who has no file: a hall of straight rows, a theatre, an arena.

import { MAX_EVENT_CAPACITY } from './event.ts';
import {
  MAX_SEATS,
  MAX_SECTIONS,
  type Manifest,
  type Row,
  type SeatedSection,
  type SeatKind,
  type StandingArea,
} from './manifest.ts';
import { type DraftSeat, Placing } from './manifest-draft.ts';
import { judged, type ManifestReading } from './manifest-rules.ts';
import { Problems } from './problems.ts';

interface ShapeBase {
  readonly name: string;
  readonly rows: number;
  /** Of the longest row. */
  readonly seatsPerRow: number;
  /** Places for wheelchairs in the last row of each section of the best category, each with a companion seat beside it. */
  readonly accessible?: number | undefined;
}
/** Straight rows A, B, C … in one section or several side by side, all of the category `standard`. */
export interface GridShape extends ShapeBase {
  readonly shape: 'grid';
  readonly sections?: number | undefined;
  /** An aisle after so many seats. */
  readonly aisleEvery?: number | undefined;
}
/** Curved rows with two aisles: Stalls of `rows` rows, and a Circle and a Balcony behind them if they have rows. */
export interface TheatreShape extends ShapeBase {
  readonly shape: 'theatre';
  readonly circleRows?: number | undefined;
  readonly balconyRows?: number | undefined;
}
/** Blocks all around, in one to three tiers (categories `lower`, `upper`, `top`), with a Floor in the middle to stand on. */
export interface ArenaShape extends ShapeBase {
  readonly shape: 'arena';
  /** In each tier. */
  readonly blocks: number;
  readonly tiers?: number | undefined;
  readonly floor?: number | undefined;
}
export type Shape = GridShape | TheatreShape | ArenaShape;

const MOST: Readonly<Record<string, number>> = {
  rows: 1_000,
  seatsPerRow: 2_000,
  accessible: 1_000,
  sections: MAX_SECTIONS,
  aisleEvery: 2_000,
  circleRows: 1_000,
  balconyRows: 1_000,
  blocks: 500,
  tiers: 3,
  floor: MAX_EVENT_CAPACITY,
};
/** What may be 0, which is the same as leaving it out. */
const MAY_BE_NONE = ['accessible', 'aisleEvery', 'circleRows', 'balconyRows', 'floor'];

/** The manifest of a shape, or what is wrong with its numbers. */
export function generate(shape: Shape): ManifestReading {
  const problems = new Problems();
  checkNumbers(shape, problems);
  if (problems.found.length === 0) checkSum(shape, problems);
  if (problems.found.length > 0) return { problems: problems.found };
  return judged({ name: shape.name, sections: sectionsOf(shape) }, (section) => ({
    path: `sections.${section}`,
  }));
}

function checkNumbers(shape: Shape, problems: Problems): void {
  const required: string[] = ['rows', 'seatsPerRow', ...(shape.shape === 'arena' ? ['blocks'] : [])];
  for (const [name, value] of Object.entries({
    ...Object.fromEntries(required.map((one) => [one, undefined])),
    ...shape,
  })) {
    const most = MOST[name];
    if (most === undefined || (value === undefined && !required.includes(name))) continue;
    const least = MAY_BE_NONE.includes(name) ? 0 : 1;
    if (Number.isInteger(value) && Number(value) >= least && Number(value) <= most) continue;
    problems.add({ path: name }, `${name} must be a whole number from ${least} to ${most}`);
  }
}

function checkSum(shape: Shape, problems: Problems): void {
  const { rows, seatsPerRow, accessible = 0 } = shape;
  const times = {
    grid: () => rows * ((shape as GridShape).sections ?? 1),
    theatre: () =>
      rows + ((shape as TheatreShape).circleRows ?? 0) + ((shape as TheatreShape).balconyRows ?? 0),
    arena: () => rows * (shape as ArenaShape).blocks * ((shape as ArenaShape).tiers ?? 1),
  }[shape.shape]();
  if (times * seatsPerRow > MAX_SEATS) {
    problems.add(
      {},
      `${times} rows of ${seatsPerRow} seats are too many: a seat map has at most ${MAX_SEATS} seats`,
    );
  }
  if (2 * accessible > seatsPerRow) {
    problems.add({ path: 'accessible' }, 'accessible places and their companion seats must fit in one row');
  }
}

function sectionsOf(shape: Shape): Manifest['sections'] {
  if (shape.shape === 'grid') return gridSections(shape);
  return shape.shape === 'theatre' ? theatreSections(shape) : arenaSections(shape);
}

function gridSections({
  sections = 1,
  rows,
  seatsPerRow,
  aisleEvery = 0,
  accessible = 0,
}: GridShape): SeatedSection[] {
  const isGap = (index: number) => aisleEvery > 0 && index % aisleEvery === 0;
  const width = seatsPerRow + (aisleEvery > 0 ? Math.ceil(seatsPerRow / aisleEvery) : 0) + 2;
  return Array.from({ length: sections }, (_, section) => {
    const placing = new Placing();
    const named = Array.from({ length: rows }, (_row, row) => {
      const seats = seatsOf(seatsPerRow, 'standard', isGap, row === rows - 1 ? accessible : 0);
      return placing.row(letters(row), seats, { x: section * width, y: row });
    });
    return { section: sections === 1 ? 'Main' : `Block ${section + 1}`, focus: 'centre', rows: named };
  });
}

function theatreSections({
  rows,
  circleRows = 0,
  balconyRows = 0,
  seatsPerRow,
  accessible = 0,
}: TheatreShape) {
  const tiers: [string, number][] = [
    ['Stalls', rows],
    ['Circle', circleRows],
    ['Balcony', balconyRows],
  ];
  let behind = 0;
  return tiers
    .filter(([, count]) => count > 0)
    .map(([section, count], tier): SeatedSection => {
      const named = Array.from({ length: count }, (_, row) => {
        // The house widens from the front, by a quarter of its width.
        const narrower = count === 1 ? 0 : Math.round(((count - 1 - row) / (count - 1)) * (seatsPerRow / 4));
        const length = seatsPerRow - narrower;
        const wheelchairs = tier === 0 && row === count - 1 ? accessible : 0;
        const isGap = (index: number) =>
          length >= 12 && (index === Math.round(length / 4) || index === Math.round((3 * length) / 4));
        return curvedRow(
          letters(row),
          seatsOf(length, section.toLowerCase(), isGap, wheelchairs),
          behind + row,
          seatsPerRow,
        );
      });
      behind += count + 3;
      return { section, focus: 'centre', rows: named };
    });
}

/** Bent towards the stage at its ends. */
function curvedRow(row: string, seats: readonly DraftSeat[], y: number, width: number): Row {
  const straight = new Placing().row(row, seats, {});
  const bend = (x: number) => rounded(y - (width / 8) * (x / (width / 2)) ** 2);
  return { row, seats: straight.seats.map((seat) => ({ ...seat, y: bend(seat.x) })) };
}

function arenaSections({ blocks, tiers = 1, floor = 0, rows, seatsPerRow, accessible = 0 }: ArenaShape) {
  const sections: (SeatedSection | StandingArea)[] = [];
  if (floor > 0) sections.push({ section: 'Floor', category: 'floor', capacity: floor });
  const inner = Math.max(10, (blocks * (seatsPerRow + 2)) / (2 * Math.PI));
  for (let tier = 0; tier < tiers; tier++) {
    const category = ['lower', 'upper', 'top'][tier]!;
    for (let block = 0; block < blocks; block++) {
      const named = Array.from({ length: rows }, (_, row) => {
        const seats = seatsOf(
          seatsPerRow,
          category,
          () => false,
          tier === 0 && row === rows - 1 ? accessible : 0,
        );
        return roundRow(
          String(row + 1),
          seats,
          inner + tier * (rows + 3) + row,
          (2 * Math.PI * block) / blocks,
        );
      });
      sections.push({
        section: `Block ${(tier + 1) * (blocks < 100 ? 100 : 1_000) + block + 1}`,
        focus: 'centre',
        rows: named,
      });
    }
  }
  return sections;
}

/** A row on a circle, its middle at the angle; from the seats one looks at the centre, so growing angles go right. */
function roundRow(row: string, seats: readonly DraftSeat[], radius: number, angle: number): Row {
  const at = seats.map((_, index) => angle + (index - (seats.length - 1) / 2) / radius);
  const x = at.map((one) => rounded(radius * Math.sin(one)));
  return new Placing().row(row, seats, { x, y: at.map((one) => rounded(radius * Math.cos(one))) });
}

function seatsOf(
  count: number,
  category: string,
  isGap: (index: number) => boolean,
  accessible: number,
): DraftSeat[] {
  return Array.from({ length: count }, (_, index) => {
    const kind: SeatKind =
      index >= 2 * accessible ? 'standard' : index % 2 === 0 ? 'accessible' : 'companion';
    return {
      seat: String(index + 1),
      category,
      gapBefore: index > 0 && isGap(index),
      kind,
      restrictedView: false,
    };
  });
}

/** A, B … Z, AA, AB … */
function letters(index: number): string {
  const letter = String.fromCharCode(65 + (index % 26));
  return index < 26 ? letter : letters(Math.floor(index / 26) - 1) + letter;
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100 + 0;
}
