// The seats of an event as Redis keeps them, in three strings: see lua/seats.lua. 100,000 seats are half a megabyte.
import type { TicketLayout } from '@floodgate/core/seating/layout.ts';
import type { SeatPlan } from '@floodgate/core/seating/seat-plan.ts';
import { MAX_PARTY } from '../inventory.ts';

export interface SeatImage {
  readonly runs: Buffer;
  readonly positions: Buffer;
  readonly rooms: Buffer;
}

interface Run {
  readonly first: number;
  readonly length: number;
  readonly base: number;
  readonly focus: number;
  readonly anchor: number;
  readonly pool: number;
}

const RECORD_BYTES = 24;
const NONE = Buffer.alloc(0);

/** `free`: the bitmap of available tickets. */
export function seatImageOf(layout: TicketLayout, free: Buffer): SeatImage {
  const { plan } = layout;
  if (plan === undefined || plan.seats === 0) return { runs: NONE, positions: NONE, rooms: NONE };
  const all = runsOf(layout, plan);
  const runs = Buffer.alloc(RECORD_BYTES * all.length);
  const positions = Buffer.alloc(4 * plan.seats);
  const stride = 8 * Math.ceil(all.length / 8);
  const rooms = Buffer.alloc((2 * MAX_PARTY * stride) / 8);
  for (const [position, { first, length, base, focus, anchor, pool }] of all.entries()) {
    for (const [field, value] of [first, length, base, focus, anchor, pool].entries()) {
      runs.writeInt32LE(value, RECORD_BYTES * position + 4 * field);
    }
    for (let seat = first; seat < first + length; seat++) positions.writeInt32LE(position, 4 * seat);
    const sizes = roomsOf(all[position]!, free);
    for (let room = 0; room < 2 * MAX_PARTY; room++) {
      const bit = room * stride + position;
      if ((sizes & (1 << room)) !== 0) rooms[bit >>> 3]! |= 0x80 >> (bit & 7);
    }
  }
  return { runs, positions, rooms };
}

/** By position. Behind the plan's runs, where nobody searches, those seats that are in none. */
function runsOf({ pools }: TicketLayout, { runs }: SeatPlan): readonly Run[] {
  const all: Run[] = [];
  for (const [pool, { firstRun, endRun }] of pools.entries()) {
    for (let position = firstRun; position < endRun; position++) {
      const [first, length] = [runs.first[position]!, runs.length[position]!];
      const [base, focus, anchor] = [runs.base[position]!, runs.focus[position]!, runs.anchor[position]!];
      all[position] = { first, length, base, focus, anchor, pool };
    }
  }
  for (const [pool, { kind, ranges }] of pools.entries()) {
    if (kind === 'any') continue;
    for (const [first, end] of ranges) {
      for (let seat = first; seat < end; seat++) {
        if (runs.positionOf[seat]! < 0)
          all.push({ first: seat, length: 1, base: 0, focus: 0, anchor: -1, pool });
      }
    }
  }
  return all;
}

/** The sizes of parties for which a run has a neat window, one bit each, and above them those with any window. */
function roomsOf({ first, length, anchor }: Run, free: Buffer): number {
  let [neat, any] = [0, 0];
  for (let seat = first; seat < first + length; seat++) {
    const from = seat;
    while (seat < first + length && ((free[seat >>> 3]! << (seat & 7)) & 0x80) !== 0) seat++;
    const room = seat - from;
    if (anchor < 0) {
      any |= sizesTo(room);
      // All of the stretch, or a part at one end of it that leaves two or more.
      neat |= sizesTo(room - 2) | (sizesTo(room) & ~sizesTo(room - 1));
    } else if (from <= first + anchor && first + anchor < seat) {
      any = sizesTo(room);
      neat = any;
    }
  }
  return neat | (any << MAX_PARTY);
}

/** Bit n - 1 for each party of 1 … `seats`. */
function sizesTo(seats: number): number {
  return 2 ** Math.max(0, Math.min(seats, MAX_PARTY)) - 1;
}
