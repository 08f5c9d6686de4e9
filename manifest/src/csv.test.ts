// Seat maps as CSV: as spreadsheets write it, and refused with line numbers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Manifest, seatedSection } from '@floodgate/core/seating/manifest.ts';
import { assertLinear } from '@floodgate/core/testing/cpu.ts';
import { manifestFromCsv } from './csv.ts';
import { MAX_PROBLEMS, type Problem } from './input-errors.ts';

function manifestOf(text: string): Manifest {
  const read = manifestFromCsv(text, 'House');
  assert.ok('manifest' in read, JSON.stringify('problems' in read && read.problems));
  return read.manifest;
}

function problemsOf(text: string): readonly Problem[] {
  const read = manifestFromCsv(text, 'House');
  assert.ok('problems' in read, `was read without problems: ${text.slice(0, 200)}`);
  return read.problems;
}

/** "Stalls A 1 std" for each seat, and "Floor 500 std" for an area. */
function shown({ sections }: Manifest): string[] {
  return sections.flatMap((part) =>
    seatedSection(part)
      ? part.rows.flatMap(({ row, seats }) =>
          seats.map(({ seat, category }) => `${part.section} ${row} ${seat} ${category}`),
        )
      : [`${part.section} ${part.capacity} ${part.category}`],
  );
}

test('[E2] all columns are read, in any order, with commas or semicolons, LF or CRLF, and a byte order mark', () => {
  const seat = { restrictedView: false, gapBefore: false, category: 'std' };
  const expected: Manifest = {
    name: 'House',
    sections: [
      {
        section: 'Stalls',
        focus: 'centre',
        rows: [
          {
            row: 'A',
            seats: [
              { ...seat, seat: '1', x: 0.5, y: -1, kind: 'accessible' },
              { ...seat, seat: '2', x: 1.5, y: -1, kind: 'companion', restrictedView: true },
              { ...seat, seat: '3', x: 4, y: -1, kind: 'standard', gapBefore: true, category: 'vip' },
            ],
          },
        ],
      },
      { section: 'Floor', category: 'floor', capacity: 500 },
    ],
  };
  const commas = [
    'section,row,seat,category,x,y,kind,restricted_view,gap_before,capacity',
    'Stalls,A,1,std,0.5,-1,accessible,no,,',
    'Stalls,A,2,std,1.5,-1,Companion,yes,FALSE,',
    'Stalls,A,3,vip,4,-1,,,true,',
    'Floor,,,floor,,,,,,500',
  ];
  const semicolons = [
    'Capacity;Gap Before;restricted_view;kind;y;x;category;seat;row;section',
    ';;no;accessible;-1;0,5;std;1;A;Stalls',
    ';;1;companion;-1;1,5;std;2;A;Stalls',
    ';x;;standard;-1;4,0;vip;3;A;Stalls',
    '500;;;;;;floor;;;Floor',
    ';;;;;;;;;',
    '',
  ];
  for (const lines of [commas, semicolons]) {
    for (const end of ['\n', '\r\n'])
      assert.deepEqual(manifestOf(`\uFEFF${lines.join(end)}${end}`), expected);
  }
  assert.deepEqual(manifestOf(commas.map((line) => line.replace(/[^,]+/g, '"$&"')).join('\r\n')), expected);
});

test('[E2] three columns are enough: categories are the sections, seats stand on a grid, lines need not be sorted', () => {
  const manifest = manifestOf('section,row,seat\nA,1,1\nB,1,1\nA,1,2\nA,2,1\n');
  assert.deepEqual(shown(manifest), ['A 1 1 A', 'A 1 2 A', 'A 2 1 A', 'B 1 1 B']);
  const places = manifest.sections.flatMap((part) =>
    seatedSection(part) ? part.rows.flatMap(({ seats }) => seats.map(({ x, y }) => [x, y])) : [],
  );
  assert.deepEqual(places, [
    [-0.5, 0],
    [0.5, 0],
    [0, 1],
    [0, 4],
  ]);
  assert.deepEqual(shown(manifestOf('section,capacity\nFloor,500')), ['Floor 500 Floor']);
});

test('[E2] quotes hold delimiters, quotes and line ends, and lines are counted through them', () => {
  assert.deepEqual(shown(manifestOf('section,row,seat\n"Box ""1""; left",A,1')), [
    'Box "1"; left A 1 Box "1"; left',
  ]);
  const [problem] = problemsOf('section,row,seat\n"A\n\nB",1,1\nS,1,1\nS,1,1\n');
  assert.deepEqual([problem!.line, /control characters/.test(problem!.message)], [2, true]);
  const lines = problemsOf('section,row,seat\n"S",1,1\n\n"S","1",1\n').map(({ line }) => line);
  assert.deepEqual(lines, [4]);
  const after = problemsOf('section,row,seat,kind\nS,1,1,"a\n\r\nb"\nS,1,2,c\n').map(({ line }) => line);
  assert.deepEqual(after, [2, 5]);
});

