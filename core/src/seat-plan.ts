// The seats of one event by their ticket numbers, and where parties can sit: runs of adjacent seats.
import type { Manifest } from './manifest.ts';

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
  /** The position of the run of each seat, by ticket number: seats are the tickets from 0 on. */
  readonly positionOf: Int32Array;
}

/** The seats that an event sells, in the order of their ticket numbers. */
export interface SeatPlan {
  readonly manifest: Manifest;
  /** How many seats have ticket numbers: 0 … seats-1. */
  readonly seats: number;
  readonly runs: SeatRuns;
}
