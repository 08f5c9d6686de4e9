import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventDefinition, TicketType } from '@floodgate/core/event/event.ts';
import type { AllocationId, Ticket } from '@floodgate/core/ids.ts';
import { layoutCapacity, TicketLayout } from '@floodgate/core/seating/layout.ts';
import fc from 'fast-check';
import { asideOf, shownCounts } from '../catalogue/counts.ts';
import { hasRoom, resize } from './capacity.ts';

const typeOf = (id: string, capacity: number) =>
  ({ ticketTypeId: id, name: id, price: 0, currency: 'EUR', capacity }) as TicketType;
const eventOf = (...types: TicketType[]) =>
  ({ eventId: 'e', ticketTypes: types }) as unknown as EventDefinition;

/** The event with other capacities, when the lowest free tickets are the ones that are taken out of sale. */
function resized(event: EventDefinition, capacities: readonly number[], change: number): EventDefinition {
  const layout = new TicketLayout(event);
  const types = capacities.map((capacity, index) => {
    const known = event.ticketTypes[index];
    return known ? { ...known, capacity } : typeOf(`t${index}`, capacity);
  });
  const resizing = resize(event, layout, { ...event, ticketTypes: types });
  assert.ok(hasRoom(resizing));
  const gone = new Set((event.allocations ?? []).flatMap((one) => ticketsOf(one.tickets)));
  const aside = resizing.wants.flatMap(({ ticketType, quantity }) =>
    layout
      .rangesOf(ticketType)
      .flatMap(([first, end]) => Array.from({ length: end - first }, (_, i) => first + i))
      .filter((ticket) => !gone.has(ticket))
      .slice(0, quantity),
  );
  assert.equal(
    aside.length,
    resizing.wants.reduce((sum, { quantity }) => sum + quantity, 0),
  );
  for (const ticket of resizing.restored) assert.ok(gone.has(ticket), 'only what was withdrawn comes back');
  return resizing.event(aside as Ticket[], `${change}` as AllocationId);
}

function ticketsOf(runs: string): number[] {
  return runs.split(',').flatMap((run) => {
    const [first, last = first] = run.split('-').map(Number) as [number, number?];
    return Array.from({ length: last! - first + 1 }, (_, i) => first + i);
  });
}

const sequences = fc.array(fc.array(fc.nat(30), { minLength: 3, maxLength: 3 }), {
  minLength: 1,
  maxLength: 12,
});

test('[S2] [E2] however capacities move, tickets keep their numbers, types and labels, and the sums are right', () => {
  fc.assert(
    fc.property(sequences, fc.nat(2), (steps, late) => {
      let event = eventOf(typeOf('t0', 10), typeOf('t1', 5));
      for (const [change, step] of steps.entries()) {
        const capacities = change < late ? step.slice(0, 2) : step;
        const before = new TicketLayout(event);
        if (capacities.length < event.ticketTypes.length) continue;
        event = resized(event, capacities, change);
        const layout = new TicketLayout(event);
        assert.equal(layout.capacity, layoutCapacity(event));
        assert.ok(layout.capacity >= before.capacity, 'numbers never end');
        for (let ticket = 0; ticket < before.capacity; ticket++) {
          assert.deepEqual(layout.viewOf(ticket as Ticket), before.viewOf(ticket as Ticket));
        }
        const aside = asideOf(event);
        for (const { ticketTypeId, capacity } of event.ticketTypes) {
          const numbers = layout.rangesOf(ticketTypeId).reduce((sum, [first, end]) => sum + end - first, 0);
          assert.equal(numbers - (aside.get(ticketTypeId)?.withdrawn ?? 0), capacity, ticketTypeId);
        }
        // Growing back takes up what was withdrawn before any number is added.
        const isWhole = event.ticketTypes.every(({ ticketTypeId }) => !aside.get(ticketTypeId)?.withdrawn);
        assert.equal(isWhole, (event.allocations ?? []).length === 0);
      }
    }),
  );
});

test('a type that grows again and again has one block that grows, while it is the last', () => {
  let event = eventOf(typeOf('t0', 10), typeOf('t1', 5));
  for (let capacity = 6; capacity < 50; capacity++) event = resized(event, [10, capacity], capacity);
  assert.equal(event.blocks?.length, 2);
  event = resized(event, [11, 50], 99);
  assert.deepEqual(
    event.blocks?.map(({ ticketType, count }) => [ticketType, count]),
    [
      ['t0', 10],
      ['t1', 49],
      ['t0', 1],
      ['t1', 1],
    ],
  );
});

test('[S2] what is shown adds up, whatever the inventory has not heard of yet', () => {
  const count = fc.nat(20);
  const numbers = fc.record({ available: count, pending: count, held: count, sold: count });
  fc.assert(
    fc.property(numbers, fc.record({ channel: count, kill: count, withdrawn: count }), (states, aside) => {
      const capacity = states.available + states.pending + states.held + states.sold;
      const gone = aside.channel + aside.kill + aside.withdrawn;
      fc.pre(gone <= capacity);
      const ticketType = 'ga' as never;
      const [shown] = shownCounts([{ ticketType, capacity, ...states }], new Map([[ticketType, aside]]));
      const { available, pending, held, sold, allocated, killed } = shown!;
      assert.equal(available + pending + held + sold + allocated + killed, shown!.capacity);
      assert.equal(shown!.capacity, capacity - aside.withdrawn);
      for (const number of [available, pending, held, sold]) assert.ok(number >= 0);
      assert.ok(available <= states.available && sold <= states.sold, 'nothing is shown that is not there');
      assert.deepEqual([allocated, killed], [aside.channel, aside.kill]);
    }),
  );
});
