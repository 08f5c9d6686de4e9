import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AllocationId, Ticket, TicketTypeId } from '../ids.ts';
import { allocationOf, withAside, withdrawnOf, withoutTickets } from '../seating/out-of-sale.ts';
import { fromRuns } from '../seating/ticket-runs.ts';
import { differences } from './differences.ts';
import type { EventDefinition } from './event.ts';

const GA = { ticketTypeId: 'ga', name: 'General', price: 0, currency: 'EUR', capacity: 10 };
const EVENT = {
  eventId: 'e',
  name: 'Event',
  venue: { name: 'Hall' },
  startsAt: '2027-01-01T20:00:00Z',
  timeZone: 'UTC',
  status: 'open',
  ticketTypes: [GA],
} as unknown as EventDefinition;
const changed = (members: object) => differences(EVENT, { ...EVENT, ...members } as EventDefinition);

test('a difference names what is different, and nothing else', () => {
  assert.deepEqual(changed({}), { before: {}, after: {} });
  assert.deepEqual(changed({ status: 'paused' }), {
    before: { status: 'open' },
    after: { status: 'paused' },
  });
  assert.deepEqual(changed({ limitPerBuyer: 4 }), { before: {}, after: { limitPerBuyer: 4 } });
  assert.deepEqual(changed({ venue: { name: 'Hall', city: 'Ulm' } }), {
    before: {},
    after: { venue: { city: 'Ulm' } },
  });
  const types = [
    { ...GA, capacity: 12 },
    { ...GA, ticketTypeId: 'vip' },
  ];
  assert.deepEqual(changed({ ticketTypes: types, blocks: [{ ticketType: 'ga', count: 10 }] }), {
    before: { ticketTypes: { ga: { capacity: 10 } } },
    after: { ticketTypes: { ga: { capacity: 12 }, vip: { ...GA, ticketTypeId: 'vip' } } },
  });
});

const tickets = (...numbers: number[]) => numbers as Ticket[];
const typeOf = (ticket: Ticket) => (ticket < 10 ? 'ga' : 'vip') as TicketTypeId;
const id = (text: string) => text as AllocationId;

test('tickets taken out of sale are records by type, told in the audit log as numbers', () => {
  const promoter = { allocationId: id('1'), name: 'Promoter', kind: 'channel' } as const;
  const allocations = withAside(undefined, promoter, tickets(3, 1, 12, 2), typeOf);
  assert.deepEqual(
    allocations.map((one) => [one.ticketType, one.tickets]),
    [
      ['ga', '1-3'],
      ['vip', '12'],
    ],
  );
  assert.deepEqual(changed({ allocations }).after, {
    allocations: {
      '1/ga': { name: 'Promoter', kind: 'channel', quantity: 3 },
      '1/vip': { name: 'Promoter', kind: 'channel', quantity: 1 },
    },
  });
  assert.deepEqual(allocationOf({ allocations }, '1').tickets, [1, 2, 3, 12]);
  assert.deepEqual(allocationOf({ allocations }, '2').tickets, []);
});

test('what is put back on sale leaves its records, and empty records go', () => {
  const one = withAside(
    undefined,
    { allocationId: id('1'), name: 'A', kind: 'kill' },
    tickets(1, 2, 3),
    typeOf,
  );
  const both = withAside(one, { allocationId: id('2'), name: 'B', kind: 'withdrawn' }, tickets(5), typeOf);
  const left = withoutTickets(both, tickets(2, 5));
  assert.deepEqual(
    left?.map(({ allocationId, tickets }) => [allocationId, tickets]),
    [['1', '1,3']],
  );
  assert.equal(withoutTickets(left, tickets(1, 3)), undefined);
});

test('growth takes back what was withdrawn last', () => {
  const first = withAside(
    undefined,
    { allocationId: id('1'), name: '', kind: 'withdrawn' },
    tickets(0, 1),
    typeOf,
  );
  const both = withAside(
    first,
    { allocationId: id('2'), name: '', kind: 'withdrawn' },
    tickets(4, 5),
    typeOf,
  );
  const allocations = withAside(both, { allocationId: id('3'), name: '', kind: 'kill' }, tickets(7), typeOf);
  assert.deepEqual(withdrawnOf({ allocations }, 'ga' as TicketTypeId, 3), [4, 5, 0]);
  assert.deepEqual(withdrawnOf({ allocations }, 'ga' as TicketTypeId, 9), [4, 5, 0, 1]);
  assert.deepEqual(withdrawnOf({ allocations }, 'vip' as TicketTypeId, 9), []);
  assert.deepEqual(fromRuns(allocations[2]!.tickets), [7]);
});
