// The events this process sells, with the layout of their tickets: read from the ledger, kept in memory. Other
// processes may make events too; `discover.ts` adds them.
import { type EventDefinition, TicketLayout } from '@floodgate/core/event.ts';

export interface CatalogueEntry {
  readonly event: EventDefinition;
  readonly layout: TicketLayout;
}

export class Catalogue {
  readonly #entries = new Map<string, CatalogueEntry>();
  /** How many of the ledger's events, in its order, are known here. Events made here may be known beyond them. */
  learned = 0;
  /** The last look into the ledger for events, and when it began on the monotonic clock. */
  lastLook: { readonly startMs: number; readonly done: Promise<number> } | undefined;

  /** An event by any text a client sent. */
  find(eventId: string): CatalogueEntry | undefined {
    return this.#entries.get(eventId);
  }

  add(event: EventDefinition): void {
    this.#entries.set(event.eventId, { event, layout: new TicketLayout(event.ticketTypes) });
  }

  /** The ledger's events after its first `skip`, each known here by now, come into the ledger's order. */
  learn(skip: number, events: readonly EventDefinition[]): void {
    for (const { eventId } of events) {
      const entry = this.#entries.get(eventId)!;
      this.#entries.delete(eventId);
      this.#entries.set(eventId, entry);
    }
    this.learned = Math.max(this.learned, skip + events.length);
  }

  /** In the order they were made. */
  all(): CatalogueEntry[] {
    return [...this.#entries.values()];
  }

  /** The named one, else the first; undefined when there is none. */
  defaultEvent(named: string | undefined): CatalogueEntry | undefined {
    return named === undefined ? this.#entries.values().next().value : this.#entries.get(named);
  }
}
