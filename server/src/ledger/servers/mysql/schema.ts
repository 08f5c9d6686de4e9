// What MySQL and MariaDB call things, and how a database is brought to today's schema. Their DDL commits by itself, so
// a migration that was cut off is run again; its statements pass over what is there already.
import type { SchemaDialect } from '../../../drivers/sql/migration.ts';
import type { MysqlConnection } from '../../../drivers/sql/mysql/mysql-connection.ts';
import { collationOf, type Flavour } from '../../../drivers/sql/mysql/session.ts';
import { CannotReachDatabase } from '../../../drivers/sql/sql.ts';
import { migrationsFrom, SCHEMA_VERSION } from '../../migrations/migrations.ts';

function dialectOf(flavour: Flavour): SchemaDialect {
  const table = `ENGINE = InnoDB ROW_FORMAT = DYNAMIC CHARACTER SET utf8mb4 COLLATE ${collationOf(flavour)}`;
  return {
    rowsLie: 'by event',
    bigint: 'BIGINT',
    text: 'LONGTEXT',
    shortText: 'VARCHAR(255)',
    // InnoDB's rows lie in the order of their primary keys.
    clustered: table,
    appended: table,
    appendKey: 'BIGINT',
    rewritten: table,
    indexes: 'in the table',
    addColumn: (table, column, definition) =>
      unlessThere(
        `columns WHERE table_schema = DATABASE() AND table_name = '${table}' AND column_name = '${column}'`,
        `ALTER TABLE ${table} ADD COLUMN ${column} ${definition}`,
      ),
    addIndex: (index, table, columns) =>
      unlessThere(
        `statistics WHERE table_schema = DATABASE() AND table_name = '${table}' AND index_name = '${index}'`,
        `CREATE INDEX ${index} ON ${table} (${columns})`,
      ),
  };
}

/** MySQL has no IF NOT EXISTS for columns and indexes, so the statement is chosen by what is there. */
function unlessThere(whatInSchema: string, statement: string): string[] {
  return [
    `SET @is_there = (SELECT count(*) > 0 FROM information_schema.${whatInSchema})`,
    `SET @change = IF(@is_there, 'DO 0', '${statement.replaceAll("'", "''")}')`,
    'PREPARE schema_change FROM @change',
    'EXECUTE schema_change',
    'DEALLOCATE PREPARE schema_change',
  ];
}

/** How long one question for the lock waits, and how often it is asked: ten minutes together. */
const LOCK_WAIT_S = 10;
const LOCK_ATTEMPTS = 60;

/** Migrators that race go one after the other; the lock goes with the connection that has it. */
export async function migrate(connection: MysqlConnection): Promise<void> {
  if ((await schemaVersion(connection)) === SCHEMA_VERSION) return;
  await lock(connection);
  await beOurs(connection);
  const sql = dialectOf(connection.flavour);
  await connection.query(
    `CREATE TABLE IF NOT EXISTS schema_versions (version BIGINT PRIMARY KEY, name ${sql.shortText} NOT NULL)
     ${sql.clustered}`,
  );
  for (const { version, name, statements } of migrationsFrom(await schemaVersion(connection))) {
    for (const statement of statements(sql)) await connection.query(statement);
    await connection.query('INSERT INTO schema_versions (version, name) VALUES (?, ?)', [version, name]);
  }
}

/** The lock's name is of the database: GET_LOCK knows only the whole server. */
async function lock(connection: MysqlConnection): Promise<void> {
  for (let attempt = 1; attempt <= LOCK_ATTEMPTS; attempt++) {
    const [row] = await connection.query(
      `SELECT GET_LOCK(CONCAT('floodgate ', SHA1(DATABASE())), ${LOCK_WAIT_S}) AS is_ours`,
    );
    if (row?.is_ours === '1') return;
  }
  throw new CannotReachDatabase('another process has been migrating the schema for ten minutes');
}

/** Statements that pass over what is there would also pass over another program's tables. */
async function beOurs(connection: MysqlConnection): Promise<void> {
  if (await hasTable(connection, 'schema_versions')) return;
  for (const name of ['events', 'orders', 'claims', 'holds', 'journal']) {
    if (!(await hasTable(connection, name))) continue;
    throw new CannotReachDatabase(
      `there is a table ${name} of another program: give Floodgate a database of its own`,
    );
  }
}

/** Throws SchemaTooNew. */
async function schemaVersion(connection: MysqlConnection): Promise<number> {
  if (!(await hasTable(connection, 'schema_versions'))) return 0;
  const [row] = await connection.query('SELECT max(version) AS version FROM schema_versions');
  const version = Number(row?.version ?? 0);
  migrationsFrom(version);
  return version;
}

async function hasTable(connection: MysqlConnection, name: string): Promise<boolean> {
  const [row] = await connection.query(
    'SELECT count(*) AS n FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?',
    [name],
  );
  return row?.n !== '0';
}
