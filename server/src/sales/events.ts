// Events: made, listed, counted, audited. How staff change them is in organize.ts.
import type { EventDefinition, EventStatus } from '@floodgate/core/event.ts';
import { statusAt } from '@floodgate/core/event-rules.ts';
import type { TypeCounts } from '../inventory/inventory.ts';
import type { AuditCheck, ClaimSnapshot } from '../ledger/ledger.ts';
import type { CatalogueEntry } from './catalogue.ts';
import { findEvent, newestEvent, putOnSale } from './discover.ts';
import type { Refusal } from './refusal.ts';
import type { Rooms } from './rooms.ts';
import { type ShownCounts, shownCounts, sumCounts } from './shown-counts.ts';

export interface EventView {
  readonly event: EventDefinition;
  readonly version: number;
  /** Now, by the ledger's clock. */
  readonly status: EventStatus;
  readonly counts: readonly ShownCounts[];
}

/** Who looks: the public does not see drafts. */
export interface Looker {
  readonly isStaff: boolean;
}

/** Makes an event and puts it on sale. `by` is for the audit log. Refusals: EVENT_EXISTS. */
export async function createEvent(
  rooms: Rooms,
  event: EventDefinition,
  by?: string,
): Promise<EventView | Refusal> {
  const outcome = await rooms.ledger.post({ kind: 'create-event', eventId: event.eventId, event, by });
  if (outcome.status === 'refused') return { refusal: outcome.refusal };
  return viewOf(rooms, await putOnSale(rooms, { event, version: outcome.seq }));
}

/** An event, for who may see it. */
export async function findShown(
  rooms: Rooms,
  eventId: string,
  { isStaff }: Looker,
): Promise<CatalogueEntry | undefined> {
  const entry = rooms.catalogue.find(eventId) ?? (await findEvent(rooms, eventId));
  return entry && (isStaff || entry.event.status !== 'draft') ? entry : undefined;
}

/** An event with what is left of it. */
export async function readEvent(rooms: Rooms, eventId: string, looker: Looker): Promise<EventView | Refusal> {
  const entry = await findShown(rooms, eventId, looker);
  return entry ? viewOf(rooms, entry) : { refusal: 'EVENT_NOT_FOUND' };
}

/** The same for staff, who are about to change what they see: as it is now, whichever process has changed it. */
export async function readNewestEvent(rooms: Rooms, eventId: string): Promise<EventView | Refusal> {
  const entry = await newestEvent(rooms, eventId);
  return entry ? viewOf(rooms, entry) : { refusal: 'EVENT_NOT_FOUND' };
}

/** A page of events in the order they were made, without the first `skip`; `next` is how many were passed then. */
export async function listEvents(
  rooms: Rooms,
  skip: number,
  limit: number,
  { isStaff }: Looker,
): Promise<{ events: EventView[]; next: number | undefined }> {
  const all = rooms.catalogue.all();
  const page: CatalogueEntry[] = [];
  let at = skip;
  for (; at < all.length && page.length < limit; at++) {
    if (isStaff || all[at]!.event.status !== 'draft') page.push(all[at]!);
  }
  const events = await Promise.all(page.map((entry) => viewOf(rooms, entry)));
  return { events, next: page.length === limit ? at : undefined };
}

export async function viewOf(rooms: Rooms, entry: CatalogueEntry): Promise<EventView> {
  const { event, version } = entry;
  const counts = await countsOf(rooms, entry);
  return { event, version, status: statusAt(event, rooms.ledger.nowMs()), counts };
}

async function countsOf(rooms: Rooms, { eventId, aside }: CatalogueEntry): Promise<readonly ShownCounts[]> {
  return shownCounts((await rooms.inventory.counts(eventId)) ?? [], aside);
}

export interface Audit {
  readonly ok: boolean;
  readonly checks: readonly AuditCheck[];
  readonly counts: readonly ShownCounts[];
}

/** Checks the rules against every row of the event, and the inventory against the ledger. */
export async function audit(rooms: Rooms, eventId: string): Promise<Audit | Refusal> {
  const entry = await findEvent(rooms, eventId);
  if (!entry) return { refusal: 'EVENT_NOT_FOUND' };
  const look = async () => (await rooms.inventory.counts(entry.eventId)) ?? [];
  const before = await look();
  const claims = await rooms.ledger.claims(entry.eventId);
  const drift = inventoryCheck(before, await look(), claims);
  const checks = [...(await rooms.ledger.audit(entry.eventId)), drift];
  const { counts } = await viewOf(rooms, rooms.catalogue.find(eventId) ?? entry);
  return { ok: checks.every((check) => check.ok), checks, counts };
}

/** The inventory can only be compared with the ledger when no sale moved between the two looks. */
function inventoryCheck(
  before: readonly TypeCounts[],
  after: readonly TypeCounts[],
  { held, sold, aside }: ClaimSnapshot,
): AuditCheck {
  const rule = 'S2 inventory';
  const [first, last] = [sumCounts(before), sumCounts(after)];
  if (last.available + last.pending + last.held + last.sold !== last.capacity) {
    return { rule, ok: false, detail: `the inventory does not add up: ${JSON.stringify(last)}` };
  }
  const isStill = JSON.stringify(before) === JSON.stringify(after) && last.pending === 0;
  if (!isStill)
    return { rule, ok: true, detail: 'adds up; not compared with the ledger, because sales are under way' };
  const ok = first.held === held.length && first.sold === sold.length + aside.length;
  const out = aside.length > 0 ? ` + ${aside.length} set aside` : '';
  const ledger = `${held.length} held + ${sold.length} sold${out}`;
  return {
    rule,
    ok,
    detail: ok
      ? `the inventory agrees with the ledger: ${ledger}`
      : `the inventory has ${first.held} held + ${first.sold} gone, the ledger ${ledger}`,
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
): Promise<{ readonly eventId: string; readonly counts: readonly ShownCounts[] }[]> {
  const entries = rooms.catalogue.all();
  return Promise.all(
    entries.map(async (entry) => ({ eventId: entry.eventId, counts: await countsOf(rooms, entry) })),
  );
}
