// Refusals: the expected "no"s of the shop, as one closed list in order of precedence.
// When several hold at once, the first of this list is answered (see `firstRefusal`), so that a client
// sees the same code whatever the timing. A fault (the world failed) is an exception instead.

import type { SeatName } from './seating/layout.ts';

export const REFUSALS = [
  'EVENT_NOT_FOUND',
  'MANIFEST_NOT_FOUND',
  'TICKET_TYPE_NOT_FOUND',
  'SECTION_NOT_FOUND',
  'SEAT_NOT_FOUND',
  'ALLOCATION_NOT_FOUND',
  'KEY_NOT_FOUND',
  'HOLD_NOT_FOUND',
  'ORDER_NOT_FOUND',
  'TICKET_NOT_FOUND',
  'IDEMPOTENCY_KEY_REUSED',
  'EVENT_EXISTS',
  'EVENT_CHANGED',
  'WRONG_STATUS',
  'CAPACITY_IN_USE',
  'NOT_ON_SALE',
  'ACCESS_CODE_REQUIRED',
  'BUYER_REQUIRED',
  'HOLD_EXPIRED',
  'HOLD_RELEASED',
  'HOLD_CONFIRMED',
  'HOLD_NOT_DUE',
  'HOLD_AT_CAP',
  'PAYMENT_REQUIRED',
  'TICKET_VOID',
  'REFUND_TOO_MUCH',
  'BELOW_MINIMUM',
  'LIMIT_REACHED',
  'SEAT_TAKEN',
  'TICKET_TAKEN',
  'SOLD_OUT',
  'ALL_HELD',
  'NO_SEATS_TOGETHER',
] as const;

/** One stable upper-case code per expected "no". */
export type RefusalCode = (typeof REFUSALS)[number];

const PRECEDENCE = new Map<RefusalCode, number>(REFUSALS.map((code, index) => [code, index]));

/** The refusal that is answered when several apply; undefined for none. */
export function firstRefusal(codes: readonly RefusalCode[]): RefusalCode | undefined {
  let first: RefusalCode | undefined;
  for (const code of codes) {
    if (first === undefined || PRECEDENCE.get(code)! < PRECEDENCE.get(first)!) first = code;
  }
  return first;
}

/** A use case's "no": the code, and what a client can do something with. */
export interface Refusal {
  readonly refusal: RefusalCode;
  /** Tickets left, where the answer says so. */
  readonly remaining?: number | undefined;
  /** With SEAT_TAKEN and SEAT_NOT_FOUND: which. */
  readonly seats?: readonly SeatName[] | undefined;
  /** With ALL_HELD: when the next hold may lapse. */
  readonly nextExpiryAtMs?: number | undefined;
  /** With NOT_ON_SALE: when the sale begins, if it is to begin. */
  readonly onSaleAtMs?: number | undefined;
  /** With BELOW_MINIMUM and LIMIT_REACHED: how many tickets an order must or may have, if that is why. */
  readonly perOrder?: number | undefined;
}
