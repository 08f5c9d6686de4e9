// Tickets of which this process does not know what the ledger has decided, because a commit ended without saying
// whether it happened: a take may be an order, a hold may have ended. They stay as the inventory has them, sold to
// nobody, until the ledger can be asked (recover.ts, rule S9).
import type { EventId, HoldId, Ticket } from '@floodgate/core/ids.ts';
import {
  type Confirm,
  type Expire,
  type Extend,
  type Ledger,
  LedgerUnavailable,
  type OutcomeOf,
  type Release,
} from '../../ledger/ledger.ts';

/** The tickets of a take, or those of a hold. */
export type Doubt = { readonly eventId: EventId } & (
  | { readonly tickets: readonly Ticket[] }
  | { readonly holdId: HoldId }
);

export class Doubts {
  readonly #waiting = new Set<Doubt>();

  get size(): number {
    return this.#waiting.size;
  }

  add(doubt: Doubt): void {
    this.#waiting.add(doubt);
  }

  all(): Doubt[] {
    return [...this.#waiting];
  }

  remove(doubt: Doubt): void {
    this.#waiting.delete(doubt);
  }
}

/** Posts what happens to a hold. When the outcome is not known, the hold's tickets are in doubt. */
export async function postToHold<E extends Confirm | Extend | Release | Expire>(
  shop: { readonly ledger: Ledger; readonly doubts: Doubts },
  entry: E,
): Promise<OutcomeOf<E>> {
  try {
    return await shop.ledger.post(entry);
  } catch (fault) {
    if (!(fault instanceof LedgerUnavailable))
      shop.doubts.add({ eventId: entry.eventId, holdId: entry.holdId });
    throw fault;
  }
}
