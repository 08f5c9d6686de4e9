// What SQLite is sent of a table: its texts, and its rows one by one.
//
// 64-bit ids are bound as decimal text and read back by CAST: SQLite's integer affinity converts both ways exactly, and
// the threads never pay for BigInt.
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { valuesOf } from '../row-values.ts';
import { type AnyRow, type Column, changingColumns, type Table, ticketsText } from '../tables.ts';

/** What `get` and `all` return. */
export type Row = AnyRow;

/** A select list of these columns, under their own names. `from` stands before each: `h.`. */
export function selected<Row>(columns: readonly Column<Row>[], from = ''): string {
  return columns.map(({ name, type }) => (type === 'id' ? idColumn(from + name) : from + name)).join(', ');
}

/** Under its own name, without that of its table. */
export function idColumn(column: string): string {
  return `CAST(${column} AS TEXT) AS ${column.split('.').at(-1)}`;
}

/** A statement that writes. `run` reports the last row id, which for an order or hold is beyond a double. */
export function writing(db: DatabaseSync, sql: string): StatementSync {
  const statement = db.prepare(sql);
  statement.setReadBigInts(true);
  return statement;
}

/** Writes one row of an event's. */
export type Write<Row> = (eventNo: number, row: Row) => void;

export function insertInto<Row>(db: DatabaseSync, table: Table<Row>): Write<Row> {
  const { name, id, columns } = table;
  const isFirst = (column: Column<Row>) => column.name === id;
  const others = columns.filter((column) => !isFirst(column));
  const first = columns.filter(isFirst);
  const names = [...first.map((column) => column.name), 'event_no', ...others.map((column) => column.name)];
  const marks = names.map(() => '?').join(', ');
  const statement = writing(db, `INSERT INTO ${name} (${names.join(', ')}) VALUES (${marks})`);
  return runWith(statement, [...first, undefined, ...others]);
}

/** Changes what may change of a row that is there. */
export function change<Row>(db: DatabaseSync, table: Table<Row>): Write<Row> {
  const { name, id, columns } = table;
  const changing = changingColumns(table);
  const sets = changing.map((column) => `${column.name} = ?`).join(', ');
  const keys = columns.filter((column) => column.name === id);
  const key = id ?? 'event_no';
  const statement = writing(db, `UPDATE ${name} SET ${sets} WHERE ${key} = ?`);
  return runWith(statement, [...changing, ...(id ? keys : [undefined])]);
}

/** Runs the statement with the columns' values; undefined stands for the event's number. */
function runWith<Row>(statement: StatementSync, columns: readonly (Column<Row> | undefined)[]): Write<Row> {
  // One call after the other, so the number needs no row of its own.
  let current = 0;
  const values = valuesOf(columns.map((column) => (column ? bindOf(column) : () => current)));
  return (eventNo, row) => {
    current = eventNo;
    statement.run(...values(row));
  };
}

/** What is bound of a column. */
function bindOf<Row>(column: Column<Row>): (row: Row) => SQLInputValue {
  switch (column.type) {
    case 'tickets': {
      const { of } = column;
      return (row) => {
        const tickets = of(row);
        return tickets && ticketsText(tickets);
      };
    }
    case 'json': {
      const { of } = column;
      return (row) => {
        const value = of(row);
        return value && JSON.stringify(value);
      };
    }
    default:
      return column.of;
  }
}
