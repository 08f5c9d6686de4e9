// The default event for doors that name no event in their path (rows B1 to B3).
import type { Refusal } from '@floodgate/core/refusal.ts';
import { defaultEvent } from '../catalogue/default-event.ts';
import { type EventView, readEvent } from '../organizing/create-event.ts';
import type { Shop } from '../shop.ts';

/** Its id; undefined when there is no default event. */
export function defaultEventId(shop: Shop): string | undefined {
  return defaultEvent(shop)?.eventId;
}

/** The default event as the public sees it. Refusals: EVENT_NOT_FOUND. */
export async function readDefaultEvent(shop: Shop): Promise<EventView | Refusal> {
  const eventId = defaultEventId(shop);
  return eventId === undefined
    ? { refusal: 'EVENT_NOT_FOUND' }
    : readEvent(shop, eventId, { isStaff: false });
}
