// How a ledger file is brought to today's schema: its number is in the file's head.
import type { DatabaseSync } from 'node:sqlite';
import { migrationsFrom, SchemaTooOld } from '../../drivers/sql/migrate.ts';
import type { FilledRows, Migration } from '../../drivers/sql/migration.ts';
import { SQLITE } from '../../drivers/sql/sqlite/dialect.ts';
import { LEDGER_SCHEMA, SCHEMA_VERSION } from '../migrations/migrations.ts';

/** Brings the file to today's schema, each migration in a transaction. Throws SchemaTooNew. */
export function migrate(db: DatabaseSync): void {
  for (const migration of migrationsFrom(LEDGER_SCHEMA, schemaVersion(db))) {
    db.exec('BEGIN IMMEDIATE');
    try {
      for (const statement of migration.statements(SQLITE)) db.exec(statement);
      fill(db, migration);
      // A pragma takes no parameters; the version is our own integer.
      db.exec(`PRAGMA user_version = ${migration.version}`);
      db.exec('COMMIT');
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    }
  }
}

/** Throws SchemaTooNew and SchemaTooOld. Changes nothing. */
export function assertToday(db: DatabaseSync): void {
  const version = schemaVersion(db);
  if (migrationsFrom(LEDGER_SCHEMA, version).length > 0) throw new SchemaTooOld(version, SCHEMA_VERSION);
}

function fill(db: DatabaseSync, migration: Migration): void {
  const filling = migration.fill?.(SQLITE);
  for (let step = filling?.next(); filling && step && !step.done; ) {
    step = filling.next(db.prepare(step.value.sql).all(...step.value.params) as unknown as FilledRows);
  }
}

function schemaVersion(db: DatabaseSync): number {
  const row = db.prepare('PRAGMA user_version').get();
  return Number(row?.user_version ?? 0);
}
