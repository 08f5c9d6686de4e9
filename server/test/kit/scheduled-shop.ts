// A shop of which a scheduler of fast-check decides when it does what: when the inventory answers, when a batch commits or
// fails, and when those who wait are woken.
import assert from 'node:assert/strict';
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

/** A whole run has some hundred choices, and so turns. */
const MAX_TURNS = 10_000;
/** A timer that nobody lives to see: who is not woken waits in vain. */
const DAY_MS = 86_400_000;

/** One event of that many tickets; `failing` says of each commit whether it fails. */
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

    async nextChange(eventId: EventId) {
      await withinTurns(this.#inner.nextChange(eventId, DAY_MS));
      await soon('wake');
    }
  }
  return s.waitFor(MemoryShop.open(capacity, { Inventory: ScheduledInventory, Ledger: ScheduledLedger }));
}

/** Counts turns of the event loop, which a busy machine makes no longer, until the wait ends. */
async function withinTurns(wait: Promise<void>): Promise<void> {
  let isOver = false;
  const end = () => {
    isOver = true;
  };
  wait.then(end, end);
  for (let turns = 0; !isOver; turns++) {
    assert.ok(turns < MAX_TURNS, 'somebody waited for a timer: nobody woke him');
    await turn();
  }
  await wait;
}
