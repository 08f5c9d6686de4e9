// What a seat map must keep to, however it was written: names that tell its places apart, seats that do not overlap, and
// sizes that the shop is built for.
import { MAX_EVENT_CAPACITY } from '@floodgate/core/event/event.ts';
import {
  MAX_COORDINATE,
  MAX_MANIFEST_NAME,
  MAX_PLACE_NAME,
  MAX_SEATS,
  MAX_SECTIONS,
  type Manifest,
  type Row,
  type SeatedSection,
  type StandingArea,
  seatedSection,
} from '@floodgate/core/seating/manifest.ts';
import { type Problem, Problems, quoted, type Where } from './input-errors.ts';
import { findOverlaps } from './overlaps.ts';

/** Where a section, a row or a seat was written, by their indexes. */
export type WhereIs = (section: number, row?: number, seat?: number) => Where;

export type ManifestReading = { readonly manifest: Manifest } | { readonly problems: readonly Problem[] };

/** The manifest when it keeps to all rules, else what is wrong with it. */
export function judged(manifest: Manifest, whereIs: WhereIs): ManifestReading {
  const problems = new Problems();
  checkManifest(manifest, whereIs, problems);
  return problems.found.length > 0 ? { problems: problems.found } : { manifest };
}

function checkManifest(manifest: Manifest, whereIs: WhereIs, problems: Problems): void {
  const named = nameProblem(manifest.name, MAX_MANIFEST_NAME);
  if (named) problems.add({ path: 'name' }, `the name of the seat map ${named}`);
  checkSize(manifest, problems);
  if (problems.full) return;
  const names = new Set<string>();
  for (const [index, section] of manifest.sections.entries()) {
    if (problems.full) return;
    const what = `section ${quoted(section.section)}`;
    const fault = nameProblem(section.section) ?? twice(names, section.section, 'section');
    if (fault) problems.add(whereIs(index), `${what} ${fault}`);
    if (seatedSection(section))
      checkSeated(section, what, (row, seat) => whereIs(index, row, seat), problems);
    else checkArea(section, what, () => whereIs(index), problems);
  }
  checkCategories(manifest, whereIs, problems);
  if (!problems.full) checkLabels(manifest, whereIs, problems);
  if (problems.found.length === 0) checkOverlaps(manifest, whereIs, problems);
}

function checkSize({ sections }: Manifest, problems: Problems): void {
  if (sections.length === 0)
    problems.end({ path: 'sections' }, 'a seat map has at least one section: add one');
  if (sections.length > MAX_SECTIONS) {
    problems.end({}, `${sections.length} sections are too many: a seat map has at most ${MAX_SECTIONS}`);
  }
  let seats = 0;
  let places = 0;
  for (const section of sections) {
    if (seatedSection(section)) for (const row of section.rows) seats += row.seats.length;
    else places += section.capacity;
  }
  if (seats > MAX_SEATS) problems.end({}, `${seats} seats are too many: a seat map has at most ${MAX_SEATS}`);
  // Of an area that is too large by itself, its own line tells.
  const isSum = sections.every((section) => seatedSection(section) || section.capacity <= MAX_EVENT_CAPACITY);
  if (isSum && seats + places > MAX_EVENT_CAPACITY) {
    const most = `an event has at most ${MAX_EVENT_CAPACITY} tickets`;
    problems.end({}, `${seats + places} places are too many: ${most}`);
  }
}

type WhereInSection = (row?: number, seat?: number) => Where;

function checkArea(
  { category, capacity }: StandingArea,
  what: string,
  where: WhereInSection,
  problems: Problems,
): void {
  const fault = nameProblem(category);
  if (fault) problems.add(where(), `the category ${quoted(category)} of ${what} ${fault}`);
  if (!Number.isInteger(capacity) || capacity < 1 || capacity > MAX_EVENT_CAPACITY) {
    problems.add(where(), `the capacity of ${what} must be a whole number from 1 to ${MAX_EVENT_CAPACITY}`);
  }
}

function checkSeated({ rows }: SeatedSection, what: string, where: WhereInSection, problems: Problems): void {
  if (rows.length === 0)
    problems.add(where(), `${what} has no rows: add some, or give it a capacity to make it an area`);
  const names = new Set<string>();
  for (const [index, row] of rows.entries()) {
    if (problems.full) return;
    const fault = nameProblem(row.row) ?? twice(names, row.row, 'row of a section');
    const whatRow = `row ${quoted(row.row)} of ${what}`;
    if (fault) problems.add(where(index), `${whatRow} ${fault}`);
    if (row.seats.length === 0) problems.add(where(index), `${whatRow} has no seats: add some, or remove it`);
    checkRow(row, whatRow, (seat) => where(index, seat), problems);
  }
}

