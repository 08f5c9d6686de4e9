// Bad input, each with its status, its stable code, one clear sentence, and nothing changed: neither a ticket nor a
// sequence number nor an idempotency key.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { contentOf, readProblem } from '../../../test/kit/answers.ts';
import { exchange, requestText } from '../../../test/kit/raw-http.ts';
import { eventOf, openTestShop, type TestShop } from '../../../test/kit/test-shop.ts';
import { anyProblem } from '../../contract/answers.ts';
import { boughtAnswer } from '../../contract/buying.ts';

let shop: TestShop;

before(async () => {
  shop = await openTestShop({ events: [eventOf('gala', { ga: 5, vip: 3 })] });
  await shop.ask('POST', '/buy/1', { body: { quantity: 3 }, key: 'taken' });
});
after(() => shop?.close());

/** Runs `act` and asserts that the shop is afterwards what it was before. */
async function unchanged(act: () => Promise<void>): Promise<void> {
  const before = await shop.everything();
  await act();
  assert.deepEqual(await shop.everything(), before);
}

/** The doors that sell and hold: how a body with this quantity (as JSON text) looks there, and where it stands. */
const SELLING = [
  { path: '/buy/1', bodyOf: (quantity: string) => `{"quantity":${quantity}}`, field: 'body.quantity' },
  {
    path: '/api/v1/purchase',
    bodyOf: (quantity: string) => `{"quantity":${quantity}}`,
    field: 'body.quantity',
  },
  {
    path: '/api/v1/events/gala/holds',
    bodyOf: (quantity: string) => `{"lines":[{"ticketType":"ga","quantity":${quantity}}]}`,
    field: 'body.lines.0.quantity',
  },
];
const HOLDS = '/api/v1/events/gala/holds';
let keys = 0;
const freshKey = () => `key-${++keys}`;

test('a quantity is a whole number from 1 to 10, and nothing that could be taken for one', () =>
  unchanged(async () => {
    const quantities = ['0', '-0', '-1', '11', '1.5', '"2"', '1e309', '-1e309', '9007199254740993', '1e2'];
    for (const { path, bodyOf, field } of SELLING) {
      for (const quantity of [...quantities, 'true', 'null', '[]', '[2]', '{}', '""']) {
        const reply = await shop.ask('POST', path, { bytes: bodyOf(quantity), key: freshKey() });
        const { detail, fields } = readProblem(reply, 400, 'VALIDATION_FAILED');
        assert.deepEqual(Object.keys(fields ?? {}), [field], `${path} ${quantity}`);
        assert.match(detail, new RegExp(`^${field} must be (a whole number|from 1 to 10)\\.$`));
      }
    }
  }));

test('a body that is no JSON is refused as such', () =>
  unchanged(async () => {
    const bodies = [
      '{',
      '{"quantity":1',
      "{'quantity':1}",
      '{"quantity":1}{}',
      'NaN',
      'undefined',
      '{"a":01}',
    ];
    for (const { path } of SELLING) {
      for (const bytes of [...bodies, '\u0000', '\ufeff{"quantity":1}', '['.repeat(8_000)]) {
        const reply = await shop.ask('POST', path, { bytes, key: freshKey() });
        const { detail } = readProblem(reply, 400, 'BAD_REQUEST');
        assert.equal(detail, 'The body is not valid JSON.');
      }
    }
  }));

test('a body that is no UTF-8 is refused as such', () =>
  unchanged(async () => {
    // Latin-1, an overlong slash, half a surrogate pair, a byte that no UTF-8 has, a text that is cut off.
    const buyers = [[0xe9], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xff], [0xe2, 0x82]];
    for (const buyer of buyers) {
      const bytes = Buffer.concat([Buffer.from('{"buyer":"'), Buffer.from(buyer), Buffer.from('"}')]);
      const reply = await shop.ask('POST', '/buy/1', { bytes });
      const { detail } = readProblem(reply, 400, 'BAD_REQUEST');
      assert.equal(detail, 'The body is not UTF-8 text.');
    }
  }));

test('a body that is JSON but no object is refused', () =>
  unchanged(async () => {
    for (const { path } of SELLING) {
      for (const bytes of ['null', '[]', '[{"quantity":1}]', '"quantity"', '1', 'true']) {
        const reply = await shop.ask('POST', path, { bytes, key: freshKey() });
        const { fields } = readProblem(reply, 400, 'VALIDATION_FAILED');
        assert.deepEqual(Object.keys(fields ?? {}), ['body'], `${path} ${bytes}`);
      }
    }
  }));

