// How a stream that is no event is kept: as a row among the events, with a definition that says nothing, because that is
// where earlier releases put the shop's journal. This file is the only place that knows; readers of the ledger have
// events and streams as two lists.
import type { EventDefinition } from '@floodgate/core/event/event.ts';
import { type EventId, isEvent, SHOP, type StreamId } from '@floodgate/core/ids.ts';
import type { Entry, EventHead, EventRecord, EventsPage, StreamHead } from './ledger.ts';

/** The row of the shop's stream, in the words of earlier releases. */
export const SHOP_ROW: EventDefinition = {
  eventId: SHOP as string as EventId,
  name: 'The shop',
  venue: { name: 'The shop' },
  startsAt: '1970-01-01T00:00:00.000Z',
  timeZone: 'Etc/UTC',
  status: 'draft',
  ticketTypes: [],
};

/** Whether the entry makes its stream. */
export function makesStream({ kind }: Entry): boolean {
  return kind === 'create-event' || kind === 'open-shop';
}

/** The rows after the first `skipped`, as they stand in the table of events. */
export function eventsPage(rows: readonly EventRecord[], skipped: number): EventsPage {
  return { events: rows.filter(({ event }) => isEvent(event.eventId)), next: skipped + rows.length };
}

/** Of the rows' heads, those of events. */
export function eventHeads(rows: readonly EventHead[]): EventHead[] {
  return rows.filter(({ eventId }) => isEvent(eventId));
}

export function streamHeads(rows: readonly EventHead[]): StreamHead[] {
  return rows.map(({ eventId, seq }) => ({ stream: eventId as StreamId, seq }));
}
