// Many rows in one statement: as a table to join with, or to insert. JSON_TABLE with STRAIGHT_JOIN and BY_KEY leaves
// the optimizer no other plan than one look-up by key for each row of the list, in its order. So under READ COMMITTED
// no row is locked that is not asked for, and nothing where a row is missing. On MariaDB 10.11 it costs 1.2 µs a row read, as much as
// an IN list of one event and half of an IN list of pairs, and 3.5 µs a row changed.

/** Longer statements are split: small servers take packets of a megabyte. */
const STATEMENT_CHARS = 400_000;

/** After a joined table's name: never scan it, however small it is. */
export const BY_KEY = 'FORCE INDEX (PRIMARY)';

/** The columns of one row as literals, with commas between them. */
type Row = string;

/** A table `l` that stands in the statement. Columns are of whole numbers, unless they are told with their type. */
export function list(rows: readonly Row[], columns: readonly string[]): string {
  const paths = columns.map(
    (column, index) => `${column}${column.includes(' ') ? '' : ' BIGINT'} PATH '$[${index}]'`,
  );
  return `JSON_TABLE('[[${rows.join('],[')}]]', '$[*]' COLUMNS (${paths.join(', ')})) l`;
}

/** The statement with {@link list}; several when the list is long, none when it is empty. */
export function inLists(
  rows: readonly Row[],
  columns: readonly string[],
  statement: (list: string) => string,
): string[] {
  return splitRows(rows).map((some) => statement(list(some, columns)));
}

/** Like {@link inLists}, of statements that must find every row of their list, else the transaction fails. */
export function conditional(
  rows: readonly Row[],
  columns: readonly string[],
  statement: (list: string) => string,
): string[] {
  return splitRows(rows).flatMap((some) => [statement(list(some, columns)), mustFind(some.length)]);
}

/**
 * Fails when the statement before it did not find that many rows. The connection counts rows found, not rows changed
 * (CLIENT_FOUND_ROWS).
 */
export function mustFind(count: number): string {
  return mustBe('ROW_COUNT()', count);
}

/**
 * Fails when the expression is not this number: a subquery of two rows is no value. It has to be a SELECT: DO makes a
 * warning of the error.
 */
export function mustBe(expression: string, count: number): string {
  return `SELECT IF(${expression} = ${count}, 1, (SELECT 1 UNION ALL SELECT 2))`;
}

/** `into` names the table and its columns. */
export function insert(into: string, rows: readonly Row[]): string[] {
  return splitRows(rows).map((some) => `INSERT INTO ${into} VALUES (${some.join('),(')})`);
}

/** Cuts the rows into runs that each fit a statement. A row that is longer stands alone. */
export function splitRows(rows: readonly Row[]): Row[][] {
  const runs: Row[][] = [];
  let run: Row[] = [];
  let chars = 0;
  for (const row of rows) {
    if (chars + row.length > STATEMENT_CHARS && run.length > 0) {
      runs.push(run);
      run = [];
      chars = 0;
    }
    run.push(row);
    chars += row.length;
  }
  if (run.length > 0) runs.push(run);
  return runs;
}
