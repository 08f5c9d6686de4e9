// The door of manifests through the real program: what organizers send, in each of its forms, and what is wrong with it.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { openTestShop, type Reply, type TestShop } from '../../../test/kit/test-shop.ts';

const HOUSE = {
  name: 'House',
  sections: [
    { section: 'Stalls', rows: [{ row: 'A', seats: '1-4|5-8', accessible: '1', companion: '2' }] },
    { section: 'Floor', capacity: 100 },
  ],
};
const CSV = 'section,row,seat,category\r\nStalls,A,1,best\r\nStalls,A,2,best\r\nStalls,B,1,rest\r\n';
const SHAPE = { shape: 'theatre', name: 'Made', rows: 10, seatsPerRow: 20 };

describe('manifests', () => {
  let shop: TestShop;
  const keep = (body: unknown) => shop.ask('POST', '/api/v1/manifests', { body, asStaff: true });
  const send = (bytes: string, type: string, path = '/api/v1/manifests') =>
    shop.ask('POST', path, { bytes, headers: { 'content-type': type }, asStaff: true });

  before(async () => {
    shop = await openTestShop();
  });
  after(() => shop?.close());

  test('are kept as JSON, as CSV, and as shapes that are made here', async () => {
    const house = kept(await keep(HOUSE));
    assert.deepEqual(house, {
      manifestId: house.manifestId,
      name: 'House',
      seats: 8,
      standing: 100,
      categories: { Stalls: 8, Floor: 100 },
      sections: [
        { section: 'Stalls', seats: 8 },
        { section: 'Floor', capacity: 100 },
      ],
    });
    const csv = kept(await send(CSV, 'text/csv; charset=utf-8', '/api/v1/manifests?name=Small'));
    assert.deepEqual([csv.name, csv.seats, csv.categories], ['Small', 3, { best: 2, rest: 1 }]);
    const made = kept(await keep(SHAPE));
    assert.ok(made.seats > 100);
  });

  test('are the same when their content is the same, and come back as they can be sent again', async () => {
    const first = kept(await keep(HOUSE));
    const again = kept(await send(JSON.stringify(HOUSE, null, 2), 'application/json'));
    assert.equal(again.manifestId, first.manifestId);
    const read = await shop.ask('GET', `/api/v1/manifests/${first.manifestId}`, { asStaff: true });
    const { manifest } = read.body as { manifest: unknown };
    assert.equal(kept(await keep(manifest)).manifestId, first.manifestId);
    const other = kept(await keep({ ...HOUSE, name: 'Another house' }));
    assert.notEqual(other.manifestId, first.manifestId);
  });

  test('are for staff: others may neither keep nor read them', async () => {
    assert.equal((await shop.ask('POST', '/api/v1/manifests', { body: HOUSE })).status, 401);
    const { manifestId } = kept(await keep(HOUSE));
    assert.equal((await shop.ask('GET', `/api/v1/manifests/${manifestId}`)).status, 401);
    assert.equal((await shop.ask('GET', '/api/v1/manifests/none', { asStaff: true })).status, 404);
  });

  const BAD: Readonly<Record<string, readonly [bytes: string, type: string, complaint: RegExp]>> = {
    'no JSON': ['{"name": "x",\n "sections": [,]}', 'application/json', /^Line 2: /],
    'a seat twice': [
      `${JSON.stringify({ ...HOUSE, sections: [] }).slice(0, -3)}[\n{"section":"S","rows":[{"row":"A",\n"seats":"1,2,1"}]}]}`,
      'application/json',
      /^Line \d: .*"1".*twice/,
    ],
    'a line of CSV without a seat': [`${CSV}Stalls,B,,rest\r\n`, 'text/csv', /^Line 5: /],
    'no seats at all': ['section,row,seat\n', 'text/csv', /seat/],
    'a shape that nobody knows': ['{"shape":"moon","name":"x"}', 'application/json', /shape/],
    nothing: ['{}', 'application/json', /name|sections/],
  };
  for (const [what, [bytes, type, complaint]] of Object.entries(BAD)) {
    test(`${what} is refused with its line, and nothing is kept`, async () => {
      const before = await shopFacts(shop);
      const reply = await send(bytes, type);
      assert.equal(reply.status, 400, reply.text);
      const { error, detail, problems } = reply.body as Complaint;
      assert.equal(error, 'VALIDATION_FAILED');
      assert.match(detail, complaint);
      assert.ok(problems.length >= 1);
      assert.deepEqual(await shopFacts(shop), before);
    });
  }

  test('a megabyte of garbage is refused in few words, while the shop sells on', async () => {
    const garbage = Array.from({ length: 30_000 }, (_, n) => `"${n}\u0007,;;${'x'.repeat(n % 60)}`).join(
      '\n',
    );
    assert.ok(garbage.length > 1_000_000);
    const [reply, bought] = await Promise.all([send(garbage, 'text/csv'), shop.ask('POST', '/buy/1')]);
    assert.equal(bought.status, 201);
    assert.equal(reply.status, 400);
    assert.ok(reply.text.length < 8_000, `${reply.text.length} characters`);
    assert.ok((reply.body as Complaint).problems.length <= 20);
  });

  test('other content types and bodies beyond 16 MB are refused', async () => {
    const xml = await send('<seats/>', 'application/xml');
    assert.equal(xml.status, 415);
    assert.match(xml.text, /application\/json or text\/csv/);
    const large = await send(`${' '.repeat(17 * 1_048_576)}{}`, 'application/json').catch((error) => error);
    // Who still sends when it is refused may find the connection closed.
    assert.ok(large instanceof Error || large.status === 413);
  });

  test('bad files in many requests at once do not disturb each other', async () => {
    const replies = await Promise.all(
      Array.from({ length: 6 }, (_, n) => (n % 2 === 0 ? keep(HOUSE) : send('nonsense', 'text/csv'))),
    );
    assert.deepEqual(
      replies.map(({ status }) => status),
      [201, 400, 201, 400, 201, 400],
    );
  });
});

interface Kept {
  readonly manifestId: string;
  readonly name: string;
  readonly seats: number;
  readonly categories: Readonly<Record<string, number>>;
}

interface Complaint {
  readonly error: string;
  readonly detail: string;
  readonly problems: readonly { readonly line?: number; readonly message: string }[];
}

function kept(reply: Reply): Kept {
  assert.equal(reply.status, 201, reply.text);
  return reply.body as Kept;
}

/** All that is in the shop's own journal. */
function shopFacts({ inside }: TestShop): Promise<unknown> {
  return inside.ledger.journal('~shop' as never, 0, 1_000);
}
