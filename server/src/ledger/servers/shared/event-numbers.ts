// What this process knows of the events: their numbers, which never change, and their capacities, as of a version.
// Other processes make and change events too, so what is not known is looked up.
import type { StreamId } from '@floodgate/core/ids.ts';
import type { SqlConnection } from '../../../drivers/sql/sql.ts';
import type { BatchWrite, KnownHead } from './sql-server.ts';
import type { KnownEvent } from './working-set.ts';

/** The most ids of one look-up. */
const LOOK_UP = 500;

export class Catalogue {
  readonly #known = new Map<StreamId, KnownEvent>();

  get known(): ReadonlyMap<StreamId, KnownEvent> {
    return this.#known;
  }

  remember(eventId: StreamId, event: KnownEvent): void {
    this.#known.set(eventId, event);
  }

  /** What a batch made or changed. */
  rememberWritten({ newEvents, changedEvents, heads }: BatchWrite): void {
    const versions = new Map(heads.map(({ eventNo, version }) => [eventNo, version]));
    for (const { eventNo, event, capacity } of [...newEvents, ...changedEvents]) {
      this.remember(event.eventId, { eventNo, capacity, version: versions.get(eventNo)! });
    }
  }

  /** The ids of events that stand at another version than the known one, of those whose heads these are. */
  changed(eventIds: Iterable<StreamId>, heads: readonly KnownHead[]): StreamId[] {
    const versions = new Map(heads.map(({ eventNo, version }) => [eventNo, version]));
    const changed = new Set<StreamId>();
    for (const eventId of eventIds) {
      const known = this.#known.get(eventId);
      if (known && versions.get(known.eventNo) !== known.version) changed.add(eventId);
    }
    return [...changed];
  }

  /** The ids that are not known yet. */
  unknown(eventIds: Iterable<StreamId>): StreamId[] {
    const unknown = new Set<StreamId>();
    for (const eventId of eventIds) if (!this.#known.has(eventId)) unknown.add(eventId);
    return [...unknown];
  }

  /** Asks the database for these ids; true when it knew one. */
  async lookUp(connection: SqlConnection, eventIds: readonly StreamId[]): Promise<boolean> {
    let found = false;
    for (let i = 0; i < eventIds.length; i += LOOK_UP) {
      const page = eventIds.slice(i, i + LOOK_UP);
      const marks = page.map(() => '?').join();
      const rows = await connection.query(
        `SELECT e.event_no, e.event_id, e.capacity, h.version FROM events e
         JOIN event_heads h ON h.event_no = e.event_no WHERE e.event_id IN (${marks})`,
        page,
      );
      for (const { event_no: no, event_id: id, capacity, version } of rows) {
        const event = { eventNo: Number(no), capacity: Number(capacity), version: Number(version) };
        this.remember(id as StreamId, event);
        found = true;
      }
    }
    return found;
  }
}
