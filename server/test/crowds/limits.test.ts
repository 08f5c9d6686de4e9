// Limits of a buyer under a storm (rule S8): a few buyers ask for more than they may have, many times at once, at every
// process of a shop, while Redis dies. Judged by a replay of the journal, which names the buyer of every claim.

import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { patienceMs } from '@floodgate/core/testing/patience.ts';
import { gather } from '../kit/checker/evidence.ts';
import type { Fact, FinalEvent } from '../kit/checker/final-ledger.ts';
import { Findings } from '../kit/checker/findings.ts';
import { checkLimits } from '../kit/checker/limits.ts';
import { seededRandom } from '../kit/checker/random.ts';
import { ServerProcess } from '../kit/server-process.ts';
import { needsServer } from '../kit/servers/binaries.ts';
import { type PostgresServer, startPostgres } from '../kit/servers/postgres.ts';
import { startRedis } from '../kit/servers/redis.ts';
import { type Door, journalOf } from '../kit/staff-crowd.ts';
import { ask } from '../kit/test-shop.ts';

const TICKETS = 400;
const LIMITS = { ticketsPerBuyer: 5, holdsPerBuyer: 2 };
const BUYERS = ['ann', 'bob', 'cem'];
/** Requests of one buyer at a time. */
const AT_ONCE = 6;
const STORM_MS = 2_500;

async function openShop(t: TestContext, count: number, env: Record<string, string>): Promise<Door[]> {
  const processes: ServerProcess[] = [];
  t.after(() => Promise.all(processes.map((each) => each.remove())));
  while (processes.length < count) {
    processes.push(await ServerProcess.start({ events: 1, tickets: 1, env }));
  }
  const doors = processes.map(
    ({ port }): Door =>
      (method, path, asking) =>
        ask(port, method, path, asking),
  );
  const body = {
    ...{ eventId: 'hot', name: 'Hot', venue: { name: 'Hall' }, timeZone: 'UTC' },
    ...{ startsAt: '2027-01-01T20:00:00Z', holdsPerBuyer: LIMITS.holdsPerBuyer },
    limitPerBuyer: LIMITS.ticketsPerBuyer,
    ticketTypes: [{ ticketTypeId: 'ga', name: 'GA', price: 0, currency: 'EUR', capacity: TICKETS }],
  };
  const made = await doors[0]!('POST', '/api/v1/events', { asStaff: true, body });
  assert.equal(made.status, 201, made.text);
  return doors;
}

/** Fewer answers of both kinds are no proof. */
const ENOUGH = 20;

/** Every buyer at every door, until enough has happened and the time is up. Returns how often each refusal was met. */
async function storm(doors: readonly Door[], random: () => number): Promise<Map<string, number>> {
  const met = new Map<string, number>();
  const startMs = performance.now();
  const isOver = () => {
    const tookMs = performance.now() - startMs;
    const isEnough = [met.get('LIMIT_REACHED'), met.get('201')].every((count = 0) => count > ENOUGH);
    return tookMs > STORM_MS && (isEnough || tookMs > patienceMs(STORM_MS));
  };
  const shop = async (buyer: string) => {
    while (!isOver()) {
      const door = doors[Math.floor(random() * doors.length)]!;
      for (const said of await buyOrHold(door, buyer, random)) met.set(said, (met.get(said) ?? 0) + 1);
    }
  };
  await Promise.all(BUYERS.flatMap((buyer) => Array.from({ length: AT_ONCE }, () => shop(buyer))));
  return met;
}

/** Most holds are given back, so that the buyers stay below their limits and meet them again. */
async function buyOrHold(door: Door, buyer: string, random: () => number): Promise<string[]> {
  const quantity = 1 + Math.floor(random() * 2);
  if (random() < 0.02) return [saidBy(await door('POST', '/buy/hot', { body: { quantity, buyer } }))];
  const lines = [{ ticketType: 'ga', quantity }];
  const held = await door('POST', '/api/v1/events/hot/holds', { body: { lines, buyer } });
  if (held.status !== 201) return [saidBy(held)];
  const { holdId } = held.body as { holdId: string };
  const path = `/api/v1/holds/${holdId}`;
  const end = random() < 0.03 ? await door('POST', `${path}/confirm`) : await door('DELETE', path);
  return [saidBy(held), saidBy(end)];
}

function saidBy({ status, body }: Awaited<ReturnType<Door>>): string {
  return (body as { error?: string } | undefined)?.error ?? String(status);
}

/** What a replay of the journal finds, when the limits were these. */
async function violations(door: Door, limits: typeof LIMITS): Promise<string[]> {
  const journal = (await journalOf(door)) as unknown as (Fact & { buyer?: string | null })[];
  const event: FinalEvent = { eventId: 'hot', types: [], orders: [], journal: journal as Fact[] };
  const found = new Findings();
  checkLimits(gather([], [event]).events.get('hot')!, { limits }, found);
  return found.violations.map(({ what }) => what);
}

async function assertKept(t: TestContext, doors: readonly Door[], met: ReadonlyMap<string, number>) {
  t.diagnostic([...met].map(([said, times]) => `${times} × ${said}`).join(', '));
  assert.ok((met.get('LIMIT_REACHED') ?? 0) > ENOUGH, 'the limits were met');
  assert.ok((met.get('201') ?? 0) > ENOUGH, 'and not all the time');
  assert.deepEqual(await violations(doors[0]!, LIMITS), []);
  // Control: the storm went up to the limits, so that a limit one lower is seen to be broken.
  const { ticketsPerBuyer, holdsPerBuyer } = LIMITS;
  const lower = [
    { ticketsPerBuyer: ticketsPerBuyer - 1, holdsPerBuyer },
    { ticketsPerBuyer, holdsPerBuyer: holdsPerBuyer - 1 },
  ];
  for (const limits of lower) assert.notDeepEqual(await violations(doors[0]!, limits), []);
}

describe('limits of a buyer in one process', { timeout: patienceMs(12_000) }, () => {
  test('[S8] a storm of one buyer’s requests gets no further than the limits', async (t) => {
    const doors = await openShop(t, 1, {});
    await assertKept(t, doors, await storm(doors, seededRandom(1)));
  });
});

describe('limits of a buyer in three processes', {
  timeout: patienceMs(24_000),
  ...needsServer('redis', 'postgres'),
}, () => {
  let postgres: PostgresServer;
  before(async () => {
    postgres = await startPostgres();
  });
  after(() => postgres?.stop());

  test('[S8] a storm at all of them gets no further, each with a memory of its own', async (t) => {
    const doors = await openShop(t, 3, { DATABASE_URL: await postgres.createDatabase() });
    await assertKept(t, doors, await storm(doors, seededRandom(2)));
  });

  test('[S8] nor while Redis dies in the midst of it', async (t) => {
    const redis = await startRedis();
    t.after(() => redis.stop());
    const env = { DATABASE_URL: await postgres.createDatabase(), REDIS_URL: redis.url };
    const doors = await openShop(t, 3, env);
    const storming = storm(doors, seededRandom(3));
    await sleep(STORM_MS / 2);
    await redis.stop();
    await assertKept(t, doors, await storming);
  });
});
