// The events this process sells, with the layout of their tickets: read from the ledger, kept in memory. Other
// processes may make events too; `discover.ts` adds them.
import type { EventDefinition } from '@floodgate/core/event/event.ts';
import type { EventId } from '@floodgate/core/ids.ts';
import type { TicketLayout } from '@floodgate/core/seating/layout.ts';
import type { SeatPlan } from '@floodgate/core/seating/seat-plan.ts';
import type { EventRecord } from '../../ledger/ledger.ts';
import type { AsideByType } from './counts.ts';

/** What this process knows of an event. Immutable: a change makes another entry. */
export interface CatalogueEntry extends EventRecord {
  readonly eventId: EventId;
  readonly event: EventDefinition;
  readonly version: number;
  readonly layout: TicketLayout;
  /** What staff took out of sale. */
  readonly aside: AsideByType;
}

export class Catalogue {
  readonly #entries = new Map<string, CatalogueEntry>();
  /** How many of the ledger's events, in its order, are known here. Events made here may be known beyond them. */
  learned = 0;
  /** The last look into the ledger for events, and when it began on the monotonic clock. */
  lastLook: { readonly startMs: number; readonly done: Promise<number> } | undefined;
  /** Events whose newest version is being read from the ledger. */
  readonly looks = new Map<EventId, Promise<void>>();
  /** When, in ledger time, an event that does not sell was last looked up again. */
  readonly secondLooks = new Map<EventId, number>();
  /** By seat map and what is sold of it. */
  readonly plans = new Map<string, Promise<SeatPlan>>();

  /** An event by any text a client sent. */
  find(eventId: string): CatalogueEntry | undefined {
    return this.#entries.get(eventId);
  }

  /** A new event, or a newer version of a known one; what is older than the known one changes nothing. */
  put(entry: CatalogueEntry): void {
    const known = this.#entries.get(entry.eventId);
    if (!known || known.version < entry.version) this.#entries.set(entry.eventId, entry);
  }

  /** The ledger's events after its first `skip` come into the ledger's order. Those that are not sold are not known. */
  learn(skip: number, eventIds: readonly EventId[]): void {
    for (const eventId of eventIds) {
      const entry = this.#entries.get(eventId);
      if (!entry) continue;
      this.#entries.delete(eventId);
      this.#entries.set(eventId, entry);
    }
    this.learned = Math.max(this.learned, skip + eventIds.length);
  }

  /** In the order they were made. */
  all(): CatalogueEntry[] {
    return [...this.#entries.values()];
  }

  /** The named one, else the first that the public may see; undefined when there is none. */
  defaultEvent(named: string | undefined): CatalogueEntry | undefined {
    if (named !== undefined) return this.#entries.get(named);
    for (const entry of this.#entries.values()) if (entry.event.status !== 'draft') return entry;
    return undefined;
  }
}
