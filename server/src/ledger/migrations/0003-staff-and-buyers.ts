// What staff and limits need: an event's head says which change it stands at and how many of its tickets are out of
// sale, manifests have a table, and what a buyer has is found by an index.
//
// `claims.sold` says how a ticket is claimed: 0 held, 1 sold, 2 aside. `claimed_by` is then an allocation.
import { type Migration, type SchemaDialect, tableOnServer } from '../../drivers/sql/migration.ts';

export const staffAndBuyers: Migration = {
  version: 3,
  name: 'staff and buyers',
  statements: (sql) => [
    ...sql.addColumn('event_heads', 'version', `${sql.bigint} NOT NULL DEFAULT 1`),
    ...sql.addColumn('event_heads', 'aside', `${sql.bigint} NOT NULL DEFAULT 0`),
    ...(sql.rowsLie === 'by time' ? byTime(sql) : byEvent(sql)),
  ],
};

/**
 * Ended holds leave the indexes of active ones, so these stay within a few pages however much was sold: three of them
 * cost a hold no more than the one over all holds did.
 */
function byTime(sql: SchemaDialect): string[] {
  return [
    `CREATE TABLE manifests (manifest_id ${sql.shortText} NOT NULL PRIMARY KEY, content ${sql.text} NOT NULL) ${sql.appended}`,
    'CREATE INDEX orders_by_buyer ON orders (buyer, event_no) WHERE buyer IS NOT NULL',
    'DROP INDEX holds_by_deadline',
    `CREATE INDEX holds_by_deadline ON holds (expires_at_ms) WHERE status = 'active'`,
    `CREATE INDEX holds_by_event ON holds (event_no, expires_at_ms) WHERE status = 'active'`,
    `CREATE INDEX holds_by_buyer ON holds (buyer, event_no) WHERE status = 'active' AND buyer IS NOT NULL`,
  ];
}

function byEvent(sql: SchemaDialect): string[] {
  const columns = [`manifest_id ${sql.shortText} NOT NULL PRIMARY KEY`, `content ${sql.text} NOT NULL`];
  return [
    ...tableOnServer(sql, 'manifests', columns, sql.clustered),
    ...sql.addIndex('orders_by_buyer', 'orders', 'buyer, event_no, order_id'),
    ...sql.addIndex('holds_by_buyer', 'holds', 'buyer, event_no, status'),
    ...sql.addIndex('holds_by_event', 'holds', 'event_no, status, expires_at_ms'),
  ];
}
