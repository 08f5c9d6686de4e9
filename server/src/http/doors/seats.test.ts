// The seat map through the real program: what organizers import is what buyers see, and the statuses of all seats, or

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { fromRuns } from '@floodgate/core/seating/ticket-runs.ts';
import { patienceMs } from '@floodgate/core/testing/patience.ts';
import { openTestShop, type TestShop } from '../../../test/kit/test-shop.ts';
import { SEAT_STATUSES } from '../../sales/showing/seat-board.ts';

const MANIFEST = {
  name: 'Small house',
  sections: [
    {
      section: 'Stalls',
      category: 'stalls',
      rows: [
        { row: 'A', seats: '1-6|7-12', accessible: '1', companion: '2', restricted: '12' },
        { row: 'B', seats: '1-12', categories: { box: '1-2' } },
      ],
    },
    { section: 'Floor', category: 'floor', capacity: 50 },
  ],
};

const EVENT = {
  name: 'A play',
  venue: { name: 'Small house' },
  startsAt: '2030-01-01T20:00:00Z',
  timeZone: 'Europe/Berlin',
};

const typeOf = (ticketTypeId: string, category: string, rest: object = {}) => ({
  ...{ ticketTypeId, name: ticketTypeId, price: 0, currency: 'EUR', category },
  ...rest,
});

describe('the seat map', () => {
  let shop: TestShop;
  let manifestId: string;

  before(async () => {
    shop = await openTestShop();
    const kept = await shop.ask('POST', '/api/v1/manifests', { body: MANIFEST, asStaff: true });
    assert.equal(kept.status, 201, kept.text);
    ({ manifestId } = kept.body as { manifestId: string });
    const ticketTypes = [
      typeOf('floor', 'floor', { capacity: 40 }),
      typeOf('stalls', 'stalls'),
      typeOf('box', 'box'),
    ];
    const body = { ...EVENT, eventId: 'play', manifestId, ticketTypes };
    const made = await shop.ask('POST', '/api/v1/events', { body, asStaff: true });
    assert.equal(made.status, 201, made.text);
  });
  after(() => shop?.close());

  test('names every seat with its ticket, its place and its kind', async () => {
    const reply = await shop.ask('GET', '/api/v1/events/play/manifest');
    assert.equal(reply.status, 200, reply.text);
    const map = reply.body as SeatMap;
    assert.equal(map.manifestId, manifestId);
    assert.equal(map.seats, 24);
    const [stalls, floor] = map.sections;
    assert.deepEqual(floor, { section: 'Floor', ticketType: 'floor', capacity: 50 });
    const [a, b] = stalls!.rows!;
    assert.deepEqual(
      a!.segments.map(({ ticketType, firstTicket, seats }) => [ticketType, firstTicket, seats.length]),
      [
        ['stalls', 0, 6],
        ['stalls', 6, 6],
      ],
    );
    assert.deepEqual(a!.segments[0]!.accessible, [0]);
    assert.deepEqual(a!.segments[0]!.companion, [1]);
    assert.deepEqual(a!.segments[1]!.restrictedView, [5]);
    assert.deepEqual(
      b!.segments.map(({ ticketType, firstTicket, seats }) => [ticketType, firstTicket, seats.length]),
      [
        ['box', 22, 2],
        ['stalls', 12, 10],
      ],
    );
  });

  test('is the same for ever under its version, and not sent twice', async () => {
    const first = await shop.ask('GET', `/api/v1/events/play/manifest?v=${manifestId}`);
    assert.match(first.headers.get('cache-control')!, /immutable/);
    const headers = { 'if-none-match': first.headers.get('etag')! };
    const again = await shop.ask('GET', '/api/v1/events/play/manifest', { headers });
    assert.equal(again.status, 304);
  });

  test('of an event without seats, or of none, is a clear no', async () => {
    for (const what of ['manifest', 'seats']) {
      const without = await shop.ask('GET', `/api/v1/events/1/${what}`);
      assert.equal(without.status, 404);
      assert.match(without.text, /MANIFEST_NOT_FOUND.*general admission/);
      assert.equal((await shop.ask('GET', `/api/v1/events/none/${what}`)).status, 404);
    }
    const nonsense = await shop.ask('GET', '/api/v1/events/play/seats?since=yesterday');
    assert.equal(nonsense.status, 400);
  });

  test('[S2] who applies the changes to an old status has the new one, whatever happened between', async () => {
    const random = generator(20_261_121);
    let mine = await statusOf(shop);
    const holds: string[] = [];
    for (let round = 0; round < 12; round++) {
      for (let step = 0; step < 6; step++) await act(shop, random, holds);
      mine = await bringUpToDate(shop, mine);
    }
  });

  test('a version that this process does not know is answered with all seats', async () => {
    const future = await shop.ask('GET', '/api/v1/events/play/seats?since=999999999');
    assert.equal((future.body as { seats: number }).seats, 24);
  });
});

