// Seat maps as JSON: what is left out is chosen, and what is wrong is told with its line and what to do.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Manifest, seatedSection } from '@floodgate/core/seating/manifest.ts';
import { assertLinear } from '@floodgate/core/testing/cpu.ts';
import { MAX_PROBLEMS, type Problem } from './input-errors.ts';
import { manifestFromJson } from './json.ts';

function manifestOf(text: string): Manifest {
  const read = manifestFromJson(text);
  assert.ok('manifest' in read, JSON.stringify('problems' in read && read.problems));
  return read.manifest;
}

function problemsOf(text: string): readonly Problem[] {
  const read = manifestFromJson(text);
  assert.ok('problems' in read, `was read without problems: ${text}`);
  return read.problems;
}

/** "12@-0.5,3": each seat with its place, of the section's only row unless another is named. */
function placed({ sections }: Manifest, section = 0, row = 0): string {
  const part = sections[section]!;
  assert.ok(seatedSection(part));
  return part.rows[row]!.seats.map(({ seat, x, y }) => `${seat}@${x},${y}`).join(' ');
}

test('[E2] sections, rows, seats and areas are read, with kinds, views, aisles and categories', () => {
  const manifest = manifestOf(`\uFEFF{"name": "House", "sections": [
    {"section": "Stalls", "category": "std", "focus": "left", "rows": [
      {"row": "A", "seats": "1-3|4", "accessible": "1", "companion": "2", "restricted": "4", "categories": {"vip": "3-4"}},
      {"row": "B", "category": "side", "seats": ["A-1"], "x": [7.5], "y": 9}]},
    {"section": "Floor", "capacity": 500}]}`);
  const seat = { kind: 'standard', restrictedView: false, gapBefore: false, category: 'std' };
  assert.deepEqual(manifest, {
    name: 'House',
    sections: [
      {
        section: 'Stalls',
        focus: 'left',
        rows: [
          {
            row: 'A',
            seats: [
              { ...seat, seat: '1', x: -2, y: 0, kind: 'accessible' },
              { ...seat, seat: '2', x: -1, y: 0, kind: 'companion' },
              { ...seat, seat: '3', x: 0, y: 0, category: 'vip' },
              { ...seat, seat: '4', x: 2, y: 0, category: 'vip', gapBefore: true, restrictedView: true },
            ],
          },
          { row: 'B', seats: [{ ...seat, seat: 'A-1', x: 7.5, y: 9, category: 'side' }] },
        ],
      },
      { section: 'Floor', category: 'Floor', capacity: 500 },
    ],
  });
});

test('[E2] rows without coordinates are centred, one behind the other, and so are sections', () => {
  const manifest = manifestOf(`{"name": "House", "sections": [
    {"section": "A", "rows": [{"row": "1", "seats": "1-2"}, {"row": "2", "seats": "1-3", "y": 5}, {"row": "3", "seats": "1"}]},
    {"section": "B", "rows": [{"row": "1", "seats": "1-2", "x": 10, "dx": -2, "dy": 0.5}]}]}`);
  assert.equal(placed(manifest), '1@-0.5,0 2@0.5,0');
  assert.equal(placed(manifest, 0, 1), '1@-1,5 2@0,5 3@1,5');
  assert.equal(placed(manifest, 0, 2), '1@0,6');
  assert.equal(placed(manifest, 1), '1@10,9 2@8,9.5');
});

/** A map with the row, the section or the text put in; it begins on line 3. */
const withRow = (row: string) =>
  `{"name": "X", "sections": [{"section": "S", "rows": [\n{"row": "0", "seats": "1"},\n${row}]}]}`;
const withSection = (section: string) =>
  `{"name": "X", "sections": [\n{"section": "S0", "category": "f", "capacity": 1},\n${section}]}`;
const ROW = '"row": "A", "seats"';

