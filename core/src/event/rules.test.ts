import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventId, TicketTypeId } from '../ids.ts';
import type { EventDefinition, EventStatus, TicketType } from './event.ts';
import { EVENT_COMMANDS, type EventCommand, isOnSale, statusAt, stepEvent } from './rules.ts';

const NOON = '2027-05-01T12:00:00+02:00';
const NOON_MS = Date.parse(NOON);
const EVENING = '2027-05-01T20:00:00+02:00';
const EVENING_MS = Date.parse(EVENING);

function eventOf(members: Partial<EventDefinition>, type: Partial<TicketType> = {}): EventDefinition {
  return {
    eventId: 'e' as EventId,
    name: 'Event',
    venue: { name: 'Hall' },
    startsAt: '2027-06-01T20:00:00Z',
    timeZone: 'Europe/Berlin',
    status: 'open',
    ticketTypes: [
      {
        ...{ ticketTypeId: 'ga' as TicketTypeId, name: 'GA', price: 0, currency: 'EUR', capacity: 10 },
        ...type,
      },
    ],
    ...members,
  };
}

/** `-`: refused; `=`: nothing to do. */
const TABLE: Readonly<Record<EventStatus, Readonly<Record<EventCommand, string>>>> = {
  draft: { schedule: 'scheduled', open: 'open', pause: '-', resume: '-', close: '-', cancel: 'cancelled' },
  scheduled: { schedule: '=', open: 'open', pause: '-', resume: '-', close: 'ended', cancel: 'cancelled' },
  open: { schedule: '-', open: '=', pause: 'paused', resume: '=', close: 'ended', cancel: 'cancelled' },
  paused: { schedule: '-', open: 'open', pause: '=', resume: 'open', close: 'ended', cancel: 'cancelled' },
  ended: { schedule: '-', open: 'open', pause: '-', resume: '-', close: '=', cancel: 'cancelled' },
  cancelled: { schedule: '-', open: '-', pause: '-', resume: '-', close: '-', cancel: '=' },
};

test('every command does to every status what the table says', () => {
  for (const [status, row] of Object.entries(TABLE)) {
    for (const command of EVENT_COMMANDS) {
      const step = stepEvent(status as EventStatus, command);
      const told = 'to' in step ? step.to : 'same' in step ? '=' : '-';
      assert.equal(told, row[command], `${command} of ${status}`);
      if ('refusal' in step) assert.equal(step.refusal, 'WRONG_STATUS');
    }
  }
});

test('a command done twice does nothing the second time, and a cancelled event stays so', () => {
  for (const status of Object.keys(TABLE) as EventStatus[]) {
    for (const command of EVENT_COMMANDS) {
      const step = stepEvent(status, command);
      if ('to' in step)
        assert.deepEqual(stepEvent(step.to, command), { same: true }, `${command} of ${status}`);
      if (status === 'cancelled') assert.ok(!('to' in step));
    }
  }
});

test('a scheduled event opens at the millisecond of onSaleAt and ends at that of endsAt', () => {
  const event = eventOf({ status: 'scheduled', onSaleAt: NOON, endsAt: EVENING });
  const at = (ms: number) => [statusAt(event, ms), isOnSale(event, event.ticketTypes[0]!, ms)];
  assert.deepEqual(at(NOON_MS - 1), ['scheduled', { isOn: false, status: 'scheduled', startsAtMs: NOON_MS }]);
  assert.deepEqual(at(NOON_MS), ['open', { isOn: true }]);
  assert.deepEqual(at(EVENING_MS - 1), ['open', { isOn: true }]);
  assert.deepEqual(at(EVENING_MS), ['ended', { isOn: false, status: 'ended', endedAtMs: EVENING_MS }]);
});

test('what staff decided stands beside the clock', () => {
  const times = { onSaleAt: NOON, endsAt: EVENING };
  const expected: Readonly<Record<EventStatus, readonly [EventStatus, EventStatus, EventStatus]>> = {
    draft: ['draft', 'draft', 'draft'],
    scheduled: ['scheduled', 'open', 'ended'],
    // Opened by hand before its time.
    open: ['open', 'open', 'ended'],
    paused: ['paused', 'paused', 'ended'],
    ended: ['ended', 'ended', 'ended'],
    cancelled: ['cancelled', 'cancelled', 'cancelled'],
  };
  for (const [status, [before, during, after]] of Object.entries(expected)) {
    const event = eventOf({ ...times, status: status as EventStatus });
    assert.equal(statusAt(event, NOON_MS - 1), before, status);
    assert.equal(statusAt(event, NOON_MS + 1), during, status);
    assert.equal(statusAt(event, EVENING_MS + 1), after, status);
    assert.equal(isOnSale(event, event.ticketTypes[0]!, NOON_MS + 1).isOn, during === 'open', status);
  }
});

test('a ticket type sells inside its own window only, and tells when that is', () => {
  const window = { saleStartsAt: NOON, saleEndsAt: EVENING };
  const event = eventOf({}, window);
  const sale = (ms: number) => isOnSale(event, event.ticketTypes[0]!, ms);
  assert.deepEqual(sale(NOON_MS - 1), { isOn: false, status: 'open', startsAtMs: NOON_MS });
  assert.deepEqual(sale(NOON_MS), { isOn: true });
  assert.deepEqual(sale(EVENING_MS), { isOn: false, status: 'open', endedAtMs: EVENING_MS });
  const paused = eventOf({ status: 'paused' }, window);
  assert.deepEqual(isOnSale(paused, paused.ticketTypes[0]!, NOON_MS), { isOn: false, status: 'paused' });
});
