// What must be right before tickets are taken: each condition by itself, several at once in their order, and none at all
// for events that have none.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { EventDefinition, TicketType } from '@floodgate/core/event/event.ts';
import { eventId, ticketTypeId } from '@floodgate/core/ids.ts';
import { REFUSALS, type RefusalCode } from '@floodgate/core/refusal.ts';
import { TicketLayout } from '@floodgate/core/seating/layout.ts';
import fc from 'fast-check';
import type { CatalogueEntry } from '../catalogue/catalogue.ts';
import { type Asker, check, type Wanted } from './eligibility.ts';

const NOW = Date.parse('2027-01-01T12:00:00Z');
const PAST = '2027-01-01T13:00:00+02:00';
const FUTURE = '2027-01-01T13:00:00.000Z';
const ANN: Asker = { buyer: 'ann', to: 'hold' };

const typeOf = (name: string, of: Partial<TicketType> = {}): TicketType => ({
  ticketTypeId: ticketTypeId(name)!,
  ...{ name, price: 0, currency: 'EUR', capacity: 10 },
  ...of,
});

function entryOf(event: Partial<EventDefinition>, ...ticketTypes: TicketType[]): CatalogueEntry {
  const definition: EventDefinition = {
    ...{
      eventId: eventId('gala')!,
      name: 'Gala',
      venue: { name: 'Hall' },
      status: 'open',
      timeZone: 'Etc/UTC',
    },
    ...{ startsAt: '2027-06-01T20:00:00Z', ticketTypes },
    ...event,
  };
  const layout = new TicketLayout(definition);
  return { eventId: definition.eventId, event: definition, version: 1, layout, aside: new Map() };
}

/** What is answered to somebody who wants that many of each type. */
function ask(entry: CatalogueEntry, numbers: readonly number[], asker = ANN, accessCode?: string) {
  const wanted = numbers.flatMap((quantity, index): Wanted[] => {
    const type = entry.event.ticketTypes[index]!;
    return quantity > 0 ? [{ type, quantity, accessCode }] : [];
  });
  return check(entry, wanted, asker, NOW);
}

const refusalOf = (checked: ReturnType<typeof check>) => ('refusal' in checked ? checked.refusal : undefined);

