// Takes whose ledger commit ended without saying whether it happened. Their tickets stay pending, sold to nobody,
// until the ledger can be asked; `resolveOrphans` then settles them or gives them back (rule S9).
import type { EventId, HoldId, OrderId, Ticket } from '@floodgate/core/ids.ts';
import type { Rooms } from './rooms.ts';

export interface Orphan {
  readonly eventId: EventId;
  readonly tickets: readonly Ticket[];
  /** The hold or order that the tickets are claimed by, if the commit happened. */
  readonly by: HoldId | OrderId;
}

export class Orphans {
  readonly #waiting = new Set<Orphan>();

  get size(): number {
    return this.#waiting.size;
  }

  add(orphan: Orphan): void {
    this.#waiting.add(orphan);
  }

  all(): Orphan[] {
    return [...this.#waiting];
  }

  remove(orphan: Orphan): void {
    this.#waiting.delete(orphan);
  }
}

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
