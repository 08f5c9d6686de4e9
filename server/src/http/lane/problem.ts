// The only table from a refusal, a bad request or a fault to a status code and words (RFC 9457).
import type { ProblemCode } from '../../contract/answers.ts';
import type { JsonAnswer } from './answer.ts';

interface Kind {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
}

const KINDS: Readonly<Record<ProblemCode, Kind>> = {
  BAD_REQUEST: { status: 400, title: 'Bad request', detail: 'The request could not be read.' },
  VALIDATION_FAILED: { status: 400, title: 'Invalid input', detail: 'Some input is not as it should be.' },
  UNAUTHENTICATED: {
    status: 401,
    title: 'Not authenticated',
    detail: 'Staff only: send an API key or a token as "Authorization: Bearer <key>".',
  },
  FORBIDDEN: {
    status: 403,
    title: 'Not allowed',
    detail: 'This key or token may not do that: ask an admin for a key of another role.',
  },
  PRECONDITION_REQUIRED: {
    status: 428,
    title: 'Version required',
    detail: 'Send the ETag of the event as it was read in If-Match, so that no other change is overwritten.',
  },
  NOT_FOUND: { status: 404, title: 'Not found', detail: 'There is nothing at this address.' },
  METHOD_NOT_ALLOWED: {
    status: 405,
    title: 'Method not allowed',
    detail: 'This address takes only the methods named in Allow.',
  },
  BODY_TOO_LARGE: { status: 413, title: 'Body too large', detail: 'The body is too large.' },
  UNSUPPORTED_MEDIA_TYPE: {
    status: 415,
    title: 'Unsupported media type',
    detail: 'Send the body as "Content-Type: application/json".',
  },
  UNAVAILABLE: {
    status: 503,
    title: 'Busy',
    detail: 'The sale could not be recorded right now. Try again with the same Idempotency-Key.',
  },
  INTERNAL_ERROR: { status: 500, title: 'Internal error', detail: 'Something failed on our side.' },

  EVENT_NOT_FOUND: { status: 404, title: 'Event not found', detail: 'There is no event of this id.' },
  TICKET_TYPE_NOT_FOUND: {
    status: 404,
    title: 'Ticket type not found',
    detail: 'The event has no ticket type of this id.',
  },
  MANIFEST_NOT_FOUND: {
    status: 404,
    title: 'Manifest not found',
    detail: 'There is no manifest of this id.',
  },
  SECTION_NOT_FOUND: {
    status: 404,
    title: 'Section not found',
    detail: 'The ticket type has no seats of that kind in a section of this name.',
  },
  SEAT_NOT_FOUND: {
    status: 404,
    title: 'Seat not found',
    detail: 'The event sells no seat of this name.',
  },
  ALLOCATION_NOT_FOUND: {
    status: 404,
    title: 'Allocation not found',
    detail: 'The event has no allocation of this id.',
  },
  KEY_NOT_FOUND: { status: 404, title: 'Key not found', detail: 'There is no API key of this id.' },
  HOLD_NOT_FOUND: {
    status: 404,
    title: 'Hold not found',
    detail: "There is no hold of this id, or its secret is missing or wrong, or it is another buyer's.",
  },
  ORDER_NOT_FOUND: {
    status: 404,
    title: 'Order not found',
    detail: "There is no order of this id, or its secret is missing or wrong, or it is another buyer's.",
  },
  TICKET_NOT_FOUND: {
    status: 404,
    title: 'Ticket not found',
    detail: 'The order has no ticket of this id.',
  },
  IDEMPOTENCY_KEY_REUSED: {
    status: 422,
    title: 'Idempotency key reused',
    detail: 'This Idempotency-Key was used for another request. Use a new key for a new purchase.',
  },
  EVENT_EXISTS: { status: 409, title: 'Event exists', detail: 'There is an event of this id already.' },
  EVENT_CHANGED: {
    status: 412,
    title: 'Event changed',
    detail: 'Somebody else has changed the event meanwhile. Read it again, then repeat your change.',
  },
  WRONG_STATUS: { status: 409, title: 'Wrong status', detail: 'The event cannot go there from its status.' },
  CAPACITY_IN_USE: {
    status: 409,
    title: 'Capacity in use',
    detail: 'Not that many tickets are free: a capacity can shrink down to what is held or sold.',
  },
  ACCESS_CODE_REQUIRED: {
    status: 403,
    title: 'Access code required',
    detail: 'These tickets are sold with an access code only, and none or a wrong one was sent.',
  },
  BUYER_REQUIRED: {
    status: 401,
    title: 'Buyer required',
    detail: 'This event has limits per buyer: start a session (POST /api/v1/sessions) or send a token.',
  },
  NOT_ON_SALE: { status: 409, title: 'Not on sale', detail: 'These tickets are not on sale now.' },
  HOLD_EXPIRED: {
    status: 409,
    title: 'Hold expired',
    detail: 'The hold ran out and its tickets are back on sale. Hold tickets again.',
  },
  HOLD_RELEASED: {
    status: 409,
    title: 'Hold released',
    detail: 'The hold was given back. Hold tickets again.',
  },
  HOLD_CONFIRMED: { status: 409, title: 'Hold confirmed', detail: 'The hold has become an order already.' },
  HOLD_NOT_DUE: { status: 409, title: 'Hold not due', detail: 'The hold still has time.' },
  HOLD_AT_CAP: {
    status: 409,
    title: 'Hold at its end',
    detail: 'The hold cannot be extended any further. Confirm it before it expires.',
  },
  PAYMENT_REQUIRED: {
    status: 402,
    title: 'Payment required',
    detail: 'These tickets have a price, and no payment was made.',
  },
  TICKET_VOID: { status: 409, title: 'Ticket void', detail: 'The ticket was returned already.' },
  REFUND_TOO_MUCH: {
    status: 409,
    title: 'Refund too large',
    detail: 'No more can be paid back than the order cost.',
  },
  LIMIT_REACHED: { status: 409, title: 'Limit reached', detail: 'No more tickets for this buyer.' },
  BELOW_MINIMUM: {
    status: 409,
    title: 'Too few tickets',
    detail: 'This ticket type is sold in larger numbers only.',
  },
  SEAT_TAKEN: { status: 409, title: 'Seat taken', detail: 'A chosen seat is not available.' },
  NO_SEATS_TOGETHER: {
    status: 409,
    title: 'No seats together',
    detail: 'Enough seats are free, but not side by side.',
  },
  TICKET_TAKEN: { status: 409, title: 'Ticket taken', detail: 'A chosen ticket is not available.' },
  SOLD_OUT: { status: 409, title: 'Sold out', detail: 'Not that many tickets are left.' },
  ALL_HELD: {
    status: 409,
    title: 'All held',
    detail: 'Others hold the last tickets; some may come back. Try again later, with a new Idempotency-Key.',
  },
};

