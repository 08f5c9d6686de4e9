// Events: made, listed, counted, audited. How staff change them is in organize.ts.
import type { EventDefinition, EventStatus } from '@floodgate/core/event/event.ts';
import { statusAt } from '@floodgate/core/event/rules.ts';
import type { Refusal } from '@floodgate/core/refusal.ts';
import type { TypeCounts } from '../../inventory/inventory.ts';
import type { AuditCheck, ClaimSnapshot } from '../../ledger/ledger.ts';
import type { CatalogueEntry } from '../catalogue/catalogue.ts';
import { type ShownCounts, shownCounts, sumCounts } from '../catalogue/counts.ts';
import { post } from '../conduct.ts';
import type { Shop } from '../shop.ts';

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
  shop: Shop,
  event: EventDefinition,
  by?: string,
): Promise<EventView | Refusal> {
  const outcome = await post(shop, { kind: 'create-event', eventId: event.eventId, event, by });
  if (outcome.status === 'refused') return { refusal: outcome.refusal };
  const made = await shop.catalogue.entryOf({ event, version: outcome.seq });
  return viewOf(shop, await shop.catalogue.put(made));
}

/** Returns the event if the actor may see it. */
export async function findShown(
  shop: Shop,
  eventId: string,
  { isStaff }: Looker,
): Promise<CatalogueEntry | undefined> {
  const entry = await shop.catalogue.find(eventId);
  return entry && (isStaff || entry.event.status !== 'draft') ? entry : undefined;
}

/** An event with what is left of it. */
export async function readEvent(shop: Shop, eventId: string, looker: Looker): Promise<EventView | Refusal> {
  const entry = await findShown(shop, eventId, looker);
  return entry ? viewOf(shop, entry) : { refusal: 'EVENT_NOT_FOUND' };
}

/** The same for staff, who are about to change what they see: as it is now, whichever process has changed it. */
export async function readNewestEvent(shop: Shop, eventId: string): Promise<EventView | Refusal> {
  const entry = await shop.catalogue.current(eventId);
  return entry ? viewOf(shop, entry) : { refusal: 'EVENT_NOT_FOUND' };
}

/** A page of events in the order they were made, without the first `skip`; `next` is how many were passed then. */
export async function listEvents(
  shop: Shop,
  skip: number,
  limit: number,
  { isStaff }: Looker,
): Promise<{ events: EventView[]; next: number | undefined }> {
  const all = shop.catalogue.all();
  const page: CatalogueEntry[] = [];
  let at = skip;
  for (; at < all.length && page.length < limit; at++) {
    if (isStaff || all[at]!.event.status !== 'draft') page.push(all[at]!);
  }
  const events = await Promise.all(page.map((entry) => viewOf(shop, entry)));
  return { events, next: page.length === limit ? at : undefined };
}

export async function viewOf(shop: Shop, entry: CatalogueEntry): Promise<EventView> {
  const { event, version } = entry;
  const counts = await countsOf(shop, entry);
  return { event, version, status: statusAt(event, shop.ledger.nowMs()), counts };
}

async function countsOf(shop: Shop, { eventId, aside }: CatalogueEntry): Promise<readonly ShownCounts[]> {
  return shownCounts((await shop.inventory.counts(eventId)) ?? [], aside);
}

export interface Audit {
  readonly ok: boolean;
  readonly checks: readonly AuditCheck[];
  readonly counts: readonly ShownCounts[];
}

/** Checks the rules against every row of the event, and the inventory against the ledger. */
export async function audit(shop: Shop, eventId: string): Promise<Audit | Refusal> {
  const entry = await shop.catalogue.find(eventId);
  if (!entry) return { refusal: 'EVENT_NOT_FOUND' };
  const look = async () => (await shop.inventory.counts(entry.eventId)) ?? [];
  const before = await look();
  const claims = await shop.ledger.claims(entry.eventId);
  const drift = inventoryCheck(before, await look(), claims);
  const checks = [...(await shop.ledger.audit(entry.eventId)), drift];
  const { counts } = await viewOf(shop, shop.catalogue.known(eventId) ?? entry);
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
export async function readJournal(shop: Shop, eventId: string, afterSeq: number, limit: number) {
  const entry = await shop.catalogue.find(eventId);
  if (!entry) return { refusal: 'EVENT_NOT_FOUND' } as const;
  return { entries: await shop.ledger.journal(entry.event.eventId, afterSeq, limit) };
}

/** Every event's counts, in the order the events were made. */
export function countTickets(
  shop: Shop,
): Promise<{ readonly eventId: string; readonly counts: readonly ShownCounts[] }[]> {
  const entries = shop.catalogue.all();
  return Promise.all(
    entries.map(async (entry) => ({ eventId: entry.eventId, counts: await countsOf(shop, entry) })),
  );
}
