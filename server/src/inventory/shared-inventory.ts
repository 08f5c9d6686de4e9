// An inventory in a store that several processes use at once, as failover-inventory.ts needs it: it can be away, and
// it can have forgotten something.
import type { EventId } from '@floodgate/core/ids.ts';
import type { Inventory, InventoryEvent, InventorySnapshot } from './inventory.ts';

export interface SharedInventory extends Inventory {
  /** Whether calls have a chance now. */
  readonly isConnected: boolean;
  /** Loads the event from the ledger, under a lock that only one process has at a time. */
  reload(event: InventoryEvent, read: () => Promise<InventorySnapshot>): Promise<void>;
  /** The listener hears of every loss from now on. */
  onLost(listener: LossListener): void;
}

/**
 * A settle or give-back of the event may not have had its effect, or, when no event is named, the connection is gone and
 * with it whatever was under way. Nobody waits for an answer to such a message, so nobody else would be told.
 */
export type LossListener = (fault: Error, eventId?: EventId) => void;

/** The store cannot be reached, is too slow, or refuses to write. What was asked may have happened. */
export class InventoryUnavailable extends Error {
  override readonly name = 'InventoryUnavailable';
}

/** The store answers, but it is not the one that was loaded: it came back empty, or went back in time. */
export class StaleInventory extends Error {
  override readonly name = 'StaleInventory';
}
