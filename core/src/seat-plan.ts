// The seats of one event by their ticket numbers, and where parties can sit: runs of adjacent seats.
//
// The ledger keeps ticket numbers for ever, so the numbering of `seatPlanOf` may never change: not its order, not which
// seats it leaves out. A golden test pins it. The order of the runs may change, but only together with every process
// of a shop, because processes tell each other of runs by their positions.
import type { TicketType } from './event.ts';
import type { TicketTypeId } from './ids.ts';
import type { Pool } from './layout.ts';
import { type Manifest, type Row, type SeatedSection, seatedSection } from './manifest.ts';
import { invariant } from './refusal.ts';
import { planRuns } from './seat-runs.ts';

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
  readonly pools: readonly Pool[];
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
