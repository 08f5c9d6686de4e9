// Between the judge and a SQL server: what a batch has to read, as a query; what was read, as the judge's working
// set. Pure.

import { invariant } from '@floodgate/core/assert.ts';
import { MAX_EVENT_CAPACITY } from '@floodgate/core/event/event.ts';
import { isLive } from '@floodgate/core/hold.ts';
import type { EventId, HoldId, OrderId, StreamId, Ticket } from '@floodgate/core/ids.ts';
import type { SqlRow } from '../../../drivers/sql/sql.ts';
import { holdOf, keyOf, limitedBuyerOf, orderOf, ticketsNamedBy } from '../../judge/judge.ts';
import type { Belongings, EventState, HoldState, TicketClaim, WorkingSet } from '../../judge/state.ts';
import type { Entry } from '../../ledger.ts';
import { makesStream } from '../../streams.ts';
import {
  claimKind,
  holdRecord,
  keptBeside,
  numberOrNull,
  orderOfHold,
  orderRecord,
  ticketsOfRow,
} from '../../tables.ts';
import type { BatchQuery, BatchRows } from './sql-server.ts';

/** What is remembered of an event. Its number never changes, its capacity only with its version. */
export interface KnownEvent {
  readonly eventNo: number;
  readonly capacity: number;
  readonly version: number;
}
export type KnownEvents = ReadonlyMap<StreamId, KnownEvent>;

/** The head of the catalogue, whose seq is the number of events. */
export const CATALOGUE = 0;

/** Everything the entries need to know. Events that are not known are left out: the judge refuses their entries. */
export function queryFor(entries: readonly Entry[], known: KnownEvents): BatchQuery {
  const eventNos = new Set<number>();
  const claims = new Map<number, Set<Ticket>>();
  const holds = new Map<HoldId, number>();
  const orders = new Map<OrderId, number>();
  const keys = new Map<string, { eventNo: number; digest: string }>();
  const buyers = new Map<string, { eventNo: number; buyer: string }>();
  for (const entry of entries) {
    if (makesStream(entry)) eventNos.add(CATALOGUE);
    const event = known.get(entry.eventId);
    if (!event) continue;
    const { eventNo } = event;
    eventNos.add(eventNo);
    addTickets(claims, eventNo, ticketsNamedBy(entry));
    const holdId = holdOf(entry);
    if (holdId) holds.set(holdId, eventNo);
    const orderId = orderOf(entry);
    if (orderId) orders.set(orderId, eventNo);
    const key = keyOf(entry);
    if (key) keys.set(`${eventNo} ${key.digest}`, { eventNo, digest: key.digest });
    const buyer = limitedBuyerOf(entry);
    if (buyer !== undefined) buyers.set(`${eventNo} ${buyer}`, { eventNo, buyer });
  }
  return {
    eventNos: [...eventNos].sort((a, b) => a - b),
    claims: [...claims].flatMap(([eventNo, tickets]) => [...tickets].map((ticket) => ({ eventNo, ticket }))),
    holds: [...holds].map(([holdId, eventNo]) => ({ eventNo, holdId })),
    orders: [...orders].map(([orderId, eventNo]) => ({ eventNo, orderId })),
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
  for (const { eventId } of entries) {
    const event = known.get(eventId);
    if (!event || set.events.has(eventId)) continue;
    const head = heads.get(`${event.eventNo}`);
    invariant(head !== undefined, `event ${eventId} has no head`);
    const state = stateOf(eventId, event, head);
    set.events.set(eventId, state);
    byNo.set(`${event.eventNo}`, state);
  }
  for (const row of rows.claims) putClaim(byNo.get(row.event_no!)!, row);
  for (const row of rows.holds) putHold(byNo.get(row.event_no!)!, row);
  for (const row of rows.orders) {
    const event = byNo.get(row.event_no!)!;
    event.orders.set(row.order_id as OrderId, orderRecord(row, event.eventId as EventId));
  }
  for (const row of rows.kept) {
    const event = byNo.get(row.event_no!)!;
    event.kept.set(row.digest!, keptBeside(row, event.eventId as EventId));
  }
  putBelongings(set, entries, rows.belongings);
  return { set, latestMs: rows.heads.reduce((latest, row) => Math.max(latest, Number(row.at_ms)), 0) };
}

function stateOf(eventId: StreamId, { eventNo, capacity }: KnownEvent, head: SqlRow): EventState {
  return {
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
    orders: new Map(),
  };
}

function putClaim(event: EventState, row: SqlRow): void {
  const claim: TicketClaim = { as: claimKind(row.kind), by: row.claimed_by as TicketClaim['by'] };
  event.claims.set(Number(row.ticket) as Ticket, { before: claim, now: claim });
}

/**
 * A live hold has all its tickets, so its claims need no reading: were one otherwise, the write, which is
 * conditional, would be refused as a whole.
 */
function putHold(event: EventState, row: SqlRow): void {
  const record = holdRecord(row, event.eventId as EventId);
  const { holdId, tickets } = record;
  const order =
    record.status === 'confirmed' && record.orderId !== null ? orderOfHold(row, record) : undefined;
  const endedSeq = numberOrNull(row.ended_seq);
  const endedAtMs = numberOrNull(row.ended_at_ms);
  event.holds.set(holdId, { ...record, endedSeq, endedAtMs, order } satisfies HoldState);
  if (!isLive(record)) return;
  const claim = { as: 'held', by: holdId } as const;
  for (const ticket of tickets) event.claims.set(ticket, { before: claim, now: claim });
}

/** Of every buyer with limits; a buyer who has nothing has no row. */
function putBelongings({ events }: WorkingSet, entries: readonly Entry[], rows: readonly SqlRow[]): void {
  const all = new Map<string, Belongings>();
  for (const entry of entries) {
    const [event, buyer] = [events.get(entry.eventId), limitedBuyerOf(entry)];
    if (!event || buyer === undefined) continue;
    const address = `${event.eventNo} ${asKept(buyer)}`;
    const belongings = all.get(address) ?? { tickets: new Set(), holds: new Set() };
    all.set(address, belongings);
    event.buyers.set(buyer, belongings);
  }
  for (const row of rows) {
    const { tickets, holds } = all.get(`${row.event_no} ${asKept(row.buyer!)}`)!;
    for (const ticket of ticketsOfRow(row.tickets, row.returned)) tickets.add(ticket);
    if (row.hold_id) holds.add(row.hold_id as HoldId);
  }
}

/** Servers keep half characters, and some of them NULs, as U+FFFD: such names are one and the same. */
function asKept(buyer: string): string {
  return buyer.toWellFormed().replaceAll('\0', '\ufffd');
}
