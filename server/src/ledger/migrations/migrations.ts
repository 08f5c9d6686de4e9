// Every migration, in order. A number once released is never changed, only followed by the next.

import { LEDGER } from '../../drivers/sql/migrate.ts';
import type { Migration, RoomSchema } from '../../drivers/sql/migration.ts';
import { ledgerTables } from './0001-ledger.ts';
import { headCounts } from './0002-head-counts.ts';
import { staffAndBuyers } from './0003-staff-and-buyers.ts';
import { cheapKeys } from './0004-cheap-keys.ts';
import { pricedOrders } from './0005-priced-orders.ts';
import { latestColumns, newColumns } from './new-columns.ts';

const BY_HAND: readonly Migration[] = [ledgerTables, headCounts, staffAndBuyers, cheapKeys, pricedOrders];

/** New columns come first, so that what is written by hand can fill them. */
export const MIGRATIONS: readonly Migration[] = Array.from(
  { length: Math.max(BY_HAND.length, latestColumns()) },
  (_, index) => {
    const [version, byHand] = [index + 1, BY_HAND[index]];
    return {
      version,
      name: byHand?.name ?? 'new columns',
      statements: (sql) => [...newColumns(sql, version), ...(byHand?.statements(sql) ?? [])],
      ...(byHand?.fill && { fill: byHand.fill }),
    };
  },
);

/** The schema this program writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;

export const LEDGER_SCHEMA: RoomSchema = { room: LEDGER, migrations: MIGRATIONS };
