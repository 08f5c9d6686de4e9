// Events with seats, as organizers make and change them: what ticket types sell of the seat map, and seats that are
// killed, set aside and dropped to sale by their names.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { contentOf, readProblem } from '../../../test/kit/answers.ts';
import { openTestShop, type Reply, type TestShop } from '../../../test/kit/test-shop.ts';
import { auditAnswer, availabilityAnswer, eventAnswer, staffEventAnswer } from '../../contract/events.ts';
import { heldAnswer, holdAnswer } from '../../contract/holds.ts';
import { allocationAnswer } from '../../contract/organizing.ts';

const MANIFEST = {
  name: 'Small house',
  sections: [
    {
      section: 'Stalls',
      category: 'stalls',
      rows: [
        { row: 'A', seats: '1-6', accessible: '1', companion: '2' },
        { row: 'B', seats: '1-6' },
      ],
    },
    { section: 'Balcony', category: 'balcony', rows: [{ row: 'A', seats: '1-4' }] },
    { section: 'Floor', category: 'floor', capacity: 30 },
  ],
};
const typeOf = (id: string, rest: object = {}) => ({
  ...{ ticketTypeId: id, name: id, price: 0, currency: 'EUR' },
  ...rest,
});
const PLAY = {
  ...{ name: 'A play', venue: { name: 'Small house' } },
  ...{ startsAt: '2030-01-01T20:00:00Z', timeZone: 'Europe/Berlin' },
};
const TYPES = [
  typeOf('floor', { category: 'floor', capacity: 20 }),
  typeOf('stalls', { category: 'stalls' }),
  typeOf('guest', { capacity: 2 }),
];

let shop: TestShop;
let manifestId = '';
let eventId = '';
let made = 0;
const staff = { asStaff: true } as const;
const path = (rest = '') => `/api/v1/events/${eventId}${rest}`;
const create = (members: object) =>
  shop.ask('POST', '/api/v1/events', {
    ...staff,
    body: { ...PLAY, manifestId, ticketTypes: TYPES, ...members },
  });

before(async () => {
  shop = await openTestShop();
  const kept = await shop.ask('POST', '/api/v1/manifests', { ...staff, body: MANIFEST });
  assert.equal(kept.status, 201, kept.text);
  ({ manifestId } = kept.body as { manifestId: string });
});
after(() => shop?.close());
beforeEach(async () => {
  eventId = `play-${++made}`;
  contentOf(await create({ eventId }), 201, staffEventAnswer);
});

async function patch(body: object): Promise<Reply> {
  const etag = (await shop.ask('GET', path(), staff)).headers.get('etag')!;
  return shop.ask('PATCH', path(), { ...staff, body, headers: { 'if-match': etag } });
}
const allocate = (kind: string, ...lines: object[]) =>
  shop.ask('POST', path('/allocations'), { ...staff, body: { name: 'House seats', kind, lines } });
const release = (id: string, body: object = {}) =>
  shop.ask('POST', path(`/allocations/${id}/release`), { ...staff, body });
const holdSeats = (...seats: string[]) => shop.ask('POST', path('/holds'), { body: { lines: [{ seats }] } });
const counts = async (ticketType: string) => {
  const { ticketTypes } = contentOf(await shop.ask('GET', path('/availability')), 200, availabilityAnswer);
  const { capacity, available, held, allocated, killed } = ticketTypes.find(
    (t) => t.ticketType === ticketType,
  )!;
  return { capacity, available, held, allocated, killed };
};
async function isSound(): Promise<void> {
  const report = contentOf(await shop.ask('GET', path('/audit'), staff), 200, auditAnswer);
  assert.ok(report.ok, JSON.stringify(report.checks));
}
async function fieldsOf(reply: Reply): Promise<string[]> {
  return Object.keys(readProblem(reply, 400, 'VALIDATION_FAILED').fields ?? {});
}

test('[E2] a ticket type of seats has all seats of its category, one of an area as many as it says', async () => {
  const { ticketTypes } = contentOf(await shop.ask('GET', path()), 200, eventAnswer);
  assert.deepEqual(
    ticketTypes.map(({ ticketTypeId, capacity, available }) => [ticketTypeId, capacity, available]),
    [
      ['floor', 20, 20],
      ['stalls', 12, 12],
      ['guest', 2, 2],
    ],
  );
  // Sent back as it was read, with its capacity, it makes the same event again.
  const read = contentOf(await shop.ask('GET', path(), staff), 200, staffEventAnswer);
  contentOf(await create({ ...read, eventId: `${eventId}-again` }), 201, staffEventAnswer);
});

