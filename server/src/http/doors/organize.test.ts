// Events as organizers make and change them, open and close their sale; what is no event, and what is no step.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { patienceMs, SLOWNESS } from '@floodgate/core/testing/patience.ts';
import { contentOf, readProblem } from '../../../test/kit/answers.ts';
import { etagOf, GA, NIGHT, Organizer, staff } from '../../../test/kit/organizer.ts';
import { eventAnswer, eventsAnswer, staffEventAnswer } from '../../contract/events.ts';
import { heldAnswer } from '../../contract/holds.ts';
import { confirmedAnswer } from '../../contract/orders.ts';
import { allocationAnswer, eventChangesAnswer } from '../../contract/organizing.ts';

const organizer = new Organizer();
const { ask, path, create, read, patch, command, buy, hold, counts, isSound, unchanged } = organizer;
before(organizer.open);
after(organizer.close);
beforeEach(organizer.begin);

test('[E1] an event with all of its members is kept as it was sent, and read by staff and the public', async () => {
  const eventId = 'all-members';
  organizer.eventId = eventId;
  const sent = {
    eventId,
    ...{ name: 'Zwölf 🎻', description: 'Two nights.\nDoors at six.' },
    venue: { name: 'Hall', address: 'Kanalstraße 1', city: 'Köln', country: 'DE' },
    ...{ startsAt: '2027-05-01T20:00:00+02:00', timeZone: 'Europe/Berlin', status: 'scheduled' },
    ...{ onSaleAt: '2027-02-01T10:00:00+01:00', endsAt: '2027-05-01T21:00:00+02:00' },
    ...{ maxPerOrder: 8, limitPerBuyer: 10, holdsPerBuyer: 2 },
    ticketTypes: [
      { ...GA, description: 'Standing', price: 4550, limitPerBuyer: 6, minPerOrder: 1, maxPerOrder: 6 },
      { ...GA, ticketTypeId: 'fans', saleEndsAt: '2027-03-01T00:00:00Z', accessCode: 'LOUD' },
      { ...GA, ticketTypeId: 'late', capacity: 0, saleStartsAt: '2027-04-01T00:00:00Z' },
    ],
  };
  const reply = await create(sent);
  assert.equal(reply.headers.get('location'), '/api/v1/events/all-members');
  assert.equal(etagOf(reply), '"1"');
  const [ga, fans, late] = sent.ticketTypes;
  const seen = {
    ...sent,
    ticketTypes: [
      { ...ga, available: 20 },
      { ...fans, available: 20, needsAccessCode: true },
      { ...late, available: 0 },
    ],
  };
  assert.deepEqual(contentOf(reply, 201, staffEventAnswer), seen);
  assert.deepEqual(contentOf(await read(), 200, staffEventAnswer), seen);
  const openly = { ...seen.ticketTypes[1], accessCode: undefined };
  const publicly = { ...seen, ticketTypes: [seen.ticketTypes[0], openly, seen.ticketTypes[2]] };
  const shown = contentOf(await read(false), 200, eventAnswer);
  assert.deepEqual(shown, JSON.parse(JSON.stringify(publicly)));
  assert.ok(!(await ask('GET', '/api/v1/events')).text.includes('LOUD'));
  // What was read can be sent back to make its like.
  const again = await create({ ...seen, eventId: 'its-like' });
  assert.deepEqual(contentOf(again, 201, staffEventAnswer), { ...seen, eventId: 'its-like' });
});

test('[E1] an event without an id gets one; one that exists is not made again', async () => {
  const reply = await create({});
  assert.match(contentOf(reply, 201, staffEventAnswer).eventId, /^\d{17,19}$/);
  await unchanged(async () =>
    readProblem(await create({ eventId: organizer.eventId, name: 'Other' }), 409, 'EVENT_EXISTS'),
  );
});

