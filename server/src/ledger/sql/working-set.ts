// Between the judge and a SQL server: what a batch has to read, as a query; what was read, as the judge's working
// set. Pure.
import { MAX_EVENT_CAPACITY } from '@floodgate/core/event.ts';
import type { EventId, HoldId, Ticket } from '@floodgate/core/ids.ts';
import { invariant } from '@floodgate/core/refusal.ts';
import {
  type Belongings,
  type EventState,
  type HoldState,
  holdOf,
  keptAddress,
  keyOf,
  limitedBuyerOf,
  type TicketClaim,
  ticketsNamedBy,
  type WorkingSet,
} from '../judge.ts';
import type { Entry, Idempotency, OrderRecord } from '../ledger.ts';
import { claimKind, holdRecord, numberOrNull } from './rows.ts';
import type { BatchQuery, BatchRows, SqlRow } from './sql-server.ts';

/** What is remembered of an event. Its number never changes, its capacity only with its version. */
export interface KnownEvent {
  readonly eventNo: number;
  readonly capacity: number;
  readonly version: number;
}
export type KnownEvents = ReadonlyMap<EventId, KnownEvent>;

/** The head of the catalogue, whose seq is the number of events. */
export const CATALOGUE = 0;

/** Everything the entries need to know. Events that are not known are left out: the judge refuses their entries. */
export function queryFor(entries: readonly Entry[], known: KnownEvents): BatchQuery {
  const eventNos = new Set<number>();
  const claims = new Map<number, Set<Ticket>>();
  const holds = new Map<HoldId, number>();
  const keys = new Map<string, { eventNo: number; scope: string; key: string }>();
  const buyers = new Map<string, { eventNo: number; buyer: string }>();
  for (const entry of entries) {
    if (entry.kind === 'create-event') eventNos.add(CATALOGUE);
    const event = known.get(entry.eventId);
    if (!event) continue;
    const { eventNo } = event;
    eventNos.add(eventNo);
    addTickets(claims, eventNo, ticketsNamedBy(entry));
    const holdId = holdOf(entry);
    if (holdId) holds.set(holdId, eventNo);
    const key = keyOf(entry);
    if (key) keys.set(`${eventNo} ${keptAddress(key)}`, { eventNo, scope: key.scope, key: key.key });
    const buyer = limitedBuyerOf(entry);
    if (buyer !== undefined) buyers.set(`${eventNo} ${buyer}`, { eventNo, buyer });
  }
  return {
    eventNos: [...eventNos].sort((a, b) => a - b),
    claims: [...claims].flatMap(([eventNo, tickets]) => [...tickets].map((ticket) => ({ eventNo, ticket }))),
    holds: [...holds].map(([holdId, eventNo]) => ({ eventNo, holdId })),
    keys: [...keys.values()],
    buyers: [...buyers.values()],
  };
}

/**
 * Only numbers that can be tickets: the judge finds the others broken. Not only those that the event has as far as
 * this process knows, because another may have let it grow.
 */
function addTickets(claims: Map<number, Set<Ticket>>, eventNo: number, tickets: readonly Ticket[]): void {
  if (tickets.length === 0) return;
  const ofEvent = claims.get(eventNo) ?? new Set<Ticket>();
  claims.set(eventNo, ofEvent);
  for (const ticket of tickets) {
    if (Number.isInteger(ticket) && ticket >= 0 && ticket < MAX_EVENT_CAPACITY) ofEvent.add(ticket);
  }
}

