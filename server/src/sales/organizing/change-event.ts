// How staff change an event: one entry in the ledger, made from one version of it, all or nothing. When somebody else
// has changed the event meanwhile, the change is made anew from what it is now, unless the caller insists on a version.
//
// Tickets that are to leave the sale are taken from the inventory like any buyer's, so that nobody else is proposed
// them; the ledger decides. Whatever ends this process in between, the ledger has the change or has it not: other
// processes learn it, and the reconciliation puts their inventory right.

import { differences } from '@floodgate/core/event/differences.ts';
import type { EventDefinition } from '@floodgate/core/event/event.ts';
import type { Problems } from '@floodgate/core/event/input-errors.ts';
import { Busy } from '@floodgate/core/faults.ts';
import type { AllocationId, EventId, Ticket, TicketTypeId } from '@floodgate/core/ids.ts';
import type { Refusal } from '@floodgate/core/refusal.ts';
import { layoutCapacity } from '@floodgate/core/seating/layout.ts';
import { AVAILABLE, SOLD, type Want } from '../../inventory/inventory.ts';
import { type ChangeEvent, LedgerUnavailable, type OutcomeOf } from '../../ledger/ledger.ts';
import { learnTaken, MAX_WAIT_MS, takesInFlight } from '../buying/claim.ts';
import type { CatalogueEntry } from '../catalogue/catalogue.ts';
import type { Shop } from '../shop.ts';

/** How often a change is made anew because others changed the event, or sold what was to be set aside. */
const MAX_ATTEMPTS = 16;
/** Tickets that one change takes out of sale or puts back: a quarter of a second, in which nobody buys. */
export const MAX_MOVED = 20_000;

/** Every change writes all of an event's definition, and every process reads it. */
const MAX_DEFINITION_CHARS = 4_000_000;
const TOO_SCATTERED = 'Too many single tickets are out of sale: drop some of them to sale first.';

export interface Asked {
  /** For the audit log. */
  readonly by: string;
  /** The change must be made from one of these versions; undefined: from whatever it is. */
  readonly ifVersions?: readonly number[] | undefined;
}

/** A use case's "no" to staff, with a sentence where there is more to say than the code's own. */
export type StaffRefusal =
  | (Refusal & { readonly detail?: string | undefined })
  | { readonly problems: Problems };

/** What is to become of an event. */
export interface Draft {
  /** For the audit log. */
  readonly action: string;
  /** Tickets to be taken out of sale. */
  readonly wants: readonly Want[];
  /** Tickets to be put back on sale. */
  readonly restored: readonly Ticket[];
  /** Of these types no ticket may be held or sold. */
  readonly unclaimed?: readonly TicketTypeId[];
  /** The event as it shall be, when these are the tickets taken out of sale. */
  readonly event: (aside: readonly Ticket[]) => EventDefinition;
  /** The answer when the inventory has not what is wanted. */
  readonly refuse: (refusal: Refusal) => StaffRefusal | Promise<StaffRefusal>;
}

export type DraftOf = (entry: CatalogueEntry, allocationId: AllocationId) => Draft | StaffRefusal | 'same';

export interface Changed {
  readonly entry: CatalogueEntry;
  /** Given to what was taken out of sale. */
  readonly allocationId: AllocationId;
}

/** Changes the event. Refusals: EVENT_NOT_FOUND, EVENT_CHANGED, PRICE_IN_USE, and those of the draft. */
export async function changeEvent(
  shop: Shop,
  eventId: string,
  asked: Asked,
  draftOf: DraftOf,
): Promise<Changed | StaffRefusal> {
  let entry = await shop.catalogue.current(eventId);
  if (!entry) return { refusal: 'EVENT_NOT_FOUND' };
  const allocationId = shop.newId() as AllocationId;
  let draft: ReturnType<DraftOf> = 'same';
  for (let attempts = 0; attempts < MAX_ATTEMPTS; attempts++) {
    if (asked.ifVersions?.includes(entry.version) === false) return { refusal: 'EVENT_CHANGED' };
    draft = draftOf(entry, allocationId);
    if (draft === 'same') return { entry, allocationId };
    if ('refusal' in draft || 'problems' in draft) return draft;
    const made = await make(shop, entry, asked.by, draft, allocationId);
    if ('entry' in made) return { entry: made.entry, allocationId };
    if ('problems' in made) return made;
    if (made.refusal === 'EVENT_CHANGED') entry = await shop.catalogue.newerThan(entry);
    else if (made.refusal === 'TICKET_TAKEN') await shop.inventory.catchUp(entry.eventId);
    else return made;
  }
  const isRepriced = draft !== 'same' && 'unclaimed' in draft && draft.unclaimed?.length;
  if (isRepriced) return { refusal: 'PRICE_IN_USE' };
  throw new Busy(`the event changed ${MAX_ATTEMPTS} times while this change was made`);
}