const WRONG: readonly (readonly [text: string, line: number | undefined, message: RegExp, path?: string])[] =
  [
    ['{"name": "X",\n"sections": [}', 2, /this is no JSON: expected a value/],
    ['[]', 1, /a seat map must be an object/],
    ['{"sections": []}', 1, /"name" is missing/],
    ['{"name": "X"}', 1, /"sections" must be a list/],
    ['{"name": "X", "sections": []}', undefined, /at least one section/],
    [
      '{"name": "X", "sectoins": [], "sections": []}',
      1,
      /"sectoins" is unknown here, where there are name, sections/,
    ],
    [withSection('7'), 3, /must be an object/, 'sections.1'],
    [withSection('{"section": "S"}'), 3, /either "rows", of seats, or a "capacity"/],
    [withSection('{"section": "S", "rows": [], "capacity": 1}'), 3, /either "rows"/],
    [withSection('{"rows": [{"row": "A", "seats": "1"}]}'), 3, /"section" is missing/, 'sections.1.section'],
    [withSection('{"section": "S", "rows": []}'), 3, /"S" has no rows/],
    [withSection('{"section": "S", "rows": {}}'), 3, /"rows" must be a list/],
    [withSection('{"section": "S0", "category": "f", "capacity": 1}'), 3, /section "S0" stands here twice/],
    [
      withSection('{"section": "S", "capacity": 0}'),
      3,
      /capacity of section "S" must be a whole number from 1/,
    ],
    [withSection('{"section": "S", "capacity": 1.5}'), 3, /must be a whole number/],
    [withSection('{"section": "S", "capacity": "9"}'), 3, /must be a whole number/],
    [withSection('{"section": "S", "capacity": 60000000}'), 3, /from 1 to 50000000/],
    [withSection('{"section": "S", "capacity": 50000000}'), undefined, /50000001 places are too many/],
    [
      withSection('{"section": "S", "category": "f", "rows": [{"row": "A", "seats": "1"}]}'),
      2,
      /"f" is of seats and of the area/,
    ],
    [
      withSection('{"section": "S", "focus": "middle", "rows": [{"row": "A", "seats": "1"}]}'),
      3,
      /"left", "centre" or "right"/,
    ],
    [withSection('{"section": "", "capacity": 1}'), 3, /section "" is empty/],
    [withSection(`{"section": "${'S'.repeat(33)}", "capacity": 1}`), 3, /too long: at most 32/],
    [withSection('{"section": "a\\u0007", "capacity": 1}'), 3, /control characters/],
    [withSection('{"section": "a\\u202e", "capacity": 1}'), 3, /control characters/],
    [withSection('{"section": "\\ud800", "capacity": 1}'), 3, /half of a character/],
    [withSection('{"section": " S", "capacity": 1}'), 3, /begins or ends with a space/],
    [
      withSection('{"section": "S", "category": "", "capacity": 1}'),
      3,
      /the category "" of section "S" is empty/,
    ],
    [
      withRow('{"row": "0", "seats": "1"}'),
      3,
      /row "0" of section "S" stands here twice/,
      'sections.0.rows.1',
    ],
    [withRow('{"row": "A"}'), 3, /must name seats/, 'sections.0.rows.1.seats'],
    [withRow(`{${ROW}: ""}`), 3, /row "A" of section "S" has no seats/],
    [withRow(`{${ROW}: 20}`), 3, /must name seats: a text like "1-20"/],
    [withRow(`{${ROW}: ["1", 2]}`), 3, /must name seats/],
    [withRow(`{${ROW}: "A1-A20"}`), 3, /no range of seats/],
    [withRow(`{${ROW}: "1-3,2"}`), 3, /seat "2" of row "A" of section "S" stands here twice/],
    [withRow(`{${ROW}: ["e\\u0301", "\\u00e9"]}`), 3, /stands here twice/],
    [withRow(`{${ROW}: ["1,2"]}`), 3, /contains "," or "|"/],
    [withRow(`{${ROW}: "1-300000"}`), 3, /more than 200000 seats/],
    [withRow(`{${ROW}: "1-200000"}`), 3, /at most 200000 seats/],
    [withRow(`{${ROW}: "1-4", "accessible": "5"}`), 3, /names seat "5", which this row does not have/],
    [withRow(`{${ROW}: "1-4", "accessible": "1", "companion": "1-2"}`), 3, /"1" is accessible already/],
    [withRow(`{${ROW}: "1-4", "companion": "1"}`), 3, /companion seat but no accessible seat/],
    [withRow(`{${ROW}: "1-4", "categories": {"vip": "1", "box": "1-2"}}`), 3, /"1" has a category already/],
    [withRow(`{${ROW}: "1-4", "categories": ["vip"]}`), 3, /must be an object like/],
    [withRow(`{${ROW}: "1-4", "x": "left"}`), 3, /"x" must be a number/, 'sections.0.rows.1.x'],
    [withRow(`{${ROW}: "1-4", "x": 1e400}`), 3, /must be a number from -1000000 to 1000000/],
    [withRow(`{${ROW}: "1-4", "x": [1, 2, 3]}`), 3, /a list of 4 of them/],
    [withRow(`{${ROW}: "1-4", "dx": 1000000}`), 3, /coordinates of seat "1" of row "A"/],
    [
      withRow(`{${ROW}: "1-3", "y": 0}`),
      3,
      /is at the place of seat "1" of row "0" of section "S": move one/,
    ],
    [withRow(`{${ROW}: "1-4", "dx": 0}`), 3, /is at the place of/],
    [withRow(`{${ROW}: "1-4", "price": 3}`), 3, /"price" is unknown here, where there are row, seats/],
    [
      '{"name": "X", "sections": [{"section": "A", "rows": [{"row": "B 1", "seats": "1"}]},\n{"section": "A B", "rows": [{"row": "1", "seats": "1"}]}]}',
      2,
      /two seats read "A B 1-1" on a ticket/,
    ],
  ];

