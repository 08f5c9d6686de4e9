// Statements of a whole table for MySQL, made from its description: rows that are inserted, and rows that change.

import { invariant, unreachable } from '@floodgate/core/assert.ts';
import {
  id,
  integer,
  orJsonNull,
  orNull,
  textToStore,
  ticketList,
  word,
} from '../../../drivers/sql/mysql/literals.ts';
import { valuesOf } from '../../row-values.ts';
import { type Column, changingColumns, givenToChange, type OfEvent, type Table } from '../../tables.ts';
import { BY_KEY, conditional, insert } from './row-lists.ts';

type Rows<Row> = readonly OfEvent<Row>[];
/** What a row has in a column, as it stands in a statement. */
type Literal<Row> = (row: Row) => string;

const eventNo = (row: { readonly eventNo: number }) => integer(row.eventNo);

export function inserts<Row>({ name, columns }: Table<Row>): (rows: Rows<Row>) => string[] {
  const into = `${name} (${['event_no', ...columns.map((column) => column.name)].join(', ')})`;
  const literals = valuesOf<OfEvent<Row>, string>([eventNo, ...columns.map(stored)]);
  return (rows) => insert(into, rows.map((row) => inOne(literals(row)))); // biome-ignore format: short
}

/** Changes what may change, of rows that must be there. */
export function changes<Row>(table: Table<Row>): (rows: Rows<Row>) => string[] {
  const { name, id } = table;
  const alias = name[0]!;
  const given = givenToChange(table);
  const literals = valuesOf<OfEvent<Row>, string>([eventNo, ...given.map(listed)]);
  const isSame = (column: string) => `${alias}.${column} = l.${column}`;
  const key = ['event_no', ...(id ? [id] : [])].map(isSame).join(' AND ');
  const sets = changingColumns(table).map((column) => `${alias}.${column.name} = ${fromList(column)}`);
  return (rows) =>
    conditional(
      rows.map((row) => inOne(literals(row))),
      ['event_no BIGINT', ...given.map((column) => `${column.name} ${LISTED_AS[column.type]}`)],
      (list) => `UPDATE ${list} STRAIGHT_JOIN ${name} ${alias} ${BY_KEY} ON ${key} SET ${sets.join(', ')}`,
    );
}

/** With commas between them; `join` takes half as long again. */
function inOne(literals: readonly string[]): string {
  let text = literals[0]!;
  for (let i = 1; i < literals.length; i++) text += `,${literals[i]}`;
  return text;
}

/** Where a row is inserted. */
function stored<Row>(column: Column<Row>): Literal<Row> {
  switch (column.type) {
    case 'integer':
      return literal(column, integer);
    case 'id':
      return literal(column, id);
    case 'word':
      return literal(column, word);
    case 'text':
      return literal(column, textToStore);
    case 'tickets':
      return literal(column, ticketList);
    case 'json':
      return literal(column, (value) => textToStore(JSON.stringify(value)));
    default:
      return unreachable(column);
  }
}

function literal<Row, Value>(
  { of, isNull }: { readonly of: (row: Row) => Value | null; readonly isNull?: true | undefined },
  write: (value: Value) => string,
): Literal<Row> {
  return isNull ? (row) => orNull(of(row), write) : (row) => write(of(row)!);
}

/** How the columns of a list are declared. */
const LISTED_AS = {
  integer: 'BIGINT',
  id: 'BIGINT',
  word: 'BIGINT',
  tickets: 'LONGTEXT',
  text: '',
  json: '',
};

/** In the JSON of a list: numbers, and lists of them. Words stand there as their numbers, from 1 on. */
function listed<Row>(column: Column<Row>): Literal<Row> {
  switch (column.type) {
    case 'integer': {
      const of: (row: Row) => number | null = column.of;
      return (row) => orJsonNull(of(row), integer);
    }
    case 'id': {
      const of: (row: Row) => string | null = column.of;
      return (row) => orJsonNull(of(row), id);
    }
    case 'word': {
      const { name, words = [] } = column;
      const of: (row: Row) => string | null = column.of;
      const numbers = new Map(words.map((word, index) => [word, String(index + 1)]));
      return (row) => {
        const value = of(row);
        const number = value === null ? 'null' : numbers.get(value);
        invariant(number !== undefined, `${name} is ${value}`);
        return number;
      };
    }
    case 'tickets': {
      const of: (row: Row) => readonly number[] | null = column.of;
      return (row) => orJsonNull(of(row), (tickets) => `"[${tickets.map(integer).join()}]"`);
    }
    case 'text':
    case 'json':
      throw new TypeError(`${column.name} cannot change in a list: other texts have to be quoted there`);
    default:
      return unreachable(column);
  }
}

function fromList<Row>({ name, type, words = [] }: Column<Row>): string {
  return type === 'word' ? `ELT(l.${name}, '${words.join("', '")}')` : `l.${name}`;
}
