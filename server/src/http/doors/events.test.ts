// The doors of events: public reads, the classic reads of the default event (B1), staff's audit and journal.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { contentOf, readProblem } from '../../../test/kit/answers.ts';
import { eventOf, openTestShop, type TestShop } from '../../../test/kit/test-shop.ts';
import {
  auditAnswer,
  availabilityAnswer,
  defaultEventAnswer,
  eventAnswer,
  eventsAnswer,
  journalAnswer,
} from '../../contract/events.ts';
import { heldAnswer } from '../../contract/holds.ts';
import { keyDigest } from '../../ledger/ledger.ts';

const EVENTS = 7;
let shop: TestShop;

before(async () => {
  shop = await openTestShop({
    settings: { SEED_EVENTS: `${EVENTS}`, SEED_TICKETS: '20' },
    events: [eventOf('gala', { ga: 5, vip: 3 }, { vip: 9_900 })],
  });
});
after(() => shop?.close());

const availabilityOf = (eventId: string) => `/api/v1/events/${eventId}/availability`;

test('[B1] the default event says how many seats there are, are sold and remain', async () => {
  const read = async () => contentOf(await shop.ask('GET', '/api/v1/event'), 200, defaultEventAnswer);
  assert.deepEqual(await read(), { totalSeats: 20, seatsSold: 0, seatsRemaining: 20 });
  await shop.ask('POST', '/api/v1/purchase', { key: 'b1', body: { quantity: 3 } });
  assert.deepEqual(await read(), { totalSeats: 20, seatsSold: 3, seatsRemaining: 17 });
});

test('[E1] [E2] an event shows its name, venue, date, ticket types and what is available', async () => {
  await shop.ask('POST', '/buy/gala', { body: { quantity: 2 } });
  const gala = contentOf(await shop.ask('GET', '/api/v1/events/gala'), 200, eventAnswer);
  assert.deepEqual(gala, {
    eventId: 'gala',
    name: 'Event gala',
    venue: { name: 'Test Hall' },
    startsAt: '2027-01-01T19:00:00.000Z',
    timeZone: 'Etc/UTC',
    status: 'open',
    ticketTypes: [
      { ticketTypeId: 'ga', name: 'ga', price: 0, currency: 'EUR', capacity: 5, available: 3 },
      { ticketTypeId: 'vip', name: 'vip', price: 9_900, currency: 'EUR', capacity: 3, available: 3 },
    ],
  });
});

test('[A1] demo events are on sale at once, with one free general-admission type', async () => {
  const demo = contentOf(await shop.ask('GET', '/api/v1/events/1'), 200, eventAnswer);
  assert.equal(demo.status, 'open');
  assert.ok(Date.parse(demo.startsAt) > Date.now(), 'a demo event lies ahead');
  assert.deepEqual(
    demo.ticketTypes.map(({ ticketTypeId, price, capacity }) => ({ ticketTypeId, price, capacity })),
    [{ ticketTypeId: 'ga', price: 0, capacity: 20 }],
  );
});

test('[E1] the pages of the list give every event once, in the order they were made', async () => {
  const all = ['1', '2', '3', '4', '5', '6', '7', 'gala'];
  const whole = contentOf(await shop.ask('GET', '/api/v1/events'), 200, eventsAnswer);
  assert.deepEqual(
    whole.events.map(({ eventId }) => eventId),
    all,
  );
  assert.equal(whole.nextCursor, undefined);
  for (const limit of [1, 3, 8, 9]) {
    const seen: string[] = [];
    let pages = 0;
    for (let cursor: string | undefined = ''; cursor !== undefined; pages++) {
      const path = `/api/v1/events?limit=${limit}${cursor && `&cursor=${cursor}`}`;
      const page: ReturnType<typeof eventsAnswer.parse> = contentOf(
        await shop.ask('GET', path),
        200,
        eventsAnswer,
      );
      assert.ok(page.events.length <= limit);
      seen.push(...page.events.map(({ eventId }) => eventId));
      cursor = page.nextCursor;
    }
    assert.deepEqual(seen, all, `pages of ${limit}`);
    assert.ok(pages <= Math.floor(all.length / limit) + 1, `${pages} pages of ${limit}`);
  }
});

