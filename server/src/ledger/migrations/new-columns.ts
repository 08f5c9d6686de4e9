// Columns that tables got after they were first made, from the tables' own descriptions: a new field needs no
// migration of its own. What the rows of before have in it is null, or the column's default.

import type { SchemaDialect } from '../../drivers/sql/migration.ts';
import { type Column, type ColumnType, TABLES } from '../tables.ts';

const TYPE: Readonly<Record<ColumnType, 'bigint' | 'shortText' | 'text'>> = {
  integer: 'bigint',
  id: 'bigint',
  word: 'shortText',
  text: 'shortText',
  tickets: 'text',
  json: 'text',
};

export type SomeColumn = Pick<Column<never>, 'type' | 'isNull' | 'default'>;

/** Of a table that has rows. */
export function definitionOf(sql: SchemaDialect, { type, isNull, default: byDefault }: SomeColumn): string {
  const value = byDefault === undefined ? '' : ` DEFAULT ${byDefault}`;
  return `${sql[TYPE[type]]}${isNull ? '' : ' NOT NULL'}${value}`;
}

/** The latest schema that brought a column. */
export function latestColumns(): number {
  return Math.max(0, ...TABLES.flatMap(({ columns }) => columns.map(({ since }) => since ?? 0)));
}

export function newColumns(sql: SchemaDialect, version: number): string[] {
  return TABLES.flatMap(({ name, columns }) =>
    columns
      .filter(({ since }) => since === version)
      .flatMap((column) => sql.addColumn(name, column.name, definitionOf(sql, column))),
  );
}
