// Tickets as text, consecutive numbers as one run: "12-40,77". The same text stands in events (what is out of sale), in
// answers (states of seats), and in what processes and Redis tell each other; its twin in Lua is in book.lua and
// general-admission.lua of the inventory.
import { invariant } from '../assert.ts';
import { MAX_EVENT_CAPACITY } from '../event/event.ts';
import type { Ticket } from '../ids.ts';
import type { TicketRange } from './layout.ts';

const NONE = -2;

/** Writes tickets in the order in which they come. */
export class RunWriter {
  readonly #separator: string;
  #text = '';
  #first = -1;
  /** No ticket follows it while no run is open. */
  #last = NONE;

  constructor(separator = ',') {
    this.#separator = separator;
  }

  add(ticket: Ticket): void {
    if (ticket === this.#last + 1) {
      this.#last = ticket;
      return;
    }
    this.#endRun();
    this.#first = ticket;
    this.#last = ticket;
  }

  /** The text of all that was added since the last one. */
  take(): string {
    this.#endRun();
    const text = this.#text;
    this.#text = '';
    this.#first = -1;
    this.#last = NONE;
    return text;
  }

  #endRun(): void {
    if (this.#first < 0) return;
    const run = this.#first === this.#last ? `${this.#first}` : `${this.#first}-${this.#last}`;
    this.#text = this.#text === '' ? run : `${this.#text}${this.#separator}${run}`;
  }
}

/** Ascending tickets as text: "12-40,77". */
export function toRuns(tickets: readonly Ticket[]): string {
  const runs = new RunWriter();
  let last = -1;
  for (const ticket of tickets) {
    invariant(ticket > last, 'tickets are ascending, without repeats');
    last = ticket;
    runs.add(ticket);
  }
  return runs.take();
}

/** Reads tickets one after the other from a text that a {@link RunWriter} could have written, beginning at `from`. */
export class RunReader {
  /** Of what was read so far; -1 when nothing was. */
  highest = -1;
  readonly #text: string;
  #at: number;
  #next = 0;
  #last = -1;

  constructor(text: string, from = 0) {
    this.#text = text;
    this.#at = from;
  }

  /** The next `count` tickets. Throws when the text has fewer. */
  next(count: number): Ticket[] {
    const tickets: Ticket[] = [];
    for (let i = 0; i < count; i++) {
      if (this.#next > this.#last) this.#readRun();
      tickets.push(this.#next++ as Ticket);
    }
    return tickets;
  }

  #readRun(): void {
    const comma = this.#text.indexOf(',', this.#at);
    const end = comma < 0 ? this.#text.length : comma;
    const run = this.#text.slice(this.#at, end);
    invariant(run !== '', 'the text has as many tickets as are read');
    const dash = run.indexOf('-');
    this.#next = Number(dash < 0 ? run : run.slice(0, dash));
    this.#last = dash < 0 ? this.#next : Number(run.slice(dash + 1));
    this.highest = Math.max(this.highest, this.#last);
    this.#at = end + 1;
  }
}

/** The tickets of a text of {@link toRuns}. Throws a RangeError on any other text. */
export function fromRuns(text: string): Ticket[] {
  const tickets: Ticket[] = [];
  for (const [first, end] of rangesIn(text)) for (let t = first; t < end; t++) tickets.push(t as Ticket);
  return tickets;
}

const RUN = /^(0|[1-9][0-9]{0,8})(?:-([1-9][0-9]{0,8}))?$/;

/** The same as half-open ranges, without naming every ticket. */
export function rangesIn(text: string): TicketRange[] {
  if (text === '') return [];
  let least = 0;
  return text.split(',').map((run) => {
    const [, first, last] = RUN.exec(run) ?? [];
    const range = [Number(first), Number(last ?? first) + 1] as const;
    const ascending = range[0] >= least && (last === undefined || range[1] > range[0] + 1);
    if (first === undefined || !ascending || range[1] > MAX_EVENT_CAPACITY) {
      throw new RangeError(
        `tickets are written in ascending runs like 12-40,77: not ${JSON.stringify(run.slice(0, 40))}`,
      );
    }
    least = range[1];
    return range;
  });
}
