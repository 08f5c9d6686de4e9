// As staff-changes.test.ts, with several processes of the real program on one database server: staff and buyers ask any
// of them. What one process was answered holds in every other from that moment on.

import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { patienceMs } from '@floodgate/core/testing/patience.ts';
import { boughtAnswer } from '../../src/contract/buying.ts';
import { availabilityAnswer, eventAnswer, staffEventAnswer } from '../../src/contract/events.ts';
import { allocationAnswer } from '../../src/contract/organizing.ts';
import { contentOf, readProblem } from '../kit/answers.ts';
import { seededRandom } from '../kit/checker/random.ts';
import { ServerProcess } from '../kit/server-process.ts';
import { needsServer } from '../kit/servers/binaries.ts';
import { type PostgresServer, startPostgres } from '../kit/servers/postgres.ts';
import { type RedisServer, startRedis } from '../kit/servers/redis.ts';
import {
  assertNeverOversold,
  assertSound,
  Crowd,
  type Door,
  journalOf,
  salesIn,
  salesWhilePaused,
  sellOut,
  soldIn,
} from '../kit/staff-crowd.ts';
import { ask } from '../kit/test-shop.ts';

const BUYERS = 16;
const PAUSES = 12;
/** What a process has not been told it learns in a second; a busy machine takes longer. */
const LEARNED_WITHIN_MS = patienceMs(2_000);
/** What is shown may be behind for as long as a lost message needs to be noticed. */
const RECONCILED_WITHIN_MS = patienceMs(2_000);
const staff = { asStaff: true } as const;

let postgres: PostgresServer;

before(async () => {
  postgres = await startPostgres();
});
after(() => postgres?.stop());

/** Two processes, and the event `hot` with that many tickets. */
async function openShop(
  t: TestContext,
  tickets: number,
  redis: RedisServer | undefined,
  processes: ServerProcess[] = [],
): Promise<[Door, Door]> {
  const env = {
    DATABASE_URL: await postgres.createDatabase(),
    RECONCILE_SECONDS: '1',
    ...(redis ? { REDIS_URL: redis.url } : {}),
  };
  t.after(() => Promise.all(processes.map((each) => each.remove())));
  for (let place = 0; place < 2; place++)
    processes.push(await ServerProcess.start({ events: 1, tickets: 1, env }));
  const doors = processes.map(
    (process): Door =>
      (method, path, asking) =>
        ask(process.port, method, path, asking),
  );
  const body = {
    ...{ eventId: 'hot', name: 'Hot', venue: { name: 'Hall' }, timeZone: 'UTC' },
    startsAt: '2027-01-01T20:00:00Z',
    ticketTypes: [{ ticketTypeId: 'ga', name: 'GA', price: 0, currency: 'EUR', capacity: tickets }],
  };
  contentOf(await doors[0]!('POST', '/api/v1/events', { ...staff, body }), 201, staffEventAnswer);
  return doors as [Door, Door];
}

/** Of its own: shops of different databases would share their events' keys. */
async function redisOf(t: TestContext, withRedis = true): Promise<RedisServer | undefined> {
  if (!withRedis) return undefined;
  const server = await startRedis();
  t.after(() => server.stop());
  return server;
}

