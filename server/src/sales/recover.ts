// What is left to do after a fault: takes whose outcome nobody was told are resolved by the ledger.
import type { Ticket } from '@floodgate/core/ids.ts';
import type { Rooms } from './rooms.ts';

/** Asks the ledger about every orphan. One that the ledger cannot answer for stays; the first fault is thrown. */
export async function resolveOrphans(rooms: Rooms): Promise<number> {
  let resolved = 0;
  for (const orphan of rooms.orphans.all()) {
    const { eventId, tickets, by } = orphan;
    const claims = await rooms.ledger.claimsOf(eventId, tickets);
    const ours = claims.filter((claim) => claim.by === by);
    for (const as of ['held', 'sold'] as const) {
      await rooms.inventory.settle(eventId, ours.filter((claim) => claim.as === as).map(ticketOf), as);
    }
    if (ours.length === 0) await rooms.inventory.giveBack(eventId, tickets);
    rooms.orphans.remove(orphan);
    resolved++;
  }
  return resolved;
}

const ticketOf = (claim: { readonly ticket: Ticket }): Ticket => claim.ticket;
