// Idempotency as clients see it (mission row B5, rule S5): same key, same answer, for ever; and one effect. Equal
// means equal bytes. Only a refusal's requestId names the attempt, so the tests send the same X-Request-Id.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { contentOf, readProblem } from '../../../test/kit/answers.ts';
import { ServerProcess } from '../../../test/kit/server-process.ts';
import {
  type Asking,
  ask,
  eventOf,
  openTestShop,
  type Reply,
  type TestShop,
} from '../../../test/kit/test-shop.ts';
import { boughtAnswer } from '../../contract/buying.ts';
import { availabilityAnswer, journalAnswer } from '../../contract/events.ts';
import { heldAnswer } from '../../contract/holds.ts';

const TWINS = 100;
let shop: TestShop;

before(async () => {
  shop = await openTestShop({
    settings: { SEED_TICKETS: '1000' },
    events: [
      eventOf('gala', { ga: 50, vip: 3 }),
      eventOf('tiny', { ga: 2 }),
      eventOf('late', { ga: 2 }),
      eventOf('last', { ga: 3 }),
    ],
  });
});
after(() => shop?.close());

interface Case {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
}

const lines = (quantity: number, ticketType = 'ga') => ({ lines: [{ ticketType, quantity }], buyer: 'b' });
const HOLDS = '/api/v1/events/gala/holds';
const keyed = ({ body }: Case, key: string): Asking => ({ body, key, headers: { 'x-request-id': 'same' } });
const answerOf = ({ status, headers, text }: Reply) => ({
  status,
  type: headers.get('content-type'),
  text,
});

/** Every door that takes a key. */
async function keyedDoors(): Promise<Readonly<Record<string, Case>>> {
  const held = await shop.ask('POST', HOLDS, { body: lines(1) });
  const { holdId } = contentOf(held, 201, heldAnswer);
  return {
    buy: { method: 'POST', path: '/buy/1', body: { quantity: 2, buyer: 'Zoë' } },
    purchase: { method: 'POST', path: '/api/v1/purchase', body: { quantity: 3 } },
    hold: { method: 'POST', path: HOLDS, body: lines(2) },
    confirm: { method: 'POST', path: `/api/v1/holds/${holdId}/confirm` },
    'refused as sold out': { method: 'POST', path: HOLDS, body: lines(9, 'vip') },
  };
}

test(`[S5] [B5] the same key ${TWINS} times at once has one effect and ${TWINS} equal answers, at every door`, async () => {
  for (const [name, door] of Object.entries(await keyedDoors())) {
    const [eventId, before] = [
      door.path.startsWith('/buy') || name === 'purchase' ? '1' : 'gala',
      await shop.everything(),
    ];
    const seqs = await journalOf(eventId);
    const asking = keyed(door, `twins of ${name}`);
    const replies = await Promise.all(
      Array.from({ length: TWINS }, () => shop.ask(door.method, door.path, asking)),
    );
    assert.equal(new Set(replies.map((reply) => JSON.stringify(answerOf(reply)))).size, 1, name);
    const isRefused = name.startsWith('refused');
    assert.equal(replies[0]!.status, isRefused ? 409 : name === 'purchase' ? 200 : 201, replies[0]!.text);
    const after = await shop.everything();
    assert.equal(after.keptKeys, before.keptKeys + 1, name);
    assert.equal((await journalOf(eventId)) - seqs, isRefused ? 0 : 1, `facts of ${name}`);
    if (isRefused) assert.deepEqual(after.events, before.events);
  }
});

test('[S5] [S3] twins who want the last tickets all get the same answer: the tickets', async () => {
  const body = { quantity: 3, ticketType: 'ga' };
  const twins = Array.from({ length: TWINS }, () => shop.ask('POST', '/buy/last', { body, key: 'last' }));
  const replies = await Promise.all(twins);
  assert.deepEqual(new Set(replies.map(({ status }) => status)), new Set([201]));
  assert.equal(new Set(replies.map(({ text }) => text)).size, 1);
  assert.equal(await journalOf('last'), 2);
});

