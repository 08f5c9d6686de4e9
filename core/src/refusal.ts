// Refusals: the expected "no"s of the shop, as one closed list in order of precedence.
// When several hold at once, the first of this list is answered (see `firstRefusal`), so that a client
// sees the same code whatever the timing. A fault (the world failed) is an exception instead.

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
  'IDEMPOTENCY_KEY_REUSED',
  'EVENT_EXISTS',
  'EVENT_CHANGED',
  'WRONG_STATUS',
  'CAPACITY_IN_USE',
  'PRICE_IN_USE',
  'NOT_ON_SALE',
  'ACCESS_CODE_REQUIRED',
  'BUYER_REQUIRED',
  'HOLD_EXPIRED',
  'HOLD_RELEASED',
  'HOLD_CONFIRMED',
  'HOLD_NOT_DUE',
  'HOLD_AT_CAP',
  'PAYMENT_REQUIRED',
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

/** Ends a `switch` over a closed union: does not compile when a case is missing, throws if one slips through. */
export function unreachable(value: never): never {
  throw new Error(`broken invariant: unexpected ${JSON.stringify(value)}`);
}

/** A broken invariant is our bug, never a refusal: it is asserted in production too. */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`broken invariant: ${message}`);
}
