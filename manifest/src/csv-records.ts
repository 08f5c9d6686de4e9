// Reads CSV as spreadsheets write it (RFC 4180): quotes, CRLF or LF, a byte order mark, commas or semicolons.

export interface CsvRecord {
  /** Where it begins, from 1. */
  readonly line: number;
  readonly fields: readonly string[];
}

export type CsvDelimiter = ',' | ';';

export class CsvMistake extends Error {
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

/** Semicolons when the first line that is not blank has more of them than commas. */
export function delimiterOf(text: string): CsvDelimiter {
  const [first = ''] = /[^\s\uFEFF].{0,10000}/.exec(text) ?? [];
  return first.split(';').length > first.split(',').length ? ';' : ',';
}

/** The records one by one, without the blank lines. Throws a {@link CsvMistake} when reaching one. */
export function* csvRecords(text: string, delimiter: CsvDelimiter): Generator<CsvRecord> {
  const end = text.length;
  let at = text.startsWith('\uFEFF') ? 1 : 0;
  let line = 1;
  let quote = text.indexOf('"');
  while (at < end) {
    const lineEnd = nextLineEnd(text, at);
    if (quote >= 0 && quote < at) quote = text.indexOf('"', at);
    if (quote < 0 || quote >= lineEnd) {
      const whole = text.slice(at, text[lineEnd - 1] === '\r' ? lineEnd - 1 : lineEnd);
      if (whole.trim() !== '') yield { line, fields: whole.split(delimiter) };
      at = lineEnd + 1;
      line++;
      continue;
    }
    const record = quotedRecord(text, at, line, delimiter);
    yield { line, fields: record.fields };
    at = record.end;
    line = record.nextLine;
  }
}

function nextLineEnd(text: string, from: number): number {
  const at = text.indexOf('\n', from);
  return at < 0 ? text.length : at;
}

/** A record with quotes, whose fields may hold delimiters and line ends. */
function quotedRecord(text: string, from: number, line: number, delimiter: CsvDelimiter) {
  const fields: string[] = [];
  let at = from;
  let nextLine = line;
  for (;;) {
    if (text[at] === '"') {
      const close = closingQuote(text, at, nextLine);
      const field = text.slice(at + 1, close).replaceAll('""', '"');
      nextLine += field.split('\n').length - 1;
      fields.push(field);
      at = close + 1;
    } else {
      const stop = fieldEnd(text, at, delimiter);
      const field = text.slice(at, stop);
      if (field.includes('"'))
        throw new CsvMistake(
          nextLine,
          'a quote stands inside of a field: put the whole field in quotes and write "" for a quote',
        );
      fields.push(field);
      at = stop;
    }
    if (text[at] === delimiter) at++;
    else if (at >= text.length) return { fields, end: at, nextLine };
    else if (text[at] === '\n') return { fields, end: at + 1, nextLine: nextLine + 1 };
    else if (text.startsWith('\r\n', at)) return { fields, end: at + 2, nextLine: nextLine + 1 };
    else
      throw new CsvMistake(
        nextLine,
        'after the closing quote of a field comes the next field: write "" for a quote',
      );
  }
}

function fieldEnd(text: string, from: number, delimiter: CsvDelimiter): number {
  let at = from;
  while (at < text.length && text[at] !== delimiter && text[at] !== '\n' && !text.startsWith('\r\n', at))
    at++;
  return at;
}

function closingQuote(text: string, open: number, line: number): number {
  for (let at = text.indexOf('"', open + 1); at >= 0; at = text.indexOf('"', at + 2)) {
    if (text[at + 1] !== '"') return at;
  }
  throw new CsvMistake(
    line,
    'the quote that opens in this line is never closed: close it, or write "" for a quote',
  );
}
