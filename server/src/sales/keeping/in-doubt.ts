// What is left to do after a fault: tickets in doubt are looked up in the ledger, which knows.
import type { EventId, Ticket } from '@floodgate/core/ids.ts';
import type { Shop } from '../shop.ts';
import type { Doubt } from './doubts.ts';

/**
 * Asks the ledger about every doubt, and tells the inventory how the tickets are claimed. One that the ledger cannot
 * answer for stays, and the fault is thrown. Returns how many were resolved.
 */
export async function resolveDoubts(shop: Shop): Promise<number> {
  const doubts = shop.doubts.all();
  for (const doubt of doubts) {
    const tickets = 'tickets' in doubt ? doubt.tickets : await ticketsOf(shop, doubt);
    await tellClaims(shop, doubt.eventId, tickets);
    shop.doubts.remove(doubt);
  }
  return doubts.length;
}

async function ticketsOf(shop: Shop, doubt: Extract<Doubt, { holdId: unknown }>): Promise<readonly Ticket[]> {
  return (await shop.ledger.hold(doubt.holdId))?.tickets ?? [];
}

async function tellClaims(shop: Shop, eventId: EventId, tickets: readonly Ticket[]): Promise<void> {
  const claims = new Map(
    (await shop.ledger.claimsOf(eventId, tickets)).map((claim) => [claim.ticket, claim.as]),
  );
  const held = tickets.filter((ticket) => claims.get(ticket) === 'held');
  if (held.length > 0) shop.inventory.settle(eventId, held, 'held');
  // What staff set aside is as gone as what is sold.
  const gone = tickets.filter((ticket) => claims.has(ticket) && claims.get(ticket) !== 'held');
  if (gone.length > 0) shop.inventory.settle(eventId, gone, 'sold');
  const free = tickets.filter((ticket) => !claims.has(ticket));
  if (free.length > 0) shop.inventory.giveBack(eventId, free);
}
