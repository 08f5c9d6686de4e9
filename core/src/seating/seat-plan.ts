// The seats of one event by their ticket numbers, and where parties can sit: runs of adjacent seats.
//
// The ledger keeps ticket numbers for ever, so the numbering of `seatPlanOf` may never change: not its order, not which
// seats it leaves out. A golden test pins it. The order of the runs may change, but only together with every process
// of a shop, because processes tell each other of runs by their positions.

import { invariant } from '../assert.ts';
import type { TicketType } from '../event/event.ts';
import type { TicketTypeId } from '../ids.ts';
import { type Manifest, type Row, type Seat, type SeatedSection, seatedSection } from './manifest.ts';

/**
 * A run is a stretch of adjacent seats of one row, one ticket type and one kind (general, or accessible with its
 * companions), without an aisle. Its seats have consecutive ticket numbers. Runs are listed by quality, the best first,
 * and by pools: those of one pool follow each other. An index into these arrays is a run's position.
 */
export interface SeatRuns {
  readonly count: number;
  /** Its first ticket. */
  readonly first: Int32Array;
  /** How many seats it has: at least 1. */
  readonly length: Int32Array;
  /**
   * Its distance from the best row, in half seats: four a row. Sections are so far apart that no seat of a better
   * section is worse than one of the next.
   */
  readonly base: Int32Array;
  /** Twice the offset from its first seat at which its best seats are; may lie outside of the run. */
  readonly focus: Int32Array;
  /** In accessible runs: the offset of the accessible seat that a party must contain; else -1. */
  readonly anchor: Int32Array;
  /**
   * The position of the run of each seat, by ticket number: seats are the tickets from 0 on. It is -1 for a companion
   * seat without an accessible seat beside it: that one is in the accessible pool, but had by its name only.
   */
  readonly positionOf: Int32Array;
}

/** The tickets of a type that sells seats: `first` … `first + count - 1`. */
export interface SeatedType {
  readonly ticketType: TicketTypeId;
  readonly category: string;
  readonly first: number;
  readonly count: number;
}

/** The seats of one type, kind and section. */
export interface SeatPool {
  readonly ticketType: TicketTypeId;
  readonly kind: 'general' | 'accessible';
  readonly section: string;
  /** Of tickets, half-open, ascending. */
  readonly ranges: readonly (readonly [first: number, end: number])[];
  /** Its runs, by position. */
  readonly firstRun: number;
  readonly endRun: number;
}

/** A row of the manifest, with the tickets of its seats from left to right; -1 where nobody sells the seat. */
export interface PlannedRow {
  readonly section: SeatedSection;
  readonly sectionIndex: number;
  readonly rowIndex: number;
  readonly row: Row;
  readonly tickets: Int32Array;
}

/** The seats that an event sells, in the order of their ticket numbers. */
export interface SeatPlan {
  readonly manifest: Manifest;
  /** How many seats have ticket numbers: 0 … seats-1. */
  readonly seats: number;
  readonly runs: SeatRuns;
  /** In the event's order. */
  readonly types: readonly SeatedType[];
  /** By type, the general ones before the accessible ones, by section. Pools without tickets are left out. */
  readonly pools: readonly SeatPool[];
  /** In the manifest's order. */
  readonly rows: readonly PlannedRow[];
  /** By ticket number: the index of its row in `rows`. */
  readonly rowOf: Int32Array;
  /** By ticket number: the offset of its seat in its row. */
  readonly placeOf: Int32Array;
}

/**
 * Numbers the seats that the ticket types sell: the types in their order, inside a type by the manifest. A type whose
 * category is of no seats is general admission. Throws when two types sell the same seats.
 */
