// The seats of an event as Redis keeps them, in three strings: see lua/seats.lua. 100,000 seats are half a megabyte.
import type { TicketLayout } from '@floodgate/core/seating/layout.ts';
import type { SeatPlan } from '@floodgate/core/seating/seat-plan.ts';
import { GAP_MAPS, gapsIn } from '../seat-gaps.ts';

export interface SeatImage {
  readonly runs: Buffer;
  readonly positions: Buffer;
  readonly gaps: Buffer;
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
  if (plan === undefined || plan.seats === 0) return { runs: NONE, positions: NONE, gaps: NONE };
  const all = runsOf(layout, plan);
  const runs = Buffer.alloc(RECORD_BYTES * all.length);
  const positions = Buffer.alloc(4 * plan.seats);
  const stride = 8 * Math.ceil(all.length / 8);
  const maps = Buffer.alloc((GAP_MAPS * stride) / 8);
  for (const [position, { first, length, base, focus, anchor, pool }] of all.entries()) {
    for (const [field, value] of [first, length, base, focus, anchor, pool].entries()) {
      runs.writeInt32LE(value, RECORD_BYTES * position + 4 * field);
    }
    for (let seat = first; seat < first + length; seat++) positions.writeInt32LE(position, 4 * seat);
    const gaps = gapsOf(all[position]!, free);
    for (let map = 0; map < GAP_MAPS; map++) {
      const bit = map * stride + position;
      if ((gaps & (1 << map)) !== 0) maps[bit >>> 3]! |= 0x80 >> (bit & 7);
    }
  }
  return { runs, positions, gaps: maps };
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

function gapsOf({ first: runFirst, length, anchor }: Run, free: Buffer): number {
  const runEnd = runFirst + length;
  const isFree = (seat: number) => ((free[seat >>> 3]! << (seat & 7)) & 0x80) !== 0;
  let gaps = 0;
  for (let seat = runFirst; seat < runEnd; seat++) {
    const first = seat;
    while (seat < runEnd && isFree(seat)) seat++;
    if (first < seat) gaps |= gapsIn(first, seat, anchor < 0 ? -1 : runFirst + anchor);
  }
  return gaps;
}
