// Deletes a ledger from its database server, and nothing else that lives there.
import type { SqlServer } from './sql-server.ts';

/** Every table a migration makes. */
const TABLES = [
  ...['journal', 'orders', 'holds', 'claims', 'idempotency_keys', 'event_heads', 'events'],
  ...['node_leases', 'schema_migrations'],
];

/** Drops the ledger's tables. Throws CannotReachDatabase. */
export async function dropLedger(server: SqlServer): Promise<void> {
  const connection = await server.connect();
  try {
    for (const table of TABLES) await connection.query(`DROP TABLE IF EXISTS ${table}`);
  } finally {
    await connection.close();
  }
}