export function seatPlanOf(manifest: Manifest, ticketTypes: readonly TicketType[]): SeatPlan {
  const types = seatedTypesOf(manifest, ticketTypes);
  const rows = numberRows(manifest, types);
  const seats = types.reduce((sum, { count }) => sum + count, 0);
  const rowOf = new Int32Array(seats);
  const placeOf = new Int32Array(seats);
  for (const [index, { tickets }] of rows.entries()) {
    for (const [place, ticket] of tickets.entries()) {
      if (ticket < 0) continue;
      rowOf[ticket] = index;
      placeOf[ticket] = place;
    }
  }
  const { runs, pools } = planRuns(rows, types, seats);
  return { manifest, seats, runs, types, pools, rows, rowOf, placeOf };
}

/** In the event's order, with as many tickets as the manifest has seats of its category. */
function seatedTypesOf(manifest: Manifest, ticketTypes: readonly TicketType[]): readonly SeatedType[] {
  const seatsOf = new Map<string, number>();
  for (const section of manifest.sections.filter(seatedSection)) {
    for (const { seats } of section.rows) {
      for (const { category } of seats) seatsOf.set(category, (seatsOf.get(category) ?? 0) + 1);
    }
  }
  const types: SeatedType[] = [];
  let first = 0;
  for (const { ticketTypeId: ticketType, category } of ticketTypes) {
    if (category === undefined || !seatsOf.has(category)) continue;
    invariant(!types.some((other) => other.category === category), `two ticket types sell ${category}`);
    const count = seatsOf.get(category)!;
    types.push({ ticketType, category, first, count });
    first += count;
  }
  return types;
}

function numberRows(manifest: Manifest, types: readonly SeatedType[]): readonly PlannedRow[] {
  const next = new Map(types.map(({ category, first }) => [category, first]));
  const rows: PlannedRow[] = [];
  for (const [sectionIndex, section] of manifest.sections.entries()) {
    if (!seatedSection(section)) continue;
    for (const [rowIndex, row] of section.rows.entries()) {
      const tickets = new Int32Array(row.seats.length).fill(-1);
      for (const [place, { category }] of row.seats.entries()) {
        const ticket = next.get(category);
        if (ticket === undefined) continue;
        tickets[place] = ticket;
        next.set(category, ticket + 1);
      }
      rows.push({ section, sectionIndex, rowIndex, row, tickets });
    }
  }
  return rows;
}

const ROW_DISTANCE = 4;
/**
 * More than 4 × rows + 2 × the seats of a row can be in a manifest of 200,000 seats; and 2,000 sections stay in 31 bits.
 */
const SECTION_DISTANCE = 1_000_000;

interface Run {
  /** Pools are listed by this number: by type, then general before accessible, then by section. */
  readonly pool: number;
  /** Less is better. */
  readonly quality: number;
  readonly first: number;
  readonly length: number;
  readonly base: number;
  readonly focus: number;
  readonly anchor: number;
}

/** A pool before its runs are in order. */
interface PoolTickets extends Pick<SeatPool, 'ticketType' | 'kind' | 'section'> {
  readonly ranges: [first: number, end: number][];
}

/** The runs of all rows, the best first, and the pools that they and the seats without a run belong to. */
function planRuns(
  rows: readonly PlannedRow[],
  types: readonly SeatedType[],
  seats: number,
): { readonly runs: SeatRuns; readonly pools: readonly SeatPool[] } {
  const sections = (rows.at(-1)?.sectionIndex ?? 0) + 1;
  const found: Run[] = [];
  const tickets = new Map<number, PoolTickets>();
  for (const planned of rows) {
    for (const [start, end] of stretchesOf(planned)) {
      const first = planned.tickets[start]!;
      const typeIndex = types.findLastIndex((type) => type.first <= first);
      const accessible = isAccessible(planned.row.seats[start]!);
      const pool = (2 * typeIndex + (accessible ? 1 : 0)) * sections + planned.sectionIndex;
      addTickets(tickets, pool, accessible, types[typeIndex]!, planned, [first, first + end - start]);
      cut(planned, start, end, pool, found);
    }
  }
  // Runs were found in the order of rows and places, and sorting keeps that order among equals.
  found.sort((a, b) => a.pool - b.pool || a.quality - b.quality);
  return { runs: columnsOf(found, seats), pools: poolsOf(tickets, found) };
}