const TYPE = (members: object, ...more: object[]) => ({
  ticketTypes: [{ ...GA, ...members }, ...more.map((type) => ({ ...GA, ...type }))],
});
/** What is sent, and the member that is named. */
const BAD_EVENTS: readonly (readonly [object, string])[] = [
  [{ eventId: 'a b' }, 'body.eventId'],
  [{ eventId: '~shop' }, 'body.eventId'],
  [{ eventId: 'x'.repeat(65) }, 'body.eventId'],
  [{ eventId: 7 }, 'body.eventId'],
  [{ name: '' }, 'body.name'],
  [{ name: 'bell \u0007' }, 'body.name'],
  [{ name: undefined }, 'body.name'],
  [{ name: 'x'.repeat(6_000) }, 'body.name'],
  [{ description: '\u001b[31mred' }, 'body.description'],
  [{ venue: 'Hall' }, 'body.venue'],
  [{ venue: { name: 'Hall', planet: 'Mars' } }, 'body.venue'],
  [{ timeZone: 'Europe/Atlantis' }, 'body.timeZone'],
  [{ timeZone: '+02:00' }, 'body.timeZone'],
  [{ startsAt: 'tomorrow' }, 'body.startsAt'],
  [{ startsAt: '2027-02-29T20:00:00Z' }, 'body.startsAt'],
  [{ status: 'paused' }, 'body.status'],
  [{ status: 'scheduled' }, 'body.onSaleAt'],
  [{ onSaleAt: '2027-02-01T00:00:00Z', endsAt: '2027-02-01T00:00:00Z' }, 'body.endsAt'],
  [{ limitPerBuyer: 0 }, 'body.limitPerBuyer'],
  [{ holdsPerBuyer: 1.5 }, 'body.holdsPerBuyer'],
  [{ maxPerOrder: 1_001 }, 'body.maxPerOrder'],
  [{ maxPerOder: 4 }, 'body'],
  [{ blocks: [] }, 'body'],
  [{ allocations: [] }, 'body'],
  [{ waitingRoom: { enabled: true } }, 'body.waitingRoom.enabled'],
  [{ ticketTypes: [] }, 'body.ticketTypes'],
  [
    { ticketTypes: Array.from({ length: 201 }, (_, i) => ({ ...GA, ticketTypeId: `t${i}` })) },
    'body.ticketTypes',
  ],
  [{ ticketTypes: Array.from({ length: 50_000 }, () => null) }, 'body.ticketTypes'],
  [{ ticketTypes: {} }, 'body.ticketTypes'],
  [TYPE({ ticketTypeId: 'vip\n' }), 'body.ticketTypes.0.ticketTypeId'],
  [TYPE({}, {}), 'body.ticketTypes.1.ticketTypeId'],
  [TYPE({}, { ticketTypeId: 'GA' }), 'body.ticketTypes.1.ticketTypeId'],
  [TYPE({ price: -1 }), 'body.ticketTypes.0.price'],
  [TYPE({ price: 9.99 }), 'body.ticketTypes.0.price'],
  [TYPE({ price: '10' }), 'body.ticketTypes.0.price'],
  [TYPE({ price: 1e13 }), 'body.ticketTypes.0.price'],
  [TYPE({ price: 0.5, currency: 'JPY' }), 'body.ticketTypes.0.price'],
  [TYPE({ currency: 'ECU' }), 'body.ticketTypes.0.currency'],
  [TYPE({ currency: 'XAU' }), 'body.ticketTypes.0.currency'],
  [TYPE({}, { ticketTypeId: 'b', currency: 'USD' }), 'body.ticketTypes.1.currency'],
  [TYPE({ capacity: -1 }), 'body.ticketTypes.0.capacity'],
  [TYPE({ capacity: 50_000_001 }), 'body.ticketTypes.0.capacity'],
  [TYPE({ capacity: 50_000_000 }, { ticketTypeId: 'b' }), 'body.ticketTypes'],
  [TYPE({ capacity: undefined }), 'body.ticketTypes.0.capacity'],
  [TYPE({ minPerOrder: 5, maxPerOrder: 4 }), 'body.ticketTypes.0.minPerOrder'],
  [
    TYPE({ saleStartsAt: '2027-02-02T00:00Z', saleEndsAt: '2027-02-01T00:00Z' }),
    'body.ticketTypes.0.saleEndsAt',
  ],
  [
    { ...TYPE({ saleStartsAt: '2027-03-02T00:00Z' }), endsAt: '2027-03-01T00:00Z' },
    'body.ticketTypes.0.saleStartsAt',
  ],
  [TYPE({ category: 'stalls' }), 'body.ticketTypes.0.category'],
  [TYPE({ color: 'red' }), 'body.ticketTypes.0'],
];

test('[E1] what is no event is refused, naming the member that is wrong, and nothing is kept', async () => {
  await unchanged(async () => {
    for (const [members, field] of BAD_EVENTS) {
      const reply = await create({ eventId: 'bad', ...members });
      const { fields } = readProblem(reply, 400, 'VALIDATION_FAILED');
      assert.deepEqual(Object.keys(fields ?? {}), [field], JSON.stringify(members).slice(0, 200));
    }
    readProblem(await create({ manifestId: 'nowhere' }), 404, 'MANIFEST_NOT_FOUND');
    for (const body of [null, [], 'event', 7, {}]) {
      readProblem(await ask('POST', '/api/v1/events', { ...staff, body }), 400, 'VALIDATION_FAILED');
    }
  });
});

