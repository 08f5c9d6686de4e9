// Whatever comes in, the doors stand: no answer is a 5xx, a refusal is a well-formed problem, and nothing changes
// without a 2xx. The requests are made of what the doors look at, so that many get past the first check.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { contentOf } from '../../../test/kit/answers.ts';
import { forgeJwt, tokenOf } from '../../../test/kit/forge.ts';
import { exchange, requestText } from '../../../test/kit/raw-http.ts';
import { API_KEY } from '../../../test/kit/server-process.ts';
import { eventOf, openTestShop, type TestShop } from '../../../test/kit/test-shop.ts';
import { sessionAnswer } from '../../contract/access.ts';
import { anyProblem } from '../../contract/answers.ts';
import { notReservedAnswer } from '../../contract/flash.ts';
import { heldAnswer } from '../../contract/holds.ts';

const RUNS = 150;
let shop: TestShop;
let holdId: string;
let token: string;

before(async () => {
  shop = await openTestShop({
    settings: {
      ...{ SEED_EVENTS: '2', SEED_TICKETS: '80', DEFAULT_EVENT: '2' },
      CORS_ORIGINS: 'https://shop.example.org',
    },
    events: [eventOf('gala', { ga: 20, vip: 10 })],
  });
  const lines = [{ ticketType: 'vip', quantity: 1 }];
  const held = await shop.ask('POST', '/api/v1/events/gala/holds', { body: { lines } });
  holdId = contentOf(held, 201, heldAnswer).holdId;
  token = contentOf(await shop.ask('POST', '/api/v1/sessions'), 201, sessionAnswer).token;
});
after(() => shop?.close());

const word = fc.oneof(
  fc.constantFrom('ga', 'vip', '1', 'gala', 'quantity', 'lines', '__proto__', 'constructor', ''),
  fc.string({ unit: 'binary', maxLength: 40 }),
);
const quantity = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 11 }) },
  { weight: 1, arbitrary: fc.double() },
  { weight: 1, arbitrary: fc.jsonValue() },
);
const type = fc.oneof({ weight: 6, arbitrary: fc.constantFrom('ga', 'vip') }, { weight: 1, arbitrary: word });
const line = fc.oneof(
  { weight: 6, arbitrary: fc.record({ ticketType: type, quantity }) },
  {
    weight: 1,
    arbitrary: fc.record({ ticketType: type, quantity, extra: fc.jsonValue() }, { requiredKeys: [] }),
  },
);
const seat = fc.oneof(
  fc.constantFrom('Stalls/A/1', 'Stalls/A/2', 'Stalls/A', '', '//'),
  word,
  fc.jsonValue(),
);
const otherLine = fc.oneof(
  fc.record({ seats: fc.array(seat, { maxLength: 3 }), accessCode: word }, { requiredKeys: ['seats'] }),
  fc.record(
    {
      ticketType: type,
      bestAvailable: quantity,
      section: word,
      accessible: fc.boolean(),
      together: fc.jsonValue(),
    },
    { requiredKeys: ['ticketType', 'bestAvailable'] },
  ),
);
const object = fc.record(
  {
    quantity,
    buyer: word,
    ticketType: type,
    lines: fc.array(line, { maxLength: 4 }),
    other: fc.jsonValue(),
  },
  { requiredKeys: [] },
);
const named = fc.oneof(fc.constantFrom('Ann', 'user:ann', 'user:bob', 'session:x'), word);
const buying = fc.record({ quantity, ticketType: type, buyer: named }, { requiredKeys: ['quantity'] });
const keyLike = fc.record({
  name: word,
  role: fc.constantFrom('admin', 'box-office', 'door', 'read', 'owner'),
  expiresAt: fc.constantFrom(undefined, '2100-01-01T00:00:00Z', '2000-01-01T00:00:00Z', 'soon'),
});
const anyLine = fc.oneof({ weight: 3, arbitrary: line }, { weight: 1, arbitrary: otherLine });
const holding = fc.record({ lines: fc.array(anyLine, { minLength: 1, maxLength: 3 }) });
const flash = fc.record(
  {
    userId: named,
    skuId: fc.oneof(fc.constantFrom('ga', 'gala:vip', 'gala:', '1:ga'), word),
    quantity,
    idempotencyKey: fc.constantFrom('key-1', 'key-2', ''),
  },
  { requiredKeys: ['userId', 'skuId', 'quantity'] },
);
/** Mostly what the door expects, or nearly; now and then any JSON, or any bytes. */
const bodyLike = (expected: fc.Arbitrary<unknown>): fc.Arbitrary<Buffer> =>
  fc.oneof(
    { weight: 8, arbitrary: expected.map((value) => Buffer.from(JSON.stringify(value))) },
    { weight: 2, arbitrary: object.map((value) => Buffer.from(JSON.stringify(value))) },
    { weight: 1, arbitrary: fc.json().map((text) => Buffer.from(text)) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)) },
  );

