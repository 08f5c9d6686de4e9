// How the ledger's claims read in an inventory, which knows of a ticket only that it is held or gone: what staff set
// aside counts as sold. Said here and nowhere else.
import type { EventId, Ticket } from '@floodgate/core/ids.ts';
import type { Inventory, InventorySnapshot } from '../inventory/inventory.ts';
import type { ClaimKind, ClaimSnapshot } from '../ledger/ledger.ts';

/** By how a ticket is claimed: what it is in the inventory. */
export const STATE_OF = {
  held: 'held',
  sold: 'sold',
  aside: 'sold',
} as const satisfies Record<ClaimKind, 'held' | 'sold'>;

/** All claims of an event. */
export function ticketStates({ seq, held, sold, aside }: ClaimSnapshot): InventorySnapshot {
  if (aside.length === 0) return { seq, held, sold };
  const gone = new Uint32Array(sold.length + aside.length);
  gone.set(sold);
  gone.set(aside, sold.length);
  return { seq, held, sold: gone };
}

/** Tells the inventory how these tickets are claimed. Those without a claim are free. */
export function tellClaims(
  inventory: Pick<Inventory, 'settle' | 'giveBack'>,
  eventId: EventId,
  tickets: readonly Ticket[],
  claims: readonly { readonly ticket: Ticket; readonly as: ClaimKind }[],
): void {
  const stateOf = new Map(claims.map(({ ticket, as }) => [ticket, STATE_OF[as]]));
  const of = (state: 'held' | 'sold' | undefined) =>
    tickets.filter((ticket) => stateOf.get(ticket) === state);
  const [held, sold, free] = [of('held'), of('sold'), of(undefined)];
  if (held.length > 0) inventory.settle(eventId, held, 'held');
  if (sold.length > 0) inventory.settle(eventId, sold, 'sold');
  if (free.length > 0) inventory.giveBack(eventId, free);
}
