// Settings: each is documented where people look, and a wrong one is told by name in one line.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { test } from 'node:test';
import { parseEnv } from 'node:util';
import { BadConfig, readConfig, SETTINGS } from './config.ts';

const EXAMPLE = readFileSync(resolve(import.meta.dirname, '../../.env.example'), 'utf8');
const KEY = 'sixteen-letters!';
const SECRET = 'thirty-two-characters-or-more!!!';

test('[A11] .env.example has every setting, in the same order, each under its line of help', () => {
  const lines = EXAMPLE.split('\n');
  const shown = lines.flatMap((line, i) => {
    const [, name] = /^([A-Z_]+)=/.exec(line) ?? [];
    return name === undefined ? [] : [{ name, help: lines[i - 1] }];
  });
  const wanted = Object.entries(SETTINGS).map(([name, { help }]) => ({ name, help: `# ${help}` }));
  assert.deepEqual(shown, wanted);
});

test('[A11] .env.example as it stands means the defaults', () => {
  const stable = { API_KEY: KEY, JWT_SECRET: SECRET, NODE_ID: '1' };
  const example = readConfig({ ...parseEnv(EXAMPLE), ...stable });
  assert.deepEqual(example, readConfig(stable));
  assert.equal(example.port, 3000);
  assert.deepEqual([example.seedEvents, example.seedTickets], [3, 10_000]);
});

test('an empty value counts as unset', () => {
  const empty = Object.fromEntries(Object.keys(SETTINGS).map((name) => [name, '']));
  const stable = { API_KEY: KEY, JWT_SECRET: SECRET, NODE_ID: '1' };
  assert.deepEqual(readConfig({ ...empty, ...stable }), readConfig(stable));
});

test('the ledger file is found from where the program was started', () => {
  const { database } = readConfig({ DATABASE_URL: 'sqlite:some/where.db' });
  assert.deepEqual(database, { kind: 'sqlite', file: resolve('some/where.db') });
  assert.ok(isAbsolute(resolve('some/where.db')));
  const absolute = readConfig({ DATABASE_URL: 'sqlite:/an/absolute.db' }).database;
  assert.deepEqual(absolute, { kind: 'sqlite', file: resolve('/an/absolute.db') });
});

test('[D5] the ledger is the database server that the URL names', () => {
  const kinds = { postgres: 'postgres', postgresql: 'postgres', mysql: 'mysql', mariadb: 'mysql' };
  for (const [protocol, kind] of Object.entries(kinds)) {
    const url = `${protocol}://ann:hush@db.example.org:1234/floodgate`;
    assert.deepEqual(readConfig({ DATABASE_URL: url }).database, { kind, url, readUrl: undefined });
    const both = readConfig({ DATABASE_URL: url, DATABASE_READ_URL: url }).database;
    assert.deepEqual(both, { kind, url, readUrl: url });
  }
});

const WRONG: Readonly<Record<keyof typeof SETTINGS, readonly string[]>> = {
  PORT: ['abc', '-1', '65536', '3000.5', ' 3000', '0x10', '1e3', '9'.repeat(400)],
  HOST: [],
  DATABASE_URL: ['foo', 'sqlite:', 'postgres://localhost', 'mysql:///x', 'SQLITE:x', 'redis://localhost/1'],
  DATABASE_READ_URL: ['foo', 'sqlite:x', 'postgres://localhost', 'redis://localhost/1'],
  REDIS_URL: ['foo', 'localhost:6379', 'redis://', 'http://localhost', 'postgres://localhost/x'],
  RECONCILE_SECONDS: ['0', '3601', 'often'],
  API_KEY: ['short', 'fifteen-letters', `${KEY} with a space`, `${KEY}é`],
  JWT_SECRET: [
    ...[
      'short',
      SECRET.slice(1),
      `${SECRET} x`,
      `${SECRET}é`,
      `${SECRET},`,
      `,${SECRET}`,
      `k:${SECRET},k:${SECRET}x`,
    ],
    ...[`a b:${SECRET}`, `:${SECRET}`, 'a:short', `a:b:${SECRET}`, `${SECRET},${SECRET}`],
    Array.from({ length: 9 }, (_, i) => `k${i}:${SECRET}`).join(),
  ],
  JWT_ISSUER: [],
  JWT_AUDIENCE: [],
  SESSION_DAYS: ['0', '401', 'forever'],
  HOLD_MAX_SECONDS: ['0', '-1', '8640001', 'ever'],
  CORS_ORIGINS: [
    ...[
      'example.org',
      'https://shop.example.org/',
      'https://*.example.org/x',
      'ftp://example.org',
      'null',
      '*,*',
    ],
    ...['https://a.example.org,', 'https://A.example.org', 'https://a.example.org, https://b.example.org'],
  ],
  HOLD_TTL_SECONDS: ['0', '-5', '86401', 'five'],
  DEFAULT_EVENT: [],
  SEED_EVENTS: ['-1', '10001', 'many'],
  SEED_TICKETS: ['-1', '0', '50000001', '1_000'],
  NODE_ID: ['-1', '1024', 'a'],
  LOG_LEVEL: ['loud', 'INFO'],
  NODE_ENV: [],
};
test('a wrong value is refused in one line that names its setting', () => {
  for (const [name, values] of Object.entries(WRONG)) {
    for (const value of values) {
      assert.throws(
        () => readConfig({ [name]: value }),
        (error) => error instanceof BadConfig && new RegExp(`^${name} \\S[^\\n]*$`).test(error.message),
        `${name}=${value}`,
      );
    }
  }
});

