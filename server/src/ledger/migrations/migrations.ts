// Every migration, in order. A number once released is never changed, only followed by the next.

import { LEDGER } from '../../drivers/sql/migrate.ts';
import type { Migration, RoomSchema } from '../../drivers/sql/migration.ts';
import { ledgerTables } from './0001-ledger.ts';
import { headCounts } from './0002-head-counts.ts';
import { staffAndBuyers } from './0003-staff-and-buyers.ts';

export const MIGRATIONS: readonly Migration[] = [ledgerTables, headCounts, staffAndBuyers];

/** The schema this program writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;

export const LEDGER_SCHEMA: RoomSchema = { room: LEDGER, migrations: MIGRATIONS };