test('[E2] what the seat map does not have is refused, and nothing is kept', async () => {
  const all = await shop.everything();
  const cases: readonly (readonly [object[], string])[] = [
    [[typeOf('box', { category: 'box' })], 'body.ticketTypes.0.category'],
    [
      [typeOf('a', { category: 'stalls' }), typeOf('b', { category: 'stalls' })],
      'body.ticketTypes.1.category',
    ],
    [[typeOf('a', { category: 'stalls', capacity: 11 })], 'body.ticketTypes.0.capacity'],
    [[typeOf('a', { category: 'floor', capacity: 31 })], 'body.ticketTypes.0.capacity'],
    [[typeOf('a')], 'body.ticketTypes.0.capacity'],
  ];
  for (const [ticketTypes, field] of cases) {
    assert.deepEqual(await fieldsOf(await create({ eventId: 'bad', ticketTypes })), [field]);
  }
  readProblem(await create({ eventId: 'bad', manifestId: 'mNowhere' }), 404, 'MANIFEST_NOT_FOUND');
  assert.deepEqual(await shop.everything(), all);
});

test('[E2] seats stay numbered as they are: their types neither grow nor shrink nor come later', async () => {
  const held = contentOf(await holdSeats('Stalls/B/3'), 201, heldAnswer);
  const cases: readonly (readonly [object, string])[] = [
    [{ ticketTypeId: 'stalls', capacity: 11 }, 'body.ticketTypes.0.capacity'],
    [{ ticketTypeId: 'stalls', category: null }, 'body.ticketTypes.0.category'],
    [{ ticketTypeId: 'floor', capacity: 31 }, 'body.ticketTypes.0.capacity'],
    [typeOf('late', { category: 'balcony', capacity: 4 }), 'body.ticketTypes.0.category'],
    [typeOf('late', { category: 'stalls', capacity: 12 }), 'body.ticketTypes.0.category'],
  ];
  for (const [type, field] of cases) {
    assert.deepEqual(await fieldsOf(await patch({ ticketTypes: [type] })), [field], JSON.stringify(type));
  }
  const others = [
    { ticketTypeId: 'floor', capacity: 30 },
    { ticketTypeId: 'stalls', name: 'The stalls' },
    typeOf('late', { capacity: 5 }),
  ];
  contentOf(await patch({ ticketTypes: others }), 200, staffEventAnswer);
  const again = contentOf(await shop.ask('GET', `/api/v1/holds/${held.holdId}`), 200, holdAnswer);
  assert.deepEqual(again.tickets, held.tickets);
  contentOf(await patch({ ticketTypes: [{ ticketTypeId: 'floor', capacity: 3 }] }), 200, staffEventAnswer);
  assert.equal((await counts('floor')).available, 3);
  contentOf(await holdSeats('Stalls/B/4'), 201, heldAnswer);
  await isSound();
});

test('[E2] [S2] seats are killed and set aside by their names; no buyer gets them until they are dropped', async () => {
  const killed = contentOf(
    await allocate('kill', { seats: ['Stalls/A/5', 'Stalls/A/6'] }),
    201,
    allocationAnswer,
  );
  assert.deepEqual(killed.lines[0]!.seats, [
    { section: 'Stalls', row: 'A', seat: '5' },
    { section: 'Stalls', row: 'A', seat: '6' },
  ]);
  const house = contentOf(
    await allocate(
      'channel',
      { ticketType: 'stalls', bestAvailable: 3 },
      { ticketType: 'floor', quantity: 4 },
    ),
    201,
    allocationAnswer,
  );
  assert.equal(house.quantity, 7);
  assert.deepEqual(await counts('stalls'), { capacity: 12, available: 7, held: 0, allocated: 3, killed: 2 });
  const refused = readProblem(await holdSeats('Stalls/A/4', 'Stalls/A/5'), 409, 'SEAT_TAKEN');
  assert.deepEqual(refused.seats, [{ section: 'Stalls', row: 'A', seat: '5' }]);
  // Some are dropped by their names, the rest altogether.
  const left = contentOf(
    await release(killed.allocationId, { seats: ['Stalls/A/5'] }),
    200,
    allocationAnswer,
  );
  assert.equal(left.quantity, 1);
  const seat = house.lines.find(({ ticketType }) => ticketType === 'stalls')!.seats![0]!;
  readProblem(await holdSeats(`${seat.section}/${seat.row}/${seat.seat}`), 409, 'SEAT_TAKEN');
  contentOf(await holdSeats('Stalls/A/5'), 201, heldAnswer);
  contentOf(await release(house.allocationId), 200, allocationAnswer);
  assert.deepEqual(await counts('stalls'), { capacity: 12, available: 10, held: 1, allocated: 0, killed: 1 });
  await isSound();
});