/** Makes the change from this version of the event. */
async function make(
  shop: Shop,
  entry: CatalogueEntry,
  by: string,
  draft: Draft,
  allocationId: AllocationId,
): Promise<{ readonly entry: CatalogueEntry } | StaffRefusal> {
  const { eventId, version } = entry;
  const ifSeq = await seqWithoutClaims(shop, entry, draft.unclaimed ?? []);
  if (typeof ifSeq === 'object') return ifSeq;
  const taken = await take(shop, eventId, draft.wants);
  if ('refusal' in taken) return draft.refuse(withSeats(entry, taken));
  const { tickets: setAside } = taken;
  const made = eventWith(entry, draft, setAside);
  if ('refusal' in made) {
    if (setAside.length > 0) shop.inventory.giveBack(eventId, setAside);
    return made;
  }
  const { event } = made;
  const outcome = await post(shop, {
    kind: 'change-event',
    ...{ eventId, event, version, ifSeq, by, action: draft.action, setAside, restored: draft.restored },
    capacity: layoutCapacity(event),
    allocationId: setAside.length > 0 ? allocationId : undefined,
    ...differences(entry.event, event),
  });
  if (outcome.status === 'refused') return { refusal: outcome.refusal };
  return { entry: await follow(shop, { event, version: outcome.seq }, setAside, draft.restored) };
}

function eventWith(
  { layout }: CatalogueEntry,
  draft: Draft,
  setAside: readonly Ticket[],
): { readonly event: EventDefinition } | Extract<StaffRefusal, Refusal> {
  // The inventory knows a newer version already.
  if (!setAside.every((ticket) => layout.has(ticket))) return { refusal: 'EVENT_CHANGED' };
  const event = draft.event(setAside);
  return JSON.stringify(event).length <= MAX_DEFINITION_CHARS
    ? { event }
    : { refusal: 'CAPACITY_IN_USE', detail: TOO_SCATTERED };
}

/** Takes what is wanted; waits for takes in flight where the answer depends on them. */
async function take(
  shop: Shop,
  eventId: EventId,
  wants: readonly Want[],
): Promise<{ readonly tickets: readonly Ticket[] } | NotTaken> {
  if (wants.length === 0) return { tickets: [] };
  const deadlineMs = performance.now() + MAX_WAIT_MS;
  for (;;) {
    const taken = await shop.inventory.take(eventId, wants);
    if ('tickets' in taken) return taken;
    const { refusal } = taken;
    if (refusal !== 'PENDING') return { refusal, taken: taken.taken };
    await takesInFlight(shop, eventId, deadlineMs);
  }
}

interface NotTaken {
  readonly refusal: Refusal['refusal'];
  readonly taken: readonly Ticket[] | undefined;
}

function withSeats({ layout }: CatalogueEntry, { refusal, taken }: NotTaken): Refusal {
  return { refusal, seats: taken?.flatMap((ticket) => layout.seatOf(ticket) ?? []) };
}

/** Posts the change. Whatever comes of it, the inventory gets back or forgets the tickets that were taken for it. */
async function post(shop: Shop, change: ChangeEvent): Promise<OutcomeOf<ChangeEvent>> {
  const { eventId, setAside, restored } = change;
  let outcome: OutcomeOf<ChangeEvent>;
  try {
    outcome = await shop.ledger.post(change);
  } catch (fault) {
    const isKnown = fault instanceof LedgerUnavailable;
    if (isKnown && setAside.length > 0) shop.inventory.giveBack(eventId, setAside);
    if (!isKnown) shop.doubts.add({ eventId, tickets: [...setAside, ...restored] });
    throw fault;
  }
  if (outcome.status === 'committed' || setAside.length === 0) return outcome;
  if (outcome.taken) learnTaken(shop, eventId, setAside, outcome);
  else shop.inventory.giveBack(eventId, setAside);
  return outcome;
}

/** The change is in the ledger: inventory and catalogue follow. What fails here is put right by the workers. */
async function follow(
  shop: Shop,
  record: { readonly event: EventDefinition; readonly version: number },
  setAside: readonly Ticket[],
  restored: readonly Ticket[],
): Promise<CatalogueEntry> {
  const entry = await shop.catalogue.entryOf(record);
  const { eventId } = entry;
  try {
    const repairs = restored.map((ticket) => ({ ticket, from: SOLD, to: AVAILABLE }) as const);
    if (repairs.length > 0) await shop.inventory.repair(eventId, repairs);
    // Last: a refusal on the new version must not be for want of what it has put back on sale.
    await shop.catalogue.put(entry);
  } catch (fault) {
    shop.telemetry.fault('the inventory could not follow a change of an event at once', fault, { eventId });
  }
  if (setAside.length > 0) shop.inventory.settle(eventId, setAside, 'sold');
  return entry;
}

/** The event's sequence when no ticket of these types was held or sold; undefined when none are named. */
async function seqWithoutClaims(
  shop: Shop,
  { eventId, layout }: CatalogueEntry,
  types: readonly TicketTypeId[],
): Promise<number | undefined | Refusal> {
  if (types.length === 0) return undefined;
  const { seq, held, sold } = await shop.ledger.claims(eventId);
  const ranges = types.flatMap((type) => layout.rangesOf(type));
  const isOf = (ticket: number) => ranges.some(([first, end]) => ticket >= first && ticket < end);
  return held.some(isOf) || sold.some(isOf) ? { refusal: 'PRICE_IN_USE' } : seq;
}
