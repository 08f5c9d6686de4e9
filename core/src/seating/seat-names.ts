// Finds the tickets of seats by their names. What is asked for is indexed when it is asked for, row by row: a layout is
// made anew with every change of its event, and most rows of a large house are never asked for by name.
import type { Ticket } from '../ids.ts';
import type { PlannedRow, SeatPlan } from './seat-plan.ts';

export class SeatNames {
  readonly #rows = new Map<string, Map<string, PlannedRow>>();
  readonly #seats = new Map<PlannedRow, Map<string, Ticket>>();

  constructor(plan: SeatPlan) {
    for (const planned of plan.rows) {
      const { section } = planned.section;
      const rows = this.#rows.get(section) ?? new Map<string, PlannedRow>();
      this.#rows.set(section, rows.set(planned.row.row, planned));
    }
  }

  /** Undefined when there is no such seat, or nobody sells it. */
  find(section: string, row: string, seat: string): Ticket | undefined {
    const planned = this.#rows.get(section)?.get(row);
    if (!planned) return undefined;
    let seats = this.#seats.get(planned);
    if (!seats) {
      seats = ticketsBySeat(planned);
      this.#seats.set(planned, seats);
    }
    return seats.get(seat);
  }
}

function ticketsBySeat({ row, tickets }: PlannedRow): Map<string, Ticket> {
  const seats = new Map<string, Ticket>();
  for (const [place, { seat }] of row.seats.entries()) {
    if (tickets[place]! >= 0) seats.set(seat, tickets[place] as Ticket);
  }
  return seats;
}
