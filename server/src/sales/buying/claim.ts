// What buying and holding have in common: what they demand, and what a buyer is told of tickets that are not to be had.
import type { EventId } from '@floodgate/core/ids.ts';
import type { Refusal } from '@floodgate/core/refusal.ts';
import type { BuyerLimits } from '../../ledger/ledger.ts';
import type { Demand } from '../conduct.ts';
import type { Shop } from '../shop.ts';

export interface ClaimDemand extends Demand {
  readonly limits: BuyerLimits | undefined;
}

/** To the public a draft is not there yet. */
export const NO_EVENT: Refusal = Object.freeze({ refusal: 'EVENT_NOT_FOUND' });

/** What a buyer can make of a refusal by the inventory: of ALL_HELD, when the next hold may lapse. */
export async function withNextExpiry(
  { nextExpiries }: Pick<Shop, 'nextExpiries'>,
  refusal: Refusal,
  eventId: EventId,
): Promise<Refusal> {
  if (refusal.refusal !== 'ALL_HELD') return refusal;
  return { ...refusal, nextExpiryAtMs: await nextExpiries.of(eventId) };
}

/** Tickets of the event that nobody has claimed. */
export async function countRemaining(
  { inventory }: Pick<Shop, 'inventory'>,
  eventId: EventId,
): Promise<number> {
  const counts = await inventory.counts(eventId);
  return counts?.reduce((sum, type) => sum + type.available, 0) ?? 0;
}