const HEAD = 'section,row,seat,x,kind,gap_before,capacity\n';
const WRONG: readonly (readonly [text: string, line: number, message: RegExp])[] = [
  ['', 1, /file is empty: begin it with/],
  ['\n\n', 1, /file is empty/],
  ['S,1,1\n', 1, /the column "S" is unknown: columns are section,row,seat/],
  ['\nsection;reihe;seat\n', 2, /the column "reihe" is unknown: columns are section;row;seat/],
  ['section,row\n', 1, /first line names the columns/],
  ['section,row,seat,seat\n', 1, /"seat" stands here twice/],
  [`${HEAD}S,1,1\n`, 2, /has 3 fields, but the header has 7/],
  [`${HEAD}S,1,1,,,,,\n`, 2, /has 8 fields/],
  [`${HEAD},1,1,,,,\n`, 2, /has no section/],
  [`${HEAD}S,,1,,,,\n`, 2, /has no row or no seat/],
  [`${HEAD}S,1,1,,,,5\n`, 2, /a seat has no capacity/],
  [`${HEAD}S,,,,,,many\n`, 2, /"many" must be a whole number/],
  [`${HEAD}S,,,,,,0\n`, 2, /whole number from 1/],
  [`${HEAD}S,,,,,,5\nS,,,,,,5\n`, 3, /"S" stands here already/],
  [`${HEAD}S,,,,,,5\nS,1,1,,,,\n`, 3, /"S" is an area/],
  [`${HEAD}S,1,1,,,,\n\nS,1,1,,,,\n`, 4, /seat "1" of row "1" of section "S" stands here twice/],
  [`${HEAD}S,1,1,left,,,\n`, 2, /x is "left": it must be a number/],
  [`${HEAD}S,1,1,NaN,,,\n`, 2, /must be a number/],
  [`${HEAD}S,1,1,1e99,,,\n`, 2, /must be a number from -1000000/],
  [`${HEAD}S,1,1,0x10,,,\n`, 2, /must be a number/],
  [`${HEAD}S,1,1,1,,,\nS,1,2,,,,\n`, 3, /has no x, but others of row "1"/],
  [`${HEAD}S,1,1,1,,,\nS,1,2,1,,,\n`, 3, /is at the place of seat "1"/],
  [`${HEAD}S,1,1,,vip,,\n`, 2, /kind is "vip": it must be standard, accessible or companion/],
  [`${HEAD}S,1,1,,companion,,\n`, 2, /companion seat but no accessible seat/],
  [`${HEAD}S,1,1,,,maybe,\n`, 2, /gap_before is "maybe": it must be yes or no/],
  [`${HEAD}S,1,"1,,,,\nS,1,2,,,,\n`, 2, /never closed/],
  [`${HEAD}S,1,"1"x,,,,\n`, 2, /after the closing quote/],
  [`${HEAD}S,1,1"x",,,,\n`, 2, /inside of a field/],
  [`${HEAD}S,1,a|b,,,,\n`, 2, /contains "," or "\|"/],
  [`${HEAD}S\u0000,1,1,,,,\n`, 2, /control characters/],
  ['section,row,seat\n', 1, /at least one section/],
];

test('[E2] each impossible CSV is refused with its line and what to do', () => {
  for (const [text, line, message] of WRONG) {
    const [problem] = problemsOf(text);
    assert.match(problem!.message, message, JSON.stringify(text));
    assert.equal(problem!.line ?? 1, line, `${JSON.stringify(text)}: ${problem!.message}`);
  }
  assert.ok('manifest' in manifestFromCsv(`${HEAD}S,1,1,,,,\n`, 'House'), 'control: the header is right');
});

test('[E2] the cost to refuse a megabyte of garbage grows no faster than its length, and at most twenty problems are told', async () => {
  const random = (seed: number, length: number) => {
    let state = seed;
    return Array.from({ length }, () => {
      state = Math.imul(state, 1_103_515_245) + 12_345;
      return String.fromCharCode((state >>> 16) & 0x7f || 0x2c);
    }).join('');
  };
  const header = 'section,row,seat\n';
  const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);
  // Each of about that many characters.
  for (const garbage of [
    (length: number) => random(1, length),
    (length: number) => header + random(2, length),
    (length: number) => header + random(3, length).replaceAll('"', ','),
    (length: number) => header + 'x,'.repeat(length / 2),
    (length: number) => header + '\n'.repeat(length),
    (length: number) => header + '"'.repeat(length),
    (length: number) => `${header}${'""'.repeat(length / 2 - 1)}"`,
    (length: number) => header + '"a\n'.repeat(length / 3),
    (length: number) => header + 'S,A,1\n'.repeat(length / 6),
    (length: number) =>
      header +
      numbers(length / 10)
        .map((index) => `${index},A,1\n`)
        .join(''),
    (length: number) => ','.repeat(length),
    (length: number) => numbers(length / 7).join(','),
    (length: number) => `${header}${numbers(length / 7).join(',')}`,
  ]) {
    const refuse = (size: number) => {
      const text = garbage(size * 65_536);
      return () => {
        const problems = problemsOf(text);
        assert.ok(problems.length <= MAX_PROBLEMS && JSON.stringify(problems).length < 10_000);
      };
    };
    await assertLinear(refuse, { what: JSON.stringify(garbage(60)) });
  }
});