test('[S5] of two requests under one key at once, one is answered and the other is refused, always the same', async () => {
  const askers = Array.from({ length: TWINS }, (_, i) => {
    const body = { quantity: (i % 2) + 1 };
    return shop.ask('POST', '/buy/1', { body, key: 'rivals', headers: { 'x-request-id': 'same' } });
  });
  const replies = await Promise.all(askers);
  const [ones, twos] = [0, 1].map((rest) => {
    return new Set(replies.filter((_, i) => i % 2 === rest).map(({ status, text }) => `${status} ${text}`));
  }) as [Set<string>, Set<string>];
  assert.deepEqual([ones.size, twos.size], [1, 1]);
  assert.deepEqual([...ones, ...twos].map((answer) => answer.slice(0, 3)).toSorted(), ['201', '422']);
});

async function journalOf(eventId: string): Promise<number> {
  const path = `/api/v1/events/${eventId}/journal?limit=1000`;
  return contentOf(await shop.ask('GET', path, { asStaff: true }), 200, journalAnswer).entries.length;
}

test('[S5] the same key with another body is refused and changes nothing, at every door', async () => {
  const doors = await keyedDoors();
  const others: Readonly<Record<string, readonly unknown[]>> = {
    buy: [
      {},
      { quantity: 2 },
      { quantity: 3, buyer: 'Zoë' },
      { quantity: 2, buyer: 'Zoë', ticketType: 'ga' },
    ],
    purchase: [{ quantity: 1 }, { quantity: 10 }],
    hold: [lines(3), { lines: lines(2).lines }, { ...lines(2), buyer: 'c' }],
    'refused as sold out': [lines(1), lines(10, 'vip')],
  };
  for (const [name, bodies] of Object.entries(others)) {
    const door = doors[name]!;
    const first = await shop.ask(door.method, door.path, keyed(door, `reused by ${name}`));
    const before = await shop.everything();
    for (const body of bodies) {
      const reply = await shop.ask(door.method, door.path, keyed({ ...door, body }, `reused by ${name}`));
      readProblem(reply, 422, 'IDEMPOTENCY_KEY_REUSED');
    }
    const again = await shop.ask(door.method, door.path, keyed(door, `reused by ${name}`));
    assert.deepEqual(answerOf(again), answerOf(first));
    assert.deepEqual(await shop.everything(), before);
  }
});

test('[S5] a key of one door is no key of another', async () => {
  const body = { quantity: 1 };
  contentOf(await shop.ask('POST', '/buy/1', { body, key: 'doors' }), 201, boughtAnswer);
  const before = await shop.everything();
  const reply = await shop.ask('POST', '/api/v1/purchase', { body, key: 'doors' });
  readProblem(reply, 422, 'IDEMPOTENCY_KEY_REUSED');
  assert.deepEqual(await shop.everything(), before);
});

test('[S5] a key may confirm one hold only', async () => {
  const holds: string[] = [];
  for (let i = 0; i < 2; i++) {
    const reply = await shop.ask('POST', HOLDS, { body: lines(1) });
    holds.push(contentOf(reply, 201, heldAnswer).holdId);
  }
  const confirm = (id: string) => shop.ask('POST', `/api/v1/holds/${id}/confirm`, { key: 'one hold' });
  const first = await confirm(holds[0]!);
  readProblem(await confirm(holds[1]!), 422, 'IDEMPOTENCY_KEY_REUSED');
  assert.equal((await confirm(holds[0]!)).text, first.text);
});

test('[S5] what means the same is the same request: defaults, order of members, spaces, unknown members', async () => {
  const texts = ['{"quantity":1}', '{}', ' { "quantity" : 1 } ', '{"quantity":1.0}', '{"colour":"red"}'];
  const replies = [await shop.ask('POST', '/buy/1', { key: 'meaning' })];
  for (const bytes of texts) replies.push(await shop.ask('POST', '/buy/1', { bytes, key: 'meaning' }));
  const both = ['{"quantity":2,"buyer":"x"}', '{"buyer":"x","quantity":2}'];
  assert.equal(new Set(replies.map(({ text }) => text)).size, 1);
  assert.equal(replies[0]!.status, 201);
  const ordered = both.map((bytes) => shop.ask('POST', '/buy/1', { bytes, key: 'order of members' }));
  assert.equal(new Set((await Promise.all(ordered)).map(({ text }) => text)).size, 1);
});

