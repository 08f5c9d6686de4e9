// Holds of chosen seats, of the best seats and of general admission, in one request: all of it or nothing (rows C2, E3).
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { contentOf, readProblem } from '../../../test/kit/answers.ts';
import { type Asking, openTestShop, type TestShop } from '../../../test/kit/test-shop.ts';
import { boughtAnswer } from '../../contract/buying.ts';
import { heldAnswer } from '../../contract/holds.ts';
import { confirmedAnswer } from '../../contract/orders.ts';

const MANIFEST = {
  name: 'Small house',
  sections: [
    {
      section: 'Stalls',
      category: 'stalls',
      rows: [
        { row: 'A', seats: '1-4|5-12', accessible: '1', companion: '2' },
        { row: 'B', seats: '1-12' },
      ],
    },
    { section: 'Balcony', category: 'stalls', rows: [{ row: 'A', seats: '1-6' }] },
    { section: 'Floor', category: 'floor', capacity: 50 },
  ],
};
const STALLS = 12 + 12 + 6;
const FLOOR = 40;

let shop: TestShop;
let manifestId: string;

/** A fresh event with all seats free. */
async function newHouse(eventId: string): Promise<string> {
  const typeOf = (name: string, rest: object) => ({
    ticketTypeId: name,
    name,
    price: 0,
    currency: 'EUR',
    ...rest,
  });
  const ticketTypes = [
    typeOf('floor', { category: 'floor', capacity: FLOOR }),
    typeOf('stalls', { category: 'stalls' }),
  ];
  const where = {
    venue: { name: 'Small house' },
    timeZone: 'Europe/Berlin',
    startsAt: '2030-01-01T20:00:00Z',
  };
  const body = { eventId, name: 'A play', ...where, manifestId, ticketTypes };
  const made = await shop.ask('POST', '/api/v1/events', { body, asStaff: true });
  assert.equal(made.status, 201, made.text);
  const opened = await shop.ask('POST', `/api/v1/events/${eventId}/open`, { asStaff: true });
  assert.ok(opened.status < 300, opened.text);
  return `/api/v1/events/${eventId}/holds`;
}

const ask = (path: string, lines: readonly object[], asking: Asking = {}) =>
  shop.ask('POST', path, { body: { lines }, ...asking });
const take = async (path: string, ...lines: object[]) => contentOf(await ask(path, lines), 201, heldAnswer);

type Hold = Awaited<ReturnType<typeof take>>;
const seatsOf = ({ tickets }: Pick<Hold, 'tickets'>) =>
  tickets.flatMap(({ seat }) => (seat ? [`${seat.section}/${seat.row}/${seat.seat}`] : []));
const named = (text: string) => {
  const [section, row, seat] = text.split('/');
  return { section, row, seat };
};

before(async () => {
  shop = await openTestShop();
  const kept = await shop.ask('POST', '/api/v1/manifests', { body: MANIFEST, asStaff: true });
  assert.equal(kept.status, 201, kept.text);
  ({ manifestId } = kept.body as { manifestId: string });
});
after(() => shop?.close());

