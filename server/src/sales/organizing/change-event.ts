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
import type { AllocationId, Ticket, TicketTypeId } from '@floodgate/core/ids.ts';
import type { Refusal } from '@floodgate/core/refusal.ts';
import { layoutCapacity } from '@floodgate/core/seating/layout.ts';
import type { Want } from '../../inventory/inventory.ts';
import type { ChangeEvent } from '../../ledger/ledger.ts';
import type { CatalogueEntry } from '../catalogue/catalogue.ts';
import { conduct } from '../conduct.ts';
import type { Shop } from '../shop.ts';

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
  const from = await shop.catalogue.current(eventId);
  if (!from) return { refusal: 'EVENT_NOT_FOUND' };
  const allocationId = shop.newId() as AllocationId;
  let change: ChangeEvent | undefined;
  let isRepriced = false;
  const done = await conduct<ChangeEvent, Judged, StaffRefusal | Unchanged>(shop, from, {
    kind: 'change-event',
    check(entry) {
      if (asked.ifVersions?.includes(entry.version) === false) return { refusal: 'EVENT_CHANGED' };
      const draft = draftOf(entry, allocationId);
      if (draft === 'same') return { unchanged: entry };
      isRepriced = 'unclaimed' in draft && draft.unclaimed !== undefined && draft.unclaimed.length > 0;
      return isRepriced ? ifUnclaimed(shop, entry, draft as Draft) : draft;
    },
    propose(entry, draft, setAside) {
      const event = draft.event(setAside);
      if (JSON.stringify(event).length > MAX_DEFINITION_CHARS)
        return { refusal: 'CAPACITY_IN_USE', detail: TOO_SCATTERED };
      change = changeOf(entry, event, draft, setAside, asked.by, allocationId);
      return change;
    },
    refuse: (refusal, _entry, draft) => draft.refuse(refusal),
  }).catch((fault: unknown) => {
    if (isRepriced && fault instanceof Busy) return { refusal: 'PRICE_IN_USE' } as const;
    throw fault;
  });
  if ('unchanged' in done) return { entry: done.unchanged, allocationId };
  if (!('outcome' in done)) return done;
  return { entry: await versionOf(shop, change!.event, done.outcome.seq), allocationId };
}

/** A draft, made from a version of which nothing else must have happened when it is repriced. */
interface Judged extends Draft {
  readonly ifSeq?: number | undefined;
}

interface Unchanged {
  readonly unchanged: CatalogueEntry;
}

function changeOf(
  { eventId, version, event: before }: CatalogueEntry,
  event: EventDefinition,
  { action, restored, ifSeq }: Judged,
  setAside: readonly Ticket[],
  by: string,
  allocationId: AllocationId,
): ChangeEvent {
  return {
    kind: 'change-event',
    ...{ eventId, event, version, ifSeq, by, action, setAside, restored },
    capacity: layoutCapacity(event),
    allocationId: setAside.length > 0 ? allocationId : undefined,
    ...differences(before, event),
  };
}

/** The version that a change has made, also when the inventory could not follow it and the catalogue waits. */
async function versionOf(shop: Shop, event: EventDefinition, version: number): Promise<CatalogueEntry> {
  const known = shop.catalogue.known(event.eventId);
  return known?.version === version ? known : shop.catalogue.entryOf({ event, version });
}

/** The draft, if no ticket of the types that it reprices is held or sold. */
async function ifUnclaimed(
  shop: Shop,
  { eventId, layout }: CatalogueEntry,
  draft: Draft,
): Promise<Judged | StaffRefusal> {
  const { seq, held, sold } = await shop.ledger.claims(eventId);
  const ranges = (draft.unclaimed ?? []).flatMap((type) => layout.rangesOf(type));
  const isOf = (ticket: number) => ranges.some(([first, end]) => ticket >= first && ticket < end);
  return held.some(isOf) || sold.some(isOf) ? { refusal: 'PRICE_IN_USE' } : { ...draft, ifSeq: seq };
}
