// An event as the API shows it. What only staff may know of it (access codes) or nobody needs (how its tickets are
// numbered) is left out.

import { sumCounts } from '../../sales/catalogue/counts.ts';
import type { EventView, Looker } from '../../sales/organizing/create-event.ts';
import type { Answer } from '../lane/answer.ts';

export function eventBody({ event, status, counts }: EventView, { isStaff }: Looker) {
  const { blocks: _, allocations: __, ticketTypes, ...members } = event;
  const available = new Map(counts.map((type) => [type.ticketType, type.available]));
  return {
    ...members,
    status,
    ticketTypes: ticketTypes.map(({ accessCode, ...type }) => ({
      ...type,
      ...(accessCode === undefined ? {} : { needsAccessCode: true, ...(isStaff ? { accessCode } : {}) }),
      available: available.get(type.ticketTypeId) ?? 0,
    })),
  };
}

/** The event with its version as ETag, which a change names in If-Match. Not for caches: what is available moves. */
export function eventAnswer(status: number, view: EventView, looker: Looker): Answer {
  const headers = { ETag: versionTag(view.version), 'Cache-Control': 'no-cache' };
  return { kind: 'json', status, body: eventBody(view, looker), headers };
}

export function versionTag(version: number): string {
  return `"${version}"`;
}

/** What the log says of a change. */
export function logFields({ event, version, status, counts }: EventView) {
  return { eventId: event.eventId, version, eventStatus: status, capacity: sumCounts(counts).capacity };
}
