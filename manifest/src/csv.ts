// Seat maps as CSV, a line for a seat, from left to right, front to back:
//
//   section,row,seat,category,x,y,kind,restricted_view,gap_before,capacity
//   Stalls,A,1,stalls,0,0,,,,
//   Stalls,A,2,stalls,1,0,accessible,yes,yes,
//   Floor,,,floor,,,,,,500
//
// Only section, row and seat are needed (or section and capacity, of areas without seats), columns come in any order,
// and what is left out is chosen as in JSON.

import {
  MAX_COORDINATE,
  MAX_SEATS,
  MAX_SECTIONS,
  type Manifest,
  type SeatKind,
} from '@floodgate/core/seating/manifest.ts';
import { type CsvDelimiter, CsvMistake, csvRecords, delimiterOf } from './csv-records.ts';
import { type DraftSeat, Placing } from './draft.ts';
import { Problems, quoted } from './input-errors.ts';
import { judged, type ManifestReading } from './rules.ts';

/** The manifest of a text, or what is wrong with it. Never throws. */
export function manifestFromCsv(text: string, name: string): ManifestReading {
  const problems = new Problems();
  const reader = new CsvReader(problems, delimiterOf(text));
  try {
    for (const { line, fields } of csvRecords(text, delimiterOf(text))) {
      reader.read(line, fields);
      if (problems.full) break;
    }
  } catch (error) {
    if (!(error instanceof CsvMistake)) throw error;
    problems.end({ line: error.line }, error.message);
  }
  const manifest = reader.manifest(name);
  return problems.found.length > 0 ? { problems: problems.found } : judged(manifest, reader.whereIs);
}

const COLUMNS = [
  'section',
  'row',
  'seat',
  'category',
  'x',
  'y',
  'kind',
  'restricted_view',
  'gap_before',
  'capacity',
] as const;
type Column = (typeof COLUMNS)[number];

interface CsvSeat extends DraftSeat {
  readonly line: number;
  readonly x: number | undefined;
  readonly y: number | undefined;
}
interface CsvSection {
  readonly section: string;
  readonly line: number;
  readonly rows: Map<string, CsvSeat[]>;
  readonly area: { readonly category: string; readonly capacity: number } | undefined;
}

const KINDS: ReadonlyMap<string, SeatKind> = new Map([
  ['', 'standard'],
  ['standard', 'standard'],
  ['accessible', 'accessible'],
  ['companion', 'companion'],
]);
const YES_NO: ReadonlyMap<string, boolean> = new Map([
  ...['yes', 'true', '1', 'y', 'x'].map((word) => [word, true] as const),
  ...['', 'no', 'false', '0', 'n'].map((word) => [word, false] as const),
]);
const DECIMAL = /^[+-]?(?:[0-9]{1,9}(?:\.[0-9]{0,15})?|\.[0-9]{1,15})(?:[eE][+-]?[0-9]{1,2})?$/;

class CsvReader {
  readonly #problems: Problems;
  readonly #delimiter: CsvDelimiter;
  readonly #sections = new Map<string, CsvSection>();
  #columns: readonly Column[] | undefined;
  #seats = 0;
  // The record that is read.
  #line = 0;
  readonly #fields: Partial<Record<Column, string>> = {};

  constructor(problems: Problems, delimiter: CsvDelimiter) {
    this.#problems = problems;
    this.#delimiter = delimiter;
  }

