// Cuts the rows of an event into runs, the stretches of seats in which parties can sit, and lists them by quality.
// What a run is, and what its numbers mean, says seat-plan.ts.
import type { Pool, TicketRange } from './layout.ts';
import type { Seat } from './manifest.ts';
import type { PlannedRow, SeatedType, SeatRuns } from './seat-plan.ts';

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

interface PoolTickets {
  readonly ticketType: SeatedType['ticketType'];
  readonly kind: 'general' | 'accessible';
  readonly section: string;
  readonly ranges: [first: number, end: number][];
}

/** The runs of all rows, the best first, and the pools that they and the seats without a run belong to. */
export function planRuns(
  rows: readonly PlannedRow[],
  types: readonly SeatedType[],
  seats: number,
): { readonly runs: SeatRuns; readonly pools: readonly Pool[] } {
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
  range: TicketRange,
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

function poolsOf(tickets: ReadonlyMap<number, PoolTickets>, found: readonly Run[]): readonly Pool[] {
  let at = 0;
  return [...tickets]
    .sort(([a], [b]) => a - b)
    .map(([pool, { ticketType, kind, section, ranges }]) => {
      const firstRun = at;
      while (found[at]?.pool === pool) at++;
      return { ticketType, kind, section, ranges, firstRun, endRun: at };
    });
}
