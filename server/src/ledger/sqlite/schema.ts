// What SQLite calls things, and how a ledger file is brought to today's schema.
import type { DatabaseSync } from 'node:sqlite';
import type { SchemaDialect } from '../../drivers/sql/migration.ts';
import { migrationsFrom } from '../migrations/migrations.ts';

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
  addIndex: (index, table, columns) => [`CREATE INDEX ${index} ON ${table} (${columns})`],
};

/** Brings the file to today's schema, each migration in a transaction. Throws SchemaTooNew. */
export function migrate(db: DatabaseSync): void {
  for (const migration of migrationsFrom(schemaVersion(db))) {
    db.exec('BEGIN IMMEDIATE');
    try {
      for (const statement of migration.statements(SQLITE)) db.exec(statement);
      // A pragma takes no parameters; the version is our own integer.
      db.exec(`PRAGMA user_version = ${migration.version}`);
      db.exec('COMMIT');
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    }
  }
}

function schemaVersion(db: DatabaseSync): number {
  const row = db.prepare('PRAGMA user_version').get();
  return Number(row?.user_version ?? 0);
}
