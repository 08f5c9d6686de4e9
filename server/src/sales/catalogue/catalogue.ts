// The events this process sells, with the layout of their tickets: read from the ledger and kept in memory. Other
// processes make and change events too, so the catalogue learns: when somebody asks for an event that is not known here,
// when the ledger refuses what was checked against an old version, and from a worker every second. Nobody else does.

import { invariant } from '@floodgate/core/assert.ts';
import type { EventDefinition } from '@floodgate/core/event/event.ts';
import type { EventId, Ticket } from '@floodgate/core/ids.ts';
import { TicketLayout } from '@floodgate/core/seating/layout.ts';
import type { Inventory, InventorySnapshot } from '../../inventory/inventory.ts';
import type { EventRecord, Ledger } from '../../ledger/ledger.ts';
import { ticketStates } from '../ticket-states.ts';
import { type AsideByType, asideOf } from './counts.ts';
import { SeatPlans } from './seat-plans.ts';

/** Requests for events that nobody has made cost at most ten small queries a second, however many there are. */
const LOOK_AT_MOST_EVERY_MS = 100;

/** What this process knows of an event. Immutable: a change makes another entry. */
export interface CatalogueEntry extends EventRecord {
  readonly eventId: EventId;
  readonly event: EventDefinition;
  readonly version: number;
  readonly layout: TicketLayout;
  /** What staff took out of sale. */
  readonly aside: AsideByType;
}

interface Look {
  /** On the monotonic clock. */
  readonly startMs: number;
  readonly done: Promise<number>;
}

export class Catalogue {
  readonly plans: SeatPlans;
  readonly #ledger: Ledger;
  readonly #inventory: Inventory;
  readonly #entries = new Map<string, CatalogueEntry>();
  /** Up to where the ledger's events, in its order, are known here. Events made here may be known beyond them. */
  #learned = 0;
  /** The last look into the ledger for events that a client named and nobody here knew. */
  #lastLook: Look | undefined;
  /** Events whose newest version is being read from the ledger. */
  readonly #looks = new Map<EventId, Promise<void>>();
  /** When, in ledger time, an event was last looked up for those who accept a version of some age. */
  readonly #lookedAtMs = new Map<EventId, number>();

  constructor(ledger: Ledger, inventory: Inventory) {
    this.#ledger = ledger;
    this.#inventory = inventory;
    this.plans = new SeatPlans(ledger);
  }

  // What is known ------------------------------------------------------------------------------------------

  /** What this process knows of the event, without a look into the ledger. */
  known(eventId: string): CatalogueEntry | undefined {
    return this.#entries.get(eventId);
  }

