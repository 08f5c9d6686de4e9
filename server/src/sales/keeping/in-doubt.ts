// What is left to do after a fault: tickets in doubt are looked up in the ledger, which knows.
import type { Ticket } from '@floodgate/core/ids.ts';
import type { Shop } from '../shop.ts';
import { tellClaims } from '../ticket-states.ts';
import type { Doubt } from './doubts.ts';

/**
 * Asks the ledger about every doubt, and tells the inventory how the tickets are claimed. One that the ledger cannot
 * answer for stays, and the fault is thrown. Returns how many were resolved.
 */
export async function resolveDoubts(shop: Shop): Promise<number> {
  const doubts = shop.doubts.all();
  for (const doubt of doubts) {
    const tickets = 'tickets' in doubt ? doubt.tickets : await ticketsOf(shop, doubt);
    tellClaims(shop.inventory, doubt.eventId, tickets, await shop.ledger.claimsOf(doubt.eventId, tickets));
    shop.doubts.remove(doubt);
  }
  return doubts.length;
}

async function ticketsOf(shop: Shop, doubt: Extract<Doubt, { holdId: unknown }>): Promise<readonly Ticket[]> {
  return (await shop.ledger.hold(doubt.holdId))?.tickets ?? [];
}
