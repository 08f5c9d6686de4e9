// Holds and orders say what their tickets cost. Of those that were there before, it is worked out from the event: as
// long as tickets were held or sold, the price of their type could not change.
//
// `claims.sold`, which was 0 held, 1 sold or 2 aside, is called what it is.

import { invariant } from '@floodgate/core/assert.ts';
import type { EventDefinition } from '@floodgate/core/event/event.ts';
import { PriceList } from '@floodgate/core/event/price-list.ts';
import { blocksFor } from '@floodgate/core/seating/layout.ts';
import type { Filling, Migration, SchemaDialect } from '../../drivers/sql/migration.ts';
import { type AnyRow, ticketList } from '../tables.ts';

export const pricedOrders: Migration = {
  version: 5,
  name: 'priced orders',
  statements: (sql) => sql.renameColumn('claims', 'sold', 'kind'),
  fill: (sql) => (sql.rowsLie === 'by time' ? priceByTime(sql) : priceByEvent(sql)),
};

/** Tables by their ids. */
const PRICED = { holds: 'hold_id', orders: 'order_id' } as const;
type Priced = keyof typeof PRICED;
const PRICED_TABLES = Object.keys(PRICED) as readonly Priced[];

const PAGE_ROWS = 1_000;
/** Definitions may be long. */
const PAGE_EVENTS = 20;

function* priceByTime(sql: SchemaDialect): Filling {
  const lists = new Map<number, PriceList>();
  for (const table of PRICED_TABLES) {
    for (let rows = yield pageOf(sql, table, '-1'); rows.length > 0; ) {
      for (const [eventNo, ofEvent] of Map.groupBy(rows, (row) => Number(row.event_no))) {
        if (!lists.has(eventNo)) lists.set(eventNo, yield* listOf(eventNo));
        yield* priceRows(table, eventNo, lists.get(eventNo)!, ofEvent);
      }
      rows = yield pageOf(sql, table, digits(rows.at(-1)!.id));
    }
  }
}

function* priceByEvent(sql: SchemaDialect): Filling {
  const eventsAfter = (eventNo: number) => ({
    sql: `SELECT event_no, definition FROM events WHERE event_no > ? ORDER BY event_no LIMIT ${PAGE_EVENTS}`,
    params: [eventNo],
  });
  for (let events = yield eventsAfter(-1); events.length > 0; ) {
    for (const event of events) {
      const [eventNo, list] = [Number(event.event_no), priceListOf(event)];
      for (const table of PRICED_TABLES) {
        for (let rows = yield pageOf(sql, table, '-1', eventNo); rows.length > 0; ) {
          yield* priceRows(table, eventNo, list, rows);
          rows = yield pageOf(sql, table, digits(rows.at(-1)!.id), eventNo);
        }
      }
    }
    events = yield eventsAfter(Number(events.at(-1)!.event_no));
  }
}

/** Rows in the order in which they lie. Ids are of 64 bits, so they stand in the statements as digits. */
function pageOf(sql: SchemaDialect, table: Priced, afterId: string, eventNo?: number) {
  const id = PRICED[table];
  const asText = sql.rowsLie === 'by time' ? `CAST(${id} AS TEXT)` : id;
  const ofEvent = eventNo === undefined ? '' : `event_no = ${eventNo} AND `;
  return {
    sql: `SELECT event_no, ${asText} AS id, tickets FROM ${table}
      WHERE ${ofEvent}${id} > ${afterId} ORDER BY ${table}.${id} LIMIT ${PAGE_ROWS}`,
    params: [],
  };
}

/** As many rows at a time as have one price. */
function* priceRows(table: Priced, eventNo: number, list: PriceList, rows: readonly AnyRow[]): Filling {
  const alike = Map.groupBy(rows, ({ tickets }) => JSON.stringify(list.priceOf(ticketList(tickets))));
  for (const [price, some] of alike) {
    const { lines, total, currency } = JSON.parse(price) as ReturnType<PriceList['priceOf']>;
    const ids = some.map(({ id }) => digits(id)).join();
    yield {
      sql: `UPDATE ${table} SET price_lines = ?, total = ?, currency = ?
        WHERE event_no = ${eventNo} AND ${PRICED[table]} IN (${ids})`,
      params: [JSON.stringify(lines), total, currency],
    };
  }
}

function* listOf(
  eventNo: number,
): Generator<{ sql: string; params: number[] }, PriceList, readonly AnyRow[]> {
  const [event] = yield { sql: 'SELECT definition FROM events WHERE event_no = ?', params: [eventNo] };
  return priceListOf(event!);
}

function priceListOf({ definition }: AnyRow): PriceList {
  const { ticketTypes, blocks } = JSON.parse(definition as string) as EventDefinition;
  return new PriceList(ticketTypes, blocks ?? blocksFor(ticketTypes));
}

function digits(id: unknown): string {
  invariant(/^[0-9]+$/.test(`${id}`), `${id} is an id`);
  return `${id}`;
}