test('[S5] a refusal is kept: sold out stays the answer after tickets have returned', async () => {
  const hold = contentOf(
    await shop.ask('POST', '/api/v1/events/tiny/holds', { body: lines(2) }),
    201,
    heldAnswer,
  );
  const refused = { method: 'POST', path: '/buy/tiny' };
  const first = await shop.ask('POST', '/buy/tiny', keyed(refused, 'too late'));
  readProblem(first, 409, 'ALL_HELD');
  await shop.ask('DELETE', `/api/v1/holds/${hold.holdId}`);
  const again = await shop.ask('POST', '/buy/tiny', keyed(refused, 'too late'));
  assert.deepEqual(answerOf(again), answerOf(first));
  contentOf(await shop.ask('POST', '/buy/tiny', keyed(refused, 'a new try')), 201, boughtAnswer);
});

test('[S5] a purchase refused as sold out keeps what it said of the seats left', async () => {
  const small = await openTestShop({ settings: { SEED_TICKETS: '5' } });
  try {
    const sell = (key: string, quantity: number) =>
      small.ask('POST', '/api/v1/purchase', {
        key,
        body: { quantity },
        headers: { 'x-request-id': 'same' },
      });
    const bought = await sell('a', 3);
    const refused = await sell('b', 3);
    assert.equal(readProblem(refused, 409, 'SOLD_OUT').seatsRemaining, 2);
    await sell('c', 1);
    assert.equal((await sell('b', 3)).text, refused.text);
    assert.equal((await sell('a', 3)).text, bought.text);
  } finally {
    await small.close();
  }
});

test('[S5] an answered purchase is answered again although all is sold', async () => {
  const first = await shop.ask('POST', '/buy/late', { body: { quantity: 2 }, key: 'the last two' });
  contentOf(first, 201, boughtAnswer);
  readProblem(await shop.ask('POST', '/buy/late'), 409, 'SOLD_OUT');
  const again = await shop.ask('POST', '/buy/late', { body: { quantity: 2 }, key: 'the last two' });
  assert.deepEqual(answerOf(again), answerOf(first));
});

describe('after a restart', { concurrency: true }, () => {
  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    test(`[S5] [B6] after ${signal} and a new start every key has the answer it had, byte for byte`, async () => {
      const server = await ServerProcess.start({ events: 1, tickets: 20 });
      try {
        const held = await ask(server.port, 'POST', '/api/v1/events/1/holds', { body: lines(2) });
        const { holdId } = contentOf(held, 201, heldAnswer);
        const doors: readonly Case[] = [
          { method: 'POST', path: '/buy/1', body: { quantity: 2, buyer: 'Zoë' } },
          { method: 'POST', path: '/api/v1/purchase', body: { quantity: 3 } },
          { method: 'POST', path: '/api/v1/events/1/holds', body: lines(4) },
          { method: 'POST', path: `/api/v1/holds/${holdId}/confirm` },
          {
            method: 'POST',
            path: '/api/v1/events/1/holds',
            body: { lines: Array(5).fill(lines(5).lines[0]) },
          },
        ];
        const askAll = () =>
          Promise.all(
            doors.map((door, i) => ask(server.port, door.method, door.path, keyed(door, `door ${i}`))),
          );
        const first = (await askAll()).map(answerOf);
        assert.deepEqual(
          first.map(({ status }) => status),
          [201, 200, 201, 201, 409],
        );
        await (signal === 'SIGKILL' ? server.kill() : server.stop());
        await server.start();
        assert.deepEqual((await askAll()).map(answerOf), first);
        const { sold, held: stillHeld } = contentOf(
          await ask(server.port, 'GET', '/api/v1/events/1/availability'),
          200,
          availabilityAnswer,
        );
        assert.deepEqual([sold, stillHeld], [7, 4]);
      } finally {
        await server.remove();
      }
    });
  }
});
