// A ledger file of today as an earlier release would have written it, for the tests of migrations.
import { DatabaseSync } from 'node:sqlite';

/** What 9ea595a wrote, but for what stood under its keys: without any. */
export function toSchema3(file: string): void {
  const db = new DatabaseSync(file);
  for (const column of ['price_lines', 'total', 'currency', 'secret'])
    db.exec(`ALTER TABLE holds DROP COLUMN ${column}`);
  for (const column of ['price_lines', 'total', 'currency', 'returned', 'refunded_amount']) {
    db.exec(`ALTER TABLE orders DROP COLUMN ${column}`);
  }
  db.exec('ALTER TABLE claims RENAME COLUMN kind TO sold');
  for (const table of ['kept_keys', 'kept_key_runs', 'kept_key_parts']) db.exec(`DROP TABLE ${table}`);
  db.exec(
    `CREATE TABLE idempotency_keys (event_no INTEGER NOT NULL, scope TEXT NOT NULL, idempotency_key TEXT NOT NULL,
       hash TEXT NOT NULL, outcome TEXT NOT NULL, PRIMARY KEY (event_no, scope, idempotency_key)) STRICT, WITHOUT ROWID`,
  );
  db.exec('PRAGMA user_version = 3');
  db.close();
}