test('[E2] seats that buyers have, or that do not exist, are not set aside, and neither is anything beside them', async () => {
  contentOf(await holdSeats('Stalls/B/1'), 201, heldAnswer);
  const all = await shop.everything();
  const taken = await allocate(
    'kill',
    { seats: ['Stalls/B/1', 'Stalls/B/2'] },
    { ticketType: 'floor', quantity: 2 },
  );
  assert.deepEqual(readProblem(taken, 409, 'SEAT_TAKEN').seats, [{ section: 'Stalls', row: 'B', seat: '1' }]);
  const missing = await allocate('kill', { seats: ['Stalls/B/2', 'Stalls/Z/1', 'Balcony/A/1'] });
  assert.equal(readProblem(missing, 404, 'SEAT_NOT_FOUND').seats?.length, 2);
  for (const lines of [
    [{ seats: ['Stalls/B/2', 'Stalls/B/2'] }],
    [{ seats: ['Stalls/B/2'] }, { seats: ['Stalls/B/2'] }],
    [{ seats: [] }],
    [{ seats: ['Stalls'] }],
    [{ ticketType: 'stalls', quantity: 2 }],
    [{ ticketType: 'stalls', bestAvailable: 11 }],
  ]) {
    readProblem(await allocate('kill', ...lines), 400, 'VALIDATION_FAILED');
  }
  assert.deepEqual(await shop.everything(), all);
});

test('[E1] a thousand seats are killed in one change', async () => {
  const rows = Array.from({ length: 40 }, (_, row) => ({ row: `${row + 1}`, seats: '1-50' }));
  const sections = [{ section: 'Arena', category: 'arena', rows }];
  const kept = await shop.ask('POST', '/api/v1/manifests', { ...staff, body: { name: 'Arena', sections } });
  eventId = `arena-${made}`;
  const { manifestId: arena } = kept.body as { manifestId: string };
  contentOf(
    await create({ eventId, manifestId: arena, ticketTypes: [typeOf('seat', { category: 'arena' })] }),
    201,
    staffEventAnswer,
  );
  const seats = rows
    .slice(20)
    .flatMap(({ row }) => Array.from({ length: 50 }, (_, i) => `Arena/${row}/${i + 1}`));
  contentOf(await allocate('kill', { seats }), 201, allocationAnswer);
  assert.deepEqual(await counts('seat'), {
    capacity: 2_000,
    available: 1_000,
    held: 0,
    allocated: 0,
    killed: 1_000,
  });
  await isSound();
});

test('seats with slashes in their names are told apart when they are set aside', async () => {
  const sectionOf = (section: string, row: string) => ({
    section,
    category: 'all',
    rows: [{ row, seats: '1' }],
  });
  const body = { name: 'Slashes', sections: [sectionOf('A/B', 'C'), sectionOf('A', 'B/C')] };
  const kept = await shop.ask('POST', '/api/v1/manifests', { ...staff, body });
  assert.equal(kept.status, 201, kept.text);
  const slashes = (kept.body as { manifestId: string }).manifestId;
  eventId = 'slashes';
  const members = { eventId, manifestId: slashes, ticketTypes: [typeOf('all', { category: 'all' })] };
  assert.equal((await create(members)).status, 201);
  const seats = [
    { section: 'A/B', row: 'C', seat: '1' },
    { section: 'A', row: 'B/C', seat: '1' },
  ];
  const twice = await allocate('kill', { seats: [seats[0], seats[0]] });
  assert.equal(twice.status, 400, twice.text);
  const killed = await allocate('kill', { seats });
  assert.equal(killed.status, 201, killed.text);
  assert.equal((killed.body as { quantity: number }).quantity, 2);
});
