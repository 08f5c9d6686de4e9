// An event as Redis keeps it: a bitmap of available tickets, two bits of state per ticket, and a tally per type.
// Built here in one piece, so a million tickets travel in one command of 375 kB.
import type { Ticket } from '@floodgate/core/ids.ts';
import type { TicketLayout } from '@floodgate/core/layout.ts';
import { invariant } from '@floodgate/core/refusal.ts';
import { AVAILABLE, HELD, type InventorySnapshot, SOLD, type State } from '../inventory.ts';

export interface EventImage {
  readonly free: Buffer;
  readonly states: Buffer;
  /** Of each type: available, pending, held, sold, and the ticket below which none is available. */
  readonly tally: readonly number[];
}

/** Five numbers a type in `tally`. */
const TALLY = 5;

/** Throws when the snapshot names a ticket outside the layout or twice. */
export function imageOf(
  layout: TicketLayout,
  types: ReadonlyMap<string, number>,
  snapshot: InventorySnapshot,
): EventImage {
  const { capacity } = layout;
  const free = Buffer.alloc(Math.ceil(capacity / 8), 0xff);
  if (capacity % 8 !== 0) free[free.length - 1] = 0xff00 >> (capacity % 8);
  const states = Buffer.alloc(Math.ceil(capacity / 4));
  const tally: number[] = [];
  for (const id of types.keys()) {
    const ranges = layout.rangesOf(id as Parameters<TicketLayout['rangesOf']>[0]);
    const available = ranges.reduce((sum, [first, end]) => sum + end - first, 0);
    tally.push(available, 0, 0, 0, ranges[0]?.[0] ?? 0);
  }
  const claim = (ticket: number, as: State) => {
    if (!layout.has(ticket)) invariant(false, `ticket ${ticket} is outside the event`);
    if (((free[ticket >>> 3]! << (ticket & 7)) & 0x80) === 0) {
      invariant(false, `the snapshot names ticket ${ticket} twice`);
    }
    free[ticket >>> 3]! &= ~(0x80 >> (ticket & 7));
    states[ticket >>> 2]! |= as << (6 - 2 * (ticket & 3));
    const at = TALLY * types.get(layout.typeOf(ticket).ticketTypeId)!;
    tally[at + AVAILABLE]!--;
    tally[at + as]!++;
  };
  for (const ticket of snapshot.held) claim(ticket, HELD);
  for (const ticket of snapshot.sold) claim(ticket, SOLD);
  return { free, states, tally };
}

/** The state of each ticket as a byte, from two bits each. */
export function unpackStates(packed: Buffer, capacity: number): Uint8Array {
  const states = new Uint8Array(capacity);
  for (let ticket = 0; ticket < capacity; ticket++) {
    states[ticket] = (packed[ticket >>> 2]! >> (6 - 2 * (ticket & 3))) & 3;
  }
  return states;
}

/** Where the types' blocks end, with a name for each type: "40:vip,100:ga". */
export function describeLayout(layout: TicketLayout, nameOf: (ticketTypeId: string) => string | number) {
  const blocks = layout.pools.flatMap(({ ticketType, ranges }) =>
    ranges.map(([first, end]) => ({ first, end, name: nameOf(ticketType) })),
  );
  return blocks.sort((a, b) => a.first - b.first).map(({ end, name }) => [end, name] as const);
}

/** A list of tickets as Redis reads it: "12,14-20". Consecutive numbers in a row are one item. */
export class TicketList {
  /** Complete lists of at most `maxTickets` each. */
  readonly #lists: string[] = [];
  readonly #maxTickets: number;
  #text = '';
  #count = 0;
  #first = -1;
  #last = -1;

  constructor(maxTickets: number) {
    this.#maxTickets = maxTickets;
  }

  add(tickets: readonly Ticket[]): void {
    for (const ticket of tickets) {
      if (this.#count === this.#maxTickets) this.#endList();
      if (ticket !== this.#last + 1 || this.#count === 0) {
        this.#endRun();
        this.#first = ticket;
      }
      this.#last = ticket;
      this.#count++;
    }
  }

  get isEmpty(): boolean {
    return this.#count === 0 && this.#lists.length === 0;
  }

  /** All that was added, in lists of bounded length. */
  finish(): readonly string[] {
    if (this.#count > 0) this.#endList();
    return this.#lists;
  }

  #endRun(): void {
    if (this.#first < 0) return;
    const run = this.#first === this.#last ? `${this.#first}` : `${this.#first}-${this.#last}`;
    this.#text = this.#text === '' ? run : `${this.#text},${run}`;
  }

  #endList(): void {
    this.#endRun();
    this.#lists.push(this.#text);
    this.#text = '';
    this.#count = 0;
    this.#first = -1;
    this.#last = -1;
  }
}