  readonly whereIs = (section: number, row?: number, seat?: number) => {
    const read = [...this.#sections.values()][section];
    const seats = read && [...read.rows.values()][row ?? 0];
    return { line: row === undefined ? read?.line : seats?.[seat ?? 0]?.line };
  };

  read(line: number, fields: readonly string[]): void {
    this.#line = line;
    if (!this.#columns) this.#header(fields);
    else if (fields.length !== this.#columns.length) {
      const what = `has ${fields.length} fields, but the header has ${this.#columns.length}`;
      if (fields.some((field) => field.trim() !== ''))
        this.#fail(`this line ${what}: give each column a field`);
    } else this.#record(fields, this.#columns);
  }

  manifest(name: string): Manifest {
    if (!this.#columns) this.#fail('the file is empty: begin it with a line of the columns section,row,seat');
    const placing = new Placing();
    const sections = [...this.#sections.values()].map(({ section, area, rows }) => {
      if (area) return { section, ...area };
      const placed = [...rows].map(([row, seats]) => {
        const [x, y] = [this.#along(row, seats, 'x'), this.#along(row, seats, 'y')];
        return placing.row(row, seats, { x, y });
      });
      placing.endSection();
      return { section, focus: 'centre' as const, rows: placed };
    });
    return { name, sections };
  }

  #along(row: string, seats: readonly CsvSeat[], axis: 'x' | 'y'): readonly number[] | undefined {
    const values = seats.map((seat) => seat[axis]);
    if (values.every((value) => value === undefined)) return undefined;
    const missing = values.indexOf(undefined);
    if (missing < 0) return values as number[];
    this.#line = seats[missing]!.line;
    this.#fail(`this seat has no ${axis}, but others of row ${quoted(row)} have: give it to all or none`);
    return undefined;
  }

  #header(fields: readonly string[]): void {
    const columns: Column[] = [];
    this.#columns = columns;
    for (const field of fields) {
      const name = field.trim().toLowerCase().replaceAll(' ', '_');
      const column = COLUMNS.find((one) => one === name);
      const known = COLUMNS.join(this.#delimiter);
      if (!column) this.#end(`the column ${quoted(field)} is unknown: columns are ${known}`);
      else if (columns.includes(column))
        this.#end(`the column ${quoted(field)} stands here twice: remove one`);
      else columns.push(column);
      if (this.#problems.full) return;
    }
    const has = (...needed: Column[]) => needed.every((column) => columns.includes(column));
    if (!has('section', 'row', 'seat') && !has('section', 'capacity')) {
      this.#end('the first line names the columns: section,row,seat at least');
    }
  }

  #record(fields: readonly string[], columns: readonly Column[]): void {
    for (const [index, column] of columns.entries())
      this.#fields[column] = fields[index]!.trim().normalize('NFC');
    const { section = '', row = '', seat = '', capacity = '' } = this.#fields;
    if (section === '') {
      const isBlank = fields.every((field) => field.trim() === '');
      if (!isBlank) this.#fail('this line has no section: name it');
    } else if (capacity !== '') this.#area(section);
    else if (row === '' || seat === '')
      this.#fail('this line has no row or no seat: name both, or give a capacity');
    else this.#seat(section, row, seat);
  }

  #area(section: string): void {
    const { row = '', seat = '', category = '', capacity = '' } = this.#fields;
    if (row !== '' || seat !== '')
      this.#fail('a seat has no capacity: leave it blank, or row and seat of an area');
    else if (!/^[0-9]{1,9}$/.test(capacity))
      this.#fail(`the capacity ${quoted(capacity)} must be a whole number`);
    else if (this.#sections.has(section))
      this.#fail(`section ${quoted(section)} stands here already: an area is one line`);
    else {
      const area = { category: category || section, capacity: Number(capacity) };
      this.#addSection({ section, line: this.#line, rows: new Map(), area });
    }
  }

  #seat(section: string, row: string, seat: string): void {
    const known =
      this.#sections.get(section) ??
      this.#addSection({ section, line: this.#line, rows: new Map(), area: undefined });
    if (known.area) this.#fail(`section ${quoted(section)} is an area, which has no seats: name another`);
    const { category = '', kind = '', restricted_view = '', gap_before = '' } = this.#fields;
    const seats = known.rows.get(row) ?? [];
    if (seats.length === 0) known.rows.set(row, seats);
    seats.push({
      seat,
      line: this.#line,
      category: category || section,
      x: this.#coordinate('x'),
      y: this.#coordinate('y'),
      kind: this.#oneOf(KINDS, 'kind', kind, 'standard, accessible or companion') ?? 'standard',
      restrictedView: this.#oneOf(YES_NO, 'restricted_view', restricted_view, 'yes or no') ?? false,
      gapBefore: this.#oneOf(YES_NO, 'gap_before', gap_before, 'yes or no') ?? false,
    });
    if (++this.#seats > MAX_SEATS)
      this.#end(`a seat map has at most ${MAX_SEATS} seats: this is one too many`);
  }

  #addSection(section: CsvSection): CsvSection {
    if (this.#sections.size >= MAX_SECTIONS)
      this.#end(`a seat map has at most ${MAX_SECTIONS} sections: this is one too many`);
    this.#sections.set(section.section, section);
    return section;
  }

  #coordinate(column: 'x' | 'y'): number | undefined {
    const text = this.#fields[column] ?? '';
    if (text === '') return undefined;
    // Where fields are parted by semicolons, fractions are written with commas.
    const decimal = this.#delimiter === ';' ? text.replace(',', '.') : text;
    const value = DECIMAL.test(decimal) ? Number(decimal) : Number.NaN;
    if (Math.abs(value) <= MAX_COORDINATE) return value;
    this.#fail(
      `${column} is ${quoted(text)}: it must be a number from -${MAX_COORDINATE} to ${MAX_COORDINATE}, or blank`,
    );
    return 0;
  }

  #oneOf<Value>(
    words: ReadonlyMap<string, Value>,
    column: Column,
    text: string,
    what: string,
  ): Value | undefined {
    const value = words.get(text.toLowerCase());
    if (value === undefined) this.#fail(`${column} is ${quoted(text)}: it must be ${what}`);
    return value;
  }

  #fail(message: string): void {
    this.#problems.add({ line: this.#line || 1 }, message);
  }

  #end(message: string): void {
    this.#problems.end({ line: this.#line }, message);
  }
}
