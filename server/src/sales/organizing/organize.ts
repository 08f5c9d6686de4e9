// What organizers do with events: make them, change them, open and close their sale (rows E1, E2).

import { differences } from '@floodgate/core/event/differences.ts';
import type { EventDefinition, EventStatus, TicketType } from '@floodgate/core/event/event.ts';
import { type Problems, problemsOf, type Sellable, sellableOf } from '@floodgate/core/event/input-errors.ts';
import { type EventCommand, statusAt, stepEvent } from '@floodgate/core/event/rules.ts';
import type { EventId, TicketTypeId } from '@floodgate/core/ids.ts';
import { blocksFor } from '@floodgate/core/seating/layout.ts';
import type { AnyWant } from '../../inventory/inventory.ts';
import type { CatalogueEntry } from '../catalogue/catalogue.ts';
import type { Shop } from '../shop.ts';
import { hasRoom, movedBy, resize } from './capacity.ts';
import {
  type Asked,
  type Changed,
  changeEvent,
  type Draft,
  MAX_MOVED,
  type StaffRefusal,
} from './change-event.ts';
import { createEvent, type EventView, viewOf } from './create-event.ts';
import { asRequested, type EventPatch, patched } from './event-patch.ts';

/** An event as it is sent to be made. */
export interface NewEvent
  extends Omit<EventDefinition, 'eventId' | 'status' | 'ticketTypes' | 'blocks' | 'allocations'> {
  /** Unset: a snowflake. */
  readonly eventId?: string | undefined;
  /** Unset: `scheduled` with an onSaleAt, else `open`. */
  readonly status?: 'draft' | 'scheduled' | 'open' | undefined;
  readonly ticketTypes: readonly NewTicketType[];
}

/** The capacity of a type with a category is all that the seat map has of it, unless it says less. */
export interface NewTicketType extends Omit<TicketType, 'ticketTypeId' | 'capacity'> {
  readonly ticketTypeId: string;
  readonly capacity?: number | undefined;
}

/** Makes an event. Refusals: MANIFEST_NOT_FOUND, EVENT_EXISTS, or what is wrong with it. */
export async function makeEvent(shop: Shop, sent: NewEvent, by: string): Promise<EventView | StaffRefusal> {
  const { manifestId } = sent;
  const manifest = manifestId === undefined ? undefined : await shop.catalogue.plans.manifest(manifestId);
  if (manifestId !== undefined && !manifest) return { refusal: 'MANIFEST_NOT_FOUND' };
  const sellable = manifest && sellableOf(manifest);
  const event = completed(shop, sent, sellable);
  const problems = { ...problemsOf(event, sellable), ...missingCapacities(sent, sellable) };
  if (Object.keys(problems).length > 0) return { problems };
  const plan = await shop.catalogue.plans.of(event);
  // Written down because nobody can tell the numbers of seats without their plan.
  return createEvent(shop, plan ? { ...event, blocks: blocksFor(event.ticketTypes, plan) } : event, by);
}

function completed(shop: Shop, sent: NewEvent, sellable: Sellable | undefined): EventDefinition {
  const ticketTypes = sent.ticketTypes.map((type) => ({
    ...type,
    ticketTypeId: type.ticketTypeId as TicketTypeId,
    capacity: type.capacity ?? placesOf(type, sellable) ?? 0,
  }));
  const status = sent.status ?? (sent.onSaleAt === undefined ? 'open' : 'scheduled');
  return { ...sent, eventId: (sent.eventId ?? shop.newId()) as EventId, status, ticketTypes };
}

function placesOf({ category }: NewTicketType, sellable: Sellable | undefined): number | undefined {
  return category === undefined
    ? undefined
    : (sellable?.seats.get(category) ?? sellable?.standing.get(category));
}

function missingCapacities({ ticketTypes }: NewEvent, sellable: Sellable | undefined): Problems {
  const missing = ticketTypes.flatMap((type, index) =>
    type.capacity === undefined && placesOf(type, sellable) === undefined && type.category === undefined
      ? [[`ticketTypes.${index}.capacity`, 'is required: how many tickets of this type there are'] as const]
      : [],
  );
  return Object.fromEntries(missing);
}

/**
 * Changes members of an event and its ticket types. Refusals: EVENT_NOT_FOUND, EVENT_CHANGED, WRONG_STATUS of a
 * cancelled event, CAPACITY_IN_USE, or what is wrong with it.
 */
