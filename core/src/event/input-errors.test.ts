import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventDefinition, TicketType } from './event.ts';
import { isInstant, isTimeZone, problemsOf } from './input-errors.ts';

const TYPE = { ticketTypeId: 'ga', name: 'General', price: 2500, currency: 'EUR', capacity: 100 };
const EVENT = {
  eventId: 'rock-night',
  name: 'Rock Night',
  venue: { name: 'Hall' },
  startsAt: '2027-05-01T20:00:00+02:00',
  timeZone: 'Europe/Berlin',
  status: 'open',
  ticketTypes: [TYPE],
};
const SELLABLE = { seats: new Map([['stalls', 300]]), standing: new Map([['pit', 500]]) };

const check = (event: object, sellable?: typeof SELLABLE) =>
  problemsOf({ ...EVENT, ...event } as unknown as EventDefinition, sellable);
const checkType = (type: object, event: object = {}) =>
  check({ ...event, ticketTypes: [{ ...TYPE, ...type }] });
const checkTypes = (...types: Partial<Record<keyof TicketType, unknown>>[]) =>
  check({ ticketTypes: types.map((type) => ({ ...TYPE, ...type })) });

test('an event as it should be has no problems, with all members or with few', () => {
  assert.deepEqual(check({}), {});
  const full = {
    description: 'Two nights.\nDoors at six.\t(No readmission.)',
    venue: { name: 'Hall', address: 'Kanalstraße 1', city: 'Köln', country: 'DE' },
    ...{ status: 'scheduled', onSaleAt: '2027-01-01T10:00:00Z', endsAt: '2027-05-01T21:00:00+02:00' },
    ...{ maxPerOrder: 8, limitPerBuyer: 8, holdsPerBuyer: 2, manifestId: 'm' },
    ticketTypes: [
      { ...TYPE, ticketTypeId: 'stalls', category: 'stalls', capacity: 300 },
      { ...TYPE, ticketTypeId: 'pit', category: 'pit', capacity: 500 },
      // A presale beside the general sale: windows of different types may overlap.
      { ...TYPE, ticketTypeId: 'presale', saleEndsAt: '2027-01-02T10:00:00Z', accessCode: 'FAN 🎸' },
      {
        ...TYPE,
        ticketTypeId: 'group',
        minPerOrder: 6,
        maxPerOrder: 6,
        saleStartsAt: '2027-01-01T12:00:00Z',
      },
    ],
  };
  assert.deepEqual(check(full, SELLABLE), {});
});

