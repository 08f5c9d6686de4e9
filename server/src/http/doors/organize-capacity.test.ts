// Capacities, prices and allocations of an event, changed while it sells.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { Organizer, staff } from '../../../test/kit/organizer.ts';
import * as shapes from '../../../test/kit/shapes.ts';

const organizer = new Organizer();
const { ask, path, patch, buy, hold, counts, isSound, unchanged } = organizer;
before(organizer.open);
after(organizer.close);
beforeEach(organizer.begin);

test('[E2] [S2] capacity grows and shrinks down to what is free, while tickets are held and sold', async () => {
  assert.equal((await buy(5)).status, 201);
  shapes.read(await hold({ lines: [{ ticketType: 'ga', quantity: 3 }] }), 201, shapes.hold);
  const resize = (capacity: number) => patch({ ticketTypes: [{ ticketTypeId: 'ga', capacity }] });
  const used = { held: 3, sold: 5, allocated: 0, killed: 0 };
  for (const capacity of [12, 30, 8, 8, 9, 40, 11]) {
    shapes.read(await resize(capacity), 200, shapes.staffEvent);
    assert.deepEqual(await counts(), { capacity, available: capacity - 8, ...used });
    await isSound();
  }
  await unchanged(async () => {
    const refused = shapes.readProblem(await resize(7), 409, 'CAPACITY_IN_USE');
    assert.match(refused.detail, /"ga" cannot lose 4 tickets: 3 are free/);
  });
  // Everything that is shown as free is sold, and not one more.
  assert.equal((await buy(3)).status, 201);
  shapes.readProblem(await buy(), 409, 'ALL_HELD');
  shapes.read(await resize(13), 200, shapes.staffEvent);
  assert.equal((await buy(2)).status, 201);
  shapes.readProblem(await buy(), 409, 'ALL_HELD');
  await isSound();
});

test('[E2] numbers and labels of tickets never change, however often the capacity does', async () => {
  const bought = shapes.read(await buy(3), 201, shapes.bought);
  const order = () => ask('GET', `/api/v1/orders/${bought.orderId}`, staff);
  const before = shapes.read(await order(), 200, shapes.order);
  for (const capacity of [4, 25, 3, 60]) {
    await patch({ ticketTypes: [{ ticketTypeId: 'ga', capacity }] });
  }
  await patch({ ticketTypes: [{ ticketTypeId: 'new', name: 'New', price: 100, capacity: 4 }] });
  await patch({ ticketTypes: [{ ticketTypeId: 'ga', capacity: 70 }] });
  assert.deepEqual(shapes.read(await order(), 200, shapes.order), before);
  const labels: string[] = [];
  for (let sale = 0; sale < 7; sale++) {
    const sold = shapes.read(await buy(sale < 6 ? 10 : 7), 201, shapes.bought);
    labels.push(...sold.tickets.map(({ label }) => label));
  }
  assert.equal(new Set([...labels, ...before.tickets.map(({ label }) => label)]).size, 70);
  assert.deepEqual(await counts(), {
    capacity: 74,
    available: 4,
    held: 0,
    sold: 70,
    allocated: 0,
    killed: 0,
  });
  await isSound();
});

test('[E2] a price changes until a ticket is held or sold at it, so that no order changes its total', async () => {
  const reprice = (price: number) => patch({ ticketTypes: [{ ticketTypeId: 'ga', price }] });
  assert.equal((await reprice(2_500)).status, 200);
  const held = shapes.read(await hold({ lines: [{ ticketType: 'ga', quantity: 2 }] }), 201, shapes.hold);
  assert.deepEqual(held.total, { amount: 5_000, currency: 'EUR' });
  await unchanged(async () => {
    shapes.readProblem(await reprice(3_000), 409, 'PRICE_IN_USE');
    const dollars = [{ ticketTypeId: 'ga', currency: 'USD' }];
    shapes.readProblem(await patch({ ticketTypes: dollars }), 409, 'PRICE_IN_USE');
  });
  await ask('DELETE', `/api/v1/holds/${held.holdId}`);
  assert.equal((await reprice(3_000)).status, 200);
  // What is set aside has no buyer yet.
  await ask('POST', path('/allocations'), {
    ...staff,
    body: { name: 'Promoter', kind: 'channel', lines: [{ ticketType: 'ga', quantity: 2 }] },
  });
  assert.equal((await reprice(0)).status, 200);
});

