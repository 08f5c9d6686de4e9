// Each rule of the structure checker on small trees of files: one that breaks it and its neighbour that does not.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { checkStructure } from './check-structure.ts';

type Tree = Readonly<Record<string, string>>;

const PACKAGES: Tree = {
  'package.json': '{ "workspaces": ["core", "server"] }',
  'core/package.json': '{ "name": "@floodgate/core" }',
  'server/package.json': '{ "name": "@floodgate/server" }',
};
/** Something to import on every floor. */
const HOUSE: Tree = {
  'core/src/ids.ts': '',
  'server/src/config.ts': '',
  'server/src/contract/schemas.ts': '',
  'server/src/ledger/ledger.ts': '',
  'server/src/ledger/sqlite/sqlite-ledger.ts': '',
  'server/src/inventory/inventory.ts': '',
  'server/src/inventory/memory/memory-inventory.ts': '',
  'server/src/telemetry/telemetry.ts': '',
  'server/src/telemetry/metrics.ts': '',
  'server/src/sales/buying/buy.ts': '',
  'server/src/http/lane/app.ts': '',
  'server/src/workers/workers.ts': '',
  'server/src/main.ts': '',
  'server/src/ledger/contract/ledger.contract.ts': '',
  'server/test/stampede.ts': '',
  'bench/run.ts': '',
};

