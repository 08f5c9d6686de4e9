// Checks what the compiler cannot: that imports go down only (design.md, "Rooms and floors"), that nothing
// imports in a circle or leaves its package by a relative path, that doors select nothing from the shop, that files
// stay short, and that nobody adds to a variable across an await.
import path from 'node:path';
import { lineAt, readPackages, readSources, type SourceFile } from './source-file.ts';

export interface Finding {
  readonly level: 'error' | 'warning';
  readonly rule: 'floors' | 'cycle' | 'package' | 'opaque-shop' | 'size' | 'lost-update';
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

/** All findings of the project, in the order of its files. */
export function checkStructure(root: string): Finding[] {
  const sources = readSources(root);
  const packageDirs = [...readPackages(root).values()];
  return [
    ...sources.flatMap(checkFloors),
    ...checkCycles(sources),
    ...sources.flatMap((source) => checkPackage(source, packageDirs)),
    ...sources.flatMap(checkOpaqueShop),
    ...sources.flatMap(checkSize),
    ...sources.flatMap(checkLostUpdates),
  ];
}

// Floors -------------------------------------------------------------------------------------------------

/** `tool`: scripts and whatever else is not part of the running program. */
type Floor =
  | 'core'
  | 'manifest'
  | 'driver'
  | 'foundation'
  | 'room'
  | 'lane'
  | 'sales'
  | 'door'
  | 'entry'
  | 'test'
  | 'tool';

/** Files of one area see each other freely. */
interface Place {
  readonly floor: Floor;
  readonly area: string;
}

/** By the first folders of server/src. A room's interface is the file of its own name. */
const FLOOR_OF_DIR: Readonly<Record<string, Floor>> = {
  commands: 'entry',
  contract: 'foundation',
  drivers: 'driver',
  identity: 'room',
  inventory: 'room',
  ledger: 'room',
  limits: 'room',
  mail: 'room',
  payments: 'room',
  relay: 'room',
  telemetry: 'room',
  'waiting-room': 'room',
  sales: 'sales',
  'http/lane': 'lane',
  'http/doors': 'door',
  workers: 'door',
};
const FLOOR_OF_FILE: Readonly<Record<string, Floor>> = {
  'config.ts': 'foundation',
  'main.ts': 'entry',
  'compose.ts': 'entry',
};

/** The floors below each. `room` is met by its interface file only, except from an entry. */
const BELOW: Readonly<Record<Exclude<Floor, 'test' | 'tool'>, readonly Floor[]>> = {
  core: [],
  manifest: ['core'],
  driver: ['core'],
  foundation: ['core'],
  room: ['core', 'driver'],
  lane: ['core', 'foundation'],
  sales: ['core', 'manifest', 'room'],
  door: ['core', 'manifest', 'foundation', 'lane', 'sales'],
  entry: ['core', 'manifest', 'driver', 'foundation', 'room', 'lane', 'sales', 'door', 'entry'],
};

/** What one floor may import beside those below it. Every row says why. */
const EXCEPTIONS: readonly { readonly from: Floor; readonly to: string; readonly why: string }[] = [
  {
    from: 'lane',
    to: 'server/src/telemetry/telemetry.ts',
    why: 'Every answer is measured and logged in one place: the lane.',
  },
  {
    from: 'door',
    to: 'server/src/telemetry/telemetry.ts',
    why: 'A door measures and logs what only it sees: requests, status codes, bytes, lag. Use cases that passed this on would have to know HTTP.',
  },
  {
    from: 'tool',
    to: 'server/test/kit/servers/binaries.ts',
    why: 'The last lines of npm test name the real servers that the tests use, found by the same look.',
  },
];

/** Packages that speak to a store. Only drivers, rooms and entries may: no SQL in a handler, no Redis in a use case. */
const DRIVERS = new Set(['node:sqlite', 'pg', 'mysql2', 'kysely', 'ioredis', '@platformatic/kafka']);

/** Tests; contract suites with their helpers and memory twins, beside the room they are about; what tests share. */
const TEST =
  /\.(test|contract)\.tsx?$|^(core|manifest|server)\/src\/(.+\/)?testing\/|^server\/src\/[^/]+\/(.+\/)?contract\/|^server\/test\//;

function placeOf(file: string): Place | undefined {
  if (TEST.test(file) || file.startsWith('bench/')) return { floor: 'test', area: 'tests' };
  if (file.startsWith('core/src/')) return { floor: 'core', area: 'core' };
  if (file.startsWith('manifest/src/')) return { floor: 'manifest', area: 'manifest' };
  const inServer = /^server\/src\/(.+)$/.exec(file)?.[1];
  if (inServer === undefined) return { floor: 'tool', area: 'tools' };
  const [, area = inServer] = /^(http\/[^/]+|[^/]+)\//.exec(inServer) ?? [];
  const floor = area === inServer ? FLOOR_OF_FILE[area] : FLOOR_OF_DIR[area];
  return floor && { floor, area };
}

function checkFloors(source: SourceFile): Finding[] {
  const from = placeOf(source.path);
  const at = (line: number, message: string): Finding => errorAt('floors', source.path, line, message);
  if (from === undefined) {
    return [at(1, 'has no floor: name its folder in scripts/check-structure.ts and in design.md')];
  }
  return source.imports.flatMap((each) => {
    const why =
      each.target === undefined
        ? whyNotPackage(from, each.specifier)
        : whyNotFile(from, each.target, placeOf(each.target));
    return why === undefined ? [] : [at(each.line, `imports ${each.specifier}: ${why}`)];
  });
}

function whyNotPackage({ floor }: Place, specifier: string): string | undefined {
  if (floor === 'core') return 'core imports nothing: clock, random and IO are arguments';
  const [first = '', second = ''] = specifier.split('/');
  const name = first.startsWith('@') ? `${first}/${second}` : first;
  const mayDrive =
    floor === 'driver' || floor === 'room' || floor === 'entry' || floor === 'test' || floor === 'tool';
  return DRIVERS.has(name) && !mayDrive ? 'only a driver or a room speaks to a store' : undefined;
}

function whyNotFile(from: Place, target: string, to: Place | undefined): string | undefined {
  if (from.floor === 'test') return undefined;
  if (EXCEPTIONS.some((each) => each.from === from.floor && each.to === target)) return undefined;
  if (to?.floor === 'test') return 'only tests import tests';
  if (from.floor === 'tool' || to === undefined) return undefined;
  if (from.area === to.area) return undefined;
  if (!BELOW[from.floor].includes(to.floor)) return `${from.area} may not import ${to.area}`;
  if (to.floor !== 'room' || from.floor === 'entry' || isInterface(target, to)) return undefined;
  return `${from.area} knows the rooms by their interface files only, here ${to.area}/${to.area}.ts`;
}

function isInterface(file: string, room: Place): boolean {
  return file === `server/src/${room.area}/${room.area}.ts`;
}

// Doors and the shop -------------------------------------------------------------------------------------

/**
 * A door passes the shop on to use cases and reads no member of it, or every room would be within its reach. `shop`, and
 * what a file plainly declares as a Shop, must not be read, taken apart, spread or given another name. It catches habit, not
 * intent: who gives the type another name, or reads through Reflect, is not seen.
 */
function checkOpaqueShop({ path: file, code }: SourceFile): Finding[] {
  if (placeOf(file)?.floor !== 'door') return [];
  const type = String.raw`(?:(?:Readonly|Pick|Omit|Partial)<\s*)?Shop\b`;
  const named = [...code.matchAll(new RegExp(String.raw`([\w$]+)\??\s*:\s*${type}`, 'g'))].map(
    ([, name]) => name!,
  );
  const shop = String.raw`(?<![\w$])(?:${[...new Set(['shop', ...named])].join('|')})(?![\w$])`;
  const ways: readonly (readonly [pattern: string, message: string])[] = [
    [String.raw`${shop}\s*!?\s*\??(?:\.(?!\.)|\[)`, 'reads a member of the shop'],
    [String.raw`\b(?:const|let|var)\s[^=;]*=\s*(?:this\.#?)?${shop}\s*(?=[;,])`, 'takes the shop apart'],
    [String.raw`\}\s*:\s*${type}`, 'takes the shop apart'],
    [String.raw`\.\.\.\s*(?:this\.#?)?${shop}`, 'spreads the shop'],
    [String.raw`\bShop\s*\[`, 'reads a member of the shop'],
  ];
  return ways.flatMap(([pattern, message]) =>
    [...code.matchAll(new RegExp(pattern, 'g'))].map((match) =>
      errorAt(
        'opaque-shop',
        file,
        lineAt(code, match.index),
        `${message}: pass it on to a use case in sales/, which selects what it needs`,
      ),
    ),
  );
}

// Cycles and packages ------------------------------------------------------------------------------------

/** Each circle of imports once. Types count too: two files that need each other's types are one file. */
function checkCycles(sources: readonly SourceFile[]): Finding[] {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const done = new Set<string>();
  const trail: string[] = [];
  const findings: Finding[] = [];
  const visit = (source: SourceFile): void => {
    trail.push(source.path);
    for (const { target, line } of source.imports) {
      const next = target === undefined ? undefined : byPath.get(target);
      if (next === undefined || done.has(next.path)) continue;
      const start = trail.indexOf(next.path);
      if (start < 0) visit(next);
      else findings.push(errorAt('cycle', source.path, line, [...trail.slice(start), next.path].join(' → ')));
    }
    trail.pop();
    done.add(source.path);
  };
  for (const source of sources) if (!done.has(source.path)) visit(source);
  return findings;
}

function checkPackage(source: SourceFile, packageDirs: readonly string[]): Finding[] {
  const home = packageDirs.find((dir) => source.path.startsWith(`${dir}/`)) ?? '.';
  return source.imports
    .filter(({ specifier, target }) => specifier.startsWith('.') && leaves(home, target!))
    .map(({ specifier, line }) =>
      errorAt(
        'package',
        source.path,
        line,
        `${specifier} leaves the package ${home}: import it by its package's name`,
      ),
    );
}

function leaves(dir: string, file: string): boolean {
  return path.posix.relative(dir, file).startsWith('../');
}

// Sizes and lost updates ---------------------------------------------------------------------------------

const MOST_LINES = 600;
const MANY_LINES = 400;
const MOST_TEST_LINES = 800;

function checkSize({ path: file, lines: count }: SourceFile): Finding[] {
  const most = TEST.test(file) ? MOST_TEST_LINES : MOST_LINES;
  if (count > most) return [errorAt('size', file, count, `${count} lines; at most ${most} are allowed`)];
  if (TEST.test(file) || count <= MANY_LINES) return [];
  return [{ ...errorAt('size', file, count, `${count} lines; think about splitting it`), level: 'warning' }];
}

/**
 * `x += await f()` and `x = x + await f()` read x before the wait and write it after: what others added
 * meanwhile is lost. Arrow functions on the right are let alone, because they have waits of their own.
 */
const LOST_UPDATE = new RegExp(
  [
    String.raw`(?:\*\*|<<|>>>?|&&|\|\||\?\?|[-+*/%&|^])=(?![=>])`,
    String.raw`(?<![\w$#.\])])([\w$#.]+) = \1 (?:\*\*|<<|>>>?|&&|\|\||\?\?|[-+*/%&|^])`,
  ]
    .map((assignment) => `${assignment}(?:(?!=>)[^;{}])*?\\bawait\\b`)
    .join('|'),
  'g',
);

function checkLostUpdates({ path: file, code }: SourceFile): Finding[] {
  return [...code.matchAll(LOST_UPDATE)]
    .map((match) => lineAt(code, match.index))
    .map((line) => errorAt('lost-update', file, line, 'updates across an await: wait first, then update'));
}

function errorAt(rule: Finding['rule'], file: string, line: number, message: string): Finding {
  return { level: 'error', rule, path: file, line, message };
}
