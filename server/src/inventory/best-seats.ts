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
import type { Ticket } from '@floodgate/core/ids.ts';
import type { SeatRuns } from '@floodgate/core/seating/seat-plan.ts';

/** How many runs with room are compared: the work for a choice is bounded by their length. */
export const LOOK_AHEAD = 4;

/** The runs of the wanted pools, half-open by position, and where among them to begin: a share from 0 to below 1. */
export interface Search {
  readonly first: number;
  readonly end: number;
  readonly from: number;
}

/** The position at which a search begins. */
export function startOf({ first, end, from }: Search): number {
  return first + Math.floor(from * (end - first));
}

interface Window {
  readonly position: number;
  /** Offset in its run. */
  readonly start: number;
  readonly score: number;
  readonly isNeat: boolean;
}

/**
 * The rule, word by word and slowly: what tests hold inventories against. Groups of a split party follow each other in
 * the order they were seated. Undefined when not all can be seated.
 */
export function bestSeats(
  runs: SeatRuns,
  isFree: (seat: number) => boolean,
  search: Search,
  party: { readonly best: number; readonly together?: boolean | undefined },
): Ticket[] | undefined {
  const seated: number[] = [];
  const isStillFree = (seat: number) => isFree(seat) && !seated.includes(seat);
  for (let n = party.best; seated.length < party.best; ) {
    const window = bestWindow(runs, isStillFree, search, n);
    if (window !== undefined) {
      const first = runs.first[window.position]! + window.start;
      for (let seat = first; seat < first + n; seat++) seated.push(seat);
      n = Math.min(n, party.best - seated.length);
    } else if (n === 1 || party.together === true) return undefined;
    else n--;
  }
  return seated as Ticket[];
}

/** Steps 1 and 2. */
function bestWindow(
  runs: SeatRuns,
  isFree: (seat: number) => boolean,
  search: Search,
  n: number,
): Window | undefined {
  const start = startOf(search);
  const positions: number[] = [];
  for (let position = start; position < search.end; position++) positions.push(position);
  for (let position = search.first; position < start; position++) positions.push(position);
  const byRun = positions.map((position) => windowsOf(runs, isFree, position, n));
  const neatByRun = byRun.map((windows) => windows.filter(({ isNeat }) => isNeat));
  return leastOf(neatByRun) ?? leastOf(byRun);
}

function leastOf(byRun: readonly Window[][]): Window | undefined {
  const compared = byRun.filter((windows) => windows.length > 0).slice(0, LOOK_AHEAD);
  let least: Window | undefined;
  for (const window of compared.flat()) if (!least || window.score < least.score) least = window;
  return least;
}

/** All windows for n in a run, by their start. */
function windowsOf(runs: SeatRuns, isFree: (seat: number) => boolean, position: number, n: number): Window[] {
  const [first, length] = [runs.first[position]!, runs.length[position]!];
  const [base, focus, anchor] = [runs.base[position]!, runs.focus[position]!, runs.anchor[position]!];
  const has = (offset: number) => offset >= 0 && offset < length && isFree(first + offset);
  const windows: Window[] = [];
  for (let start = 0; start + n <= length; start++) {
    const offsets = Array.from({ length: n }, (_, index) => start + index);
    if (!offsets.every(has) || (anchor >= 0 && !offsets.includes(anchor))) continue;
    const leavesOneLeft = has(start - 1) && !has(start - 2);
    const leavesOneRight = has(start + n) && !has(start + n + 1);
    const isNeat = anchor >= 0 || (!leavesOneLeft && !leavesOneRight);
    windows.push({ position, start, score: base + Math.abs(2 * start + n - 1 - focus), isNeat });
  }
  return windows;
}
