// The events this process sells, with the layout of their tickets: read from the ledger once, kept in memory.
import { type EventDefinition, TicketLayout } from '@floodgate/core/event.ts';
import type { EventId } from '@floodgate/core/ids.ts';

export interface CatalogueEntry {
  readonly event: EventDefinition;
  readonly layout: TicketLayout;
}

export class Catalogue {
  readonly #entries = new Map<string, CatalogueEntry>();

  /** An event by any text a client sent. */
  find(eventId: string): CatalogueEntry | undefined {
    return this.#entries.get(eventId);
  }

  /** An event the ledger has named. Throws when it is not here: then this process has not been told of it. */
  get(eventId: EventId): CatalogueEntry {
    const entry = this.#entries.get(eventId);
    if (!entry) throw new Error(`event ${eventId} is in the ledger but not in the catalogue`);
    return entry;
  }

  add(event: EventDefinition): CatalogueEntry {
    const entry = { event, layout: new TicketLayout(event.ticketTypes) };
    this.#entries.set(event.eventId, entry);
    return entry;
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