describe('the conditions of a sale', () => {
  test('an event without conditions asks nothing', () => {
    const entry = entryOf({}, typeOf('ga'), typeOf('vip', { price: 900 }));
    assert.deepEqual(ask(entry, [10, 10], { buyer: null, to: 'hold' }), { limits: undefined });
    assert.deepEqual(ask(entry, [10], { buyer: null, to: 'buy' }), { limits: undefined });
    assert.equal(refusalOf(ask(entry, [0, 1], { buyer: null, to: 'buy' })), 'PAYMENT_REQUIRED');
  });

  test('only an open event sells, and a scheduled one from its time on', () => {
    for (const status of ['draft', 'paused', 'ended', 'cancelled'] as const) {
      assert.deepEqual(ask(entryOf({ status }, typeOf('ga')), [1]), {
        refusal: 'NOT_ON_SALE',
        onSaleAtMs: undefined,
      });
    }
    const before = entryOf({ status: 'scheduled', onSaleAt: FUTURE }, typeOf('ga'));
    assert.deepEqual(ask(before, [1]), { refusal: 'NOT_ON_SALE', onSaleAtMs: Date.parse(FUTURE) });
    assert.equal(
      refusalOf(ask(entryOf({ status: 'scheduled', onSaleAt: PAST }, typeOf('ga')), [1])),
      undefined,
    );
    assert.equal(refusalOf(ask(entryOf({ endsAt: PAST }, typeOf('ga')), [1])), 'NOT_ON_SALE');
    assert.equal(refusalOf(ask(entryOf({ endsAt: FUTURE }, typeOf('ga')), [1])), undefined);
  });

  test('each type has a window of its own', () => {
    const entry = entryOf(
      {},
      typeOf('early', { saleEndsAt: PAST }),
      typeOf('late', { saleStartsAt: FUTURE }),
      typeOf('ga'),
    );
    assert.equal(refusalOf(ask(entry, [1, 0, 0])), 'NOT_ON_SALE');
    assert.deepEqual(ask(entry, [0, 1, 1]), { refusal: 'NOT_ON_SALE', onSaleAtMs: Date.parse(FUTURE) });
    assert.equal(refusalOf(ask(entry, [0, 0, 1])), undefined);
  });

  test('an access code is asked of every line that wants its type', () => {
    const entry = entryOf({}, typeOf('presale', { accessCode: 'TIDE' }), typeOf('ga'));
    for (const code of [undefined, '', 'tide', 'TIDE ', 'TID', 'TIDEX']) {
      assert.equal(refusalOf(ask(entry, [1, 1], ANN, code)), 'ACCESS_CODE_REQUIRED');
    }
    assert.equal(refusalOf(ask(entry, [1, 1], ANN, 'TIDE')), undefined);
    assert.equal(refusalOf(ask(entry, [0, 1], ANN, 'what for')), undefined);
    const [presale] = entry.event.ticketTypes;
    const lines = [
      { type: presale!, quantity: 1, accessCode: 'TIDE' },
      { type: presale!, quantity: 1 },
    ];
    assert.equal(refusalOf(check(entry, lines, ANN, NOW)), 'ACCESS_CODE_REQUIRED');
  });

  test('lines of one type are one number for what an order must and may have', () => {
    const entry = entryOf(
      { maxPerOrder: 8 },
      typeOf('ga', { minPerOrder: 2, maxPerOrder: 6 }),
      typeOf('day'),
    );
    const [ga] = entry.event.ticketTypes;
    const lines = (...numbers: number[]) =>
      check(
        entry,
        numbers.map((quantity) => ({ type: ga!, quantity })),
        ANN,
        NOW,
      );
    assert.deepEqual(lines(1), { refusal: 'BELOW_MINIMUM', perOrder: 2 });
    assert.equal(refusalOf(lines(1, 1)), undefined);
    assert.equal(refusalOf(lines(3, 3)), undefined);
    assert.deepEqual(lines(3, 4), { refusal: 'LIMIT_REACHED', perOrder: 6 });
    assert.equal(refusalOf(ask(entry, [6, 2])), undefined);
    assert.deepEqual(ask(entry, [6, 3]), { refusal: 'LIMIT_REACHED', perOrder: 8 });
    assert.deepEqual(ask(entry, [0, 9]), { refusal: 'LIMIT_REACHED', perOrder: 8 });
  });

  test('[S8] the ledger is told the limits that the request can break, and no others', () => {
    const limited = { limitPerBuyer: 9, holdsPerBuyer: 3 };
    const entry = entryOf(limited, typeOf('ga', { limitPerBuyer: 4 }), typeOf('day'));
    const ofEvent = { ranges: [[0, 20]], max: 9 };
    const ofGa = { ranges: [[0, 10]], max: 4 };
    assert.deepEqual(ask(entry, [1, 1]), { limits: { tickets: [ofGa, ofEvent], holds: 3 } });
    assert.deepEqual(ask(entry, [0, 1]), { limits: { tickets: [ofEvent], holds: 3 } });
    assert.deepEqual(ask(entry, [1], { buyer: 'ann', to: 'buy' }), {
      limits: { tickets: [ofGa, ofEvent], holds: undefined },
    });
    const byType = entryOf({ holdsPerBuyer: 3 }, typeOf('ga', { limitPerBuyer: 4 }), typeOf('day'));
    assert.deepEqual(ask(byType, [0, 1], { buyer: null, to: 'buy' }), { limits: undefined });
    assert.equal(refusalOf(ask(byType, [0, 1], { buyer: null, to: 'hold' })), 'BUYER_REQUIRED');
    assert.equal(refusalOf(ask(byType, [1, 0], { buyer: null, to: 'buy' })), 'BUYER_REQUIRED');
  });

  test('of several reasons the first in the order of precedence is told', () => {
    // Each reason as a switch, and what it makes of the event, the type, and the asker.
    const reasons = {
      NOT_ON_SALE: { event: { status: 'paused' } },
      ACCESS_CODE_REQUIRED: { type: { accessCode: 'TIDE' } },
      BUYER_REQUIRED: { event: { limitPerBuyer: 100 }, asker: { buyer: null } },
      PAYMENT_REQUIRED: { type: { price: 1 }, asker: { to: 'buy' } },
      BELOW_MINIMUM: { type: { minPerOrder: 5 } },
      LIMIT_REACHED: { event: { maxPerOrder: 3 } },
    } as const;
    const codes = Object.keys(reasons) as (keyof typeof reasons)[];
    fc.assert(
      fc.property(fc.subarray(codes), (chosen) => {
        const made: { event?: object; type?: object; asker?: object }[] = chosen.map((code) => reasons[code]);
        const entry = entryOf(
          Object.assign({}, ...made.map(({ event }) => event)),
          typeOf('ga', Object.assign({}, ...made.map(({ type }) => type))),
        );
        const asker = Object.assign({ ...ANN }, ...made.map(({ asker }) => asker));
        const due = REFUSALS.find((code: RefusalCode) => (chosen as RefusalCode[]).includes(code));
        assert.equal(refusalOf(ask(entry, [4], asker)), due);
      }),
      { numRuns: 200 },
    );
  });
});
