// An event's head says how many of its tickets are held and sold, so that an inventory can be compared with the
// ledger every few seconds without counting a claim. On servers the first migration made the heads so.
import type { Migration } from '../../drivers/sql/migration.ts';

export const headCounts: Migration = {
  version: 2,
  name: 'head counts',
  statements: (sql) =>
    sql.rowsLie === 'by event'
      ? []
      : [
          `ALTER TABLE event_heads ADD COLUMN held ${sql.bigint} NOT NULL DEFAULT 0`,
          `ALTER TABLE event_heads ADD COLUMN sold ${sql.bigint} NOT NULL DEFAULT 0`,
          `UPDATE event_heads SET
             held = (SELECT count(*) FROM claims c WHERE c.event_no = event_heads.event_no AND c.sold = 0),
             sold = (SELECT count(*) FROM claims c WHERE c.event_no = event_heads.event_no AND c.sold = 1)`,
        ],
};