test('[E2] each impossible seat map is refused with its line, its member and what to do', () => {
  for (const [text, line, message, path] of WRONG) {
    const [problem] = problemsOf(text);
    assert.match(problem!.message, message, text);
    assert.equal(problem!.line, line, `${text}: ${problem!.message}`);
    if (path !== undefined) assert.equal(problem!.path, path);
  }
  assert.ok(
    'manifest' in manifestFromJson(withRow('{"row": "A", "seats": "1-4"}')),
    'control: the frame is right',
  );
  assert.ok('manifest' in manifestFromJson(withSection('{"section": "S", "capacity": 2}')), 'control');
});

test('[E2] of many problems the first are told', () => {
  const rows = Array.from({ length: 500 }, (_, row) => `{"row": "${row}", "seats": "1,1"}`).join(',\n');
  const problems = problemsOf(`{"name": "X", "sections": [{"section": "S", "rows": [\n${rows}]}]}`);
  assert.equal(problems.length, MAX_PROBLEMS);
  assert.deepEqual(
    problems.map(({ line }) => line),
    Array.from({ length: MAX_PROBLEMS }, (_, index) => index + 2),
  );
});

test('[E2] the cost to refuse a megabyte that is no seat map grows no faster than its length, and few words are made', async () => {
  const row = '{"row": "A", "seats": "1,1,1", "x": [], "no": 1},';
  const categories = (count: number) => Array.from({ length: count }, (_, i) => `"${i}": "9"`);
  // Each of about that many times 64 kB.
  for (const nonsense of [
    (size: number) => '{"name": "X", "sections": ['.padEnd(size * 64_000, '1,'),
    (size: number) => `{"name": "X", "sections": [${'1,'.repeat(size * 32_000)}1]}`,
    (size: number) => `{"name": "X", "sections": [{"section": "S", "rows": [${row.repeat(size * 1_280)}1]}]}`,
    (size: number) =>
      `{"name": "X", "sections": [{"section": "S", "rows": [{"row": "A", "seats": "${'1-9,'.repeat(size * 16_000)}1"}]}]}`,
    (size: number) =>
      `{"name": "${'X'.repeat(size * 64_000)}", "sections": [{"section": "${'é'.repeat(size * 64_000)}", "capacity": 1}]}`,
    (size: number) =>
      `{"name": "X", "sections": [{"section": "S", "rows": [{"row": "A", "seats": "1", "categories": {${categories(size * 3_840)}}}]}]}`,
  ]) {
    const refuse = (size: number) => {
      const text = nonsense(size);
      return () => {
        const problems: readonly Problem[] = problemsOf(text);
        const isShort = JSON.stringify(problems).length < 10_000;
        assert.ok(problems.length <= MAX_PROBLEMS && isShort, text.slice(0, 60));
      };
    };
    await assertLinear(refuse, { what: nonsense(1).slice(0, 60) });
  }
});
