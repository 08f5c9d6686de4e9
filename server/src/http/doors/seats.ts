// The doors of the seat map: how the venue looks, which never changes, and which seats are free, which always does.
import { manifestReference, seatMapAnswers, seatStatusAnswers, seatsInput } from '../../contract/seats.ts';
import { findShown } from '../../sales/organizing/create-event.ts';
import type { Shop } from '../../sales/shop.ts';
import { type SeatBoard, SeatBoards } from '../../sales/showing/seat-board.ts';
import { seatMapOf } from '../../sales/showing/seat-map.ts';

import { versioned } from '../lane/etag.ts';
import { type Operation, operation } from '../lane/operation.ts';
import { problem } from '../lane/problem.ts';

export function seatOperations(shop: Shop): Operation[] {
  const boards = new SeatBoards(shop);
  return [
    operation({
      name: 'seat-map',
      summary: 'Read the seat map of an event',
      tag: 'Events',
      method: 'GET',
      path: '/api/v1/events/:eventId/manifest',
      input: manifestReference,
      answers: seatMapAnswers,
      sends: ['ETag'],
      async run(request) {
        const { input, requestId } = request;
        const entry = await findShown(shop, input.params.eventId, request);
        if (!entry) return problem('EVENT_NOT_FOUND', requestId);
        const body = seatMapOf(entry);
        if (body === undefined) return problem('MANIFEST_NOT_FOUND', requestId, { detail: NO_SEATS });
        // Asked for by its version, it is the same for ever.
        const isPinned = input.query.v === entry.event.manifestId;
        const age = isPinned ? 'public, max-age=31536000, immutable' : 'public, max-age=60';
        return versioned(request.header('if-none-match'), `"${entry.event.manifestId}"`, age, () => body);
      },
    }),
    operation({
      name: 'seat-status',
      summary: 'Read which seats of an event are free',
      tag: 'Events',
      method: 'GET',
      path: '/api/v1/events/:eventId/seats',
      isHot: true,
      input: seatsInput,
      answers: seatStatusAnswers,
      sends: ['ETag'],
      async run(request) {
        const { input, requestId } = request;
        const { eventId } = input.params;
        const entry = await findShown(shop, eventId, request);
        if (!entry) return problem('EVENT_NOT_FOUND', requestId);
        const board = boards.of(entry);
        if (!board) return problem('MANIFEST_NOT_FOUND', requestId, { detail: NO_SEATS });
        const looking = board.refresh();
        if (looking) await looking;
        const { since } = input.query;
        const etag = `"${board.version}${since === undefined ? '' : `-${since}`}"`;
        return versioned(request.header('if-none-match'), etag, 'public, max-age=1', () =>
          statusBody(eventId, board, since),
        );
      },
    }),
  ];
}

const NO_SEATS = 'This event has no seat map: all of its tickets are general admission.';

const bodies = new WeakMap<SeatBoard, { version: number; body: string }>();

/** All seats; or, when `since` is known, what changed after that version. */
function statusBody(eventId: string, board: SeatBoard, since: number | undefined): string {
  const changed = since === undefined ? undefined : board.changesSince(since);
  if (changed) return JSON.stringify({ eventId, since, ...changed });
  const made = bodies.get(board);
  if (made?.version === board.version) return made.body;
  const { version, seats } = board;
  const body = JSON.stringify({ eventId, version, seats, encoding: '2-bit', status: board.packed() });
  bodies.set(board, { version, body });
  return body;
}
