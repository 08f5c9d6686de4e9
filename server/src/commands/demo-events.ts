// The demo events of a fresh ledger (row A1): `1`, `2`, `3` …, free general admission, on sale at once.
import type { EventDefinition } from '@floodgate/core/event/event.ts';
import type { EventId, TicketTypeId } from '@floodgate/core/ids.ts';
import { createEvent } from '../sales/organizing/create-event.ts';
import type { Shop } from '../sales/shop.ts';

const NAMES = ['Night of the Tides', 'Harbour Lights', 'The Long Echo', 'Winter Overture', 'Paper Moons'];
const VENUES = ['Floodgate Hall', 'Pier Nine', 'The Old Waterworks'];
const DAY_MS = 86_400_000;

/** Demo event number `number` (from 1) with that many tickets; `nowMs` decides its date. */
export function demoEvent(number: number, tickets: number, nowMs: number): EventDefinition {
  const startsAtMs = Math.ceil(nowMs / DAY_MS) * DAY_MS + (29 + number) * DAY_MS + 19 * 3_600_000;
  const name = NAMES[(number - 1) % NAMES.length]!;
  const edition = Math.ceil(number / NAMES.length);
  return {
    eventId: String(number) as EventId,
    name: edition === 1 ? name : `${name} ${edition}`,
    venue: { name: VENUES[(number - 1) % VENUES.length]! },
    startsAt: new Date(startsAtMs).toISOString(),
    timeZone: 'Etc/UTC',
    status: 'open',
    ticketTypes: [
      {
        ticketTypeId: 'ga' as TicketTypeId,
        name: 'General Admission',
        price: 0,
        currency: 'EUR',
        capacity: tickets,
      },
    ],
  };
}

/** Makes demo events 1 … `events` that are not there yet. Returns the ids of those made. */
export async function seedEvents(shop: Shop, events: number, tickets: number): Promise<string[]> {
  const made: string[] = [];
  const pages: number[][] = [];
  // In groups, so that a thousand events share a few commits.
  for (let first = 1; first <= events; first += 500) {
    pages.push(Array.from({ length: Math.min(500, events - first + 1) }, (_, i) => first + i));
  }
  for (const page of pages) {
    await Promise.all(
      page.map(async (number) => {
        const outcome = await createEvent(shop, demoEvent(number, tickets, shop.ledger.nowMs()));
        if (!('refusal' in outcome)) made.push(outcome.event.eventId);
      }),
    );
  }
  return made.sort((a, b) => Number(a) - Number(b));
}
