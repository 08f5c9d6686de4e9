// Events: made, loaded at start, listed, counted, audited.
import type { EventDefinition } from '@floodgate/core/event.ts';
import type { TypeCounts } from '../inventory/inventory.ts';
import type { AuditCheck } from '../ledger/ledger.ts';
import type { Refusal } from './buy.ts';
import { findEvent, putOnSale } from './discover.ts';
import type { Rooms } from './rooms.ts';

export interface EventView {
  readonly event: EventDefinition;
  readonly counts: readonly TypeCounts[];
}

/** Makes an event and puts it on sale. Refusals: EVENT_EXISTS. */
export async function createEvent(rooms: Rooms, event: EventDefinition): Promise<EventView | Refusal> {
  const outcome = await rooms.ledger.post({ kind: 'create-event', eventId: event.eventId, event });
  if (outcome.status === 'refused') return { refusal: outcome.refusal };
  await putOnSale(rooms, { event, version: outcome.seq });
  return { event, counts: await countsOf(rooms, event) };
}

/** An event with what is left of it. */
export async function readEvent(rooms: Rooms, eventId: string): Promise<EventView | Refusal> {
  const entry = await findEvent(rooms, eventId);
  if (!entry) return { refusal: 'EVENT_NOT_FOUND' };
  return { event: entry.event, counts: await countsOf(rooms, entry.event) };
}

/** A page of events in the order they were made, after the first `skip`. */
export async function listEvents(rooms: Rooms, skip: number, limit: number): Promise<EventView[]> {
  const page = rooms.catalogue.all().slice(skip, skip + limit);
  return Promise.all(page.map(async ({ event }) => ({ event, counts: await countsOf(rooms, event) })));
}

async function countsOf(rooms: Rooms, event: EventDefinition): Promise<readonly TypeCounts[]> {
  return (await rooms.inventory.counts(event.eventId)) ?? [];
}

/** Tickets of all types together. */
export function sumCounts(counts: readonly TypeCounts[]): Omit<TypeCounts, 'ticketType'> {
  const sum = { capacity: 0, available: 0, pending: 0, held: 0, sold: 0 };
  for (const type of counts) {
    sum.capacity += type.capacity;
    sum.available += type.available;
    sum.pending += type.pending;
    sum.held += type.held;
    sum.sold += type.sold;
  }
  return sum;
}

export interface Audit {
  readonly ok: boolean;
  readonly checks: readonly AuditCheck[];
  readonly counts: readonly TypeCounts[];
}

/** Checks the rules against every row of the event, and the inventory against the ledger. */
export async function audit(rooms: Rooms, eventId: string): Promise<Audit | Refusal> {
  const entry = await findEvent(rooms, eventId);
  if (!entry) return { refusal: 'EVENT_NOT_FOUND' };
  const before = await countsOf(rooms, entry.event);
  const claims = await rooms.ledger.claims(entry.event.eventId);
  const after = await countsOf(rooms, entry.event);
  const drift = inventoryCheck(before, after, claims.held.length, claims.sold.length);
  const checks = [...(await rooms.ledger.audit(entry.event.eventId)), drift];
  return { ok: checks.every((check) => check.ok), checks, counts: after };
}

/** The inventory can only be compared with the ledger when no sale moved between the two looks. */
function inventoryCheck(
  before: readonly TypeCounts[],
  after: readonly TypeCounts[],
  held: number,
  sold: number,
): AuditCheck {
  const rule = 'S2 inventory';
  const [first, last] = [sumCounts(before), sumCounts(after)];
  if (last.available + last.pending + last.held + last.sold !== last.capacity) {
    return { rule, ok: false, detail: `the inventory does not add up: ${JSON.stringify(last)}` };
  }
  const isStill = JSON.stringify(before) === JSON.stringify(after) && last.pending === 0;
  if (!isStill)
    return { rule, ok: true, detail: 'adds up; not compared with the ledger, because sales are under way' };
  const ok = first.held === held && first.sold === sold;
  const ledger = `${held} held + ${sold} sold`;
  return {
    rule,
    ok,
    detail: ok
      ? `the inventory agrees with the ledger: ${ledger}`
      : `the inventory has ${first.held} held + ${first.sold} sold, the ledger ${ledger}`,
  };
}

/** A page of the event's journal. */
export async function readJournal(rooms: Rooms, eventId: string, afterSeq: number, limit: number) {
  const entry = await findEvent(rooms, eventId);
  if (!entry) return { refusal: 'EVENT_NOT_FOUND' } as const;
  return { entries: await rooms.ledger.journal(entry.event.eventId, afterSeq, limit) };
}

/** Every event's counts, in the order the events were made. */
export function countTickets(
  rooms: Rooms,
): Promise<{ readonly eventId: string; readonly counts: readonly TypeCounts[] }[]> {
  const entries = rooms.catalogue.all();
  return Promise.all(
    entries.map(async ({ event }) => ({ eventId: event.eventId, counts: await countsOf(rooms, event) })),
  );
}
