// An event's layout as a text that Redis keeps: which pools there are, where the blocks of general admission end, and a
// digest of where the seats are. Processes whose layouts differ notice it by this text, and when one layout is the
// other one grown, they go on together.
import { createHash } from 'node:crypto';
import { invariant } from '@floodgate/core/assert.ts';
import type { Pool, TicketLayout } from '@floodgate/core/seating/layout.ts';
import type { SeatPlan } from '@floodgate/core/seating/seat-plan.ts';

/** Where a run of tickets of one pool ends. */
type BlockEnd = readonly [end: number, pool: number];

export interface LayoutText {
  /** "seats:digest|pool,pool…|end:pool,end:pool…", pools in `blocks` by their index. */
  readonly text: string;
  readonly capacity: number;
  readonly seats: string;
  readonly pools: readonly string[];
  /** Of general admission: from the last seat on. Blocks of one pool in a row are one. */
  readonly blocks: readonly BlockEnd[];
}

export function describeLayout(layout: TicketLayout): LayoutText {
  const seats = layout.plan?.seats ?? 0;
  const ranges = layout.pools.flatMap(({ kind, ranges }, pool) => {
    return kind === 'any' ? ranges.map(([first, end]) => ({ first, end, pool })) : [];
  });
  const blocks: BlockEnd[] = [];
  let at = seats;
  for (const { first, end, pool } of ranges.sort((a, b) => a.first - b.first || a.end - b.end)) {
    invariant(first === at, 'the blocks of general admission follow each other after the seats');
    at = end;
    if (first === end) continue;
    if (blocks.at(-1)?.[1] === pool) blocks.pop();
    blocks.push([end, pool]);
  }
  return asText(`${seats}:${digestOf(layout)}`, layout.pools.map(nameOf), blocks);
}

/** Undefined for what no process has written. */
export function readLayout(text: string): LayoutText | undefined {
  const [seats, pools, blocks, more] = text.split('|');
  if (seats === undefined || pools === undefined || blocks === undefined || more !== undefined)
    return undefined;
  const ends = list(blocks).map((block) => block.split(':').map(Number) as [number, number]);
  return asText(seats, list(pools), ends);
}

/** Whether a layout is another one, or that one grown. */
export function beginsWith(layout: LayoutText, other: LayoutText): boolean {
  if (layout.text === other.text) return true;
  const before = asText(
    layout.seats,
    layout.pools.slice(0, other.pools.length),
    upTo(layout, other.capacity),
  );
  return before.text === other.text;
}

function asText(seats: string, pools: readonly string[], blocks: readonly BlockEnd[]): LayoutText {
  const ends = blocks.map(([end, pool]) => `${end}:${pool}`).join(',');
  const capacity = blocks.at(-1)?.[0] ?? Number.parseInt(seats, 10);
  return { text: `${seats}|${pools.join(',')}|${ends}`, capacity, seats, pools, blocks };
}

function upTo({ seats, blocks }: LayoutText, capacity: number): readonly BlockEnd[] {
  const before = blocks.filter(([end]) => end < capacity);
  const next = blocks[before.length];
  const isCut = next !== undefined && capacity > Number.parseInt(seats, 10);
  return isCut ? [...before, [capacity, next[1]]] : before;
}

function list(text: string): string[] {
  return text === '' ? [] : text.split(',');
}

/** A section may be called anything, but not so that it reads as two. */
function nameOf({ ticketType, kind, section }: Pool): string {
  return kind === 'any' ? ticketType : `${ticketType}/${kind}/${encodeURIComponent(section ?? '')}`;
}

/** Plans are large and never change, and events change often. */
const digests = new WeakMap<SeatPlan, string>();

/** Of all that inventories know of seats: which run each is in, which pool that is of, and how good it is. */
function digestOf({ plan }: TicketLayout): string {
  if (plan === undefined) return '';
  const known = digests.get(plan);
  if (known !== undefined) return known;
  const { first, length, base, focus, anchor, positionOf } = plan.runs;
  const hash = createHash('sha1');
  for (const column of [first, length, base, focus, anchor, positionOf]) hash.update(column);
  for (const { ranges, firstRun, endRun } of plan.pools) {
    hash.update(JSON.stringify([ranges, firstRun, endRun]));
  }
  const digest = hash.digest('hex');
  digests.set(plan, digest);
  return digest;
}
