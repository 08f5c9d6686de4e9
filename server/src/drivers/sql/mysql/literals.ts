// How values stand in MySQL statements. Whole batches travel as text, so that many statements cost one round trip;
// injection is impossible by construction: numbers are checked and written as digits, every text as hexadecimal
// digits of its UTF-8. No character of a value ever stands in a statement as itself, so nothing has to be escaped.
import type { SqlValue } from '../sql.ts';

const DECIMAL = /^-?[0-9]{1,19}$/;
/** A quoted literal, or a parameter outside of one. */
const PARAMETER = /'[^']*'|\?/g;

/** A number without a fraction. */
export function integer(value: number): string {
  if (!Number.isSafeInteger(value)) throw new TypeError(`${value} is not an integer`);
  return String(value);
}

/** A 64-bit id as its decimal digits. */
export function id(value: string): string {
  if (!DECIMAL.test(value)) throw new TypeError('an id is a decimal number');
  return value;
}

/** A text to compare a column with: without its character set named, it would be compared as bytes, past any index. */
export function text(value: string): string {
  return `_utf8mb4 ${textToStore(value)}`;
}

/** A text for a column, which knows its character set; looking the name up costs the server 0.3 µs each time. */
export function textToStore(value: string): string {
  return `x'${Buffer.from(value, 'utf8').toString('hex')}'`;
}

/** A long text in literals of at most that many bytes each, and the number of literals; cut between characters. At least one. */
export function textParts(value: string, maxBytes: number): { literal: string; bytes: number }[] {
  const all = Buffer.from(value, 'utf8');
  const parts: { literal: string; bytes: number }[] = [];
  for (let start = 0; start < all.length || parts.length === 0; ) {
    let end = Math.min(start + maxBytes, all.length);
    while (end < all.length && (all[end]! & 0xc0) === 0x80) end--;
    const part = all.subarray(start, end);
    parts.push({ literal: `_utf8mb4 x'${part.toString('hex')}'`, bytes: part.length });
    start = end;
  }
  return parts;
}

/** Ticket numbers as the JSON array they are kept as: digits and commas. */
export function ticketList(tickets: readonly number[]): string {
  let list = '';
  for (let i = 0; i < tickets.length; i++)
    list += i === 0 ? integer(tickets[i]!) : `,${integer(tickets[i]!)}`;
  return `'[${list}]'`;
}

/** Words of the program's own closed unions come again and again, so their literals are made once. */
const words = new Map<string, string>();

export function word(value: string): string {
  let literal = words.get(value);
  if (literal === undefined) {
    literal = textToStore(value);
    words.set(value, literal);
  }
  return literal;
}

/** NULL, or the value as `write` has it. */
export function orNull<T>(value: T | null, write: (value: T) => string): string {
  return value === null ? 'NULL' : write(value);
}

export function orJsonNull<T>(value: T | null, write: (value: T) => string): string {
  return value === null ? 'null' : write(value);
}

/** The statement with its `?` replaced by the parameters; a `?` inside quotes is itself. */
export function withParameters(sql: string, parameters: readonly SqlValue[]): string {
  let used = 0;
  const statement = sql.replace(PARAMETER, (found) => {
    if (found !== '?') return found;
    const value = parameters[used++];
    if (value === undefined) throw new TypeError(`parameter ${used} is missing`);
    if (value === null) return 'NULL';
    return typeof value === 'number' ? integer(value) : text(value);
  });
  if (used !== parameters.length) throw new TypeError(`${parameters.length} parameters for ${used} places`);
  return statement;
}
