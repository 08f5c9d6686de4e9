// Seat maps of usual shapes from a few numbers, for organizers without a file: a hall of straight rows, a theatre, an arena.

import { MAX_EVENT_CAPACITY } from '@floodgate/core/event/event.ts';
import {
  MAX_SEATS,
  MAX_SECTIONS,
  type Manifest,
  type Row,
  type SeatedSection,
  type SeatKind,
  type StandingArea,
} from '@floodgate/core/seating/manifest.ts';
import { type DraftSeat, Placing } from './draft.ts';
import { Problems, quoted, type Where } from './input-errors.ts';
import { type JsonObject, lineAt, notJson, parseJson } from './located-json.ts';
import { judged, type ManifestReading } from './rules.ts';

interface ShapeBase {
  readonly name: string;
  readonly rows: number;
  /** Of the longest row. */
  readonly seatsPerRow: number;
  /** Places for wheelchairs in the last row of each section of the best category, each with a companion seat beside it. */
  readonly accessible?: number | undefined;
}
/** Straight rows A, B, C … in one section or several blocks side by side, all of the category `standard`. */
export interface GridShape extends ShapeBase {
  readonly shape: 'grid';
  readonly blocks?: number | undefined;
  /** An aisle after that many seats. */
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

type Range = readonly [least: number, most: number];

const ROWS: Range = [1, 1_000];
const NONE_OR_ROWS: Range = [0, 1_000];
const SEATS_PER_ROW: Range = [1, 2_000];
const ACCESSIBLE: Range = [0, 1_000];

/** The numbers of each shape; those that must be there, and those that need not. */
const NUMBERS: Readonly<
  Record<Shape['shape'], Readonly<Record<'needed' | 'more', Readonly<Record<string, Range>>>>>
> = {
  grid: {
    needed: { rows: ROWS, seatsPerRow: SEATS_PER_ROW },
    more: { accessible: ACCESSIBLE, blocks: [1, MAX_SECTIONS], aisleEvery: [0, 2_000] },
  },
  theatre: {
    needed: { rows: ROWS, seatsPerRow: SEATS_PER_ROW },
    more: { accessible: ACCESSIBLE, circleRows: NONE_OR_ROWS, balconyRows: NONE_OR_ROWS },
  },
  arena: {
    needed: { rows: ROWS, seatsPerRow: SEATS_PER_ROW, blocks: [1, 500] },
    more: { accessible: ACCESSIBLE, tiers: [1, 3], floor: [0, MAX_EVENT_CAPACITY - MAX_SEATS] },
  },
};
const SHAPES = Object.keys(NUMBERS) as Shape['shape'][];

/** The manifest of a shape, or what is wrong with its numbers. */
export function generate(shape: Shape): ManifestReading {
  return made(new Map(Object.entries(shape)), (path) => ({ path }));
}

/** The manifest of a shape in JSON, such as `{"shape": "theatre", "name": "Opera", "rows": 20, "seatsPerRow": 40}`. */
export function manifestFromShape(text: string): ManifestReading {
  const parsed = parseJson(text);
  if ('mistake' in parsed) return { problems: [notJson(text, parsed.mistake)] };
  const { value } = parsed.node;
  if (!(value instanceof Map)) return { problems: [{ line: 1, message: 'a shape must be an object { … }' }] };
  const nodes: JsonObject = value;
  const whereIs = (path: string) => ({ line: lineAt(text, (nodes.get(path) ?? parsed.node).offset), path });
  return made(new Map([...nodes].map(([name, node]) => [name, node.value])), whereIs);
}

type Members = ReadonlyMap<string, unknown>;

function made(members: Members, whereIs: (path: string) => Where): ManifestReading {
  const problems = new Problems();
  const shape = checked(members, whereIs, problems);
  if (!shape || problems.found.length > 0) return { problems: problems.found };
  return judged({ name: shape.name, sections: sectionsOf(shape) }, () => whereIs('shape'));
}

function checked(members: Members, whereIs: (path: string) => Where, problems: Problems): Shape | undefined {
  const shape = SHAPES.find((one) => one === members.get('shape'));
  if (!shape) {
    problems.add(whereIs('shape'), `shape must be one of ${SHAPES.join(', ')}`);
    return undefined;
  }
  const { needed, more } = NUMBERS[shape];
  const known = ['shape', 'name', ...Object.keys(needed), ...Object.keys(more)];
  for (const name of members.keys()) {
    if (known.includes(name)) continue;
    problems.add(
      whereIs(name),
      `${quoted(name)} is unknown here, where there are ${known.join(', ')}: remove it`,
    );
  }
  if (typeof members.get('name') !== 'string')
    problems.add(whereIs('name'), 'name must be the name of the seat map');
  for (const [name, [least, most]] of Object.entries({ ...needed, ...more })) {
    const value = members.get(name);
    if (value === undefined && name in more) continue;
    if (Number.isInteger(value) && Number(value) >= least && Number(value) <= most) continue;
    problems.add(whereIs(name), `${name} must be a whole number from ${least} to ${most}`);
  }
  if (problems.found.length > 0) return undefined;
  const whole = Object.fromEntries(members) as unknown as Shape;
  checkSum(whole, whereIs, problems);
  return whole;
}

function checkSum(shape: Shape, whereIs: (path: string) => Where, problems: Problems): void {
  const { seatsPerRow, accessible = 0 } = shape;
  const rows = rowsOf(shape);
  if (rows * seatsPerRow > MAX_SEATS) {
    const most = `a seat map has at most ${MAX_SEATS} seats`;
    problems.add(whereIs('rows'), `${rows} rows of ${seatsPerRow} seats are too many: ${most}`);
  }
  if (2 * accessible > seatsPerRow) {
    problems.add(
      whereIs('accessible'),
      'accessible places and their companion seats must fit in one row: take fewer',
    );
  }
}

function rowsOf(shape: Shape): number {
  if (shape.shape === 'grid') return shape.rows * (shape.blocks ?? 1);
  if (shape.shape === 'arena') return shape.rows * shape.blocks * (shape.tiers ?? 1);
  return shape.rows + (shape.circleRows ?? 0) + (shape.balconyRows ?? 0);
}

function sectionsOf(shape: Shape): Manifest['sections'] {
  if (shape.shape === 'grid') return gridSections(shape);
  return shape.shape === 'theatre' ? theatreSections(shape) : arenaSections(shape);
}

function gridSections({
  blocks = 1,
  rows,
  seatsPerRow,
  aisleEvery = 0,
  accessible = 0,
}: GridShape): SeatedSection[] {
  const isGap = (index: number) => aisleEvery > 0 && index % aisleEvery === 0;
  const width = seatsPerRow + (aisleEvery > 0 ? Math.ceil(seatsPerRow / aisleEvery) : 0) + 2;
  return Array.from({ length: blocks }, (_, block) => {
    const placing = new Placing();
    const named = Array.from({ length: rows }, (_row, row) => {
      const seats = seatsOf(seatsPerRow, 'standard', isGap, row === rows - 1 ? accessible : 0);
      return placing.row(letters(row), seats, { x: block * width, y: row });
    });
    return { section: blocks === 1 ? 'Main' : `Block ${block + 1}`, focus: 'centre', rows: named };
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