test('[E1] bad limits and cursors are refused, each naming its field', async () => {
  const cases = {
    'limit=0': 'query.limit',
    'limit=1001': 'query.limit',
    'limit=-1': 'query.limit',
    'limit=1.5': 'query.limit',
    'limit=ten': 'query.limit',
    'limit=': 'query.limit',
    'limit=99999999999999999999': 'query.limit',
    'cursor=': 'query.cursor',
    'cursor=!!!': 'query.cursor',
    'cursor=LTE': 'query.cursor', // "-1"
    'cursor=MS41': 'query.cursor', // "1.5"
    [`cursor=${Buffer.from('9'.repeat(16)).toString('base64url')}`]: 'query.cursor',
    [`cursor=${'M'.repeat(65)}`]: 'query.cursor',
  };
  for (const path of ['/api/v1/events', '/api/v1/events/1/orders']) {
    for (const [query, field] of Object.entries(cases)) {
      const reply = await shop.ask('GET', `${path}?${query}`, { asStaff: true });
      const { fields } = readProblem(reply, 400, 'VALIDATION_FAILED');
      assert.deepEqual(Object.keys(fields ?? {}), [field], `${path}?${query}`);
    }
  }
});

test('a cursor beyond the end is an empty page', async () => {
  const cursor = Buffer.from('1000000').toString('base64url');
  const page = await shop.ask('GET', `/api/v1/events?cursor=${cursor}`);
  assert.deepEqual(contentOf(page, 200, eventsAnswer), { events: [] });
});

test('[C4] [S2] availability counts by type and altogether, and may be kept for a second', async () => {
  await shop.ask('POST', '/buy/2', { body: { quantity: 4 } });
  await shop.ask('POST', '/api/v1/events/2/holds', { body: { lines: [{ ticketType: 'ga', quantity: 5 }] } });
  const reply = await shop.ask('GET', availabilityOf('2'));
  const counts = { capacity: 20, available: 11, pending: 0, held: 5, sold: 4, allocated: 0, killed: 0 };
  assert.deepEqual(contentOf(reply, 200, availabilityAnswer), {
    eventId: '2',
    ...counts,
    ticketTypes: [{ ticketType: 'ga', ...counts }],
  });
  assert.equal(reply.headers.get('cache-control'), 'public, max-age=1');
});

test('[C4] availability that did not change is not sent again', async () => {
  const first = await shop.ask('GET', availabilityOf('3'));
  const etag = first.headers.get('etag') ?? '';
  assert.match(etag, /^"[^"]+"$/);
  // As it was given, in a list, weakened by a proxy that compresses, and the wildcard.
  for (const match of [etag, `"other", ${etag}`, `W/${etag}`, '*']) {
    const again = await shop.ask('GET', availabilityOf('3'), { headers: { 'if-none-match': match } });
    assert.equal(again.status, 304, match);
    assert.equal(again.text, '');
    assert.equal(again.headers.get('etag'), etag);
    assert.equal(again.headers.get('cache-control'), 'public, max-age=1');
    // It speaks of the body the client has, which is neither empty nor of another type.
    assert.equal(again.headers.get('content-length'), null);
    assert.equal(again.headers.get('content-type'), null);
  }
  await shop.ask('POST', '/buy/3');
  const changed = await shop.ask('GET', availabilityOf('3'), { headers: { 'if-none-match': etag } });
  assert.equal(contentOf(changed, 200, availabilityAnswer).sold, 1);
  assert.notEqual(changed.headers.get('etag'), etag);
});

test('a HEAD request is answered as GET is, without the body', async () => {
  for (const path of [availabilityOf('4'), '/api/v1/events/4', '/api/v1/event', '/api/v1/events']) {
    const [get, head] = [await shop.ask('GET', path), await shop.ask('HEAD', path)];
    assert.equal(head.status, 200);
    assert.equal(head.text, '');
    for (const name of ['content-type', 'content-length', 'etag', 'cache-control']) {
      assert.equal(head.headers.get(name), get.headers.get(name), `${name} of ${path}`);
    }
  }
});

