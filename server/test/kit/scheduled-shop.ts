// A shop of which a scheduler of fast-check decides when it does what: when the inventory answers, when a batch commits or
// fails, and when those who wait are woken.
import { setImmediate as turn } from 'node:timers/promises';
import type { EventId, Ticket } from '@floodgate/core/ids.ts';
import fc, { type Scheduler } from 'fast-check';
import type {
  Inventory,
  InventoryEvent,
  InventorySnapshot,
  Repair,
  Want,
} from '../../src/inventory/inventory.ts';
import { MemoryInventory } from '../../src/inventory/memory/memory-inventory.ts';
import type { TestClock } from '../../src/ledger/contract/test-entries.ts';
import { LedgerUnavailable } from '../../src/ledger/ledger.ts';
import { FaultyLedger, MemoryShop, type Parts } from './memory-shop.ts';

/** A whole turn after every choice: group commit and the inventory's waking begin at the end of a turn. */
export const SCHEDULER = fc.scheduler({ act: (run) => run().then(() => turn()) });

/** One event of so many tickets; `failing` says of each commit whether it fails. */
export async function openScheduledShop(
  s: Scheduler,
  capacity: number,
  failing: boolean[],
  parts: Partial<Parts>,
): Promise<MemoryShop> {
  const { Inventory: Inner, Ledger: Base } = { Inventory: MemoryInventory, Ledger: FaultyLedger, ...parts };
  const soon = (label: string) => s.schedule(Promise.resolve(), label);
  class ScheduledLedger extends Base {
    constructor(clock: TestClock) {
      super(clock, async () => {
        await soon('commit');
        if (failing.shift()) throw new LedgerUnavailable('the disk is full');
      });
    }
  }
  class ScheduledInventory implements Inventory {
    readonly #inner = new Inner();

    open(event: InventoryEvent, read: () => Promise<InventorySnapshot>) {
      return this.#inner.open(event, read);
    }

    load(event: InventoryEvent, snapshot: InventorySnapshot) {
      return this.#inner.load(event, snapshot);
    }

    grow(event: InventoryEvent) {
      return this.#inner.grow(event);
    }

    async take(eventId: EventId, wants: readonly Want[]) {
      await soon('take');
      return this.#inner.take(eventId, wants);
    }

    settle(eventId: EventId, tickets: readonly Ticket[], as: 'held' | 'sold') {
      return this.#inner.settle(eventId, tickets, as);
    }

    giveBack(eventId: EventId, tickets: readonly Ticket[]) {
      return this.#inner.giveBack(eventId, tickets);
    }

    counts(eventId: EventId) {
      return this.#inner.counts(eventId);
    }

    states(eventId: EventId) {
      return this.#inner.states(eventId);
    }

    repair(eventId: EventId, repairs: readonly Repair[]) {
      return this.#inner.repair(eventId, repairs);
    }

    catchUp(eventId: EventId) {
      return this.#inner.catchUp(eventId);
    }

    close() {
      return this.#inner.close();
    }

    async nextChange(eventId: EventId, maxWaitMs: number) {
      await this.#inner.nextChange(eventId, maxWaitMs);
      await soon('wake');
    }
  }
  return s.waitFor(MemoryShop.open(capacity, { Inventory: ScheduledInventory, Ledger: ScheduledLedger }));
}
