// Tickets in doubt: this process does not know what the ledger has decided, because a commit ended without saying whether
// it happened. A take may be an order, a hold may have ended. They stay as the inventory has them, sold to nobody, until
// the ledger can be asked, which knows (rule S9).
import type { EventId, HoldId, Ticket } from '@floodgate/core/ids.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { tellClaims } from '../ticket-states.ts';

/** The tickets of a take, or those of a hold. */
export type Doubt = { readonly eventId: EventId } & (
  | { readonly tickets: readonly Ticket[] }
  | { readonly holdId: HoldId }
);

export class InDoubt {
  readonly #ledger: Pick<Ledger, 'claimsOf' | 'hold'>;
  readonly #inventory: Pick<Inventory, 'settle' | 'giveBack'>;
  readonly #waiting = new Set<Doubt>();

  constructor(ledger: Pick<Ledger, 'claimsOf' | 'hold'>, inventory: Pick<Inventory, 'settle' | 'giveBack'>) {
    this.#ledger = ledger;
    this.#inventory = inventory;
  }

  get size(): number {
    return this.#waiting.size;
  }

  add(doubt: Doubt): void {
    this.#waiting.add(doubt);
  }

  /**
   * Asks the ledger about every doubt, and tells the inventory how the tickets are claimed. One that the ledger cannot
   * answer for stays, and the fault is thrown. Returns how many were resolved.
   */
  async resolve(): Promise<number> {
    const doubts = [...this.#waiting];
    for (const doubt of doubts) {
      const { eventId } = doubt;
      const tickets = 'tickets' in doubt ? doubt.tickets : await this.#ticketsOf(doubt.holdId);
      tellClaims(this.#inventory, eventId, tickets, await this.#ledger.claimsOf(eventId, tickets));
      this.#waiting.delete(doubt);
    }
    return doubts.length;
  }

  async #ticketsOf(holdId: HoldId): Promise<readonly Ticket[]> {
    return (await this.#ledger.hold(holdId))?.tickets ?? [];
  }
}

/** As `InDoubt.resolve`, for the worker. */
export function resolveDoubts({ inDoubt }: { readonly inDoubt: InDoubt }): Promise<number> {
  return inDoubt.resolve();
}
