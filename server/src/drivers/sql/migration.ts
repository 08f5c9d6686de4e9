// The shape of a migration. Each room numbers its own; they only go forward, and are written once for all dialects: what
// differs between stores is named here and nowhere else.

/** What a dialect calls things. */
export interface SchemaDialect {
  /**
   * `by time`: one program has the store, and inserts append to one page whatever the number of events (SQLite).
   * `by event`: many programs share the servers; every primary key begins with the event, so that it can be sharded.
   */
  readonly rowsLie: 'by time' | 'by event';
  /** A 64-bit integer. */
  readonly bigint: string;
  /** Text of any length. */
  readonly text: string;
  /** Text of up to 255 characters that can stand in a key: compared by its code points, trailing blanks too. */
  readonly shortText: string;
  /** Ends a table whose rows lie in the order of their (composite) primary key. */
  readonly clustered: string;
  /** Ends a table with a single-column, time-ordered primary key. */
  readonly appended: string;
  /** The type of such a key. */
  readonly appendKey: string;
  /** Ends a table of few rows that change with every commit. */
  readonly rewritten: string;
  /** Where an index is declared: in its CREATE TABLE, or by a statement of its own. */
  readonly indexes: 'in the table' | 'apart';
  /** To a table of an earlier schema. On servers, what is there already is passed over. */
  readonly addColumn: (table: string, column: string, definition: string) => readonly string[];
  /** On servers, a column that has its new name already is passed over. */
  readonly renameColumn: (table: string, from: string, to: string) => readonly string[];
  /** On servers, a table that is not there (any more) is passed over. */
  readonly renameTable: (from: string, to: string) => readonly string[];
  /** Rows as `(?, …), …`; what has its key already is passed over. */
  readonly insertIfNew: (tableAndColumns: string, rows: string) => string;
  readonly addIndex: (index: string, table: string, columns: string) => readonly string[];
}

export interface Migration {
  readonly version: number;
  readonly name: string;
  /**
   * Not every server can roll a changed schema back, so on those that lie `by event` each statement can be run
   * again where an earlier attempt stopped.
   */
  readonly statements: (sql: SchemaDialect) => readonly string[];
  /**
   * What only the program can work out of the rows that are there. Runs behind the statements, in their transaction
   * where there is one; on those that lie `by event` it too can begin anew.
   */
  readonly fill?: (sql: SchemaDialect) => Filling;
}

export type Parameter = string | number | null;
/** Yields one query with `?` for each parameter, and goes on with its rows: the same on stores that answer at once. */
export type Filling = Generator<
  { readonly sql: string; readonly params: readonly Parameter[] },
  void,
  FilledRows
>;
export type FilledRows = readonly Readonly<Record<string, string | number | null>>[];

/** The tables of one room, as they came to be. */
export interface RoomSchema {
  /** Its tables are named for it: `mail`, or `mail_…`. Only the ledger's have names of their own. */
  readonly room: string;
  /** Numbered from 1. A number once released is never changed, only followed by the next. */
  readonly migrations: readonly Migration[];
}

const CREATE_TABLE = /^\s*CREATE TABLE (?:IF NOT EXISTS )?(\w+)/i;

/** Every table the room ever made. */
export function namesOf(dialect: SchemaDialect, { migrations }: RoomSchema): string[] {
  const statements = migrations.flatMap((migration) => migration.statements(dialect));
  return statements.flatMap((statement) => CREATE_TABLE.exec(statement)?.[1] ?? []);
}

/** A table that may be there already, with its indexes (name → columns). */
export function tableOnServer(
  sql: SchemaDialect,
  name: string,
  lines: readonly string[],
  ending: string,
  indexes: Readonly<Record<string, string>> = {},
): string[] {
  const inside = sql.indexes === 'in the table';
  const named = Object.entries(indexes);
  const all = [...lines, ...(inside ? named.map(([index, columns]) => `INDEX ${index} (${columns})`) : [])];
  const apart = inside ? [] : named;
  return [
    `CREATE TABLE IF NOT EXISTS ${name} (${all.join(', ')}) ${ending}`,
    ...apart.map(([index, columns]) => `CREATE INDEX IF NOT EXISTS ${index} ON ${name} (${columns})`),
  ];
}
