// A use case's "no" as an answer: its code, and what the client can do something with.
import type { Refusal } from '@floodgate/core/refusal.ts';
import { isoTime } from '../../contract/values.ts';
import type { JsonAnswer } from './answer.ts';
import { problem } from './problem.ts';

/** `eventId` is for the log. */
export function refused(refusal: Refusal, requestId: string, eventId?: string): JsonAnswer {
  const answer = problem(refusal.refusal, requestId, {
    members: membersOf(refusal),
    detail: detailOf(refusal),
  });
  return eventId === undefined ? answer : { ...answer, fields: { ...answer.fields, eventId } };
}

function membersOf({ remaining, seats, nextExpiryAtMs, onSaleAtMs, perOrder }: Refusal) {
  return {
    ...(remaining === undefined ? {} : { seatsRemaining: remaining }),
    ...(seats === undefined ? {} : { seats }),
    ...(nextExpiryAtMs === undefined ? {} : { nextExpiryAt: isoTime(nextExpiryAtMs) }),
    ...(onSaleAtMs === undefined ? {} : { onSaleAt: isoTime(onSaleAtMs) }),
    ...(perOrder === undefined ? {} : { perOrder }),
  };
}

/** Where the standard sentence can be told more exactly. */
function detailOf({ refusal, seats, onSaleAtMs, perOrder }: Refusal): string | undefined {
  if (seats !== undefined && seats.length > 0) {
    const names = seats.map(({ section, row, seat }) => `${section}/${row}/${seat}`).join(', ');
    return refusal === 'SEAT_TAKEN' ? `Not available: ${names}.` : `The event sells no such seat: ${names}.`;
  }
  if (onSaleAtMs !== undefined) return `The sale begins at ${isoTime(onSaleAtMs)}.`;
  if (perOrder === undefined) return undefined;
  return refusal === 'BELOW_MINIMUM'
    ? `An order has at least ${perOrder} tickets of this type.`
    : `An order has at most ${perOrder} of these tickets.`;
}