  /** In the order they were made. */
  all(): CatalogueEntry[] {
    return [...this.#entries.values()];
  }

  /** The first that the public may see; undefined when there is none. */
  firstShown(): CatalogueEntry | undefined {
    for (const entry of this.#entries.values()) if (entry.event.status !== 'draft') return entry;
    return undefined;
  }

  // The four verbs -----------------------------------------------------------------------------------------

  /**
   * An event by any text a client sent, also when another process made it a moment ago. A known one is there without a
   * wait: it may be some seconds old, and what is sold by it is checked by the ledger.
   */
  find(eventId: string): CatalogueEntry | Promise<CatalogueEntry | undefined> {
    return this.#entries.get(eventId) ?? this.#lookFor(eventId);
  }

  /**
   * The event as the ledger has it now: what staff ask for is never decided by what was true a second ago. With
   * `maxAgeMs`, as it was at most so long ago: then the ledger is asked once in that time, however many want to know.
   * Throws when the ledger cannot be read.
   */
  async current(eventId: string, maxAgeMs = 0): Promise<CatalogueEntry | undefined> {
    const entry = await this.find(eventId);
    if (!entry) return undefined;
    await (maxAgeMs > 0 ? this.#lookUnlessRecent(entry.eventId, maxAgeMs) : this.#lookAnew(entry.eventId));
    return this.#entries.get(eventId);
  }

  /**
   * A newer version than this one, which the ledger is known to have; the same when it was mistaken. However many ask at
   * once, the ledger is asked once. Throws when the ledger cannot be read.
   */
  async newerThan({
    eventId,
    version,
  }: Pick<CatalogueEntry, 'eventId' | 'version'>): Promise<CatalogueEntry> {
    // A look that is under way may have begun before the change; the one after it sees all that is answered by now.
    for (let looks = 0; looks < 2; looks++) {
      const known = this.#entries.get(eventId);
      if (known && known.version > version) return known;
      await this.#look(eventId);
    }
    const known = this.#entries.get(eventId);
    invariant(known !== undefined, `event ${eventId} is in the ledger`);
    return known;
  }

  /** An event that the ledger has named, with all of these tickets, which another process may have added to it. */
  withTickets(eventId: EventId, tickets: readonly Ticket[]): CatalogueEntry | Promise<CatalogueEntry> {
    const known = this.#entries.get(eventId);
    return known && hasAll(known, tickets) ? known : this.#learnWith(eventId, tickets);
  }

  // Learning -----------------------------------------------------------------------------------------------

  /** A version of an event with what follows from it. */
  async entryOf({ event, version }: EventRecord): Promise<CatalogueEntry> {
    const layout = new TicketLayout(event, await this.plans.of(event));
    return { eventId: event.eventId, event, version, layout, aside: asideOf(event) };
  }

  /**
   * Puts an event on sale here, or a newer version of a known one: in the inventory first, because the catalogue never
   * names a ticket that the inventory has not heard of. Returns what is known then.
   */
  async put(entry: CatalogueEntry): Promise<CatalogueEntry> {
    const { eventId } = entry;
    if (!this.#entries.has(eventId)) await this.#inventory.open(entry, () => this.#snapshotOf(entry));
    // Also after opening: a store that others use too may have the event as it was before it grew.
    await this.#inventory.grow(entry);
    const known = this.#entries.get(eventId);
    if (known && known.version >= entry.version) return known;
    this.#entries.set(eventId, entry);
    return entry;
  }

  /** Puts the events on sale that the ledger has and this process does not know. Returns how many. */
  async learnEvents(): Promise<number> {
    const from = this.#learned;
    const { events, next } = await this.#ledger.events(from);
    const unknown = events.filter(({ event }) => !this.#entries.has(event.eventId));
    await Promise.all(unknown.map((record) => this.#learn(record)));
    if (from === this.#learned) {
      this.#order(events);
      this.#learned = next;
    }
    return unknown.length;
  }

  /** Learns what other processes have changed of the events known here. Returns how many events changed. */
  async learnChanges(): Promise<number> {
    const changed = (await this.#ledger.heads()).filter(({ eventId, version }) => {
      const known = this.#entries.get(eventId);
      return known !== undefined && known.version < version;
    });
    await Promise.all(
      changed.map(({ eventId, version }) => this.newerThan({ eventId, version: version - 1 })),
    );
    return changed.length;
  }

  async #learn(record: EventRecord): Promise<void> {
    await this.put(await this.entryOf(record));
  }

  /** Events come into the ledger's order. */
  #order(records: readonly EventRecord[]): void {
    for (const { event } of records) {
      const entry = this.#entries.get(event.eventId);
      if (!entry) continue;
      this.#entries.delete(event.eventId);
      this.#entries.set(event.eventId, entry);
    }
  }

  async #lookFor(eventId: string): Promise<CatalogueEntry | undefined> {
    const startMs = performance.now();
    if (!this.#lastLook || startMs - this.#lastLook.startMs >= LOOK_AT_MOST_EVERY_MS) {
      this.#lastLook = { startMs, done: this.learnEvents() };
    }
    await this.#lastLook.done;
    return this.#entries.get(eventId);
  }

  #look(eventId: EventId): Promise<void> {
    const underWay = this.#looks.get(eventId);
    if (underWay) return underWay;
    const look = (async () => {
      const record = await this.#ledger.event(eventId);
      const known = this.#entries.get(eventId);
      if (record && (!known || known.version < record.version)) await this.#learn(record);
    })().finally(() => this.#looks.delete(eventId));
    this.#looks.set(eventId, look);
    return look;
  }

  async #lookAnew(eventId: EventId): Promise<void> {
    await this.#looks.get(eventId);
    await this.#look(eventId);
  }

  async #lookUnlessRecent(eventId: EventId, maxAgeMs: number): Promise<void> {
    const nowMs = this.#ledger.nowMs();
    const isDue = nowMs - (this.#lookedAtMs.get(eventId) ?? -Infinity) >= maxAgeMs;
    if (isDue) this.#lookedAtMs.set(eventId, nowMs);
    await (isDue ? this.#look(eventId) : this.#looks.get(eventId));
  }

  async #learnWith(eventId: EventId, tickets: readonly Ticket[]): Promise<CatalogueEntry> {
    const entry = await this.find(eventId);
    invariant(entry !== undefined, `event ${eventId} is in the ledger`);
    return hasAll(entry, tickets) ? entry : this.newerThan(entry);
  }

  /**
   * The claims of an event as inventories see them. Tickets of a longer layout, which is not known here yet, are left out:
   * the ledger refuses them when they are proposed.
   */
  async #snapshotOf(entry: CatalogueEntry): Promise<InventorySnapshot> {
    const { seq, held, sold } = ticketStates(await this.#ledger.claims(entry.eventId));
    const { capacity } = (this.#entries.get(entry.eventId) ?? entry).layout;
    const known = (tickets: Uint32Array) => tickets.filter((ticket) => ticket < capacity);
    return { seq, held: known(held), sold: known(sold) };
  }
}

function hasAll({ layout }: CatalogueEntry, tickets: readonly Ticket[]): boolean {
  return tickets.every((ticket) => ticket < layout.capacity);
}