test('several wrong settings are told together, a line each', () => {
  const wrong = { PORT: 'abc', SEED_TICKETS: '-1', LOG_LEVEL: 'loud' };
  assert.throws(
    () => readConfig(wrong),
    (error) => {
      const lines = (error as Error).message.split('\n').map((line) => line.split(' ')[0]);
      return error instanceof BadConfig && lines.join() === Object.keys(wrong).join();
    },
  );
});

test('a message never repeats the value, which may be a secret', () => {
  for (const name of ['API_KEY', 'JWT_SECRET', 'DATABASE_URL', 'DATABASE_READ_URL', 'REDIS_URL', 'PORT']) {
    assert.throws(
      () => readConfig({ [name]: 'hush-hush' }),
      (error) => !(error as Error).message.includes('hush-hush'),
    );
  }
});

test('without API_KEY one is made, new each time; in production it is an error', () => {
  const [one, other] = [readConfig({}), readConfig({ NODE_ENV: 'development' })];
  assert.ok(one.isApiKeyMade && other.isApiKeyMade);
  assert.match(one.apiKey, /^[\w-]{24}$/);
  assert.notEqual(one.apiKey, other.apiKey);
  assert.throws(
    () => readConfig({ NODE_ENV: 'production' }),
    /^BadConfig: API_KEY is required in production/,
  );
  const given = readConfig({ NODE_ENV: 'production', API_KEY: KEY, JWT_SECRET: SECRET });
  assert.deepEqual([given.apiKey, given.isApiKeyMade, given.isProduction], [KEY, false, true]);
});

test('[D6] NODE_ID is a number from 0 to 1023, or left to the ledger', () => {
  assert.equal(readConfig({}).nodeId, undefined);
  assert.equal(readConfig({ NODE_ID: '1023' }).nodeId, 1_023);
});

test('[D9] without JWT_SECRET one is made, new each time; in production it is an error', () => {
  const [one, other] = [readConfig({}), readConfig({})];
  assert.match(one.jwtSecrets[0]!.secret, /^[\w-]{43}$/);
  assert.notDeepEqual(one.jwtSecrets, other.jwtSecrets);
  assert.throws(
    () => readConfig({ NODE_ENV: 'production', API_KEY: KEY }),
    /^BadConfig: JWT_SECRET is required in production/,
  );
});

test('[D9] JWT_SECRET is one secret, or several with names, of which the first signs', () => {
  assert.deepEqual(readConfig({ JWT_SECRET: SECRET }).jwtSecrets, [{ kid: undefined, secret: SECRET }]);
  assert.deepEqual(readConfig({ JWT_SECRET: `new:${SECRET}1,old.1:${SECRET}2,${SECRET}3` }).jwtSecrets, [
    { kid: 'new', secret: `${SECRET}1` },
    { kid: 'old.1', secret: `${SECRET}2` },
    { kid: undefined, secret: `${SECRET}3` },
  ]);
});

test('a hold can be extended ten times, unless HOLD_MAX_SECONDS says less, which is never less than one hold', () => {
  assert.equal(readConfig({ HOLD_TTL_SECONDS: '60' }).holdMaxMs, 660_000);
  assert.equal(readConfig({ HOLD_TTL_SECONDS: '60', HOLD_MAX_SECONDS: '60' }).holdMaxMs, 60_000);
  assert.throws(() => readConfig({ HOLD_TTL_SECONDS: '60', HOLD_MAX_SECONDS: '59' }), BadConfig);
});

test('[E7] CORS_ORIGINS is nothing, everything, or a list', () => {
  assert.deepEqual(readConfig({}).corsOrigins, []);
  assert.equal(readConfig({ CORS_ORIGINS: '*' }).corsOrigins, '*');
  const two = 'https://shop.example.org,http://localhost:5173';
  assert.deepEqual(readConfig({ CORS_ORIGINS: two }).corsOrigins, two.split(','));
});
