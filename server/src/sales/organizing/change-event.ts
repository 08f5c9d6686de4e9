// How staff change an event: one entry in the ledger, made from one version of it, all or nothing. When somebody else
// has changed the event meanwhile, the change is made anew from what it is now, unless the caller insists on a version.
//
// Tickets that are to leave the sale are taken from the inventory like any buyer's, so that nobody else is proposed
// them; the ledger decides. Whatever ends this process in between, the ledger has the change or has it not: other
// processes learn it, and the reconciliation puts their inventory right.

import { differences } from '@floodgate/core/event/differences.ts';
import type { EventDefinition } from '@floodgate/core/event/event.ts';
import type { Problems } from '@floodgate/core/event/input-errors.ts';
import type { AllocationId, Ticket } from '@floodgate/core/ids.ts';
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

/** Changes the event. Refusals: EVENT_NOT_FOUND, EVENT_CHANGED, and those of the draft. */
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
  const done = await conduct<ChangeEvent, Draft, StaffRefusal | Unchanged>(shop, from, {
    kind: 'change-event',
    check(entry) {
      if (asked.ifVersions?.includes(entry.version) === false) return { refusal: 'EVENT_CHANGED' };
      const draft = draftOf(entry, allocationId);
      return draft === 'same' ? { unchanged: entry } : draft;
    },
    propose(entry, draft, setAside) {
      const event = draft.event(setAside);
      if (JSON.stringify(event).length > MAX_DEFINITION_CHARS)
        return { refusal: 'CAPACITY_IN_USE', detail: TOO_SCATTERED };
      change = changeOf(entry, event, draft, setAside, asked.by, allocationId);
      return change;
    },
    refuse: (refusal, _entry, draft) => draft.refuse(refusal),
  });
  if ('unchanged' in done) return { entry: done.unchanged, allocationId };
  if (!('outcome' in done)) return done;
  return { entry: await versionOf(shop, change!.event, done.outcome.seq), allocationId };
}

interface Unchanged {
  readonly unchanged: CatalogueEntry;
}

function changeOf(
  { eventId, version, event: before }: CatalogueEntry,
  event: EventDefinition,
  { action, restored }: Draft,
  setAside: readonly Ticket[],
  by: string,
  allocationId: AllocationId,
): ChangeEvent {
  return {
    kind: 'change-event',
    ...{ eventId, event, version, by, action, setAside, restored },
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
