// The doors of events: public reads, the classic reads of the default event, and staff's audit and journal.
import {
  auditAnswers,
  availabilityAnswers,
  defaultEventAnswers,
  journalAnswers,
  journalInput,
  listEventsAnswers,
  readEventAnswers,
} from '../../contract/events.ts';
import { eventReference, isoTime, noInput, pageInput } from '../../contract/values.ts';
import { sumCounts } from '../../sales/catalogue/counts.ts';
import {
  audit,
  type EventView,
  listEvents,
  readEvent,
  readJournal,
  readNewestEvent,
} from '../../sales/organizing/create-event.ts';
import type { Shop } from '../../sales/shop.ts';
import { readDefaultEvent } from '../../sales/showing/default-event.ts';
import { versioned } from '../lane/etag.ts';
import { type Operation, operation } from '../lane/operation.ts';
import { nextCursor, readCursor, refuseCursor } from '../lane/page.ts';
import { problem } from '../lane/problem.ts';
import { eventAnswer, eventBody } from './event-body.ts';

export function eventOperations(shop: Shop): Operation[] {
  return [
    operation({
      name: 'list-events',
      summary: 'List events',
      tag: 'Events',
      method: 'GET',
      path: '/api/v1/events',
      input: pageInput,
      answers: listEventsAnswers,
      async run(request) {
        const { input, requestId } = request;
        const skip = readCursor(input.query.cursor);
        if (skip === undefined) return refuseCursor(requestId);
        const { limit } = input.query;
        const { events, next } = await listEvents(shop, skip, limit, request);
        const bodies = events.map((view) => eventBody(view, request));
        return {
          kind: 'json',
          status: 200,
          body: { events: bodies, ...nextCursor(events.length, limit, next) },
        };
      },
    }),
    operation({
      name: 'read-event',
      summary: 'Read an event',
      tag: 'Events',
      method: 'GET',
      path: '/api/v1/events/:eventId',
      input: eventReference,
      answers: readEventAnswers,
      sends: ['ETag'],
      async run(request) {
        const { input, requestId } = request;
        const { eventId } = input.params;
        const view = await (request.isStaff
          ? readNewestEvent(shop, eventId)
          : readEvent(shop, eventId, request));
        return 'refusal' in view ? problem(view.refusal, requestId) : eventAnswer(200, view, request);
      },
    }),
    operation({
      name: 'availability',
      summary: 'Count the tickets of an event by state',
      tag: 'Events',
      method: 'GET',
      path: '/api/v1/events/:eventId/availability',
      isHot: true,
      input: eventReference,
      answers: availabilityAnswers,
      sends: ['ETag'],
      async run(request) {
        const { input, requestId } = request;
        const view = await readEvent(shop, input.params.eventId, request);
        if ('refusal' in view) return problem(view.refusal, requestId);
        return versioned(request.header('if-none-match'), etagOf(view), 'public, max-age=1', () =>
          JSON.stringify(availabilityBody(view)),
        );
      },
    }),
    operation({
      name: 'default-event',
      summary: 'Count the seats of the default event',
      tag: 'Events',
      method: 'GET',
      path: '/api/v1/event',
      isHot: true,
      input: noInput,
      answers: defaultEventAnswers,
      async run({ requestId }) {
        const view = await readDefaultEvent(shop);
        if ('refusal' in view) return problem(view.refusal, requestId);
        const { capacity, sold, available } = sumCounts(view.counts);
        const body = { totalSeats: capacity, seatsSold: sold, seatsRemaining: available };
        return { kind: 'json', status: 200, body };
      },
    }),
    operation({
      name: 'audit',
      summary: 'Compare what was sold with what is shown, and check the rules of sale',
      tag: 'Organizing',
      method: 'GET',
      path: '/api/v1/events/:eventId/audit',
      isStaff: true,
      input: eventReference,
      answers: auditAnswers,
      async run({ input, requestId }) {
        const report = await audit(shop, input.params.eventId);
        return 'refusal' in report
          ? problem(report.refusal, requestId)
          : { kind: 'json', status: 200, body: report };
      },
    }),
    operation({
      name: 'journal',
      summary: "Read the facts of an event's sale, in order",
      tag: 'Organizing',
      method: 'GET',
      path: '/api/v1/events/:eventId/journal',
      isStaff: true,
      input: journalInput,
      answers: journalAnswers,
      async run({ input, requestId }) {
        const { after, limit } = input.query;
        const page = await readJournal(shop, input.params.eventId, after, limit);
        if ('refusal' in page) return problem(page.refusal, requestId);
        const entries = page.entries.map(({ seq, kind, atMs, fact }) => ({
          seq,
          kind,
          at: isoTime(atMs),
          atMs,
          ...fact,
        }));
        return { kind: 'json', status: 200, body: { entries } };
      },
    }),
  ];
}

function availabilityBody({ event, counts }: EventView) {
  const sum = sumCounts(counts);
  return { eventId: event.eventId, ticketTypes: counts, ...sum };
}

/** Changes with every change of a count. */
function etagOf({ counts }: EventView): string {
  const numbers = ({ available, held, sold, pending, allocated, killed }: EventView['counts'][number]) =>
    allocated + killed === 0
      ? `${available}.${held}.${sold}.${pending}`
      : `${available}.${held}.${sold}.${pending}.${allocated}.${killed}`;
  return `"${counts.map(numbers).join('-')}"`;
}
