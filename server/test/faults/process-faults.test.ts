// What happens to the processes of a shop: killed one by one and all at once, stopped, ended in order, started at the
// same moment. The others sell on from the same Redis and the same PostgreSQL, and the checker judges every round.

import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import { patienceMs } from '@floodgate/core/testing/patience.ts';
import { Program, temporaryFolder } from '../kit/program.ts';
import { API_KEY } from '../kit/server-process.ts';
import { needsServer } from '../kit/servers/binaries.ts';
import { type PostgresServer, startPostgres } from '../kit/servers/postgres.ts';
import { startRedis } from '../kit/servers/redis.ts';
import { type Fault, SharedShop } from '../kit/shared-shop.ts';
import { ask } from '../kit/test-shop.ts';

const ROUNDS = 10;
const PROCESSES = 3;
/** Ten more than tickets. */
const KEYS = 50;

const FAULTS: Readonly<Record<string, Fault>> = {
  'one process killed and started again': async (shop) => {
    const process = shop.anyProcess();
    await process.kill();
    await shop.pause(0, 500);
    await process.start();
  },
  'all processes killed at once and started again': async (shop) => {
    await Promise.all(shop.processes.map((process) => process.kill()));
    await shop.pause(0, 300);
    await Promise.all(shop.processes.map((process) => process.start()));
  },
  'one process stopped for 2 seconds': async (shop) => {
    const process = shop.anyProcess();
    process.pause();
    await shop.pause(2_000, 2_000);
    process.resume();
  },
  'one process ended in order (exit code 0) and started again': async (shop) => {
    const process = shop.anyProcess();
    await process.stop();
    await shop.pause(0, 300);
    await process.start();
  },
};

let postgres: PostgresServer;
before(async () => {
  postgres = await startPostgres();
});
after(() => postgres?.stop());

describe('processes under load', {
  concurrency: 4,
  timeout: patienceMs(40_000),
  ...needsServer('redis', 'postgres'),
}, () => {
  for (const [title, fault] of Object.entries(FAULTS)) {
    test(`[S1–S6, S9] ${ROUNDS} times ${title}: nothing sold twice, nothing lost`, (t) => play(t, fault));
  }
});

describe('processes of one shop', {
  concurrency: 3,
  timeout: patienceMs(12_000),
  ...needsServer('redis', 'postgres'),
}, () => {
  test('[S5] a key sent to three processes at the same instant has one effect and one answer', async (t) => {
    const { ports } = await openShop(t, { SEED_EVENTS: '1', SEED_TICKETS: `${KEYS - 10}` });
    const sendTo = (port: number, number: number) => {
      // A refusal repeats the request's id, so the three have the same.
      const body = { quantity: 1 };
      const asking = { body, key: `key-${number}`, headers: { 'x-request-id': `request-${number}` } };
      return ask(port, 'POST', number % 2 === 0 ? '/buy/1' : '/api/v1/purchase', asking);
    };
    const answers = await Promise.all(
      Array.from({ length: KEYS }, (_, number) => Promise.all(ports.map((port) => sendTo(port, number)))),
    );
    const firsts = answers.map(([first, ...twins]) => {
      for (const twin of twins) assert.deepEqual([twin.status, twin.text], [first!.status, first!.text]);
      return first!;
    });
    const granted = firsts.filter(({ status }) => status < 300);
    assert.equal(granted.length, KEYS - 10);
    for (const { status, text } of firsts) if (status >= 300) assert.match(text, /"error":"SOLD_OUT"/);
    const tickets = granted.flatMap(({ body }) => ticketsOf(body));
    assert.equal(new Set(tickets).size, KEYS - 10);
    for (const port of ports) await isContent(port, '1');
  });

  test('[A1] an event that one process makes is on sale at the others at once', async (t) => {
    const { env, ports } = await openShop(t, { SEED_EVENTS: '1' });
    const seed = await Program.run(t, {
      ...{ script: 'seed.ts', args: ['--events', '4', '--tickets', '50'], env },
      folder: temporaryFolder(t),
    });
    assert.match(seed.stdout, /3 event\(s\) made with 50 tickets each: 2, 3, 4/);
    const replies = await Promise.all([
      ask(ports[0]!, 'GET', '/api/v1/events/2'),
      ask(ports[1]!, 'GET', '/api/v1/events/3/availability'),
      ask(ports[2]!, 'POST', '/buy/4'),
      ask(ports[0]!, 'POST', '/buy/4'),
    ]);
    assert.deepEqual(
      replies.map(({ status }) => status),
      [200, 200, 201, 201],
    );
    assert.equal((await ask(ports[1]!, 'GET', '/api/v1/events/9')).status, 404);
    for (const port of ports) await isContent(port, '4');
  });

  test('[A1] processes started at the same moment on an empty database make its schema and events once', async (t) => {
    for (let times = 0; times < 4; times++) {
      const { ports } = await openShop(t, { SEED_EVENTS: '3' }, times % 2 === 0);
      for (const port of ports) {
        const { events } = (await ask(port, 'GET', '/api/v1/events')).body as {
          events: { eventId: string }[];
        };
        const ids = events.map(({ eventId }) => eventId);
        assert.deepEqual(ids.toSorted(), ['1', '2', '3']);
        for (const eventId of ids) {
          const journal = await ask(port, 'GET', `/api/v1/events/${eventId}/journal`, { asStaff: true });
          assert.equal((journal.body as { entries: unknown[] }).entries.length, 1, 'it was made once');
          await isContent(port, eventId);
        }
      }
      const tickets = await Promise.all(ports.map((port) => ask(port, 'POST', '/buy/1')));
      assert.equal(new Set(tickets.flatMap(({ body }) => ticketsOf(body))).size, ports.length);
    }
  });
});

/** Processes of one shop, all started at the same moment on an empty database. */
async function openShop(t: TestContext, settings: Readonly<Record<string, string>>, hasRedis = true) {
  const redis = hasRedis ? await startRedis() : undefined;
  t.after(() => redis?.stop());
  const env = {
    ...{ DATABASE_URL: await postgres.createDatabase(), API_KEY, ...settings },
    ...(redis === undefined ? {} : { REDIS_URL: redis.url }),
  };
  const starts = Array.from({ length: PROCESSES }, () =>
    Program.open(t, { env, folder: temporaryFolder(t) }),
  );
  return { env, ports: (await Promise.all(starts)).map(({ port }) => port) };
}

async function isContent(port: number, eventId: string): Promise<void> {
  const { body } = await ask(port, 'GET', `/api/v1/events/${eventId}/audit`, { asStaff: true });
  assert.equal((body as { ok: boolean }).ok, true, JSON.stringify(body));
}

async function play(t: TestContext, fault: Fault): Promise<void> {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const stores = { databaseUrl: await postgres.createDatabase(), redisUrl: redis.url };
  const shop = await SharedShop.start(t, { ...stores, processes: PROCESSES, rounds: ROUNDS });
  for (let round = 0; round < ROUNDS; round++) await shop.play(fault);
  await shop.assertWhole(t);
}

function ticketsOf(body: unknown): string[] {
  return (body as { tickets: { ticketId: string }[] }).tickets.map(({ ticketId }) => ticketId);
}
