// A use case's "no": the code, and what a client can do something with.
import type { SeatName } from '@floodgate/core/layout.ts';
import type { RefusalCode } from '@floodgate/core/refusal.ts';

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