test('[F8] the audit checks the rules and agrees with what was sold and held', async () => {
  await shop.ask('POST', '/buy/5', { body: { quantity: 6 } });
  const reply = await shop.ask('GET', '/api/v1/events/5/audit', { asStaff: true });
  const report = contentOf(reply, 200, auditAnswer);
  assert.equal(report.ok, true, JSON.stringify(report.checks));
  for (const rule of ['S1', 'S2', 'S3', 'S11'])
    assert.ok(
      report.checks.some((check) => check.rule.startsWith(rule)),
      rule,
    );
  assert.deepEqual(report.counts, [
    {
      ...{ ticketType: 'ga', capacity: 20, available: 14, pending: 0, held: 0, sold: 6 },
      ...{ allocated: 0, killed: 0 },
    },
  ]);
});

test('[S11] the journal tells every fact once, in order, without gaps and without secrets', async () => {
  const lines = [{ ticketType: 'ga', quantity: 1 }];
  const held = [];
  for (let i = 0; i < 2; i++) {
    const reply = await shop.ask('POST', '/api/v1/events/6/holds', { body: { lines, buyer: 'b' } });
    held.push(contentOf(reply, 201, heldAnswer));
  }
  await shop.ask('POST', '/buy/6', { key: 'journal-key' });
  await shop.ask('POST', `/api/v1/holds/${held[0]!.holdId}/confirm`);
  await shop.ask('DELETE', `/api/v1/holds/${held[1]!.holdId}`);

  const read = async (query: string) => {
    const reply = await shop.ask('GET', `/api/v1/events/6/journal?${query}`, { asStaff: true });
    return contentOf(reply, 200, journalAnswer).entries;
  };
  const entries = await read('');
  assert.deepEqual(
    entries.map(({ seq, kind }) => [seq, kind]),
    [
      [1, 'event-created'],
      [2, 'held'],
      [3, 'held'],
      [4, 'bought'],
      [5, 'confirmed'],
      [6, 'released'],
    ],
  );
  assert.equal(entries[1]!.holdId, held[0]!.holdId);
  assert.equal(entries[3]!.key, keyDigest('', 'journal-key'));
  for (const { at, atMs } of entries) assert.equal(Date.parse(at), atMs);
  const pages = [...(await read('limit=4')), ...(await read('limit=4&after=4'))];
  assert.deepEqual(pages, entries);
  assert.deepEqual(await read('after=6'), []);
  for (const query of ['after=-1', 'after=x', 'after=1.5', 'limit=0']) {
    const reply = await shop.ask('GET', `/api/v1/events/6/journal?${query}`, { asStaff: true });
    readProblem(reply, 400, 'VALIDATION_FAILED');
  }
});

test('audit, journal and list of orders are for staff, also for events that do not exist', async () => {
  for (const eventId of ['1', 'nowhere']) {
    for (const what of ['audit', 'journal', 'orders']) {
      const path = `/api/v1/events/${eventId}/${what}`;
      for (const authorization of ['', 'Bearer', 'Bearer wrong', 'Bearer test-admin-key', 'Basic dGVzdDo=']) {
        const reply = await shop.ask('GET', path, { headers: authorization ? { authorization } : {} });
        readProblem(reply, 401, 'UNAUTHENTICATED');
        assert.match(reply.headers.get('www-authenticate') ?? '', /^Bearer/);
      }
    }
  }
});

test('every read of an unknown event is not found', async () => {
  for (const eventId of ['nowhere', '__proto__', 'constructor', 'toString', '%20', '1%00']) {
    for (const what of ['', '/availability', '/audit', '/journal', '/orders']) {
      const reply = await shop.ask('GET', `/api/v1/events/${eventId}${what}`, { asStaff: true });
      readProblem(reply, 404, 'EVENT_NOT_FOUND');
    }
  }
});