/** Half-open places of adjacent seats of one type and kind, from left to right. */
function* stretchesOf({
  row: { seats },
  tickets,
}: PlannedRow): Generator<readonly [start: number, end: number]> {
  for (let start = 0; start < seats.length; ) {
    let end = start + 1;
    while (end < seats.length && adjacent(seats[end - 1]!, seats[end]!)) end++;
    if (tickets[start]! >= 0) yield [start, end];
    start = end;
  }
}

function adjacent(left: Seat, right: Seat): boolean {
  return !right.gapBefore && left.category === right.category && isAccessible(left) === isAccessible(right);
}

function isAccessible({ kind }: Seat): boolean {
  return kind !== 'standard';
}

function cut(planned: PlannedRow, start: number, end: number, pool: number, found: Run[]): void {
  const { seats } = planned.row;
  if (!isAccessible(seats[start]!)) {
    found.push(runOf(planned, start, end, pool, -1));
    return;
  }
  const anchors: number[] = [];
  for (let place = start; place < end; place++) if (seats[place]!.kind === 'accessible') anchors.push(place);
  let from = start;
  for (const [index, anchor] of anchors.entries()) {
    // A companion seat goes to the accessible seat that is nearest, the left one of two.
    const next = anchors[index + 1];
    const to = next === undefined ? end : Math.floor((anchor + next) / 2) + 1;
    found.push(runOf(planned, from, to, pool, anchor - from));
    from = to;
  }
}

function runOf(planned: PlannedRow, start: number, end: number, pool: number, anchor: number): Run {
  const { section, sectionIndex, rowIndex, row, tickets } = planned;
  const length = end - start;
  const inRow = { left: 0, centre: row.seats.length - 1, right: 2 * (row.seats.length - 1) }[section.focus];
  const focus = inRow - 2 * start;
  const base = sectionIndex * SECTION_DISTANCE + rowIndex * ROW_DISTANCE;
  return {
    pool,
    quality: base + distance(length, focus),
    first: tickets[start]!,
    length,
    base,
    focus,
    anchor,
  };
}

/** How far a run's nearest seat is from the focus, in half seats. */
function distance(length: number, focus: number): number {
  const last = 2 * (length - 1);
  if (focus < 0) return -focus;
  return focus > last ? focus - last : focus % 2;
}

function columnsOf(found: readonly Run[], seats: number): SeatRuns {
  const positionOf = new Int32Array(seats).fill(-1);
  for (const [position, { first, length }] of found.entries())
    positionOf.fill(position, first, first + length);
  const column = (of: (run: Run) => number) => Int32Array.from(found, of);
  return {
    count: found.length,
    first: column((run) => run.first),
    length: column((run) => run.length),
    base: column((run) => run.base),
    focus: column((run) => run.focus),
    anchor: column((run) => run.anchor),
    positionOf,
  };
}

function addTickets(
  pools: Map<number, PoolTickets>,
  pool: number,
  accessible: boolean,
  { ticketType }: SeatedType,
  { section: { section } }: PlannedRow,
  range: readonly [first: number, end: number],
): void {
  const known = pools.get(pool);
  const last = known?.ranges.at(-1);
  if (!known)
    pools.set(pool, {
      ticketType,
      kind: accessible ? 'accessible' : 'general',
      section,
      ranges: [[...range]],
    });
  else if (last![1] === range[0]) last![1] = range[1];
  else known.ranges.push([...range]);
}

function poolsOf(tickets: ReadonlyMap<number, PoolTickets>, found: readonly Run[]): readonly SeatPool[] {
  let at = 0;
  return [...tickets]
    .sort(([a], [b]) => a - b)
    .map(([pool, { ticketType, kind, section, ranges }]) => {
      const firstRun = at;
      while (found[at]?.pool === pool) at++;
      return { ticketType, kind, section, ranges, firstRun, endRun: at };
    });
}