test('[E1] a change that makes no event is refused in the terms of the request', async () => {
  await patch({ ticketTypes: [{ ticketTypeId: 'vip', name: 'VIP', price: 9_000, capacity: 5 }] });
  const cases: readonly (readonly [object, string])[] = [
    [{ name: null }, 'body.name'],
    [{ eventId: 'other' }, 'body'],
    [{ status: 'open' }, 'body'],
    [{ manifestId: 'm' }, 'body'],
    [{ endsAt: 'never' }, 'body.endsAt'],
    [{ ticketTypes: [{ ticketTypeId: 'vip', price: -5 }] }, 'body.ticketTypes.0.price'],
    [{ ticketTypes: [{ ticketTypeId: 'vip', category: 'box' }] }, 'body.ticketTypes.0.category'],
    [{ ticketTypes: [{ ticketTypeId: 'vip' }, { ticketTypeId: 'vip' }] }, 'body.ticketTypes.1.ticketTypeId'],
    [{ ticketTypes: [{ ticketTypeId: 'new', name: 'New', price: 0 }] }, 'body.ticketTypes.0.capacity'],
    [
      { ticketTypes: [{ ticketTypeId: 'vip', minPerOrder: 5 }], maxPerOrder: 4 },
      'body.ticketTypes.0.minPerOrder',
    ],
  ];
  await unchanged(async () => {
    for (const [body, field] of cases) {
      const { fields } = readProblem(await patch(body), 400, 'VALIDATION_FAILED');
      assert.deepEqual(Object.keys(fields ?? {}), [field], JSON.stringify(body));
    }
  });
});

test('[E1] members are changed, taken away and added; what is not named stays', async () => {
  await patch({ description: 'Old', limitPerBuyer: 4 });
  const ticketTypes = [
    { ticketTypeId: 'ga', name: 'Floor', maxPerOrder: 2, accessCode: 'A' },
    { ticketTypeId: 'vip', name: 'VIP', price: 9_000, capacity: 5 },
  ];
  const body = { name: 'Rock Morning', description: null, venue: { name: 'Club', city: 'Ulm' }, ticketTypes };
  const changed = contentOf(await patch(body), 200, staffEventAnswer);
  assert.deepEqual(changed, {
    ...{ ...NIGHT, eventId: organizer.eventId, name: 'Rock Morning', status: 'open', limitPerBuyer: 4 },
    venue: { name: 'Club', city: 'Ulm' },
    ticketTypes: [
      { ...GA, name: 'Floor', maxPerOrder: 2, accessCode: 'A', needsAccessCode: true, available: 20 },
      { ...GA, ticketTypeId: 'vip', name: 'VIP', price: 9_000, capacity: 5, available: 5 },
    ],
  });
  assert.deepEqual(contentOf(await read(), 200, staffEventAnswer), changed);
  const back = await patch({ ticketTypes: [{ ticketTypeId: 'ga', maxPerOrder: null, accessCode: null }] });
  assert.deepEqual(contentOf(back, 200, staffEventAnswer).ticketTypes[0], {
    ...{ ...GA, name: 'Floor', available: 20 },
  });
  await isSound();
});

test('[E1] a change says which version it was made from, and of two from one version one wins', async () => {
  const etag = etagOf(await read());
  await unchanged(async () => {
    const without = await ask('PATCH', path(), { ...staff, body: { name: 'X' } });
    readProblem(without, 428, 'PRECONDITION_REQUIRED');
    for (const tag of ['"7"', '"99999"', 'nonsense', '""', '7', '"7", "8"']) {
      readProblem(await patch({ name: 'X' }, tag), 412, 'EVENT_CHANGED');
      readProblem(await command('pause', tag), 412, 'EVENT_CHANGED');
    }
  });
  const replies = await Promise.all(['A', 'B', 'C'].map((name) => patch({ name }, etag)));
  assert.deepEqual(replies.map(({ status }) => status).sort(), [200, 412, 412]);
  const winner = replies.find(({ status }) => status === 200)!;
  const { name } = contentOf(winner, 200, staffEventAnswer);
  const now = await read();
  assert.equal(contentOf(now, 200, staffEventAnswer).name, name);
  assert.equal(etagOf(now), etagOf(winner));
  // Weakened by a proxy, among others, and any version.
  for (const tag of [`W/${etagOf(now)}`, `"7", ${etagOf(now)}`]) {
    assert.equal((await patch({ name: 'Same' }, tag)).status, tag.startsWith('W') ? 200 : 412);
  }
  assert.equal((await patch({ name: 'Any' }, '*')).status, 200);
});

