// What is left to do after a fault: tickets in doubt are looked up in the ledger, which knows.
import type { EventId, Ticket } from '@floodgate/core/ids.ts';
import type { Doubt } from './doubts.ts';
import type { Rooms } from './rooms.ts';

/**
 * Asks the ledger about every doubt, and tells the inventory how the tickets are claimed. One that the ledger cannot
 * answer for stays, and the fault is thrown. Returns how many were resolved.
 */
export async function resolveDoubts(rooms: Rooms): Promise<number> {
  const doubts = rooms.doubts.all();
  for (const doubt of doubts) {
    const tickets = 'tickets' in doubt ? doubt.tickets : await ticketsOf(rooms, doubt);
    await tellClaims(rooms, doubt.eventId, tickets);
    rooms.doubts.remove(doubt);
  }
  return doubts.length;
}

async function ticketsOf(
  rooms: Rooms,
  doubt: Extract<Doubt, { holdId: unknown }>,
): Promise<readonly Ticket[]> {
  return (await rooms.ledger.hold(doubt.holdId))?.tickets ?? [];
}

async function tellClaims(rooms: Rooms, eventId: EventId, tickets: readonly Ticket[]): Promise<void> {
  const claims = new Map(
    (await rooms.ledger.claimsOf(eventId, tickets)).map((claim) => [claim.ticket, claim.as]),
  );
  const held = tickets.filter((ticket) => claims.get(ticket) === 'held');
  if (held.length > 0) rooms.inventory.settle(eventId, held, 'held');
  // What staff set aside is as gone as what is sold.
  const gone = tickets.filter((ticket) => claims.has(ticket) && claims.get(ticket) !== 'held');
  if (gone.length > 0) rooms.inventory.settle(eventId, gone, 'sold');
  const free = tickets.filter((ticket) => !claims.has(ticket));
  if (free.length > 0) rooms.inventory.giveBack(eventId, free);
}
