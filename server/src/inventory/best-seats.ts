// Which seats are the best for a party: the rule that every inventory follows, in plain form. Inventories find the same
// seats faster (bitmaps of which runs can seat a party of n); the contract suite holds them against this.
//
// A party of n is seated in a window: n adjacent free seats of one run; in an accessible run the window contains the
// run's anchor. A window is neat when it leaves no single free seat: the free seats directly to its left, and those
// directly to its right, are none or at least two (in accessible runs every window is neat: their leftovers are
// companion seats, which nobody else gets).
//
//   1. Of the first LOOK_AHEAD runs, in the order of the search, that have a neat window: the neat window with the
//      least score. The score is base + |2·start + n − 1 − focus|; with equal scores the run that comes first in the
//      search wins, then the lower start.
//   2. When no run has one, the same with all windows.
//   3. When no run has any, the party is split, unless it insists on sitting together: the largest k < n for which
//      steps 1 and 2 find seats, then the rest in the same way, until all are seated.
//
// The search goes through the runs of the wanted pools by position, from `from` on and around. Processes that choose
// from memories of their own begin at different places, so that a herd does not fight for the same seats.

/** How many runs with room are compared: the work for a choice is bounded by their length. */
export const LOOK_AHEAD = 4;