test('[E1] changes without a version are each made, one after the other', async () => {
  const names = ['open', 'pause', 'resume', 'pause', 'resume', 'pause'];
  const replies = await Promise.all(names.map((name) => command(name)));
  assert.deepEqual(
    replies.map(({ status }) => status),
    names.map(() => 200),
  );
  const allocations = Array.from({ length: 8 }, (_, index) =>
    ask('POST', path('/allocations'), {
      ...staff,
      body: { name: `Channel ${index}`, kind: 'channel', lines: [{ ticketType: 'ga', quantity: 2 }] },
    }),
  );
  for (const reply of await Promise.all(allocations)) contentOf(reply, 201, allocationAnswer);
  assert.deepEqual(await counts(), {
    capacity: 20,
    available: 4,
    held: 0,
    sold: 0,
    allocated: 16,
    killed: 0,
  });
  await isSound();
});

test('[E1] the sale opens, pauses, resumes and closes; a step that does not lead there is refused', async () => {
  assert.equal((await buy()).status, 201);
  contentOf(await command('pause'), 200, staffEventAnswer);
  readProblem(await buy(), 409, 'NOT_ON_SALE');
  readProblem(await hold({ lines: [{ ticketType: 'ga', quantity: 1 }] }), 409, 'NOT_ON_SALE');
  const paused = etagOf(await read());
  assert.equal(etagOf(await command('pause')), paused, 'paused already');
  contentOf(await command('resume'), 200, staffEventAnswer);
  assert.equal((await buy()).status, 201);
  assert.equal(contentOf(await command('close'), 200, staffEventAnswer).status, 'ended');
  readProblem(await buy(), 409, 'NOT_ON_SALE');
  await unchanged(async () => {
    for (const name of ['pause', 'resume', 'schedule']) readProblem(await command(name), 409, 'WRONG_STATUS');
  });
  assert.equal(contentOf(await command('open'), 200, staffEventAnswer).status, 'open');
  assert.equal(contentOf(await command('cancel'), 200, staffEventAnswer).status, 'cancelled');
  readProblem(await buy(), 409, 'NOT_ON_SALE');
  await unchanged(async () => {
    readProblem(await command('open'), 409, 'WRONG_STATUS');
    readProblem(await patch({ name: 'X' }), 409, 'WRONG_STATUS');
  });
});

test('[E1] a hold that was made before the pause cannot be confirmed during it', async () => {
  const held = contentOf(await hold({ lines: [{ ticketType: 'ga', quantity: 2 }] }), 201, heldAnswer);
  await command('pause');
  const confirm = () => ask('POST', `/api/v1/holds/${held.holdId}/confirm`);
  readProblem(await confirm(), 409, 'NOT_ON_SALE');
  await command('resume');
  contentOf(await confirm(), 201, confirmedAnswer);
  await isSound();
});

test('[E1] a draft is seen by staff only, and goes on sale by a date or by hand', async () => {
  const eventId = organizer.nextId();
  contentOf(await create({ eventId, status: 'draft' }), 201, staffEventAnswer);
  for (const what of ['', '/availability', '/manifest', '/seats'])
    readProblem(await ask('GET', path(what)), 404, 'EVENT_NOT_FOUND');
  const { events } = contentOf(await ask('GET', '/api/v1/events?limit=1000'), 200, eventsAnswer);
  assert.ok(events.every((event) => event.eventId !== eventId));
  const all = await ask('GET', '/api/v1/events?limit=1000', staff);
  assert.ok(all.text.includes(`"${eventId}"`));
  readProblem(await buy(), 404, 'EVENT_NOT_FOUND');
  readProblem(await hold({ lines: [{ ticketType: 'ga', quantity: 1 }] }), 404, 'EVENT_NOT_FOUND');
  const noDate = readProblem(await command('schedule'), 400, 'VALIDATION_FAILED');
  assert.deepEqual(Object.keys(noDate.fields ?? {}), ['body.onSaleAt']);
  await patch({ onSaleAt: '2027-02-01T00:00:00Z' });
  assert.equal(contentOf(await command('schedule'), 200, staffEventAnswer).status, 'scheduled');
  readProblem(await buy(), 409, 'NOT_ON_SALE');
  assert.equal(contentOf(await read(false), 200, eventAnswer).status, 'scheduled');
  assert.equal(contentOf(await command('open'), 200, staffEventAnswer).status, 'open');
  assert.equal((await buy()).status, 201);
});

