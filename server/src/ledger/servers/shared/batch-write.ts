// What the judge changed, as rows for a SQL server. Pure.
import type { EventId } from '@floodgate/core/ids.ts';
import type { Changes, EventState, WorkingSet } from '../../judge/state.ts';
import { keptAnswerOf } from '../../kept-outcome.ts';
import type { BatchWrite, KnownHead } from './sql-server.ts';
import { CATALOGUE } from './working-set.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] };

/** Undefined when nothing changed. */
export function batchWriteOf(set: WorkingSet, changes: Changes, nowMs: number): BatchWrite | undefined {
  if (isNothing(changes)) return undefined;
  const write = empty();
  const moved = new Set(changes.journal.map(({ eventNo }) => eventNo));
  if (changes.events.length > 0) {
    write.heads.push({ ...CATALOGUE_HEAD, seq: set.nextEventNo - 1, atMs: nowMs });
  }
  for (const event of set.events.values()) {
    if (moved.has(event.eventNo)) write.heads.push(headOf(event, nowMs));
    addClaims(write, event);
  }
  write.newEvents = changes.events;
  write.changedEvents = [...changes.changedEvents].map(([eventNo, change]) => ({ eventNo, ...change }));
  write.manifests = changes.manifests;
  write.journal = changes.journal;
  const eventNoOf = ({ eventId }: { eventId: EventId }) => set.events.get(eventId)!.eventNo;
  for (const { isNew, state } of changes.holds.values()) {
    (isNew ? write.newHolds : write.changedHolds).push({ ...state, eventNo: eventNoOf(state) });
  }
  for (const order of changes.orders) write.orders.push({ ...order, eventNo: eventNoOf(order) });
  for (const order of changes.changedOrders.values()) {
    write.changedOrders.push({ ...order, eventNo: eventNoOf(order) });
  }
  write.kept = changes.kept.map(({ eventNo, key, outcome }) => ({ eventNo, key, ...keptAnswerOf(outcome) }));
  return write;
}

const CATALOGUE_HEAD = { eventNo: CATALOGUE, held: 0, sold: 0, aside: 0, version: 1 };

function isNothing({ journal, kept, manifests }: Changes): boolean {
  return journal.length + kept.length + manifests.length === 0;
}

function empty(): Mutable<BatchWrite> {
  return {
    newEvents: [],
    changedEvents: [],
    manifests: [],
    heads: [],
    newClaims: [],
    movedClaims: [],
    endedClaims: [],
    newHolds: [],
    changedHolds: [],
    orders: [],
    changedOrders: [],
    journal: [],
    kept: [],
  };
}

function headOf({ eventNo, seq, held, sold, aside, version }: EventState, atMs: number): KnownHead {
  return { eventNo, seq, held, sold, atMs, version, aside };
}

function addClaims(write: Mutable<BatchWrite>, { eventNo, claims }: EventState): void {
  for (const [ticket, { before, now }] of claims) {
    if (before === now) continue;
    if (!before && now) write.newClaims.push({ eventNo, ticket, as: now.as, by: now.by });
    else if (before && !now) write.endedClaims.push({ eventNo, ticket, was: before.by });
    else if (before && now) {
      write.movedClaims.push({ eventNo, ticket, was: before.by, as: now.as, by: now.by });
    }
  }
}