// Printable Latin-1; what HTTP itself refuses in a header is for sockets.test.ts.
const code = fc.oneof(fc.integer({ min: 0x20, max: 0x7e }), fc.integer({ min: 0x80, max: 0xff }));
const headerText = fc.array(code, { maxLength: 30 }).map((codes) => String.fromCharCode(...codes));
const oneOf = (...texts: string[]) =>
  fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...texts) }, { weight: 1, arbitrary: headerText });
/** Who may ask, and who may not; SESSION stands for the token of a good session. */
const GOOD = [API_KEY, API_KEY, 'SESSION', 'SESSION', tokenOf('ann')];
const CREDENTIALS: readonly string[] = [
  ...[GOOD, GOOD, GOOD, GOOD].flat(),
  ...[tokenOf('tom', { role: 'door' }), tokenOf('ann', { exp: 1 }), 'fgk_1_x', 'fgs_x'],
  forgeJwt({ sub: 'ann' }, { header: { alg: 'none' } }),
];
const headers = fc.record(
  {
    'Idempotency-Key': oneOf(...Array.from({ length: 60 }, (_, i) => `key-${i}`), 'x'.repeat(256)),
    'Content-Type': oneOf('application/json', 'application/json;charset=latin1', 'application/a+json'),
    'X-Request-Id': headerText,
    Authorization: oneOf(...CREDENTIALS.map((credential) => `Bearer ${credential}`), '', 'Bearer'),
    Cookie: oneOf('theme=dark', ...Array(8).fill('floodgate_session=SESSION'), 'floodgate_session=fgs_x.y.z'),
    Origin: oneOf(...Array(8).fill('https://shop.example.org'), 'https://evil.example', 'null'),
    'Sec-Fetch-Site': oneOf('same-origin', 'same-origin', 'cross-site'),
    'Order-Secret': headerText,
    'If-None-Match': oneOf('*', 'W/"1"'),
    Accept: oneOf('application/json', '*/*'),
  },
  { requiredKeys: ['Idempotency-Key'] },
);