test('members of a wrong type or length are refused, each by name', () =>
  unchanged(async () => {
    const buys = [
      [{ buyer: 1 }, 'body.buyer'],
      [{ buyer: '' }, 'body.buyer'],
      [{ buyer: 'x'.repeat(256) }, 'body.buyer'],
      [{ buyer: null }, 'body.buyer'],
      [{ ticketType: 1 }, 'body.ticketType'],
      [{ ticketType: '' }, 'body.ticketType'],
      [{ ticketType: 'x'.repeat(33) }, 'body.ticketType'],
      [{ ticketType: ['ga'] }, 'body.ticketType'],
    ] as const;
    const line = { ticketType: 'ga', quantity: 1 };
    const holds = [
      [{}, 'body.lines'],
      [{ lines: [] }, 'body.lines'],
      [{ lines: {} }, 'body.lines'],
      [{ lines: Array(51).fill(line) }, 'body.lines'],
      [{ lines: [null] }, 'body.lines.0'],
      [{ lines: [line, { quantity: 1 }] }, 'body.lines.1.ticketType'],
      [{ lines: [line, { ticketType: 'ga' }] }, 'body.lines.1.quantity'],
      [{ lines: [{ ...line, price: 0 }] }, 'body.lines.0'],
      [{ lines: [line], buyer: {} }, 'body.buyer'],
      [{ lines: [line], ttlMs: 1 }, 'body'],
    ] as const;
    const cases = [
      ...buys.map(([body, field]) => ({ path: '/buy/1', body, field })),
      ...holds.map(([body, field]) => ({ path: HOLDS, body, field })),
    ];
    for (const { path, body, field } of cases) {
      const reply = await shop.ask('POST', path, { body });
      const { fields } = readProblem(reply, 400, 'VALIDATION_FAILED');
      assert.deepEqual(Object.keys(fields ?? {}), [field], JSON.stringify(body));
    }
  }));

test('nonsense is told of its first faults only', () =>
  unchanged(async () => {
    const body = { lines: Array(50).fill({ a: 1 }) };
    const { fields } = readProblem(await shop.ask('POST', HOLDS, { body }), 400, 'VALIDATION_FAILED');
    assert.equal(Object.keys(fields ?? {}).length, 10);
  }));

test("names of JavaScript's own are names like others: as event, ticket type and member", () =>
  unchanged(async () => {
    for (const name of ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf']) {
      readProblem(await shop.ask('POST', `/buy/${name}`), 404, 'EVENT_NOT_FOUND');
      const typed = await shop.ask('POST', '/buy/1', { body: { ticketType: name } });
      readProblem(typed, 404, 'TICKET_TYPE_NOT_FOUND');
      const held = await shop.ask('POST', HOLDS, { body: { lines: [{ ticketType: name, quantity: 1 }] } });
      readProblem(held, 404, 'TICKET_TYPE_NOT_FOUND');
      const member = `{"lines":[{"ticketType":"ga","quantity":1}],"${name}":{"quantity":1}}`;
      readProblem(await shop.ask('POST', HOLDS, { bytes: member }), 400, 'VALIDATION_FAILED');
      // A quantity that only a polluted prototype could supply is still missing.
      const polluted = `{"${name}":{"quantity":1}}`;
      const reply = await shop.ask('POST', '/api/v1/purchase', { bytes: polluted, key: freshKey() });
      readProblem(reply, 400, 'VALIDATION_FAILED');
    }
    assert.equal(({} as { quantity?: unknown }).quantity, undefined);
  }));

test('[S5] an Idempotency-Key has 1 to 255 printable ASCII characters, at every door that takes one', () =>
  unchanged(async () => {
    const keys = ['', ' ', 'x'.repeat(256), 'x'.repeat(8_000), 'a\tb', 'cl\xe9', 'cl\xc3\xa9'];
    const cases = SELLING.map(({ path, bodyOf }) => ({ path, body: bodyOf('1') }));
    for (const { path, body } of [...cases, { path: '/api/v1/holds/1/confirm', body: '' }]) {
      for (const key of keys) {
        const text = requestText('POST', path, { headers: { 'Idempotency-Key': key }, body });
        const answer = await exchange(shop.port, Buffer.from(text, 'latin1'));
        const { error, fields } = anyProblem.parse(JSON.parse(answer.body));
        assert.deepEqual([answer.status, error], [400, 'VALIDATION_FAILED'], JSON.stringify(key));
        assert.deepEqual(Object.keys(fields ?? {}), ['headers.idempotency-key']);
        assert.match(fields?.['headers.idempotency-key'] ?? '', /1 to 255 printable ASCII characters/);
      }
    }
  }));

test('[S5] keys of one and of 255 characters, with any printable ASCII, are keys', async () => {
  const printable = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join('');
  for (const key of ['x', 'y'.repeat(255), `a${printable}z`]) {
    const [first, again] = [
      await shop.ask('POST', '/buy/1', { key }),
      await shop.ask('POST', '/buy/1', { key }),
    ];
    contentOf(first, 201, boughtAnswer);
    assert.equal(again.text, first.text);
  }
});

