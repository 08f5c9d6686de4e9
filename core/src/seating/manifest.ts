// The seat map of a venue: sections, their rows and seats, and areas without seats. Written by organizers (JSON, CSV or
// a generator), immutable once it is kept.

/** Where a wheelchair stands, and the seats beside it. General requests get neither. */
export type SeatKind = 'standard' | 'accessible' | 'companion';

export interface Seat {
  /** Unique in its row: "12", "12A". */
  readonly seat: string;
  /** In any unit, the same in the whole manifest; y grows away from the stage. */
  readonly x: number;
  readonly y: number;
  readonly kind: SeatKind;
  readonly restrictedView: boolean;
  /** An aisle or a pillar stands between this seat and the one before it. */
  readonly gapBefore: boolean;
  /** Which ticket type sells it: the key that ticket types name. */
  readonly category: string;
}

/** Seats from left to right, as seen from the seats. */
export interface Row {
  readonly row: string;
  readonly seats: readonly Seat[];
}

/** Rows from the best to the worst, so usually from the stage backwards. */
export interface SeatedSection {
  readonly section: string;
  /** Where in its rows the best seats are. */
  readonly focus: 'left' | 'centre' | 'right';
  readonly rows: readonly Row[];
}

/** An area whose tickets have no seats. */
export interface StandingArea {
  readonly section: string;
  readonly category: string;
  readonly capacity: number;
}

/** Sections from the best to the worst. */
export interface Manifest {
  readonly name: string;
  readonly sections: readonly (SeatedSection | StandingArea)[];
}

/** Whether it has seats, or is an area. */
export function seatedSection(section: SeatedSection | StandingArea): section is SeatedSection {
  return 'rows' in section;
}

export const MAX_SEATS = 200_000;
export const MAX_SECTIONS = 2_000;
/** Of sections, rows, seats and categories. */
export const MAX_PLACE_NAME = 32;
export const MAX_MANIFEST_NAME = 200;
/** Coordinates lie between −1,000,000 and 1,000,000. */
export const MAX_COORDINATE = 1_000_000;
