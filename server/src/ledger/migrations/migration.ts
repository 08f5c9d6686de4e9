// The shape of a migration. They are numbered, only go forward, and are written once for all dialects: what
// differs between stores is named here and nowhere else.

/** What a dialect calls things. */
export interface SchemaDialect {
  /** A 64-bit integer. */
  readonly bigint: string;
  /** Text of any length. */
  readonly text: string;
  /** Text of up to 255 characters that can stand in a key. */
  readonly shortText: string;
  /** Ends a table whose rows lie in the order of their (composite) primary key. */
  readonly clustered: string;
  /** Ends a table with a single-column, time-ordered primary key. */
  readonly appended: string;
  /** The type of such a key. */
  readonly appendKey: string;
}

export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly statements: (sql: SchemaDialect) => readonly string[];
}