/** The working set, and the latest time that one of its events has recorded. */
export function workingSetOf(
  entries: readonly Entry[],
  known: KnownEvents,
  rows: BatchRows,
): { set: WorkingSet; latestMs: number } {
  const set: WorkingSet = { events: new Map(), nextEventNo: Number.NaN };
  const byNo = new Map<string, EventState>();
  const heads = new Map(rows.heads.map((row) => [row.event_no!, row]));
  const catalogue = heads.get(`${CATALOGUE}`);
  if (catalogue) set.nextEventNo = Number(catalogue.seq) + 1;
  for (const entry of entries) {
    const event = known.get(entry.eventId);
    if (!event) continue;
    const state = set.events.get(entry.eventId) ?? addState(set, entry.eventId, event, heads);
    byNo.set(`${event.eventNo}`, state);
    const buyer = limitedBuyerOf(entry);
    if (buyer !== undefined) state.buyers.set(buyer, { tickets: new Set(), holds: new Set() });
  }
  for (const row of rows.claims) putClaim(byNo.get(row.event_no!)!, row);
  for (const row of rows.holds) putHold(byNo.get(row.event_no!)!, row);
  for (const row of rows.kept) {
    const key = { scope: row.scope!, key: row.idempotency_key! };
    const kept = { hash: row.hash!, outcome: JSON.parse(row.outcome!) };
    byNo.get(row.event_no!)!.kept.set(keptAddress(key as Idempotency), kept);
  }
  putBelongings(byNo, rows.belongings);
  return { set, latestMs: rows.heads.reduce((latest, row) => Math.max(latest, Number(row.at_ms)), 0) };
}

function addState(
  set: WorkingSet,
  eventId: EventId,
  { eventNo, capacity }: KnownEvent,
  heads: ReadonlyMap<string, SqlRow>,
): EventState {
  const head = heads.get(`${eventNo}`);
  invariant(head !== undefined, `event ${eventId} has no head`);
  const state: EventState = {
    eventNo,
    eventId,
    capacity,
    seq: Number(head.seq),
    version: Number(head.version),
    held: Number(head.held),
    sold: Number(head.sold),
    aside: Number(head.aside),
    buyers: new Map(),
    claims: new Map(),
    kept: new Map(),
    holds: new Map(),
  };
  set.events.set(eventId, state);
  return state;
}

function putClaim(event: EventState, row: SqlRow): void {
  const claim: TicketClaim = { as: claimKind(row.sold), by: row.claimed_by as TicketClaim['by'] };
  event.claims.set(Number(row.ticket) as Ticket, { before: claim, now: claim });
}

/**
 * An active hold has all its tickets, so its claims need no reading: were one otherwise, the write, which is
 * conditional, would be refused as a whole.
 */
function putHold(event: EventState, row: SqlRow): void {
  const record = holdRecord(row, event.eventId);
  const { holdId, tickets } = record;
  const order: OrderRecord | undefined =
    record.status !== 'confirmed' || record.orderId === null
      ? undefined
      : {
          orderId: record.orderId,
          eventId: event.eventId,
          seq: Number(row.order_seq),
          status: 'confirmed',
          buyer: record.buyer,
          secret: row.order_secret!,
          tickets,
          createdAtMs: Number(row.order_created_at_ms),
          holdId,
        };
  const endedSeq = numberOrNull(row.ended_seq);
  const endedAtMs = numberOrNull(row.ended_at_ms);
  event.holds.set(holdId, { ...record, endedSeq, endedAtMs, order } satisfies HoldState);
  if (record.status !== 'active') return;
  const claim = { as: 'held', by: holdId } as const;
  for (const ticket of tickets) event.claims.set(ticket, { before: claim, now: claim });
}

function putBelongings(byNo: ReadonlyMap<string, EventState>, rows: readonly SqlRow[]): void {
  if (rows.length === 0) return;
  const ofBuyer = new Map<string, Belongings[]>();
  for (const [eventNo, { buyers }] of byNo) {
    for (const [buyer, belongings] of buyers) {
      const address = `${eventNo} ${asKept(buyer)}`;
      ofBuyer.set(address, [...(ofBuyer.get(address) ?? []), belongings]);
    }
  }
  for (const row of rows) {
    const tickets = JSON.parse(row.tickets!) as Ticket[];
    for (const belongings of ofBuyer.get(`${row.event_no} ${asKept(row.buyer!)}`) ?? []) {
      for (const ticket of tickets) belongings.tickets.add(ticket);
      if (row.hold_id) belongings.holds.add(row.hold_id as HoldId);
    }
  }
}

/** Servers keep half characters, and some of them NULs, as U+FFFD: such names are one and the same. */
function asKept(buyer: string): string {
  return buyer.toWellFormed().replaceAll('\0', '\ufffd');
}