test('[E1] a scheduled event opens and ends by the clock, without anybody', async () => {
  const eventId = organizer.nextId();
  // Long enough to ask before it opens, and again before it ends.
  const stepMs = 400 * SLOWNESS;
  const soonMs = Date.now() + stepMs;
  const at = (ms: number) => new Date(soonMs + ms).toISOString();
  contentOf(await create({ eventId, onSaleAt: at(0), endsAt: at(stepMs) }), 201, staffEventAnswer);
  const refused = readProblem(await buy(), 409, 'NOT_ON_SALE');
  assert.equal(refused.onSaleAt, at(0));
  const until = async (status: string) => {
    for (;;) {
      const now = contentOf(await read(false), 200, eventAnswer).status;
      if (now === status) return;
      assert.ok(Date.now() < soonMs + patienceMs(stepMs), `${now}, not ${status}`);
    }
  };
  await until('open');
  assert.equal((await buy()).status, 201);
  await until('ended');
  readProblem(await buy(), 409, 'NOT_ON_SALE');
  const late = readProblem(await command('open'), 409, 'WRONG_STATUS');
  assert.match(late.detail, /endsAt/);
});

test('[E1] the audit log says who changed what, when, before and after, the newest first', async () => {
  await command('pause');
  await patch({ name: 'Renamed', ticketTypes: [{ ticketTypeId: 'ga', capacity: 15 }] });
  await buyNothing();
  await command('resume');
  const page = async (query = '') =>
    contentOf(await ask('GET', path(`/changes${query}`), staff), 200, eventChangesAnswer);
  const { changes } = await page();
  assert.deepEqual(
    changes.map(({ action, by, before, after }) => ({ action, by, before, after })).slice(0, 3),
    [
      { action: 'resume', by: 'admin key', before: { status: 'paused' }, after: { status: 'open' } },
      {
        ...{ action: 'change', by: 'admin key' },
        before: { name: 'Rock Night', ticketTypes: { ga: { capacity: 20 } } },
        after: {
          name: 'Renamed',
          ticketTypes: { ga: { capacity: 15 } },
          allocations: changes[1]!.after.allocations,
        },
      },
      { action: 'pause', by: 'admin key', before: { status: 'open' }, after: { status: 'paused' } },
    ],
  );
  assert.equal(changes.at(-1)!.action, 'create');
  assert.equal(changes.at(-1)!.by, 'admin key');
  assert.equal(`"${changes[0]!.version}"`, etagOf(await read()));
  const seen: unknown[] = [];
  for (let query = '?limit=1'; query !== ''; ) {
    const { changes: some, nextCursor } = await page(query);
    seen.push(...some);
    query = nextCursor === undefined ? '' : `?limit=1&cursor=${nextCursor}`;
  }
  assert.deepEqual(seen, changes);
  readProblem(await ask('GET', path('/changes')), 401, 'UNAUTHENTICATED');
});

const buyNothing = async () => readProblem(await buy(), 409, 'NOT_ON_SALE');

test("organizers' doors are for staff", async () => {
  await unchanged(async () => {
    const doors: [string, string][] = [
      ['POST', '/api/v1/events'],
      ['PATCH', path()],
      ...['open', 'pause', 'resume', 'close', 'cancel', 'schedule'].map((name): [string, string] => [
        'POST',
        path(`/${name}`),
      ]),
      ['POST', path('/allocations')],
      ['GET', path('/allocations')],
      ['POST', path('/allocations/1/release')],
    ];
    for (const [method, where] of doors) {
      const reply = await ask(method, where, method === 'GET' ? {} : { body: {} });
      readProblem(reply, 401, 'UNAUTHENTICATED');
    }
    for (const [method, where] of doors
      .slice(2)
      .map(([m, w]) => [m, w.replace(/night-\d+/, 'nowhere')] as const)) {
      const body = where.endsWith('allocations')
        ? { name: 'N', kind: 'kill', lines: [{ ticketType: 'ga', quantity: 1 }] }
        : {};
      const reply = await ask(method, where, method === 'GET' ? staff : { ...staff, body });
      readProblem(reply, 404, 'EVENT_NOT_FOUND');
    }
  });
});
