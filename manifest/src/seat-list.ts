// Seats of a row in few letters: "1-10|11-20" has an aisle after seat 10, "1-39/2" are the odd ones, "20-1" counts down,
// "1,2,4A" are names. This text is kept in ledgers, so what it means may never change.
import { MAX_SEATS } from '@floodgate/core/seating/manifest.ts';
import { quoted } from './input-errors.ts';

export interface SeatList {
  readonly names: readonly string[];
  /** Whether an aisle stands before the seat. */
  readonly gaps: readonly boolean[];
}

const RANGE = /^(0|[1-9][0-9]{0,8})-(0|[1-9][0-9]{0,8})(?:\/([1-9][0-9]{0,8}))?$/;
const AISLE = '|';

/** The seats of a text or of a list of names; or what is wrong with it. */
export function readSeatList(list: string | readonly string[]): SeatList | { readonly wrong: string } {
  const names: string[] = [];
  const gaps: boolean[] = [];
  let gap = false;
  for (const item of typeof list === 'string' ? itemsOf(list) : list) {
    if (item === AISLE) {
      if (gap || names.length === 0)
        return { wrong: 'an aisle "|" stands between two seats: remove this one' };
      gap = true;
      continue;
    }
    const seats = typeof list === 'string' ? expand(item) : [item];
    if (typeof seats === 'string') return { wrong: seats };
    if (names.length + seats.length > MAX_SEATS)
      return { wrong: `has more than ${MAX_SEATS} seats: take fewer` };
    for (const seat of seats) {
      names.push(seat);
      gaps.push(gap);
      gap = false;
    }
  }
  return gap ? { wrong: 'an aisle "|" stands between two seats: remove the last one' } : { names, gaps };
}

/** Names and ranges, with an aisle as an item of its own. */
function itemsOf(text: string): string[] {
  if (text.trim() === '') return [];
  return text.split(AISLE).flatMap((part, index) => {
    const items = part.trim() === '' ? [] : part.split(',').map((item) => item.trim());
    return index === 0 ? items : [AISLE, ...items];
  });
}

/** The names that an item stands for; or, as a text, what is wrong with it. */
function expand(item: string): readonly string[] | string {
  if (item === '') return 'two commas stand side by side, or one at the end: name a seat there or remove one';
  if (!/[-/]/.test(item)) return [item];
  const [, first, last, step] = RANGE.exec(item) ?? [];
  if (first === undefined) {
    return `${quoted(item)} is no range of seats: write 1-20 or 1-39/2, or names with "-" as a list ["A-1", "A-2"]`;
  }
  const from = Number(first);
  const to = Number(last);
  const by = Number(step ?? 1);
  const count = Math.floor(Math.abs(to - from) / by) + 1;
  if (count > MAX_SEATS) return `has more than ${MAX_SEATS} seats: take fewer`;
  return Array.from({ length: count }, (_, index) => String(from + (from <= to ? index : -index) * by));
}

const NUMBER = /^(?:0|[1-9][0-9]{0,8})$/;

/** The shortest way to write a list, which {@link readSeatList} reads as the same. */
export function writeSeatList({ names, gaps }: SeatList): string | string[] {
  if (names.some((name) => /[-/]/.test(name))) {
    return names.flatMap((name, index) => (gaps[index] ? [AISLE, name] : [name]));
  }
  let text = '';
  for (let start = 0; start < names.length; ) {
    const end = rangeEnd(names, gaps, start);
    const step = Number(names[start + 1]) - Number(names[start]);
    const by = Math.abs(step) === 1 ? '' : `/${Math.abs(step)}`;
    const item = end - start < 3 ? names[start] : `${names[start]}-${names[end - 1]}${by}`;
    text += `${start === 0 ? '' : gaps[start] ? AISLE : ','}${item}`;
    start = end - start < 3 ? start + 1 : end;
  }
  return text;
}

/** The end of the names from `start` on that count up or down in equal steps, without an aisle. */
function rangeEnd(names: readonly string[], gaps: readonly boolean[], start: number): number {
  if (!NUMBER.test(names[start]!) || !NUMBER.test(names[start + 1] ?? '')) return start + 1;
  const step = Number(names[start + 1]) - Number(names[start]);
  if (step === 0) return start + 1;
  let end = start + 1;
  while (
    end < names.length &&
    !gaps[end] &&
    NUMBER.test(names[end]!) &&
    Number(names[end]) - Number(names[end - 1]) === step
  ) {
    end++;
  }
  return end;
}
