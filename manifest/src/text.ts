// The one text of a manifest that is kept: compact JSON (manifest-json.ts) in one line, in which nothing is left to be
// chosen by the reader. Regular rows are a few numbers, so 50,000 seats of a usual house are some 100 kB.

import { invariant } from '@floodgate/core/assert.ts';
import {
  MAX_COORDINATE,
  type Manifest,
  type Row,
  type SeatedSection,
  seatedSection,
} from '@floodgate/core/seating/manifest.ts';
import { stepsOf } from './draft.ts';
import { keptManifest } from './json.ts';
import { writeSeatList } from './seat-list.ts';

/** The text of a valid manifest. The same manifest has the same text. */
export function manifestText({ name, sections }: Manifest): string {
  return JSON.stringify({
    name,
    sections: sections.map((section) => (seatedSection(section) ? sectionMembers(section) : section)),
  });
}

/** The manifest of a text of {@link manifestText}. Throws on any text that is no manifest. */
export function parseManifestText(text: string): Manifest {
  const read = keptManifest(text);
  invariant(
    'manifest' in read,
    `a kept manifest cannot be read: ${'problems' in read && read.problems[0]?.message}`,
  );
  return read.manifest;
}

function sectionMembers({ section, focus, rows }: SeatedSection) {
  const category = commonest(rows.map(({ seats }) => commonest(seats.map((seat) => seat.category))));
  return { section, category, focus, rows: rows.map((row) => rowMembers(row, category)) };
}

function rowMembers({ row, seats }: Row, sectionCategory: string) {
  const category = commonest(seats.map((seat) => seat.category));
  const steps = stepsOf(seats);
  const [x, y] = [seats.map((seat) => seat.x), seats.map((seat) => seat.y)];
  const [dx, dy] = [evenStep(x, steps), evenStep(y, steps)];
  const listed = (is: (seat: Row['seats'][number]) => boolean) => {
    const names = seats.filter(is).map(({ seat }) => seat);
    return names.length === 0 ? undefined : writeSeatList({ names, gaps: [] });
  };
  const others = [...new Set(seats.map((seat) => seat.category))].filter((other) => other !== category);
  const categories = others.map((other) => [other, listed((seat) => seat.category === other)]);
  return {
    row,
    seats: writeSeatList({
      names: seats.map(({ seat }) => seat),
      gaps: seats.map(({ gapBefore }) => gapBefore),
    }),
    category: category === sectionCategory ? undefined : category,
    categories: categories.length === 0 ? undefined : Object.fromEntries(categories),
    x: dx === undefined ? x : x[0],
    y: dy === undefined ? y : y[0],
    dx: dx === 1 ? undefined : dx,
    dy: dy === 0 ? undefined : dy,
    accessible: listed(({ kind }) => kind === 'accessible'),
    companion: listed(({ kind }) => kind === 'companion'),
    restricted: listed(({ restrictedView }) => restrictedView),
  };
}

/** The step that leads exactly to each of the values; undefined when none does, or one too wide to be read back. */
function evenStep(values: readonly number[], steps: readonly number[]): number | undefined {
  const first = values[0]!;
  const by = values.length === 1 ? 0 : (values[1]! - first) / steps[1]!;
  if (Math.abs(by) > MAX_COORDINATE) return undefined;
  return values.every((value, index) => value === first + steps[index]! * by) ? by : undefined;
}

/** The value that stands most often, the first of several. */
function commonest(values: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  let best = values[0]!;
  for (const [value, count] of counts) if (count > counts.get(best)!) best = value;
  return best;
}
