// For which parties a run of seats has a gap, as every inventory keeps it beside the seats: one bit for each size of party.
// What a window, a neat one and an anchor are says best-seats.ts. The twin in Lua is `gaps_of` in lua/seats.lua.
import { MAX_PARTY } from './inventory.ts';

/** Bitmaps over runs: at n - 1 those with a neat window for a party of n, at MAX_PARTY + n - 1 those with any. */
export const GAP_MAPS = 2 * MAX_PARTY;
export const ALL_GAPS = 2 ** GAP_MAPS - 1;

/**
 * The gaps that a stretch of free seats `first` … `end` - 1 of a run makes, as the bits of {@link GAP_MAPS}; those of all
 * stretches of a run together are its gaps. `anchor`: the seat that a party must contain, or -1.
 */
export function gapsIn(first: number, end: number, anchor: number): number {
  const free = end - first;
  const any = sizesTo(free);
  if (anchor < 0) {
    // All of the stretch, or a part at one end of it that leaves two or more.
    const neat = sizesTo(free - 2) | (any & ~sizesTo(free - 1));
    return neat | (any << MAX_PARTY);
  }
  return first <= anchor && anchor < end ? any | (any << MAX_PARTY) : 0;
}

/** Bit n - 1 for each party of 1 … `seats`. */
function sizesTo(seats: number): number {
  return (1 << Math.max(0, Math.min(seats, MAX_PARTY))) - 1;
}