for (const withRedis of [true, false]) {
  const where = withRedis ? 'on one Redis' : 'each with a memory of its own';
  describe(`staff of several processes, ${where}`, {
    timeout: patienceMs(30_000),
    ...needsServer('redis', 'postgres'),
  }, () => {
    test('[E1] what one process changed, the other heeds when it sells, and shows a second later', async (t) => {
      const [here, there] = await openShop(t, 20, await redisOf(t, withRedis));
      assert.equal((await there('POST', '/buy/hot')).status, 201);
      // Not a moment later: the ledger refuses what the other process checked against the old version.
      contentOf(await here('POST', '/api/v1/events/hot/pause', staff), 200, staffEventAnswer);
      readProblem(await there('POST', '/buy/hot'), 409, 'NOT_ON_SALE');
      contentOf(await there('POST', '/api/v1/events/hot/resume', staff), 200, staffEventAnswer);
      // That the sale goes on is learned within a second: until then buyers are told what was true.
      await within(LEARNED_WITHIN_MS, async () => assert.equal((await here('POST', '/buy/hot')).status, 201));
      const vip = { ticketTypeId: 'vip', name: 'VIP', price: 0, capacity: 3 };
      const grown = await patch(here, { ticketTypes: [vip, { ticketTypeId: 'ga', capacity: 30 }] });
      contentOf(grown, 200, staffEventAnswer);
      await within(LEARNED_WITHIN_MS, async () => {
        const shown = contentOf(await there('GET', '/api/v1/events/hot'), 200, eventAnswer);
        assert.deepEqual(
          shown.ticketTypes.map(({ capacity }) => capacity),
          [30, 3],
        );
        const counts = await there('GET', '/api/v1/events/hot/availability');
        assert.equal(contentOf(counts, 200, availabilityAnswer).available, 31);
      });
      const bought = await there('POST', '/buy/hot', { body: { ticketType: 'vip', quantity: 3 } });
      contentOf(bought, 201, boughtAnswer);
    });

    test('[E1] staff are answered from the newest version, at any process', async (t) => {
      const doors = await openShop(t, 20, await redisOf(t, withRedis));
      for (const [index, door] of [...doors, ...doors].entries()) {
        const command = index % 2 === 0 ? 'pause' : 'resume';
        const done = await door('POST', `/api/v1/events/hot/${command}`, staff);
        const other = doors[(index + 1) % 2]!;
        const seen = await other('GET', '/api/v1/events/hot', staff);
        assert.equal(seen.headers.get('etag'), done.headers.get('etag'));
        const body = { name: 'Promoter', kind: 'channel', lines: [{ ticketType: 'ga', quantity: 2 }] };
        const made = await door('POST', '/api/v1/events/hot/allocations', { ...staff, body });
        const { allocationId } = contentOf(made, 201, allocationAnswer);
        const path = `/api/v1/events/hot/allocations/${allocationId}/release`;
        contentOf(await other('POST', path, staff), 200, allocationAnswer);
      }
      const etag = (await doors[0]('GET', '/api/v1/events/hot', staff)).headers.get('etag')!;
      const both = await Promise.all(
        doors.map((door, index) => patch(door, { name: `Name ${index}` }, etag)),
      );
      assert.deepEqual(both.map(({ status }) => status).sort(), [200, 412]);
    });

    test('[E1] a pause that any process answers ends the sale in all of them', async (t) => {
      const doors = await openShop(t, 50_000, await redisOf(t, withRedis));
      const crowd = new Crowd(doors, seededRandom(7));
      const shopping = crowd.shop(BUYERS);
      await crowd.pauseAndResume(PAUSES);
      crowd.isOver = true;
      await shopping;
      const journal = await journalOf(doors[0]);
      t.diagnostic(`${salesIn(journal).length} sales around ${PAUSES} pauses`);
      assert.ok(salesIn(journal).length > 50, 'too few sales for a proof');
      assert.deepEqual(salesWhilePaused(journal), []);
    });

    test('[S1] [S2] [E2] capacities move in the midst of a stampede at all processes', async (t) => {
      const doors = await openShop(t, 400, await redisOf(t, withRedis));
      const seed = Number(process.env.FAULT_SEED ?? 1 + Math.floor(Math.random() * 1e9));
      t.diagnostic(`FAULT_SEED=${seed}`);
      // Fifty changes a second are more than some buyers can keep up with: they are told to come again.
      const crowd = new Crowd(doors, seededRandom(seed), true);
      const over = crowd.end(5_000, { orders: 30, changes: 10 });
      const [{ orders }] = await Promise.all([crowd.shop(BUYERS), crowd.change(), crowd.change(), over]);
      t.diagnostic(`${orders.length} orders; changes by answer: ${JSON.stringify([...crowd.changes])}`);
      assert.ok((crowd.changes.get(200) ?? 0) > 10 && orders.length > 30, 'too little happened for a proof');
      const sold = orders.flat();
      assert.equal(new Set(sold).size, sold.length, '[S1] a ticket was answered twice');
      for (const door of doors) {
        assertNeverOversold(await journalOf(door));
        await within(RECONCILED_WITHIN_MS, () => assertSound(door, sold.length));
      }
      const left = await sellOut(doors[1]);
      for (const door of doors)
        await within(RECONCILED_WITHIN_MS, () => assertSound(door, sold.length + left));
    });

    test('[S1] [S2] [S4] [E2] processes are killed in the midst of changes and sales, and started again', async (t) => {
      const processes: ServerProcess[] = [];
      const doors = await openShop(t, 400, await redisOf(t, withRedis), processes);
      const seed = Number(process.env.FAULT_SEED ?? 1 + Math.floor(Math.random() * 1e9));
      t.diagnostic(`FAULT_SEED=${seed}`);
      const random = seededRandom(seed);
      const crowd = new Crowd(doors, random, true);
      const killing = async (): Promise<void> => {
        for (let kill = 0; kill < 4; kill++) {
          await sleep(500 + random() * 500);
          const victim = processes[kill % 2]!;
          await victim.kill();
          await victim.start();
        }
        await crowd.end(0, { orders: 30, changes: 5 });
      };
      const [{ orders }] = await Promise.all([crowd.shop(BUYERS), crowd.change(), crowd.change(), killing()]);
      const journal = await journalOf(doors[0]);
      const sold = soldIn(journal);
      t.diagnostic(`${orders.length} orders answered; changes: ${JSON.stringify([...crowd.changes])}`);
      assert.ok((crowd.changes.get(200) ?? 0) > 5 && orders.length > 30, 'too little happened for a proof');
      assertNeverOversold(journal);
      assert.deepEqual(
        orders.flat().filter((ticket) => !sold.includes(ticket)),
        [],
        '[S4] answered and not kept',
      );
      // Holds of buyers who were killed with their process are given back in time, or never: they stay held.
      for (const door of doors) await within(RECONCILED_WITHIN_MS, () => assertSound(door, sold.length));
    });
  });
}

