// What is left to do after a fault: takes whose outcome nobody was told are resolved by the ledger.
import type { Ticket } from '@floodgate/core/ids.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Orphan } from './orphans.ts';
import type { Rooms } from './rooms.ts';

/**
 * Asks the ledger about every orphan, and settles its tickets or gives them back. One that the ledger cannot answer
 * for stays, and the fault is thrown. One whose tickets have moved on since (its buyer came again with the same key,
 * and released) is told and dropped, so that it never stands in the way of the others.
 */
export async function resolveOrphans(rooms: Rooms): Promise<number> {
  const orphans = rooms.orphans.all();
  for (const orphan of orphans) {
    const claims = await rooms.ledger.claimsOf(orphan.eventId, orphan.tickets);
    rooms.orphans.remove(orphan);
    try {
      await resolve(rooms, orphan, claims);
    } catch (error) {
      rooms.telemetry.fault('a take of unknown outcome had moved on', error, { eventId: orphan.eventId });
    }
  }
  return orphans.length;
}

async function resolve(rooms: Rooms, orphan: Orphan, claims: Awaited<ReturnType<Ledger['claimsOf']>>) {
  const { eventId, tickets, by } = orphan;
  const ours = claims.filter((claim) => claim.by === by);
  for (const as of ['held', 'sold'] as const) {
    await rooms.inventory.settle(eventId, ours.filter((claim) => claim.as === as).map(ticketOf), as);
  }
  if (ours.length === 0) await rooms.inventory.giveBack(eventId, tickets);
}

const ticketOf = (claim: { readonly ticket: Ticket }): Ticket => claim.ticket;
