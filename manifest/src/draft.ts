// A seat map while it is read from a file: seats without coordinates are put on a grid, so that every map can be drawn.
import type { Row, Seat, SeatKind } from '@floodgate/core/seating/manifest.ts';

/** A seat as a file tells of it. */
export interface DraftSeat {
  readonly seat: string;
  readonly category: string;
  readonly gapBefore: boolean;
  readonly kind: SeatKind;
  readonly restrictedView: boolean;
}

/** Where a row's seats are; what is left out is chosen. A list is by seat. */
export interface DraftPlace {
  /** Of the first seat; else the row is centred on 0. */
  readonly x?: number | readonly number[] | undefined;
  /** Of the first seat; else one behind the row before. */
  readonly y?: number | readonly number[] | undefined;
  /** From seat to seat; an aisle is as wide as a seat. */
  readonly dx?: number | undefined;
  readonly dy?: number | undefined;
}

const SECTION_GAP = 2;

/** Places rows one behind the other, and sections too. */
export class Placing {
  #nextY = 0;

  row(row: string, draft: readonly DraftSeat[], { x, y, dx = 1, dy = 0 }: DraftPlace): Row {
    const steps = stepsOf(draft);
    const firstX = x ?? -((steps.at(-1) ?? 0) * dx) / 2;
    const firstY = y ?? this.#nextY;
    const at = (first: number | readonly number[], by: number, index: number) =>
      // Adding 0 turns −0, which no text can hold, into 0.
      (typeof first === 'number' ? first + steps[index]! * by : first[index]!) + 0;
    const seats = draft.map(({ seat, category, gapBefore, kind, restrictedView }, index): Seat => {
      // No aisle is before the first seat of a row.
      const seatY = at(firstY, dy, index);
      this.#nextY = Math.max(this.#nextY, Math.floor(seatY) + 1);
      return {
        seat,
        x: at(firstX, dx, index),
        y: seatY,
        kind,
        restrictedView,
        gapBefore: gapBefore && index > 0,
        category,
      };
    });
    return { row, seats };
  }

  endSection(): void {
    this.#nextY += SECTION_GAP;
  }
}

/** How many steps each seat is from the first. */
export function stepsOf(seats: readonly { readonly gapBefore: boolean }[]): number[] {
  let step = -1;
  return seats.map(({ gapBefore }, index) => {
    step += gapBefore && index > 0 ? 2 : 1;
    return step;
  });
}
