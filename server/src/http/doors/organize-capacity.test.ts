// Capacities, prices and allocations of an event, changed while it sells.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { contentOf, readProblem } from '../../../test/kit/answers.ts';
import { Organizer, staff } from '../../../test/kit/organizer.ts';
import { boughtAnswer } from '../../contract/buying.ts';
import { staffEventAnswer } from '../../contract/events.ts';
import { heldAnswer } from '../../contract/holds.ts';
import { confirmedAnswer, orderAnswer } from '../../contract/orders.ts';
import { allocationAnswer, allocationsAnswer } from '../../contract/organizing.ts';

const organizer = new Organizer();
const { ask, path, patch, buy, hold, counts, isSound, unchanged } = organizer;
before(organizer.open);
after(organizer.close);
beforeEach(organizer.begin);

test('[E2] [S2] capacity grows and shrinks down to what is free, while tickets are held and sold', async () => {
  assert.equal((await buy(5)).status, 201);
  contentOf(await hold({ lines: [{ ticketType: 'ga', quantity: 3 }] }), 201, heldAnswer);
  const resize = (capacity: number) => patch({ ticketTypes: [{ ticketTypeId: 'ga', capacity }] });
  const used = { held: 3, sold: 5, allocated: 0, killed: 0 };
  for (const capacity of [12, 30, 8, 8, 9, 40, 11]) {
    contentOf(await resize(capacity), 200, staffEventAnswer);
    assert.deepEqual(await counts(), { capacity, available: capacity - 8, ...used });
    await isSound();
  }
  await unchanged(async () => {
    const refused = readProblem(await resize(7), 409, 'CAPACITY_IN_USE');
    assert.match(refused.detail, /"ga" cannot lose 4 tickets: 3 are free/);
  });
  // Everything that is shown as free is sold, and not one more.
  assert.equal((await buy(3)).status, 201);
  readProblem(await buy(), 409, 'ALL_HELD');
  contentOf(await resize(13), 200, staffEventAnswer);
  assert.equal((await buy(2)).status, 201);
  readProblem(await buy(), 409, 'ALL_HELD');
  await isSound();
});

test('[E2] numbers and labels of tickets never change, however often the capacity does', async () => {
  const bought = contentOf(await buy(3), 201, boughtAnswer);
  const order = () => ask('GET', `/api/v1/orders/${bought.orderId}`, staff);
  const before = contentOf(await order(), 200, orderAnswer);
  for (const capacity of [4, 25, 3, 60]) {
    await patch({ ticketTypes: [{ ticketTypeId: 'ga', capacity }] });
  }
  await patch({ ticketTypes: [{ ticketTypeId: 'new', name: 'New', price: 100, capacity: 4 }] });
  await patch({ ticketTypes: [{ ticketTypeId: 'ga', capacity: 70 }] });
  assert.deepEqual(contentOf(await order(), 200, orderAnswer), before);
  const labels: string[] = [];
  for (let sale = 0; sale < 7; sale++) {
    const sold = contentOf(await buy(sale < 6 ? 10 : 7), 201, boughtAnswer);
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

test('[E2] [S10] a price changes at any time, and no hold and no order changes its total with it', async () => {
  const reprice = (price: number) => patch({ ticketTypes: [{ ticketTypeId: 'ga', price }] });
  const total = async (address: string) => (await ask('GET', address, staff)).body as { total: object };
  const bought = contentOf(await hold({ lines: [{ ticketType: 'ga', quantity: 2 }] }), 201, heldAnswer);
  const confirmed = await ask('POST', `/api/v1/holds/${bought.holdId}/confirm`);
  const { orderId } = contentOf(confirmed, 201, confirmedAnswer);
  assert.equal((await reprice(2_500)).status, 200);
  const held = contentOf(await hold({ lines: [{ ticketType: 'ga', quantity: 2 }] }), 201, heldAnswer);
  assert.deepEqual(held.total, { amount: 5_000, currency: 'EUR' });
  assert.equal((await reprice(3_000)).status, 200);
  const event = contentOf(await ask('GET', path(), staff), 200, staffEventAnswer);
  const dollars = event.ticketTypes.map(({ ticketTypeId }) => ({ ticketTypeId, currency: 'USD' }));
  assert.equal((await patch({ ticketTypes: dollars })).status, 200);
  assert.deepEqual((await total(`/api/v1/holds/${held.holdId}`)).total, held.total);
  assert.deepEqual((await total(`/api/v1/orders/${orderId}`)).total, { amount: 0, currency: 'EUR' });
  const dear = contentOf(await hold({ lines: [{ ticketType: 'ga', quantity: 1 }] }), 201, heldAnswer);
  assert.deepEqual(dear.total, { amount: 3_000, currency: 'USD' });
  for (const { holdId } of [held, dear]) await ask('DELETE', `/api/v1/holds/${holdId}`);
  const euros = dollars.map(({ ticketTypeId }) => ({ ticketTypeId, currency: 'EUR' }));
  assert.equal((await patch({ ticketTypes: euros })).status, 200);
  assert.equal((await reprice(0)).status, 200);
  await isSound();
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
  const channel = contentOf(await allocate('channel', both), 201, allocationAnswer);
  assert.equal(channel.quantity, 8);
  const kill = contentOf(await allocate('kill', [{ ticketType: 'ga', quantity: 4 }]), 201, allocationAnswer);
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
  const list = contentOf(await ask('GET', path('/allocations'), staff), 200, allocationsAnswer);
  assert.deepEqual(list.allocations, [channel, kill]);
  // Ten of general admission are left.
  assert.equal((await buy(10)).status, 201);
  readProblem(await buy(), 409, 'SOLD_OUT');
  await unchanged(async () => {
    readProblem(await allocate('kill', [{ ticketType: 'ga', quantity: 1 }]), 409, 'SOLD_OUT');
    readProblem(await allocate('kill', [{ ticketType: 'x', quantity: 1 }]), 404, 'TICKET_TYPE_NOT_FOUND');
    readProblem(await allocate('kill', [{ seats: ['A/1/1'] }]), 404, 'SEAT_NOT_FOUND');
    readProblem(await release('123'), 404, 'ALLOCATION_NOT_FOUND');
    for (const bad of [{ quantity: 9 }, { quantity: 0 }, { quantity: 1, seats: ['A/1/1'] }, { all: true }])
      readProblem(await release(channel.allocationId, bad), 400, 'VALIDATION_FAILED');
    for (const bad of [[], [{}], [{ ticketType: 'ga' }], [{ ticketType: 'ga', quantity: 1e9 }]])
      readProblem(await allocate('kill', bad), 400, 'VALIDATION_FAILED');
    readProblem(await allocate('gift', both), 400, 'VALIDATION_FAILED');
  });
  const left = await release(channel.allocationId, { quantity: 2, ticketType: 'ga' });
  assert.equal(contentOf(left, 200, allocationAnswer).quantity, 6);
  assert.equal((await buy(2)).status, 201);
  readProblem(await buy(), 409, 'SOLD_OUT');
  assert.equal(contentOf(await release(channel.allocationId), 200, allocationAnswer).quantity, 0);
  assert.equal(contentOf(await release(kill.allocationId), 200, allocationAnswer).quantity, 0);
  readProblem(await release(kill.allocationId), 404, 'ALLOCATION_NOT_FOUND');
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
