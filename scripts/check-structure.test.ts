// Each rule of the structure checker on small trees of files: one that breaks it and its neighbour that does not.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { checkStructure } from './check-structure.ts';
import { parseSource } from './source-file.ts';

type Tree = Readonly<Record<string, string>>;

const PACKAGES: Tree = {
  'package.json': '{ "workspaces": ["core", "manifest", "server"] }',
  'core/package.json': '{ "name": "@floodgate/core" }',
  'manifest/package.json': '{ "name": "@floodgate/manifest" }',
  'server/package.json': '{ "name": "@floodgate/server" }',
};
/** Something to import on every floor. */
const HOUSE: Tree = {
  'core/src/ids.ts': '',
  'core/src/testing/houses.ts': '',
  'manifest/src/text.ts': '',
  'server/src/config.ts': '',
  'server/src/contract/buying.ts': '',
  'server/src/drivers/time.ts': '',
  'server/src/drivers/redis/redis-client.ts': '',
  'server/src/drivers/contract/test-redis.ts': '',
  'server/src/ledger/ledger.ts': '',
  'server/src/ledger/sqlite/sqlite-ledger.ts': '',
  'server/src/ledger/contract/ledger.contract.ts': '',
  'server/src/ledger/contract/memory-ledger.ts': '',
  'server/src/inventory/inventory.ts': '',
  'server/src/inventory/memory/memory-inventory.ts': '',
  'server/src/telemetry/telemetry.ts': '',
  'server/src/telemetry/metrics.ts': '',
  'server/src/sales/shop.ts': '',
  'server/src/sales/buying/buy.ts': '',
  'server/src/sales/keeping/expire.ts': '',
  'server/src/http/lane/operation.ts': '',
  'server/src/http/doors/orders.ts': '',
  'server/src/workers/workers.ts': '',
  'server/src/compose.ts': '',
  'server/src/main.ts': '',
  'server/test/kit/program.ts': '',
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
    [
      'core/src/hold.ts',
      ['./ids.ts'],
      ['node:fs', 'zod', '@floodgate/manifest/text.ts', '@floodgate/server/config.ts', './testing/houses.ts'],
    ],
    [
      'manifest/src/csv.ts',
      ['./text.ts', '@floodgate/core/ids.ts', 'csv-parse/sync'],
      ['@floodgate/server/ledger/ledger.ts', '@floodgate/core/testing/houses.ts', 'node:sqlite'],
    ],
    [
      'server/src/contract/more.ts',
      ['zod', './buying.ts', '@floodgate/core/ids.ts'],
      [
        ...['../config.ts', '../ledger/ledger.ts', '../sales/buying/buy.ts', '../http/lane/operation.ts'],
        ...['../drivers/time.ts', 'node:sqlite'],
      ],
    ],
    [
      'server/src/drivers/sql/reach.ts',
      ['../time.ts', '../redis/redis-client.ts', '@floodgate/core/ids.ts', 'pg', 'ioredis'],
      [
        ...['../../ledger/ledger.ts', '../../telemetry/telemetry.ts', '../../config.ts'],
        ...['../../sales/shop.ts', '../contract/test-redis.ts', '@floodgate/manifest/text.ts'],
      ],
    ],
    [
      'server/src/ledger/sqlite/writer.ts',
      [
        'node:sqlite',
        '../ledger.ts',
        './sqlite-ledger.ts',
        '../../drivers/time.ts',
        '@floodgate/core/ids.ts',
      ],
      [
        ...['../../inventory/inventory.ts', '../../telemetry/telemetry.ts', '../../sales/buying/buy.ts'],
        ...['../../config.ts', '../../contract/buying.ts', '../../http/lane/operation.ts'],
        ...['../contract/memory-ledger.ts', '../contract/ledger.contract.ts'],
      ],
    ],
    [
      'server/src/http/lane/serve.ts',
      [
        ...['./operation.ts', '../../contract/buying.ts', '../../config.ts', '../../telemetry/telemetry.ts'],
        ...['@floodgate/core/ids.ts', 'express', 'zod'],
      ],
      [
        ...[
          '../doors/orders.ts',
          '../../sales/shop.ts',
          '../../sales/buying/buy.ts',
          '../../telemetry/metrics.ts',
        ],
        ...['../../ledger/ledger.ts', '../../drivers/time.ts', '../../workers/workers.ts', 'ioredis'],
      ],
    ],
    [
      'server/src/sales/buying/hold.ts',
      [
        ...['./buy.ts', '../shop.ts', '../keeping/expire.ts', '../../ledger/ledger.ts'],
        ...['../../telemetry/telemetry.ts', '@floodgate/core/ids.ts', '@floodgate/manifest/text.ts'],
        'node:crypto',
      ],
      [
        ...['../../ledger/sqlite/sqlite-ledger.ts', '../../inventory/memory/memory-inventory.ts'],
        ...['../../contract/buying.ts', '../../http/lane/operation.ts', '../../http/doors/orders.ts'],
        ...['../../drivers/time.ts', '../../config.ts', '../../main.ts', 'node:sqlite', 'kysely/migration'],
      ],
    ],
    [
      'server/src/http/doors/buy.ts',
      [
        ...['./orders.ts', '../lane/operation.ts', '../../sales/buying/buy.ts', '../../sales/shop.ts'],
        ...['../../contract/buying.ts', '../../config.ts', '../../telemetry/telemetry.ts'],
        ...['@floodgate/manifest/text.ts', 'zod'],
      ],
      [
        ...['../../ledger/ledger.ts', '../../inventory/inventory.ts', '../../telemetry/metrics.ts'],
        ...[
          '../../workers/workers.ts',
          '../../drivers/time.ts',
          '../../compose.ts',
          '../../main.ts',
          'ioredis',
        ],
      ],
    ],
    [
      'server/src/workers/expiry.ts',
      ['./workers.ts', '../sales/keeping/expire.ts', '../telemetry/telemetry.ts'],
      ['../inventory/inventory.ts', '../http/doors/orders.ts', '../drivers/time.ts', '../main.ts'],
    ],
    [
      'server/src/commands/seed.ts',
      [
        ...['../main.ts', '../compose.ts', '../ledger/sqlite/sqlite-ledger.ts', '../http/doors/orders.ts'],
        ...['../sales/buying/buy.ts', '../drivers/time.ts', '../config.ts', 'node:sqlite'],
      ],
      ['../../test/kit/program.ts', '../ledger/contract/memory-ledger.ts'],
    ],
    [
      'scripts/tool.ts',
      ['node:fs', '../server/src/config.ts'],
      ['../server/test/kit/program.ts', '../bench/run.ts', '../server/src/ledger/contract/memory-ledger.ts'],
    ],
    [
      'server/src/http/doors/buy.test.ts',
      ['../../ledger/sqlite/sqlite-ledger.ts', '../../../test/kit/program.ts', './orders.ts'],
      [],
    ],
    [
      'server/src/inventory/contract/inventory.contract.ts',
      [
        ...['../inventory.ts', '../../ledger/contract/ledger.contract.ts'],
        ...['@floodgate/core/testing/houses.ts', 'fast-check'],
      ],
      [],
    ],
    [
      'server/test/faults/kill.ts',
      ['../kit/program.ts', '../../src/main.ts', '../../src/ledger/sqlite/sqlite-ledger.ts'],
      [],
    ],
    ['bench/more.ts', ['./run.ts', '@floodgate/core/testing/houses.ts'], []],
  ];

  test('these rules speak of files that are there', () => {
    const packages = new Map(['core', 'manifest', 'server'].map((dir) => [`@floodgate/${dir}`, dir]));
    for (const [from, may, mayNot] of RULES) {
      const { imports } = parseSource(from, [...may, ...mayNot].map(importOf).join(''), packages);
      const missing = imports.filter(({ target }) => target !== undefined && HOUSE[target] === undefined);
      assert.deepEqual(missing, [], from);
    }
  });

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
      "import type { L } from '../../ledger/ledger.ts';",
      "import {\n  a,\n  type B,\n} from '../../ledger/ledger.ts';",
      "import '../../ledger/ledger.ts';",
      "export { a } from '../../ledger/ledger.ts';",
      "export * from '../../ledger/ledger.ts';",
      "const a = await import('../../ledger/ledger.ts');",
      "new Worker(new URL('../../ledger/ledger.ts', import.meta.url));",
    ];
    for (const way of ways) {
      assert.deepEqual(
        find(t, { ...HOUSE, 'server/src/http/doors/a.ts': way }),
        ['floors server/src/http/doors/a.ts:1'],
        way,
      );
    }
  });

  test('comments, texts and regular expressions import nothing', (t) => {
    const text = [
      "// import a from '../../ledger/ledger.ts';",
      "/*\nimport a from '../../ledger/ledger.ts';\n*/",
      "const a = `\nimport a from '../../ledger/ledger.ts';\n`;",
      'const quote = /[\'"`]/;',
      'const b = "import(\'../../ledger/ledger.ts\')";',
    ].join('\n');
    assert.deepEqual(find(t, { ...HOUSE, 'server/src/http/doors/a.ts': text }), []);
  });

  test('a folder or file of the server without a floor is named', (t) => {
    const tree = {
      'server/src/helpers/strings.ts': '',
      'server/src/http/stray.ts': '',
      'server/src/http/helpers/strings.ts': '',
      'server/src/stray.ts': '',
      'server/src/config.ts': '',
    };
    assert.deepEqual(find(t, tree), [
      'floors server/src/helpers/strings.ts:1',
      'floors server/src/http/helpers/strings.ts:1',
      'floors server/src/http/stray.ts:1',
      'floors server/src/stray.ts:1',
    ]);
  });
});