test('[E2] [S2] tickets are set aside for a channel, killed, and dropped to sale', async () => {
  await patch({ ticketTypes: [{ ticketTypeId: 'vip', name: 'VIP', price: 100, capacity: 5 }] });
  const allocate = (kind: string, lines: object[]) =>
    ask('POST', path('/allocations'), { ...staff, body: { name: 'Promoter', kind, lines } });
  const release = (id: string, body?: object) =>
    ask('POST', path(`/allocations/${id}/release`), { ...staff, ...(body && { body }) });
  const both = [
    { ticketType: 'ga', quantity: 6 },
    { ticketType: 'vip', quantity: 2 },
  ];
  const channel = shapes.read(await allocate('channel', both), 201, shapes.allocation);
  assert.equal(channel.quantity, 8);
  const kill = shapes.read(
    await allocate('kill', [{ ticketType: 'ga', quantity: 4 }]),
    201,
    shapes.allocation,
  );
  assert.deepEqual(await counts(), {
    capacity: 25,
    available: 13,
    held: 0,
    sold: 0,
    allocated: 8,
    killed: 4,
  });
  const metrics = (await ask('GET', '/metrics?format=prometheus')).text;
  const ofEvent = metrics
    .split('\n')
    .filter((line) => line.includes(`event="${organizer.eventId}"`) && line.includes('"ga"'));
  assert.match(ofEvent.join('\n'), /state="allocated"\} 6\n.*state="killed"\} 4/);
  const list = shapes.read(await ask('GET', path('/allocations'), staff), 200, shapes.allocations);
  assert.deepEqual(list.allocations, [channel, kill]);
  // Ten of general admission are left.
  assert.equal((await buy(10)).status, 201);
  shapes.readProblem(await buy(), 409, 'SOLD_OUT');
  await unchanged(async () => {
    shapes.readProblem(await allocate('kill', [{ ticketType: 'ga', quantity: 1 }]), 409, 'SOLD_OUT');
    shapes.readProblem(
      await allocate('kill', [{ ticketType: 'x', quantity: 1 }]),
      404,
      'TICKET_TYPE_NOT_FOUND',
    );
    shapes.readProblem(await allocate('kill', [{ seats: ['A/1/1'] }]), 404, 'SEAT_NOT_FOUND');
    shapes.readProblem(await release('123'), 404, 'ALLOCATION_NOT_FOUND');
    for (const bad of [{ quantity: 9 }, { quantity: 0 }, { quantity: 1, seats: ['A/1/1'] }, { all: true }])
      shapes.readProblem(await release(channel.allocationId, bad), 400, 'VALIDATION_FAILED');
    for (const bad of [[], [{}], [{ ticketType: 'ga' }], [{ ticketType: 'ga', quantity: 1e9 }]])
      shapes.readProblem(await allocate('kill', bad), 400, 'VALIDATION_FAILED');
    shapes.readProblem(await allocate('gift', both), 400, 'VALIDATION_FAILED');
  });
  const left = await release(channel.allocationId, { quantity: 2, ticketType: 'ga' });
  assert.equal(shapes.read(left, 200, shapes.allocation).quantity, 6);
  assert.equal((await buy(2)).status, 201);
  shapes.readProblem(await buy(), 409, 'SOLD_OUT');
  assert.equal(shapes.read(await release(channel.allocationId), 200, shapes.allocation).quantity, 0);
  assert.equal(shapes.read(await release(kill.allocationId), 200, shapes.allocation).quantity, 0);
  shapes.readProblem(await release(kill.allocationId), 404, 'ALLOCATION_NOT_FOUND');
  assert.deepEqual(await counts(), {
    capacity: 25,
    available: 13,
    held: 0,
    sold: 12,
    allocated: 0,
    killed: 0,
  });
  await isSound();
});
