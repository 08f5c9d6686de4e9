// What this process knows of the events: their numbers and capacities, which never change. Other processes make
// events too, so an id that is not known is looked up.
import type { EventId } from '@floodgate/core/ids.ts';
import type { SqlConnection } from './sql-server.ts';
import type { KnownEvent } from './working-set.ts';

/** The most ids of one look-up. */
const LOOK_UP = 500;

export class Catalogue {
  readonly #known = new Map<EventId, KnownEvent>();

  get known(): ReadonlyMap<EventId, KnownEvent> {
    return this.#known;
  }

  remember(eventId: EventId, event: KnownEvent): void {
    this.#known.set(eventId, event);
  }

  /** The ids that are not known yet. */
  unknown(eventIds: Iterable<EventId>): EventId[] {
    const unknown = new Set<EventId>();
    for (const eventId of eventIds) if (!this.#known.has(eventId)) unknown.add(eventId);
    return [...unknown];
  }

  /** Asks the database for these ids; true when it knew one. */
  async lookUp(connection: SqlConnection, eventIds: readonly EventId[]): Promise<boolean> {
    let found = false;
    for (let i = 0; i < eventIds.length; i += LOOK_UP) {
      const page = eventIds.slice(i, i + LOOK_UP);
      const marks = page.map(() => '?').join();
      const rows = await connection.query(
        `SELECT event_no, event_id, capacity FROM events WHERE event_id IN (${marks})`,
        page,
      );
      for (const { event_no: no, event_id: id, capacity } of rows) {
        this.remember(id as EventId, { eventNo: Number(no), capacity: Number(capacity) });
        found = true;
      }
    }
    return found;
  }
}
