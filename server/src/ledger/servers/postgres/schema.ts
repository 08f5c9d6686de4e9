// What PostgreSQL calls things, and how a database is brought to today's schema.
import type { SchemaDialect } from '../../../drivers/sql/migration.ts';
import { CannotReachDatabase, type SqlConnection } from '../../../drivers/sql/sql.ts';
import { migrationsFrom, SCHEMA_VERSION } from '../../migrations/migrations.ts';

const POSTGRES: SchemaDialect = {
  rowsLie: 'by event',
  bigint: 'bigint',
  text: 'text',
  // Compared byte by byte: faster than by a language's rules, and the same on every machine.
  shortText: 'text COLLATE "C"',
  clustered: '',
  appended: '',
  appendKey: 'bigint',
  // With room on its page a row that changes keeps its place in the index.
  rewritten: 'WITH (fillfactor = 20)',
  indexes: 'apart',
  addColumn: (table, column, definition) => [
    `ALTER TABLE ${table} ADD COLUMN IF NOT EXISTS ${column} ${definition}`,
  ],
  addIndex: (index, table, columns) => [`CREATE INDEX IF NOT EXISTS ${index} ON ${table} (${columns})`],
};

/** Any number; all Floodgates that migrate one database must have the same. */
const MIGRATION_LOCK = 7_107_141_200_190_717;

/**
 * One transaction under a lock of the database, so that migrators that race go one after the other. Throws
 * SchemaTooNew, CannotReachDatabase or the server's error.
 */
export async function migrate(connection: SqlConnection, description: string): Promise<void> {
  const [encoding] = await connection.query('SHOW server_encoding');
  if (encoding?.server_encoding !== 'UTF8') {
    throw new CannotReachDatabase(
      `cannot use ${description}: its encoding is ${encoding?.server_encoding}, in which not every buyer has a name: ` +
        `create the database with ENCODING 'UTF8'`,
    );
  }
  if ((await schemaVersion(connection)) === SCHEMA_VERSION) return;
  await connection.query('BEGIN');
  await connection.query(`SET LOCAL lock_timeout = 0`);
  await connection.query(`SET LOCAL statement_timeout = 0`);
  await connection.query(`SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`);
  // Without rights to create, a database that somebody prepared can still be used.
  const version = await schemaVersion(connection);
  for (const migration of migrationsFrom(version)) {
    if (migration.version === 1) {
      await connection.query('CREATE TABLE schema_versions (version bigint PRIMARY KEY, name text NOT NULL)');
    }
    for (const statement of migration.statements(POSTGRES)) await connection.query(statement);
    await connection.query('INSERT INTO schema_versions (version, name) VALUES (?, ?)', [
      migration.version,
      migration.name,
    ]);
  }
  await connection.query('COMMIT');
}

/** Throws SchemaTooNew. */
async function schemaVersion(connection: SqlConnection): Promise<number> {
  // Asks the table of tables itself: name look-ups are cached, and may miss what another migrator has just made.
  const present = await connection.query(
    `SELECT oid FROM pg_class WHERE relname = 'schema_versions' AND pg_table_is_visible(oid)`,
  );
  if (present.length === 0) return 0;
  const [row] = await connection.query('SELECT max(version) AS version FROM schema_versions');
  const version = Number(row?.version ?? 0);
  migrationsFrom(version);
  return version;
}