test('a body over 16 kB is refused, whether its length is announced or found out', () =>
  unchanged(async () => {
    const tooLarge = JSON.stringify({ buyer: 'x'.repeat(16_384) });
    readProblem(await shop.ask('POST', '/buy/1', { bytes: tooLarge }), 413, 'BODY_TOO_LARGE');
    const head = 'POST /buy/1 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
    const announced = await exchange(shop.port, `${head}Content-Length: 16385\r\n\r\n`);
    assert.equal(announced.status, 413, 'refused before it is sent');
    const chunk = `4000\r\n${' '.repeat(16_384)}\r\n`;
    const chunked = await exchange(shop.port, `${head}Transfer-Encoding: chunked\r\n\r\n${chunk}1\r\n \r\n`);
    assert.equal(chunked.status, 413, 'refused as soon as it is too long');
    for (const answer of [announced, chunked]) {
      assert.equal(answer.headers.connection, 'close');
      assert.equal(anyProblem.parse(JSON.parse(answer.body)).error, 'BODY_TOO_LARGE');
    }
  }));

test('a body of exactly 16 kB is read, in one piece and in chunks', async () => {
  const body = `{"quantity":1${' '.repeat(16_384 - 14)}}`;
  assert.equal(body.length, 16_384);
  contentOf(await shop.ask('POST', '/buy/1', { bytes: body }), 201, boughtAnswer);
  const chunks = [body.slice(0, 5_000), body.slice(5_000)].map((part) => {
    return `${part.length.toString(16)}\r\n${part}\r\n`;
  });
  const head = 'POST /buy/1 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
  const answer = await exchange(
    shop.port,
    `${head}Transfer-Encoding: chunked\r\n\r\n${chunks.join('')}0\r\n\r\n`,
  );
  assert.equal(answer.status, 201);
});

test('a body of another content type is refused, and one of JSON by any of its names is read', async () => {
  await unchanged(async () => {
    const types = ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'];
    for (const type of [...types, 'application/jsonp', 'text/json', 'application/json/x', 'json', '']) {
      const reply = await shop.ask('POST', '/buy/1', { bytes: '{}', headers: { 'content-type': type } });
      const { detail } = readProblem(reply, 415, 'UNSUPPORTED_MEDIA_TYPE');
      assert.match(detail, /application\/json/);
    }
  });
  for (const type of ['application/json; charset=utf-8', 'Application/JSON', 'application/vnd.api+json']) {
    const reply = await shop.ask('POST', '/buy/1', { bytes: '{}', headers: { 'content-type': type } });
    contentOf(reply, 201, boughtAnswer);
  }
});

/** Every address, by its path with `1` for what it names, and the methods it takes. */
function routes(): [path: string, allow: string][] {
  const byPath = Map.groupBy(shop.operations, ({ path }) => path.replaceAll(/:\w+/g, '1'));
  return [...byPath].map(([path, operations]) => {
    const methods: string[] = operations.map(({ method }) => method);
    return [path, [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ')];
  });
}

test('every address refuses other methods with 405, and names its own in Allow', () =>
  unchanged(async () => {
    for (const [path, allow] of routes()) {
      const options = await shop.ask('OPTIONS', path);
      assert.deepEqual([options.status, options.headers.get('allow'), options.text], [204, allow, '']);
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'PURGE']) {
        if (allow.split(', ').includes(method)) continue;
        const reply = await shop.ask(method, path, { asStaff: true });
        readProblem(reply, 405, 'METHOD_NOT_ALLOWED');
        assert.equal(reply.headers.get('allow'), allow, `${method} ${path}`);
      }
    }
    assert.equal((await shop.ask('HEAD', '/buy/1')).status, 405);
  }));

test('unknown addresses are not found, with any method', () =>
  unchanged(async () => {
    const paths = ['/', '/buy', '/buy/', '/buy/1/2', '/api', '/api/v1', '/api/v2/events', '/api/v1/event/1'];
    for (const path of [...paths, '/api/v1/events/1/seat', '//buy/1', '/buy//1', '/.env', '/favicon.ico']) {
      for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS']) {
        readProblem(await shop.ask(method, path), 404, 'NOT_FOUND');
      }
    }
  }));

test('a path with broken escapes, strange bytes or dots sells nothing', () =>
  unchanged(async () => {
    const cases = {
      '/buy/%zz': 400,
      '/buy/%': 400,
      '/buy/%c0%af': 400,
      '/buy/%ff': 400,
      '/api/v1/events/%e0%a4%a/holds': 400,
      '/buy/1%00': 404,
      '/buy/1%20': 404,
      '/buy/1%2f': 404,
      '/buy/%2e%2e': 404,
      '/buy/../buy/1': 404,
      '/buy/1;x=1': 404,
      '/buy/1\\': 404,
      '/buy/\u00e9': 400,
      '*': 404,
    };
    for (const [path, status] of Object.entries(cases)) {
      const answer = await exchange(shop.port, requestText('POST', path));
      assert.equal(answer.status, status, path);
      assert.equal(anyProblem.parse(JSON.parse(answer.body)).status, status);
    }
  }));