describe('chosen seats', () => {
  test('[E3] are held by their names, in either form, and stand on the tickets', async () => {
    const path = await newHouse('chosen');
    const hold = await take(path, { seats: ['Stalls/B/7', named('Stalls/B/8')] }, { seats: ['Balcony/A/6'] });
    assert.deepEqual(seatsOf(hold).sort(), ['Balcony/A/6', 'Stalls/B/7', 'Stalls/B/8']);
    for (const { ticketType } of hold.tickets) assert.equal(ticketType, 'stalls');
    const confirmed = await shop.ask('POST', `/api/v1/holds/${hold.holdId}/confirm`);
    assert.deepEqual(seatsOf(contentOf(confirmed, 201, confirmedAnswer)), seatsOf(hold));
  });

  test('[S3] that are taken are named, the others stay free, and a key repeats the answer byte for byte', async () => {
    const path = await newHouse('taken');
    const held = await take(path, { seats: ['Stalls/B/1', 'Stalls/B/2'] });
    await shop.ask('POST', `/api/v1/holds/${(await take(path, { seats: ['Stalls/B/5'] })).holdId}/confirm`);
    const wanted = [
      { seats: ['Stalls/B/1', 'Stalls/B/3', 'Stalls/B/5'] },
      { ticketType: 'floor', quantity: 2 },
    ];
    const beforeAll = await shop.everything();
    const refusal = readProblem(await ask(path, wanted), 409, 'SEAT_TAKEN');
    assert.deepEqual(refusal.seats, [named('Stalls/B/1'), named('Stalls/B/5')]);
    assert.equal(refusal.detail, 'Not available: Stalls/B/1, Stalls/B/5.');
    assert.deepEqual(await shop.everything(), beforeAll);

    const asking = { key: 'taken-seats', headers: { 'x-request-id': 'same' } };
    const keyed = await ask(path, wanted, asking);
    assert.deepEqual(readProblem(keyed, 409, 'SEAT_TAKEN').seats, refusal.seats);
    await shop.ask('DELETE', `/api/v1/holds/${held.holdId}`);
    assert.equal((await ask(path, wanted, asking)).text, keyed.text);
    assert.deepEqual(seatsOf(await take(path, { seats: ['Stalls/B/1', 'Stalls/B/3'] })).length, 2);
  });

  test('[S1] that fifty want at once are one buyer’s', async () => {
    const path = await newHouse('stormed');
    const lines = [{ seats: ['Stalls/B/6', 'Stalls/B/7'] }];
    const replies = await Promise.all(Array.from({ length: 50 }, () => ask(path, lines)));
    assert.equal(replies.filter(({ status }) => status === 201).length, 1);
    for (const reply of replies.filter(({ status }) => status !== 201)) {
      const { seats } = readProblem(reply, 409, 'SEAT_TAKEN');
      assert.deepEqual(seats, [named('Stalls/B/6'), named('Stalls/B/7')]);
    }
  });

  test('[S3] that overlap in a crowd are held in whole rows or not at all, and nobody waits for ever', async () => {
    const path = await newHouse('overlap');
    const asked = Array.from({ length: 40 }, (_, n) => {
      const first = 1 + (n % 9);
      const seats = [0, 1, 2].map((step) => `Stalls/B/${first + step}`);
      return { seats: n % 2 === 0 ? seats : seats.reverse() };
    });
    const replies = await Promise.all(asked.map((line) => ask(path, [line])));
    const held = replies.flatMap((reply) =>
      reply.status === 201 ? [contentOf(reply, 201, heldAnswer)] : [],
    );
    assert.ok(held.length >= 2 && held.length <= 4, `${held.length}`);
    const seats = held.flatMap(seatsOf);
    assert.equal(new Set(seats).size, seats.length);
    assert.equal(seats.length, 3 * held.length);
  });
});

describe('the best seats', () => {
  test('[E3] sit side by side, in the section that is asked for, and a number of seats means them too', async () => {
    const path = await newHouse('best');
    const places = (hold: Hold) => seatsOf(hold).map((text) => Number(text.split('/')[2]));
    for (const line of [
      { ticketType: 'stalls', bestAvailable: 3 },
      { ticketType: 'stalls', quantity: 3 },
      { ticketType: 'stalls', bestAvailable: 3, section: 'Balcony' },
    ]) {
      const hold = await take(path, line);
      const [first, second, third] = places(hold).sort((a, b) => a - b);
      assert.deepEqual([second, third], [first! + 1, first! + 2], seatsOf(hold).join());
      if ('section' in line) for (const seat of seatsOf(hold)) assert.match(seat, /^Balcony/);
    }
    const bought = await shop.ask('POST', '/buy/best', { body: { ticketType: 'stalls', quantity: 2 } });
    assert.equal(seatsOf(contentOf(bought, 201, boughtAnswer)).length, 2);
  });

  test('are accessible ones for those who ask for them, and for nobody else', async () => {
    const path = await newHouse('accessible');
    const accessible = await take(path, { ticketType: 'stalls', bestAvailable: 2, accessible: true });
    assert.deepEqual(seatsOf(accessible).sort(), ['Stalls/A/1', 'Stalls/A/2']);
    const more = await ask(path, [{ ticketType: 'stalls', bestAvailable: 1, accessible: true }]);
    readProblem(more, 409, 'ALL_HELD');
    await shop.ask('DELETE', `/api/v1/holds/${accessible.holdId}`);
    let seats = 0;
    for (let size = 10; size > 0; size--) {
      for (;;) {
        const reply = await ask(path, [{ ticketType: 'stalls', bestAvailable: size }]);
        if (reply.status !== 201) break;
        const hold = contentOf(reply, 201, heldAnswer);
        seats += hold.tickets.length;
        for (const seat of seatsOf(hold)) assert.doesNotMatch(seat, /^Stalls\/A\/[12]$/);
      }
    }
    assert.equal(seats, STALLS - 2);
  });

  test('are several groups rather than none, unless they must be together', async () => {
    const path = await newHouse('together');
    // Every third seat of the balcony is gone: pairs are left.
    await take(path, { seats: ['Balcony/A/3'] });
    const line = { ticketType: 'stalls', bestAvailable: 4, section: 'Balcony' };
    const beforeAll = await shop.everything();
    readProblem(await ask(path, [{ ...line, together: true }]), 409, 'NO_SEATS_TOGETHER');
    assert.deepEqual(await shop.everything(), beforeAll);
    assert.equal(seatsOf(await take(path, line)).length, 4);
    readProblem(await ask(path, [line]), 409, 'ALL_HELD');
  });
});