describe('doors and the shop', () => {
  const DOOR = 'server/src/http/doors/a.ts';

  test('a door that reads a member of the shop, takes it apart or gives it another name is found', (t) => {
    const traps = [
      'const nowMs = shop.ledger.nowMs();',
      'shop?.telemetry.info();',
      'shop!.telemetry.info();',
      "shop['ledger'];",
      'shop\n.ledger;',
      'const { ledger } = shop;',
      'const { ledger: { nowMs }, inventory } = shop;',
      'const other = shop;',
      'let other = this.#shop;',
      'this.#shop.ledger.nowMs();',
      'parts.shop.ledger.nowMs();',
      'const open = ({ ledger }: Shop) => ledger;',
      "function open({ ledger }: Pick<Shop, 'ledger'>) {}",
      'function open(house: Shop) { return house.ledger; }',
      'const house: Readonly<Shop> = open(); use(house.ledger);',
      "type L = Shop['ledger'];",
      'use({ ...shop });',
    ];
    for (const file of [DOOR, 'server/src/workers/a.ts']) {
      for (const trap of traps) {
        const found = find(t, { [file]: `go();\n${trap}\n` });
        assert.ok(found.length > 0 && found.every((each) => each.startsWith('opaque-shop')), trap);
        assert.ok(found[0] === `opaque-shop ${file}:2`, `${trap}: ${found}`);
      }
    }
  });

  test('a door passes the shop on and keeps it, and other names, comments and texts are no shop', (t) => {
    const innocent = [
      'function open(shop: Shop): Operation[] { return [hold(shop, command), new SeatBoards(shop)]; }',
      'class Board { readonly #shop: Shop; constructor(shop: Shop) { this.#shop = shop; } }',
      'buy(this.#shop, command);',
      'const bought = await buy(shop, command);',
      'use({ shop, other });',
      "import type { Shop } from '../../sales/shop.ts';",
      "say('shop.ledger'); // shop.ledger is not for doors",
      'const { ledger } = workshop; workshop.ledger; shopping.list;',
      'const view = shop === undefined ? a : b;',
    ];
    for (const text of innocent) assert.deepEqual(find(t, { ...HOUSE, [DOOR]: text }), [], text);
  });

  test('use cases, programs and tests select what they need', (t) => {
    for (const file of [
      'server/src/sales/buying/a.ts',
      'server/src/main.ts',
      'server/src/http/doors/a.test.ts',
    ]) {
      assert.deepEqual(find(t, { [file]: 'const { ledger } = shop; shop.inventory;' }), [], file);
    }
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