export function patchEvent(
  shop: Shop,
  eventId: string,
  patch: EventPatch,
  asked: Asked,
): Promise<EventView | StaffRefusal> {
  return viewed(
    shop,
    changeEvent(shop, eventId, asked, (entry, allocationId) => {
      if (entry.event.status === 'cancelled') return { refusal: 'WRONG_STATUS' };
      const { event: next, problems } = patched(entry.event, patch);
      const all = { ...asRequested(problemsIn(entry, next), next, patch), ...problems };
      if (Object.keys(all).length > 0) return { problems: all };
      const resizing = resize(entry.event, entry.layout, next);
      if (!hasRoom(resizing)) return { problems: { ticketTypes: NO_ROOM } };
      if (movedBy(resizing) > MAX_MOVED) return { problems: { ticketTypes: TOO_MANY_MOVED } };
      const { before: was, after: is } = differences(entry.event, next);
      const draft: Draft = {
        action: 'change',
        ...{ wants: resizing.wants, restored: resizing.restored },
        event: (aside) => resizing.event(aside, allocationId),
        refuse: () => inUse(shop, entry, resizing.wants),
      };
      return Object.keys({ ...was, ...is }).length === 0 ? 'same' : draft;
    }),
  );
}

const NO_ROOM =
  'have no ticket numbers left: an event can have 50000000 of them, and withdrawn tickets keep theirs';
const TOO_MANY_MOVED = `take out of sale or put back more than ${MAX_MOVED} tickets: do it in steps`;

/** What is wrong with what is to become of the event. Its seat map has not changed since it was made. */
function problemsIn({ event, layout }: CatalogueEntry, next: EventDefinition): Problems {
  const sellable = layout.plan && sellableOf(layout.plan.manifest);
  const problems: Record<string, string> = { ...problemsOf(next, sellable) };
  for (const [index, type] of next.ticketTypes.entries()) {
    const isNew = index >= event.ticketTypes.length;
    const sellsSeats = type.category !== undefined && sellable?.seats.has(type.category);
    if (isNew && sellsSeats) {
      problems[`ticketTypes.${index}.category`] = 'is of seats, which are numbered when the event is made';
    }
  }
  return problems;
}

async function inUse(
  shop: Shop,
  { eventId }: CatalogueEntry,
  wants: readonly AnyWant[],
): Promise<StaffRefusal> {
  const counts = (await shop.inventory.counts(eventId)) ?? [];
  const said = wants.map(({ ticketType, quantity }) => {
    const free = counts.find((type) => type.ticketType === ticketType)?.available ?? 0;
    return `"${ticketType}" cannot lose ${quantity} tickets: ${free} are free`;
  });
  return { refusal: 'CAPACITY_IN_USE', detail: `${said.join('; ')}.` };
}

/** Opens, pauses, closes … the sale. Doing it twice is no error. Refusals: EVENT_NOT_FOUND, EVENT_CHANGED, WRONG_STATUS. */
export function commandEvent(
  shop: Shop,
  eventId: string,
  command: EventCommand,
  asked: Asked,
): Promise<EventView | StaffRefusal> {
  return viewed(
    shop,
    changeEvent(shop, eventId, asked, ({ event }) => {
      const nowMs = shop.ledger.nowMs();
      const status = statusAt(event, nowMs);
      const step = stepEvent(status, command);
      if ('refusal' in step) return { refusal: step.refusal, detail: `The event is ${status}.` };
      if ('same' in step && event.status === status) return 'same';
      const to: EventStatus = 'to' in step ? step.to : status;
      const next = { ...event, status: to };
      if (to === 'scheduled' && event.onSaleAt === undefined) return { problems: { onSaleAt: NO_DATE } };
      if (statusAt(next, nowMs) !== to) {
        return {
          refusal: 'WRONG_STATUS',
          detail: `The clock has passed ${times(event)}: change that first.`,
        };
      }
      return { action: command, wants: [], restored: [], event: () => next, refuse: (refusal) => refusal };
    }),
  );
}

const NO_DATE = 'is required before the event can be scheduled: it says when the sale begins';

const times = ({ onSaleAt, endsAt }: EventDefinition): string =>
  [onSaleAt && `onSaleAt (${onSaleAt})`, endsAt && `endsAt (${endsAt})`].filter(Boolean).join(' or ');

async function viewed(
  shop: Shop,
  changing: Promise<Changed | StaffRefusal>,
): Promise<EventView | StaffRefusal> {
  const changed = await changing;
  return 'entry' in changed ? viewOf(shop, changed.entry) : changed;
}
