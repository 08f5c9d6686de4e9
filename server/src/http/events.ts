// The doors of events: public reads, the classic reads of the default event, and staff's audit and journal.
import { eventReference, eventsInput, journalInput, noInput } from '../contract/schemas.ts';
import { audit, type EventView, listEvents, readEvent, readJournal, sumCounts } from '../sales/events.ts';
import type { Rooms } from '../sales/rooms.ts';
import { type Operation, operation } from './operation.ts';
import { nextCursor, readCursor, refuseCursor } from './page.ts';
import { problem } from './problem.ts';

export function eventOperations(rooms: Rooms, defaultEvent: string | undefined): Operation[] {
  return [
    operation({
      name: 'list-events',
      method: 'GET',
      path: '/api/v1/events',
      input: eventsInput,
      async run({ input, requestId }) {
        const skip = readCursor(input.query.cursor);
        if (skip === undefined) return refuseCursor(requestId);
        const { limit } = input.query;
        const events = await listEvents(rooms, skip, limit);
        return {
          status: 200,
          body: { events: events.map(eventBody), ...nextCursor(events.length, limit, skip + events.length) },
        };
      },
    }),
    operation({
      name: 'read-event',
      method: 'GET',
      path: '/api/v1/events/:eventId',
      input: eventReference,
      async run({ input, requestId }) {
        const view = await readEvent(rooms, input.params.eventId);
        return 'refusal' in view ? problem(view.refusal, requestId) : { status: 200, body: eventBody(view) };
      },
    }),
    operation({
      name: 'availability',
      method: 'GET',
      path: '/api/v1/events/:eventId/availability',
      isHot: true,
      input: eventReference,
      async run(ask) {
        const { input, requestId } = ask;
        const view = await readEvent(rooms, input.params.eventId);
        if ('refusal' in view) return problem(view.refusal, requestId);
        const body = JSON.stringify(availabilityBody(view));
        const headers = { ETag: etagOf(view), 'Cache-Control': 'public, max-age=1' };
        return isKnown(ask.header('if-none-match'), headers.ETag)
          ? { status: 304, body: '', headers }
          : { status: 200, body, headers };
      },
    }),
    operation({
      name: 'default-event',
      method: 'GET',
      path: '/api/v1/event',
      isHot: true,
      input: noInput,
      async run({ requestId }) {
        const entry = rooms.catalogue.defaultEvent(defaultEvent);
        const view = entry && (await readEvent(rooms, entry.event.eventId));
        if (!view || 'refusal' in view) return problem('EVENT_NOT_FOUND', requestId);
        const { capacity, sold, available } = sumCounts(view.counts);
        const body = { totalSeats: capacity, seatsSold: sold, seatsRemaining: available };
        return { status: 200, body };
      },
    }),
    operation({
      name: 'audit',
      method: 'GET',
      path: '/api/v1/events/:eventId/audit',
      isStaff: true,
      input: eventReference,
      async run({ input, requestId }) {
        const report = await audit(rooms, input.params.eventId);
        return 'refusal' in report ? problem(report.refusal, requestId) : { status: 200, body: report };
      },
    }),
    operation({
      name: 'journal',
      method: 'GET',
      path: '/api/v1/events/:eventId/journal',
      isStaff: true,
      input: journalInput,
      async run({ input, requestId }) {
        const { after, limit } = input.query;
        const page = await readJournal(rooms, input.params.eventId, after, limit);
        if ('refusal' in page) return problem(page.refusal, requestId);
        const entries = page.entries.map(({ seq, kind, atMs, fact }) => ({
          seq,
          kind,
          at: new Date(atMs).toISOString(),
          atMs,
          ...fact,
        }));
        return { status: 200, body: { entries } };
      },
    }),
  ];
}

function eventBody({ event, counts }: EventView) {
  const available = new Map(counts.map((type) => [type.ticketType, type.available]));
  return {
    ...event,
    ticketTypes: event.ticketTypes.map((type) => ({
      ...type,
      available: available.get(type.ticketTypeId) ?? 0,
    })),
  };
}

function availabilityBody({ event, counts }: EventView) {
  const sum = sumCounts(counts);
  return { eventId: event.eventId, ticketTypes: counts, ...sum };
}

/** Changes with every change of a count. */
function etagOf({ counts }: EventView): string {
  return `"${counts.map((type) => `${type.available}.${type.held}.${type.sold}.${type.pending}`).join('-')}"`;
}

/** Whether If-None-Match names the tag. A proxy that compresses weakens the tags it passes on. */
function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const tags = ifNoneMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes(etag) || tags.includes('*');
}
