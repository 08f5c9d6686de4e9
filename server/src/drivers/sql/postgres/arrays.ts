// PostgreSQL's text form of the arrays that batches travel in. Our own, because the driver's costs several times
// as much of the main thread: it asks of every element what it is.

type Of<Row, Value> = (row: Row) => Value;

/** Integers of rows, also 64-bit ones as decimal text; null stays null. */
export function bigints<Row>(rows: readonly Row[], of: Of<Row, number | string | null>): string {
  let text = '{';
  for (let i = 0; i < rows.length; i++) {
    if (i > 0) text += ',';
    text += of(rows[i]!) ?? 'NULL';
  }
  return `${text}}`;
}

const SPECIAL = /["\\]/g;
const NUL = /\0/g;

/** Any text. A NUL, which PostgreSQL cannot keep, becomes U+FFFD, as lone surrogates do on their way into UTF-8. */
export function texts<Row>(rows: readonly Row[], of: Of<Row, string | null>): string {
  let text = '{';
  for (let i = 0; i < rows.length; i++) {
    if (i > 0) text += ',';
    const value = of(rows[i]!);
    text += value === null ? 'NULL' : `"${value.replace(SPECIAL, '\\$&').replace(NUL, '\ufffd')}"`;
  }
  return `${text}}`;
}

/** JSON texts, for `string_to_array(…, E'\n')`: JSON writes no raw line feed, so nothing has to be escaped. */
export function lines<Row>(rows: readonly Row[], of: Of<Row, string>): string {
  let text = '';
  for (let i = 0; i < rows.length; i++) {
    if (i > 0) text += '\n';
    text += of(rows[i]!);
  }
  return text;
}