/** The status that a "no" of this code has. */
export function statusOf(code: ProblemCode): number {
  return KINDS[code].status;
}

/** Its name, for people. */
export function titleOf(code: ProblemCode): string {
  return KINDS[code].title;
}

/** What is said of it where nothing more is known. */
export function detailOf(code: ProblemCode): string {
  return KINDS[code].detail;
}

export interface ProblemExtras {
  /** Replaces the standard sentence. */
  readonly detail?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  /** Where the input is wrong: `{"body.quantity": "must be from 1 to 10"}`. */
  readonly fields?: Readonly<Record<string, string>> | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Further members, such as `seatsRemaining`. */
  readonly members?: Readonly<Record<string, unknown>> | undefined;
}

/** A bad request is told of its first faults only, or 16 kB of nonsense would be answered with a megabyte. */
const MAX_FIELDS = 10;

/** The answer to bad input: each fault with the path to it; of several at one place the first. */
export function invalidInput(
  faults: readonly (readonly [path: string, message: string])[],
  requestId: string,
): JsonAnswer {
  const fields: Record<string, string> = {};
  for (const [path, message] of faults.slice(0, MAX_FIELDS)) fields[path] ??= message;
  const told = Object.entries(fields).map(([path, message]) => `${path} ${message}`);
  return problem('VALIDATION_FAILED', requestId, { fields, detail: `${told.join('; ')}.` });
}

/** The answer to a "no". */
export function problem(code: ProblemCode, requestId: string, extras: ProblemExtras = {}): JsonAnswer {
  const { status, title, detail } = KINDS[code];
  const { retryAfterMs, fields, headers, members } = extras;
  return {
    kind: 'json',
    status,
    contentType: 'application/problem+json',
    body: {
      error: code,
      title,
      status,
      detail: extras.detail ?? detail,
      requestId,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      ...(fields === undefined ? {} : { fields }),
      ...members,
    },
    headers: {
      ...(retryAfterMs === undefined ? {} : { 'Retry-After': String(Math.ceil(retryAfterMs / 1_000)) }),
      ...headers,
    },
    result: status >= 500 ? 'fault' : 'refused',
    fields: { error: code },
  };
}