describe('lines of several kinds', () => {
  test('[S3] [C2] are one hold', async () => {
    const path = await newHouse('mixed');
    const hold = await take(
      path,
      { ticketType: 'floor', quantity: 3 },
      { seats: ['Stalls/A/6'] },
      { ticketType: 'stalls', bestAvailable: 2, section: 'Balcony', together: true },
      { ticketType: 'floor', bestAvailable: 1 },
    );
    assert.equal(hold.tickets.length, 7);
    assert.equal(hold.tickets.filter(({ ticketType }) => ticketType === 'floor').length, 4);
    assert.equal(seatsOf(hold).filter((seat) => seat.startsWith('Balcony')).length, 2);
    assert.ok(seatsOf(hold).includes('Stalls/A/6'));
  });

  test('[S3] [C2] are none, whichever line fails', async () => {
    const path = await newHouse('whole');
    await take(path, { seats: ['Stalls/A/6'] });
    const good: object[] = [
      { ticketType: 'floor', quantity: 2 },
      { seats: ['Stalls/B/6'] },
      { ticketType: 'stalls', bestAvailable: 2 },
    ];
    const bad: [object, number, string][] = [
      [{ seats: ['Stalls/A/6'] }, 409, 'SEAT_TAKEN'],
      [{ ticketType: 'stalls', bestAvailable: 7, section: 'Balcony' }, 409, 'SOLD_OUT'],
      [{ ticketType: 'stalls', bestAvailable: 3, accessible: true }, 409, 'SOLD_OUT'],
      [{ seats: ['Stalls/A/13'] }, 404, 'SEAT_NOT_FOUND'],
      [{ ticketType: 'stalls', bestAvailable: 1, section: 'Attic' }, 404, 'SECTION_NOT_FOUND'],
      [
        { ticketType: 'stalls', bestAvailable: 1, section: 'Balcony', accessible: true },
        404,
        'SECTION_NOT_FOUND',
      ],
      [{ ticketType: 'floor', bestAvailable: 1, section: 'Stalls' }, 404, 'SECTION_NOT_FOUND'],
      [{ ticketType: 'boxes', quantity: 1 }, 404, 'TICKET_TYPE_NOT_FOUND'],
    ];
    const beforeAll = await shop.everything();
    for (const [line, status, code] of bad) {
      for (let place = 0; place <= good.length; place++) {
        const lines = good.toSpliced(place, 0, line);
        readProblem(await ask(path, lines), status, code);
      }
    }
    assert.deepEqual(await shop.everything(), beforeAll);
  });

  test('name every seat that does not exist', async () => {
    const path = await newHouse('missing');
    const lines = [{ seats: ['Stalls/A/0', 'Stalls/A/1', 'stalls/A/1'] }, { seats: [named('Attic/A/1')] }];
    const { seats } = readProblem(await ask(path, lines), 404, 'SEAT_NOT_FOUND');
    assert.deepEqual(seats, ['Stalls/A/0', 'stalls/A/1', 'Attic/A/1'].map(named));
    const ga = readProblem(
      await ask('/api/v1/events/1/holds', [{ seats: ['Stalls/A/1'] }]),
      404,
      'SEAT_NOT_FOUND',
    );
    assert.equal(ga.detail, 'The event sells no such seat: Stalls/A/1.');
  });

  test('that are nonsense are refused with the place of the fault, and change nothing', async () => {
    const path = await newHouse('nonsense');
    const row = (count: number, of = 'B') => Array.from({ length: count }, (_, n) => `Stalls/${of}/${n + 1}`);
    const cases: [unknown, string, RegExp?][] = [
      [
        [{ seats: ['Stalls/B/1', 'Stalls/B/1'] }],
        'body.lines.0.seats.1',
        /names Stalls\/B\/1, which the request names already/,
      ],
      [[{ seats: ['Stalls/B/1'] }, { seats: [named('Stalls/B/1')] }], 'body.lines.1.seats.0'],
      [[{ seats: [named('A/B/1'), named('A/B/1')] }], 'body.lines.0.seats.1'],
      [[{ seats: [] }], 'body.lines.0.seats'],
      [[{ seats: 'Stalls/B/1' }], 'body.lines.0.seats'],
      [[{ seats: ['Stalls/B'] }], 'body.lines.0.seats.0', /"Stalls\/A\/12"/],
      [[{ seats: ['Stalls/B/1/2'] }], 'body.lines.0.seats.0'],
      [[{ seats: ['Stalls//1'] }], 'body.lines.0.seats.0'],
      [[{ seats: [12] }], 'body.lines.0.seats.0'],
      [[{ seats: [{ section: 'Stalls', row: 'B' }] }], 'body.lines.0.seats.0.seat'],
      [[{ seats: [{ ...named('Stalls/B/1'), price: 0 }] }], 'body.lines.0.seats.0'],
      [[{ seats: ['Stalls/B/1'], quantity: 1 }], 'body.lines.0'],
      [[{ seats: row(51) }], 'body.lines.0.seats', /at most 50 seats/],
      [[{ seats: row(30) }, { seats: row(30, 'A') }], 'body.lines', /60 seats/],
      [[{ ticketType: 'stalls', bestAvailable: 0 }], 'body.lines.0.bestAvailable'],
      [[{ ticketType: 'stalls', bestAvailable: 11 }], 'body.lines.0.bestAvailable'],
      [[{ ticketType: 'stalls', bestAvailable: 2, quantity: 2 }], 'body.lines.0'],
      [[{ ticketType: 'stalls', bestAvailable: 2, section: 7 }], 'body.lines.0.section'],
      [[{ ticketType: 'stalls', bestAvailable: 2, together: 'yes' }], 'body.lines.0.together'],
      [[{ ticketType: 'stalls', bestAvailable: 2, accessible: 1 }], 'body.lines.0.accessible'],
      [[{ ticketType: 'stalls', quantity: 2, section: 'Balcony' }], 'body.lines.0'],
      [[{ ticketType: 'floor', quantity: 1, accessCode: '' }], 'body.lines.0.accessCode'],
      [Array(1_000).fill({ a: 1 }), 'body.lines', /at most 50 lines/],
      [Array(51).fill({ seats: ['Stalls/B/1'] }), 'body.lines', /at most 50 lines/],
      [['Stalls/B/1'], 'body.lines.0'],
      [[null], 'body.lines.0'],
      ['Stalls/B/1', 'body.lines'],
    ];
    const beforeAll = await shop.everything();
    for (const [lines, field, says] of cases) {
      const reply = await shop.ask('POST', path, { body: { lines }, key: 'nonsense' });
      const { fields, detail } = readProblem(reply, 400, 'VALIDATION_FAILED');
      assert.deepEqual(Object.keys(fields!), [field], JSON.stringify(lines).slice(0, 100));
      if (says) assert.match(detail, says);
    }
    // A thousand lines that are right one by one are more than a request may be.
    const thousand = Array(1_000).fill({ ticketType: 'floor', quantity: 1 });
    readProblem(await ask(path, thousand), 413, 'BODY_TOO_LARGE');
    assert.deepEqual(await shop.everything(), beforeAll);
  });
});
