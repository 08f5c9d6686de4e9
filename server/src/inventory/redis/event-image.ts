// An event as Redis keeps it: a bitmap of available tickets, two bits of state per ticket, and a tally per pool.
// Built here in one piece, so a million tickets travel in one command of 375 kB.

import { invariant } from '@floodgate/core/assert.ts';
import type { TicketTypeId } from '@floodgate/core/ids.ts';
import type { TicketLayout } from '@floodgate/core/seating/layout.ts';
import { AVAILABLE, HELD, type InventorySnapshot, SOLD, type State } from '../inventory.ts';
import { type SeatImage, seatImageOf } from './seat-image.ts';

export interface EventImage extends SeatImage {
  readonly free: Buffer;
  readonly states: Buffer;
  /** Of each pool: available, pending, held, sold, and the ticket below which none is available. */
  readonly tally: readonly number[];
}

/** Five numbers a pool in `tally`. */
const TALLY = 5;

/** Throws when the snapshot names a ticket outside the layout or twice. */
export function imageOf(layout: TicketLayout, snapshot: InventorySnapshot): EventImage {
  const { capacity } = layout;
  const free = Buffer.alloc(Math.ceil(capacity / 8), 0xff);
  if (capacity % 8 !== 0) free[free.length - 1] = 0xff00 >> (capacity % 8);
  const states = Buffer.alloc(Math.ceil(capacity / 4));
  const tally = tallyFrom(layout, 0);
  const poolOf = poolFinder(layout);
  const claim = (ticket: number, as: State) => {
    if (!layout.has(ticket)) invariant(false, `ticket ${ticket} is outside the event`);
    if (((free[ticket >>> 3]! << (ticket & 7)) & 0x80) === 0) {
      invariant(false, `the snapshot names ticket ${ticket} twice`);
    }
    free[ticket >>> 3]! &= ~(0x80 >> (ticket & 7));
    states[ticket >>> 2]! |= as << (6 - 2 * (ticket & 3));
    const at = TALLY * poolOf(ticket);
    tally[at + AVAILABLE]!--;
    tally[at + as]!++;
  };
  for (const ticket of snapshot.held) claim(ticket, HELD);
  for (const ticket of snapshot.sold) claim(ticket, SOLD);
  return { free, states, tally, ...seatImageOf(layout, free) };
}

/** The tally of an event whose tickets from `from` on are available, and of which the others are not counted. */
export function tallyFrom(layout: TicketLayout, from: number): number[] {
  const seats = layout.plan?.seats ?? 0;
  return layout.pools.flatMap(({ ranges }) => {
    const available = ranges.reduce((sum, [first, end]) => sum + Math.max(0, end - Math.max(first, from)), 0);
    // No seat may ever be looked at in search of general admission.
    return [available, 0, 0, 0, ranges[0]?.[0] ?? seats];
  });
}

/** In the order of the event. The pools of a type follow each other. */
export function ticketTypesOf({ pools }: TicketLayout): readonly TicketTypeId[] {
  return [...new Set(pools.map(({ ticketType }) => ticketType))];
}

/** The type of each pool, by its index. */
export function typesOfPools(layout: TicketLayout): readonly number[] {
  const types = ticketTypesOf(layout);
  return layout.pools.map(({ ticketType }) => types.indexOf(ticketType));
}

/** Finds a ticket's pool. Tickets come in runs, so it begins where the last one was. */
export function poolFinder(layout: TicketLayout): (ticket: number) => number {
  const ranges = layout.pools.flatMap((pool, index) =>
    pool.ranges.map(([first, end]) => ({ first, end, index })),
  );
  ranges.sort((a, b) => a.first - b.first || a.end - b.end);
  let at = 0;
  return (ticket) => {
    if (ticket < ranges[at]!.first || ticket >= ranges[at]!.end) at = rangeOf(ranges, ticket);
    return ranges[at]!.index;
  };
}

function rangeOf(ranges: readonly { readonly end: number }[], ticket: number): number {
  let low = 0;
  let high = ranges.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ticket < ranges[middle]!.end) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The state of each ticket as a byte, from two bits each. */
export function unpackStates(packed: Buffer, capacity: number): Uint8Array {
  const states = new Uint8Array(capacity);
  for (let ticket = 0; ticket < capacity; ticket++) {
    states[ticket] = (packed[ticket >>> 2]! >> (6 - 2 * (ticket & 3))) & 3;
  }
  return states;
}