test('[S1] [S2] [E2] Redis dies and comes back empty in the midst of changes and sales', {
  timeout: patienceMs(12_000),
  ...needsServer('redis', 'postgres'),
}, async (t) => {
  const redis = await redisOf(t);
  const doors = await openShop(t, 400, redis);
  const seed = Number(process.env.FAULT_SEED ?? 1 + Math.floor(Math.random() * 1e9));
  t.diagnostic(`FAULT_SEED=${seed}`);
  const random = seededRandom(seed);
  const crowd = new Crowd(doors, random, true);
  const harming = async (): Promise<void> => {
    for (let harm = 0; harm < 3; harm++) {
      await sleep(800 + random() * 400);
      await redis!.kill();
      await sleep(800 + random() * 400);
      await redis!.restart({ keepData: false });
    }
    await crowd.end(1_500, { orders: 30, changes: 5 });
  };
  const [{ orders }] = await Promise.all([crowd.shop(BUYERS), crowd.change(), crowd.change(), harming()]);
  const journal = await journalOf(doors[0]);
  t.diagnostic(`${orders.length} orders; changes by answer: ${JSON.stringify([...crowd.changes])}`);
  assert.ok((crowd.changes.get(200) ?? 0) > 5 && orders.length > 30, 'too little happened for a proof');
  assertNeverOversold(journal);
  const sold = soldIn(journal);
  const lost = orders.flat().filter((ticket) => !sold.includes(ticket));
  assert.deepEqual(lost, [], '[S4] answered and not kept');
  for (const door of doors) await within(RECONCILED_WITHIN_MS, () => assertSound(door, sold.length));
});

async function patch(door: Door, body: object, ifMatch?: string) {
  const etag = ifMatch ?? (await door('GET', '/api/v1/events/hot', staff)).headers.get('etag')!;
  return door('PATCH', '/api/v1/events/hot', { ...staff, body, headers: { 'if-match': etag } });
}

/** Until it is so, at the latest after this time. */
async function within(ms: number, isSo: () => Promise<void>): Promise<void> {
  const deadlineMs = performance.now() + ms;
  for (;;) {
    try {
      return await isSo();
    } catch (error) {
      if (performance.now() > deadlineMs) throw error;
      await sleep(50);
    }
  }
}