interface SeatMap {
  readonly manifestId: string;
  readonly seats: number;
  readonly sections: readonly {
    readonly rows?: readonly {
      readonly segments: readonly {
        readonly ticketType: string;
        readonly firstTicket: number;
        readonly seats: string[];
        readonly accessible?: number[];
        readonly companion?: number[];
        readonly restrictedView?: number[];
      }[];
    }[];
  }[];
}

interface Status {
  readonly version: number;
  readonly codes: readonly number[];
}

async function statusOf(shop: TestShop): Promise<Status> {
  const { body } = await shop.ask('GET', '/api/v1/events/play/seats');
  const { version, seats, status } = body as { version: number; seats: number; status: string };
  const bytes = Buffer.from(status, 'base64');
  const codes = Array.from({ length: seats }, (_, seat) => (bytes[seat >>> 2]! >> (6 - 2 * (seat & 3))) & 3);
  return { version, codes };
}

/** Brings it to what the map shows, until that, which may be a quarter of a second old, is what the ledger has. */
async function bringUpToDate(shop: TestShop, old: Status): Promise<Status> {
  const giveUpMs = performance.now() + patienceMs(250);
  for (let mine = old; ; ) {
    const now = await statusOf(shop);
    mine = await brought(shop, mine);
    if (mine.version === now.version) {
      assert.deepEqual(mine, now);
      const codes = await ledgerCodes(shop);
      if (isDeepStrictEqual(now.codes, codes)) return mine;
      assert.ok(performance.now() < giveUpMs, `${now.codes} is shown, the ledger has ${codes}`);
    }
  }
}

/** An old status with what changed since. */
async function brought(shop: TestShop, { version, codes }: Status): Promise<Status> {
  const { body } = await shop.ask('GET', `/api/v1/events/play/seats?since=${version}`);
  const news = body as { version: number; changes: Record<string, string> };
  const brought = [...codes];
  for (const [status, runs] of Object.entries(news.changes)) {
    for (const ticket of fromRuns(runs)) brought[ticket] = SEAT_STATUSES.indexOf(status as never);
  }
  return { version: news.version, codes: brought };
}

async function ledgerCodes({ inside }: TestShop): Promise<number[]> {
  const { held, sold, aside } = await inside.ledger.claims('play' as never);
  const codes = new Array<number>(24).fill(0);
  for (const [code, tickets] of [held, sold, aside].entries()) {
    for (const ticket of tickets) if (ticket < 24) codes[ticket] = code + 1;
  }
  return codes;
}

/** Somebody holds, gives back, confirms, or buys. */
async function act(shop: TestShop, random: (n: number) => number, holds: string[]): Promise<void> {
  const what = random(5);
  if (what < 2) {
    const lines = [{ ticketType: 'stalls', bestAvailable: 1 + random(3) }];
    const held = await shop.ask('POST', '/api/v1/events/play/holds', { body: { lines } });
    if (held.status === 201) holds.push((held.body as { holdId: string }).holdId);
  } else if (what === 2) {
    await shop.ask('POST', '/buy/play', { body: { ticketType: random(2) === 0 ? 'floor' : 'box' } });
  } else if (holds.length > 0) {
    const [id] = holds.splice(random(holds.length), 1);
    if (what === 3) await shop.ask('DELETE', `/api/v1/holds/${id}`);
    else await shop.ask('POST', `/api/v1/holds/${id}/confirm`, { body: {} });
  }
}

/** Numbers below n, the same for the same seed. */
function generator(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % n;
  };
}