test('a fault is told by the path of the member that has it', () => {
  const cases: readonly [Readonly<Record<string, string>>, string, RegExp][] = [
    [check({ eventId: 'rock night' }), 'eventId', /letters/],
    [check({ eventId: '~shop' }), 'eventId', /letters/],
    [check({ name: '   ' }), 'name', /1 to 200/],
    [check({ name: 'x'.repeat(201) }), 'name', /1 to 200/],
    [check({ name: 'a\u0000b' }), 'name', /control/],
    [check({ name: 'a\nb' }), 'name', /control/],
    [check({ name: 'half \ud83c' }), 'name', /well-formed/],
    [check({ description: 'bell \u0007' }), 'description', /control/],
    [check({ venue: { name: '' } }), 'venue.name', /1 to 200/],
    [check({ venue: { name: 'Hall', city: '\u001b[31m' } }), 'venue.city', /control/],
    [check({ timeZone: '+02:00' }), 'timeZone', /IANA/],
    [check({ timeZone: 'Europe/Atlantis' }), 'timeZone', /IANA/],
    [check({ startsAt: '2027-02-30T20:00:00Z' }), 'startsAt', /offset/],
    [check({ startsAt: '2027-05-01T20:00:00' }), 'startsAt', /offset/],
    [check({ onSaleAt: '1 May' }), 'onSaleAt', /offset/],
    [check({ status: 'scheduled' }), 'onSaleAt', /required/],
    [check({ onSaleAt: '2027-01-02T00:00:00Z', endsAt: '2027-01-02T01:00:00+01:00' }), 'endsAt', /later/],
    [check({ maxPerOrder: 0 }), 'maxPerOrder', /1 to 1000/],
    [check({ limitPerBuyer: 1.5 }), 'limitPerBuyer', /whole/],
    [check({ holdsPerBuyer: -1 }), 'holdsPerBuyer', /whole/],
    [check({ ticketTypes: [] }), 'ticketTypes', /1 to 200/],
    [checkTypes({ ticketTypeId: 'a b' }), 'ticketTypes.0.ticketTypeId', /letters/],
    [checkTypes({}, { ticketTypeId: 'GA' }), 'ticketTypes.1.ticketTypeId', /taken by ticketTypes.0 \("ga"\)/],
    [checkType({ price: -1 }), 'ticketTypes.0.price', /hundredths of EUR \(it has 2 decimals\), from 0/],
    [checkType({ price: 19.99 }), 'ticketTypes.0.price', /whole number/],
    [checkType({ price: 10 ** 12 + 1 }), 'ticketTypes.0.price', /whole number/],
    [checkType({ price: 0.5, currency: 'JPY' }), 'ticketTypes.0.price', /JPY \(it has no decimals\)/],
    [checkType({ currency: 'EURO' }), 'ticketTypes.0.currency', /ISO 4217/],
    [checkType({ currency: 'XAU' }), 'ticketTypes.0.currency', /ISO 4217/],
    [
      checkTypes({}, { ticketTypeId: 'b', currency: 'USD' }),
      'ticketTypes.1.currency',
      /must be EUR like the first/,
    ],
    [checkType({ capacity: -1 }), 'ticketTypes.0.capacity', /whole/],
    [checkType({ capacity: 2.5 }), 'ticketTypes.0.capacity', /whole/],
    [
      checkTypes({ capacity: 30e6 }, { ticketTypeId: 'b', capacity: 30e6 }),
      'ticketTypes',
      /60000000 tickets/,
    ],
    [checkType({ minPerOrder: 3, maxPerOrder: 2 }), 'ticketTypes.0.minPerOrder', /maxPerOrder \(2\): nobody/],
    [checkType({ minPerOrder: 3 }, { limitPerBuyer: 2 }), 'ticketTypes.0.minPerOrder', /nobody/],
    [checkType({ maxPerOrder: 1_001 }), 'ticketTypes.0.maxPerOrder', /1 to 1000/],
    [
      checkType({ saleStartsAt: '2027-01-02T00:00:00Z', saleEndsAt: '2027-01-01T00:00:00Z' }),
      'ticketTypes.0.saleEndsAt',
      /later than saleStartsAt/,
    ],
    [
      checkType({ saleStartsAt: '2027-03-01T00:00:00Z' }, { endsAt: '2027-03-01T00:00:00Z' }),
      'ticketTypes.0.saleStartsAt',
      /not before the end/,
    ],
    [
      checkType({ saleEndsAt: '2027-03-01T00:00:00Z' }, { onSaleAt: '2027-03-01T00:00:00Z' }),
      'ticketTypes.0.saleEndsAt',
      /not after the start/,
    ],
    [checkType({ accessCode: '' }), 'ticketTypes.0.accessCode', /1 to 64/],
    [checkType({ category: 'stalls' }), 'ticketTypes.0.category', /manifestId/],
  ];
  for (const [problems, path, sentence] of cases) {
    assert.deepEqual(Object.keys(problems), [path]);
    assert.match(problems[path]!, sentence);
  }
});

test('ticket types sell what the seat map has: each category once, never more than there is', () => {
  const withMap = (...types: object[]) =>
    check(
      { manifestId: 'm', ticketTypes: types.map((type, i) => ({ ...TYPE, ticketTypeId: `t${i}`, ...type })) },
      SELLABLE,
    );
  assert.match(withMap({ category: 'box' })['ticketTypes.0.category']!, /"stalls", "pit"/);
  assert.match(
    withMap({ category: 'stalls', capacity: 299 })['ticketTypes.0.capacity']!,
    /300 \(leave it out\)/,
  );
  assert.match(withMap({ category: 'pit', capacity: 501 })['ticketTypes.0.capacity']!, /at most 500/);
  assert.deepEqual(withMap({ category: 'pit', capacity: 20 }), {});
  const twice = withMap({ category: 'pit', capacity: 20 }, { category: 'pit', capacity: 20 });
  assert.match(twice['ticketTypes.1.category']!, /sold by "t0" already/);
});

test('a moment is a real one, with its offset', () => {
  const good = [
    '2027-01-01T00:00Z',
    '2028-02-29T23:59:59.999Z',
    '1970-01-01T00:00:00-14:00',
    '9999-12-31T23:59:59Z',
  ];
  const bad = ['', '2027-02-29T00:00Z', '2027-01-01T24:00Z', '2027-01-01 00:00Z', '2027-01-01T00:00:60Z'];
  const worse = [
    '2027-13-01T00:00Z',
    '2027-1-1T00:00Z',
    '+012027-01-01T00:00Z',
    '2027-01-01T00:00+15:00',
    '1e3',
  ];
  for (const text of good) assert.ok(isInstant(text), text);
  for (const text of [...bad, ...worse]) assert.ok(!isInstant(text), text);
});

test('a time zone is a name of the IANA database, not an offset', () => {
  for (const name of ['Europe/Berlin', 'UTC', 'Etc/GMT+3', 'America/Argentina/Buenos_Aires'])
    assert.ok(isTimeZone(name), name);
  for (const name of ['', '+02:00', 'Berlin', 'GMT+2', '../etc/passwd', `Europe/${'x'.repeat(99)}`])
    assert.ok(!isTimeZone(name), name);
});
