// Every migration, in order. A number once released is never changed, only followed by the next.

import type { Migration } from '../../drivers/sql/migration.ts';
import { ledgerTables } from './0001-ledger.ts';
import { headCounts } from './0002-head-counts.ts';
import { staffAndBuyers } from './0003-staff-and-buyers.ts';
import { latestColumns, newColumns } from './new-columns.ts';

const BY_HAND: readonly Migration[] = [ledgerTables, headCounts, staffAndBuyers];

/** New columns come first, so that what is written by hand can fill them. */
export const MIGRATIONS: readonly Migration[] = Array.from(
  { length: Math.max(BY_HAND.length, latestColumns()) },
  (_, index) => {
    const [version, byHand] = [index + 1, BY_HAND[index]];
    return {
      version,
      name: byHand?.name ?? 'new columns',
      statements: (sql) => [...newColumns(sql, version), ...(byHand?.statements(sql) ?? [])],
    };
  },
);

/** The schema this program writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/** The migrations that take a ledger from `version` to today. Throws SchemaTooNew for a ledger of a later program. */
export function migrationsFrom(version: number): readonly Migration[] {
  if (version > SCHEMA_VERSION) throw new SchemaTooNew(version);
  return MIGRATIONS.slice(version);
}

/** The ledger was written by a newer Floodgate: reading it with this one could misread what was sold. */
export class SchemaTooNew extends Error {
  override readonly name = 'SchemaTooNew';
  constructor(version: number) {
    super(
      `the ledger has schema ${version}, this Floodgate knows up to ${SCHEMA_VERSION}: ` +
        'start the newer version, or restore a ledger of this one',
    );
  }
}
