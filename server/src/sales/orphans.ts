// Takes whose ledger commit ended without saying whether it happened. Their tickets stay pending, sold to nobody,
// until the ledger can be asked; `resolveOrphans` (recover.ts) then settles them or gives them back (rule S9).
import type { EventId, HoldId, OrderId, Ticket } from '@floodgate/core/ids.ts';

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
