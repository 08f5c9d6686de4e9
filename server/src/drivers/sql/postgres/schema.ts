// What PostgreSQL calls things, and how its schema is changed.
import { migrate, type SchemaStore } from '../migrate.ts';
import type { RoomSchema, SchemaDialect } from '../migration.ts';
import { CannotReachDatabase, type SqlConnection } from '../sql.ts';

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
  // RENAME knows no IF EXISTS for columns.
  renameColumn: (table, from, to) => [
    `DO $$ BEGIN
       IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = '${table}'::regclass AND attname = '${from}') THEN
         ALTER TABLE ${table} RENAME COLUMN ${from} TO ${to};
       END IF;
     END $$`,
  ],
  renameTable: (from, to) => [`ALTER TABLE IF EXISTS ${from} RENAME TO ${to}`],
  insertIfNew: (into, rows) => `INSERT INTO ${into} VALUES ${rows} ON CONFLICT DO NOTHING`,
  addIndex: (index, table, columns) => [`CREATE INDEX IF NOT EXISTS ${index} ON ${table} (${columns})`],
};

/** Any number; all Floodgates that migrate one database must have the same. */
const MIGRATION_LOCK = 7_107_141_200_190_717;

export function schemaOf(connection: SqlConnection, description: string): SchemaStore {
  return {
    dialect: POSTGRES,
    description,
    nowMs: () => connection.nowMs(),
    ask: (sql, parameters) => connection.query(sql, parameters),
    // Asks the table of tables itself: name look-ups are cached, and may miss what another migrator has just made.
    tables: async () => {
      const sql = `SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND pg_table_is_visible(oid)
        AND relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)`;
      return (await connection.query(sql)).map(({ relname }) => relname!);
    },
    alone: async (act) => {
      await connection.query('BEGIN');
      await connection.query('SET LOCAL lock_timeout = 0');
      await connection.query('SET LOCAL statement_timeout = 0');
      await connection.query(`SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`);
      await act();
      await connection.query('COMMIT');
    },
  };
}

/** To be given a connection that is closed afterwards, which ends what failed. */
export async function migrateRoom(
  connection: SqlConnection,
  description: string,
  schema: RoomSchema,
): Promise<void> {
  const [encoding] = await connection.query('SHOW server_encoding');
  if (encoding?.server_encoding !== 'UTF8') {
    throw new CannotReachDatabase(
      `cannot use ${description}: its encoding is ${encoding?.server_encoding}, in which not every name can be ` +
        `written: create the database with ENCODING 'UTF8'`,
    );
  }
  await migrate(schemaOf(connection, description), schema);
}
