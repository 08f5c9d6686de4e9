// What SQLite calls things.
import type { SchemaDialect } from '../migration.ts';

export const SQLITE: SchemaDialect = {
  rowsLie: 'by time',
  bigint: 'INTEGER',
  text: 'TEXT',
  shortText: 'TEXT',
  clustered: 'STRICT, WITHOUT ROWID',
  appended: 'STRICT',
  appendKey: 'INTEGER',
  rewritten: 'STRICT',
  indexes: 'apart',
  addColumn: (table, column, definition) => [`ALTER TABLE ${table} ADD COLUMN ${column} ${definition}`],
  renameColumn: (table, from, to) => [`ALTER TABLE ${table} RENAME COLUMN ${from} TO ${to}`],
  renameTable: (from, to) => [`ALTER TABLE ${from} RENAME TO ${to}`],
  insertIfNew: (into, rows) => `INSERT INTO ${into} VALUES ${rows} ON CONFLICT DO NOTHING`,
  addIndex: (index, table, columns) => [`CREATE INDEX ${index} ON ${table} (${columns})`],
};
