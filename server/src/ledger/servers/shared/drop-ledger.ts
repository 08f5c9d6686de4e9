// Deletes a ledger from its database server with the tables of all other rooms, and nothing else that lives there.
import { countUsers, inUse } from '../../../drivers/sql/migrate.ts';
import { CannotReachDatabase, type SqlConnection } from '../../../drivers/sql/sql.ts';
import type { SqlServer } from './sql-server.ts';

/** Every table a migration makes. The versions come last: a deletion that was cut off half-way can be repeated. */
const TABLES = [
  ...['journal', 'orders', 'holds', 'claims', 'kept_keys', 'event_heads', 'events', 'manifests'],
  // Of a migration that was cut off.
  ...['idempotency_keys', 'old_idempotency_keys'],
  ...['node_leases', 'schema_versions'],
];

/** Drops all tables of Floodgate. Throws CannotReachDatabase, also when a shop uses the ledger. */
export async function dropLedger(server: SqlServer): Promise<void> {
  const connection = await server.connect();
  try {
    const users = await usersOf(connection);
    if (users > 0) throw new CannotReachDatabase(inUse(server.description, users));
    await server.dropRooms();
    await connection.query(`DROP TABLE IF EXISTS ${TABLES.join(', ')}`);
  } catch (error) {
    if (error instanceof CannotReachDatabase) throw error;
    throw new CannotReachDatabase(`cannot delete ${server.description}: ${(error as Error).message}`);
  } finally {
    await connection.close();
  }
}

async function usersOf(connection: SqlConnection): Promise<number> {
  try {
    return await countUsers({
      nowMs: () => connection.nowMs(),
      ask: (sql, parameters) => connection.query(sql, parameters),
    });
  } catch (error) {
    // Without the table there is no ledger, and nobody who uses it.
    if (connection.isOpen) return 0;
    throw error;
  }
}