function checkRow({ seats }: Row, what: string, where: (seat: number) => Where, problems: Problems): void {
  const names = new Set<string>();
  for (const [index, { seat, category, x, y }] of seats.entries()) {
    const fault = seatNameProblem(seat) ?? twice(names, seat, 'seat of a row');
    if (fault) problems.add(where(index), `seat ${quoted(seat)} of ${what} ${fault}`);
    const wrong = category === seats[index - 1]?.category ? undefined : nameProblem(category);
    if (wrong)
      problems.add(
        where(index),
        `the category ${quoted(category)} of seat ${quoted(seat)} of ${what} ${wrong}`,
      );
    if (!(Math.abs(x) <= MAX_COORDINATE && Math.abs(y) <= MAX_COORDINATE)) {
      const range = `numbers from -${MAX_COORDINATE} to ${MAX_COORDINATE}`;
      problems.add(where(index), `the coordinates of seat ${quoted(seat)} of ${what} must be ${range}`);
    }
    if (problems.full) return;
  }
  const companion = seats.findIndex(({ kind }) => kind === 'companion');
  if (companion >= 0 && !seats.some(({ kind }) => kind === 'accessible')) {
    problems.add(
      where(companion),
      `${what} has a companion seat but no accessible seat: mark whom it accompanies`,
    );
  }
}

/** A category is of seats or of areas: a ticket type sells the one or the other. */
function checkCategories({ sections }: Manifest, whereIs: WhereIs, problems: Problems): void {
  const ofSeats = new Set<string>();
  for (const section of sections) {
    if (!seatedSection(section)) continue;
    for (const { seats } of section.rows) for (const { category } of seats) ofSeats.add(category);
  }
  for (const [index, section] of sections.entries()) {
    if (seatedSection(section) || !ofSeats.has(section.category)) continue;
    const category = quoted(section.category);
    const message = `the category ${category} is of seats and of the area ${quoted(section.section)}: give the area its own`;
    problems.add(whereIs(index), message);
  }
}

/**
 * Two seats with one label, as section "A" row "B 1" and section "A B" row "1", could not be told apart on a ticket.
 * That cannot be where no row has a space in its name and no seat a hyphen.
 */
function checkLabels({ sections }: Manifest, whereIs: WhereIs, problems: Problems): void {
  const seated = sections.filter(seatedSection);
  const isUnsure = ({ row, seats }: Row) => row.includes(' ') || seats.some(({ seat }) => seat.includes('-'));
  if (!seated.some(({ rows }) => rows.some(isUnsure))) return;
  const labels = new Set<string>();
  for (const [s, section] of sections.entries()) {
    if (!seatedSection(section)) continue;
    for (const [r, { row, seats }] of section.rows.entries()) {
      for (const [index, { seat }] of seats.entries()) {
        const label = `${section.section} ${row}-${seat}`;
        if (problems.full) return;
        if (labels.has(label))
          problems.add(whereIs(s, r, index), `two seats read ${quoted(label)} on a ticket: rename one`);
        labels.add(label);
      }
    }
  }
}

function checkOverlaps(manifest: Manifest, whereIs: WhereIs, problems: Problems): void {
  findOverlaps(manifest, ([section, row, seat], other) => {
    const name = ([s, r, index]: readonly [number, number, number]) => {
      const { section: sectionName, rows } = manifest.sections[s] as SeatedSection;
      const { row: rowName, seats } = rows[r]!;
      return `${quoted(seats[index]!.seat)} of row ${quoted(rowName)} of section ${quoted(sectionName)}`;
    };
    const message = `seat ${name([section, row, seat])} is at the place of seat ${name(other)}: move one of them`;
    problems.add(whereIs(section, row, seat), message);
    return !problems.full;
  });
}

function twice(names: Set<string>, name: string, what: string): string | undefined {
  if (names.has(name)) return `stands here twice: each ${what} needs a name of its own`;
  names.add(name);
  return undefined;
}

const PLAIN_NAME = /^[!-~](?:[ -~]{0,30}[!-~])?$/;
const CONTROL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

/** What is wrong with the name of a place, as the end of a sentence that begins with it. */
export function nameProblem(name: string, max = MAX_PLACE_NAME): string | undefined {
  if (PLAIN_NAME.test(name)) return undefined;
  if (name === '') return 'is empty: give it one';
  if (name.length > max && (name.length > 2 * max || [...name].length > max)) {
    return `is too long: at most ${max} characters`;
  }
  if (CONTROL.test(name)) return 'contains control characters or half of a character: remove them';
  return name.trim() === name ? undefined : 'begins or ends with a space: remove it';
}

function seatNameProblem(seat: string): string | undefined {
  return /[,|]/.test(seat) ? 'contains "," or "|", which stand between seats: rename it' : nameProblem(seat);
}