/** What the checker finds, as `rule path:line`. */
function find(t: TestContext, tree: Tree): string[] {
  const root = mkdtempSync(path.join(tmpdir(), 'floodgate-structure-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  for (const [file, text] of Object.entries({ ...PACKAGES, ...tree })) {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  }
  return checkStructure(root).map(({ rule, path, line, level }) => {
    return `${level === 'warning' ? 'warning ' : ''}${rule} ${path}:${line}`;
  });
}

const importOf = (specifier: string) => `import { x } from '${specifier}';\n`;

describe('floors', () => {
  const RULES: readonly (readonly [from: string, may: readonly string[], mayNot: readonly string[]])[] = [
    ['core/src/hold.ts', ['./ids.ts'], ['node:fs', 'zod', '@floodgate/server/config.ts']],
    [
      'server/src/contract/more.ts',
      ['zod', './schemas.ts', '@floodgate/core/ids.ts'],
      ['../config.ts', '../ledger/ledger.ts', '../sales/buy.ts', 'node:sqlite'],
    ],
    [
      'server/src/ledger/sqlite/writer.ts',
      ['node:sqlite', '../ledger.ts', './sqlite-ledger.ts', '@floodgate/core/ids.ts'],
      [
        '../../inventory/inventory.ts',
        '../../sales/buy.ts',
        '../../config.ts',
        '../../telemetry/telemetry.ts',
      ],
    ],
    [
      'server/src/sales/buying/hold.ts',
      [
        './buy.ts',
        '../ledger/ledger.ts',
        '../telemetry/telemetry.ts',
        '@floodgate/core/ids.ts',
        'node:crypto',
      ],
      [
        '../ledger/sqlite/sqlite-ledger.ts',
        '../inventory/memory-inventory.ts',
        '../contract/schemas.ts',
        '../http/app.ts',
        '../config.ts',
        'node:sqlite',
        'kysely/migration',
      ],
    ],
    [
      'server/src/http/doors/buy.ts',
      [
        './app.ts',
        '../sales/buy.ts',
        '../contract/schemas.ts',
        '../config.ts',
        '../telemetry/telemetry.ts',
        'express',
      ],
      ['../ledger/ledger.ts', '../telemetry/metrics.ts', '../workers/workers.ts', '../main.ts', 'ioredis'],
    ],
    ['server/src/workers/expiry.ts', ['../sales/buy.ts'], ['../inventory/inventory.ts', '../http/app.ts']],
    [
      'server/src/commands/seed.ts',
      ['./main.ts', './ledger/sqlite/sqlite-ledger.ts', './http/app.ts', 'node:sqlite'],
      ['../test/stampede.ts', './ledger/ledger.contract.ts'],
    ],
    [
      'scripts/tool.ts',
      ['node:fs', '../server/src/config.ts'],
      ['../server/test/stampede.ts', '../bench/run.ts'],
    ],
    ['server/src/http/app.test.ts', ['../ledger/sqlite/sqlite-ledger.ts', '../../test/stampede.ts'], []],
    [
      'server/src/inventory/contract/inventory.contract.ts',
      ['../ledger/ledger.contract.ts', 'fast-check'],
      [],
    ],
    ['server/test/kill.ts', ['../src/main.ts', '../src/ledger/sqlite/sqlite-ledger.ts'], []],
    ['bench/more.ts', ['./run.ts', '../server/test/stampede.ts'], []],
  ];
  for (const [from, may, mayNot] of RULES) {
    test(`${from} may import ${may.join(', ')}`, (t) => {
      assert.deepEqual(find(t, { ...HOUSE, [from]: may.map(importOf).join('') }), []);
    });
    for (const specifier of mayNot) {
      test(`${from} may not import ${specifier}`, (t) => {
        const found = find(t, { ...HOUSE, [from]: `// why\n${importOf(specifier)}` });
        assert.ok(found.includes(`floors ${from}:2`), found.join());
      });
    }
  }

  test('every way to name a file is an import', (t) => {
    const ways = [
      "import type { L } from '../ledger/ledger.ts';",
      "import {\n  a,\n  type B,\n} from '../ledger/ledger.ts';",
      "import '../ledger/ledger.ts';",
      "export { a } from '../ledger/ledger.ts';",
      "export * from '../ledger/ledger.ts';",
      "const a = await import('../ledger/ledger.ts');",
      "new Worker(new URL('../ledger/ledger.ts', import.meta.url));",
    ];
    for (const way of ways) {
      assert.deepEqual(
        find(t, { ...HOUSE, 'server/src/http/a.ts': way }),
        ['floors server/src/http/a.ts:1'],
        way,
      );
    }
  });

  test('comments, texts and regular expressions import nothing', (t) => {
    const text = [
      "// import a from '../ledger/ledger.ts';",
      "/*\nimport a from '../ledger/ledger.ts';\n*/",
      "const a = `\nimport a from '../ledger/ledger.ts';\n`;",
      'const quote = /[\'"`]/;',
      'const b = "import(\'../ledger/ledger.ts\')";',
    ].join('\n');
    assert.deepEqual(find(t, { ...HOUSE, 'server/src/http/a.ts': text }), []);
  });

  test('a folder or file of the server without a floor is named', (t) => {
    const tree = {
      'server/src/helpers/strings.ts': '',
      'server/src/stray.ts': '',
      'server/src/config.ts': '',
    };
    assert.deepEqual(find(t, tree), [
      'floors server/src/helpers/strings.ts:1',
      'floors server/src/stray.ts:1',
    ]);
  });
});

describe('cycles', () => {
  test('a circle of imports is found once, types included', (t) => {
    const tree = {
      'core/src/a.ts': importOf('./b.ts'),
      'core/src/b.ts': "import type { C } from './c.ts';\n",
      'core/src/c.ts': importOf('./a.ts'),
      'core/src/d.ts': importOf('./a.ts'),
    };
    assert.deepEqual(find(t, tree), ['cycle core/src/c.ts:1']);
  });

  test('two ways to the same file are no circle', (t) => {
    const tree = {
      'core/src/a.ts': importOf('./b.ts') + importOf('./c.ts'),
      'core/src/b.ts': importOf('./d.ts'),
      'core/src/c.ts': importOf('./d.ts'),
      'core/src/d.ts': '',
    };
    assert.deepEqual(find(t, tree), []);
  });

  test('a circle through another package is found', (t) => {
    const tree = {
      'core/src/a.test.ts': importOf('@floodgate/server/b.test.ts'),
      'server/src/b.test.ts': importOf('@floodgate/core/a.test.ts'),
    };
    assert.deepEqual(find(t, tree), ['cycle server/src/b.test.ts:1']);
  });
});

describe('packages', () => {
  test('a relative import may not leave its package', (t) => {
    const tree = { ...HOUSE, 'server/test/a.ts': importOf('../../core/src/ids.ts') };
    assert.deepEqual(find(t, tree), ['package server/test/a.ts:1']);
  });

  test('the package’s name is the way, and inside a package relative imports are free', (t) => {
    const tree = {
      ...HOUSE,
      'server/test/a.ts': importOf('@floodgate/core/ids.ts') + importOf('../src/main.ts'),
    };
    assert.deepEqual(find(t, tree), []);
  });
});

describe('sizes', () => {
  const lines = (count: number) => 'x;\n'.repeat(count);

  test('a file over 600 lines is an error, over 400 a warning', (t) => {
    assert.deepEqual(find(t, { 'core/src/a.ts': lines(601) }), ['size core/src/a.ts:601']);
    assert.deepEqual(find(t, { 'core/src/a.ts': lines(600) }), ['warning size core/src/a.ts:600']);
    assert.deepEqual(find(t, { 'core/src/a.ts': lines(401) }), ['warning size core/src/a.ts:401']);
    assert.deepEqual(find(t, { 'core/src/a.ts': lines(400) }), []);
  });

  test('a test may have 800 lines', (t) => {
    assert.deepEqual(find(t, { 'core/src/a.test.ts': lines(801) }), ['size core/src/a.test.ts:801']);
    assert.deepEqual(find(t, { 'core/src/a.test.ts': lines(800) }), []);
  });
});

describe('lost updates', () => {
  test('an update across an await is found wherever it stands', (t) => {
    const traps = [
      'n += await f();',
      'this.#n -= (await f()).length;',
      'a.b[c] *= 2 * (await f());',
      'n ??= await f();',
      'n = n + (await f());',
      'this.#n = this.#n - (await f());',
      'total +=\n  1 +\n  (await f());',
    ];
    for (const trap of traps) {
      assert.deepEqual(find(t, { 'bench/a.ts': `go();\n${trap}\n` }), ['lost-update bench/a.ts:2'], trap);
    }
  });

  test('waiting first is the way, and comparisons, arrows and texts are no updates', (t) => {
    const innocent = [
      'const got = await f(); n += got;',
      'const late = n >= (await f());',
      'const same = n === (await f()) || n !== (await g());',
      'const go = async () => await f();',
      'n += waiting.push(async () => await f());',
      "say('n += await f()'); // n += await f()",
      'n = m + (await f());',
      'b.n = n + (await f());',
    ];
    for (const text of innocent) assert.deepEqual(find(t, { 'bench/a.ts': text }), [], text);
  });
});
