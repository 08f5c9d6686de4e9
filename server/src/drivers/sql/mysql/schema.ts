// What MySQL and MariaDB call things, and how their schema is changed. Their DDL commits by itself, so a migration that
// was cut off is run again; its statements pass over what is there already.
import type { SchemaStore } from '../migrate.ts';
import type { SchemaDialect } from '../migration.ts';
import { CannotReachDatabase } from '../sql.ts';
import type { MysqlConnection } from './mysql-connection.ts';
import { collationOf, type Flavour } from './session.ts';

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
    renameColumn: (table, from, to) =>
      unlessThere(
        `columns WHERE table_schema = DATABASE() AND table_name = '${table}' AND column_name = '${to}'`,
        `ALTER TABLE ${table} RENAME COLUMN ${from} TO ${to}`,
      ),
    renameTable: (from, to) =>
      ifThere(
        `tables WHERE table_schema = DATABASE() AND table_name = '${from}'`,
        `RENAME TABLE ${from} TO ${to}`,
      ),
    insertIfNew: (into, rows) => `INSERT IGNORE INTO ${into} VALUES ${rows}`,
    addIndex: (index, table, columns) =>
      unlessThere(
        `statistics WHERE table_schema = DATABASE() AND table_name = '${table}' AND index_name = '${index}'`,
        `CREATE INDEX ${index} ON ${table} (${columns})`,
      ),
  };
}

/** MySQL has no IF NOT EXISTS for columns and indexes, so the statement is chosen by what is there. */
function unlessThere(whatInSchema: string, statement: string): string[] {
  return changeIf('= 0', whatInSchema, statement);
}

function ifThere(whatInSchema: string, statement: string): string[] {
  return changeIf('> 0', whatInSchema, statement);
}

function changeIf(count: '= 0' | '> 0', whatInSchema: string, statement: string): string[] {
  return [
    `SET @is_due = (SELECT count(*) ${count} FROM information_schema.${whatInSchema})`,
    `SET @change = IF(@is_due, '${statement.replaceAll("'", "''")}', 'DO 0')`,
    'PREPARE schema_change FROM @change',
    'EXECUTE schema_change',
    'DEALLOCATE PREPARE schema_change',
  ];
}

/** How long one question for the lock waits, and how often it is asked: ten minutes together. */
const LOCK_WAIT_S = 10;
const LOCK_ATTEMPTS = 60;

export function schemaOf(connection: MysqlConnection, description: string): SchemaStore {
  return {
    dialect: dialectOf(connection.flavour),
    description,
    nowMs: () => connection.nowMs(),
    ask: (sql, parameters) => connection.query(sql, parameters),
    tables: async () => {
      const sql = 'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()';
      return (await connection.query(sql)).map(({ name }) => name!);
    },
    // The lock goes with the connection that has it.
    alone: async (act) => {
      await lock(connection);
      await act();
    },
  };
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