const segment = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom('1', 'gala', 'HOLD') },
  { weight: 1, arbitrary: fc.constantFrom('nowhere', '0', '9223372036854775807') },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }).map(escapeText) },
  { weight: 1, arbitrary: fc.stringMatching(/^[!-"$-.0->@-~]{1,12}$/) },
);
const query = fc.oneof(
  fc.constantFrom('', '?limit=2', '?format=json'),
  fc
    .array(fc.tuple(fc.constantFrom('cursor', 'limit', 'after', 'secret', 'format', '__proto__'), word), {
      maxLength: 3,
    })
    .map((pairs) => `?${pairs.map(([name, value]) => `${name}=${escapeText(value)}`).join('&')}`),
);

/** Percent-encoding of any text, also of half a surrogate pair. */
function escapeText(text: string): string {
  return [...Buffer.from(text)].map((code) => `%${code.toString(16).padStart(2, '0')}`).join('');
}

const seen = new Map<string, number>();

const inSession = (sent: object): Record<string, string> =>
  Object.fromEntries(
    Object.entries(sent).map(([name, value]) => [name, String(value).replace('SESSION', token)]),
  );

/** One request: what must hold of its answer, whatever it is. */
async function stands(method: string, path: string, sent: object, content: Buffer): Promise<void> {
  const before = await shop.everything();
  const head = requestText(method, path, {
    headers: {
      'Content-Type': 'application/json',
      ...inSession(sent),
      ...(method === 'POST' ? { 'Content-Length': `${content.length}` } : {}),
    },
  });
  const request = Buffer.concat([Buffer.from(head, 'latin1'), method === 'POST' ? content : Buffer.alloc(0)]);
  const answer = await exchange(shop.port, request);
  assert.ok(answer.status >= 200 && answer.status < 500, `${answer.status} ${answer.body}`);
  const kind = `${method} ${answer.status}`;
  seen.set(kind, (seen.get(kind) ?? 0) + 1);
  const after = await shop.everything();
  if (answer.status < 300) {
    assert.doesNotMatch(answer.body, /undefined|\[object/);
    if (method === 'GET') assert.deepEqual(after, before);
    return;
  }
  const shape = path.includes('/flash/') ? notReservedAnswer : anyProblem;
  if (answer.status !== 304) shape.parse(JSON.parse(answer.body));
  // What is refused by the state is kept under its key, and changes nothing else.
  if (answer.status === 409) assert.deepEqual(after.events, before.events);
  else assert.deepEqual(after, before);
}

const at = (path: string, id: string, text: string) =>
  path.replace(':id', id === 'HOLD' ? holdId : id) + text;

const POSTS: readonly (readonly [path: string, expected: fc.Arbitrary<unknown>])[] = [
  ['/buy/:id', buying],
  ['/api/v1/purchase', buying],
  ['/api/v1/events/:id/holds', holding],
  ['/api/v1/holds/:id/confirm', fc.constant({})],
  ['/api/v1/holds/:id/extend', fc.constant({})],
  ['/api/v1/flash/purchase', flash],
  ['/api/v1/sessions', fc.constant({})],
  ['/api/v1/api-keys', keyLike],
];
for (const [path, expected] of POSTS) {
  test(`no body and no header makes POST ${path} fail, or change anything but by a 2xx`, () =>
    fc.assert(
      fc.asyncProperty(segment, query, headers, bodyLike(expected), (id, text, sent, content) =>
        stands('POST', at(path, id, text), sent, content),
      ),
      { numRuns: RUNS },
    ));
}

const GETS = ['', '/availability', '/orders', '/journal', '/audit'].map((end) => `/api/v1/events/:id${end}`);
const OTHERS = [
  '/api/v1/events',
  '/api/v1/orders/:id',
  '/api/v1/holds/:id',
  '/metrics',
  '/:id',
  '/api/v1/stats',
  '/api/v1/me',
  '/api/v1/me/tickets',
  '/api/v1/api-keys',
  '/api/v1/changes',
];

test('no path, query or header makes a read fail or change anything', () =>
  fc.assert(
    fc.asyncProperty(fc.constantFrom(...GETS, ...OTHERS), segment, query, headers, (path, id, text, sent) =>
      stands('GET', at(path, id, text), sent, Buffer.alloc(0)),
    ),
    { numRuns: RUNS },
  ));

test('among them were requests of every kind, not only nonsense', (t) => {
  t.diagnostic(JSON.stringify(Object.fromEntries(seen)));
  for (const kind of [
    'POST 200',
    'POST 201',
    'POST 400',
    'POST 401',
    'POST 403',
    'POST 404',
    'POST 409',
    'POST 415',
    'POST 422',
  ]) {
    assert.ok(seen.has(kind), kind);
  }
  for (const kind of ['GET 200', 'GET 400', 'GET 401', 'GET 403', 'GET 404']) assert.ok(seen.has(kind), kind);
});
