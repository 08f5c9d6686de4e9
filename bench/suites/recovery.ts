// How long nothing is sold when Redis dies, and how long it takes to load a big event into Redis when it is back.
// Buyers come at a steady rate while Redis is killed, or stopped where it is, again and again. A gap runs from the
// signal until somebody has a ticket who asked for it after the signal: who asked before may have been lucky.
import { setTimeout as sleep } from 'node:timers/promises';
import { TicketLayout } from '@floodgate/core/seating/layout.ts';
import { Redis } from 'ioredis';
import { openSqlLedger } from '../../server/src/compose.ts';
import type { InventoryEvent, InventorySnapshot } from '../../server/src/inventory/inventory.ts';
import { RedisInventory } from '../../server/src/inventory/redis/redis-inventory.ts';
import { type RedisServer, startRedis } from '../../server/test/kit/servers/redis.ts';
import { type Bench, type Figure, figure, round, type Suite, type SuiteResult } from '../bench.ts';
import type { Program } from '../program.ts';
import { withStores } from '../real-stores.ts';
import { startServer, untilDegraded, using } from '../server-under-test.ts';
import { median, summarize } from '../stats.ts';
import { SteadyBuyers, type SteadyResult } from '../steady-buyers.ts';
import { sellTickets } from './start.ts';

const TICKETS = 1_000_000;
const BUYER_EVERY_MS = 5;
/** A fault that hits while all is quiet again, and not always at the same point of what repeats itself. */
const [CALM_MS, CALM_SPREAD_MS] = [200, 200];
const NEXT_SALE_TIMEOUT_MS = 20_000;
const BELOW_A_SECOND = { is: '<', limit: 1_000 } as const;
const SMALL_ENOUGH = { is: '≤', limit: 1_000_000 } as const;
const SIGNALS = ['SIGKILL', 'SIGSTOP'] as const;

type Signal = (typeof SIGNALS)[number];

interface Kill {
  readonly signal: Signal;
  readonly gapMs: number;
  /** From the return of Redis until /health says that all is well. */
  readonly backMs: number;
}

interface Kills {
  readonly kills: readonly Kill[];
  readonly buyers: SteadyResult;
}

/** Times of single loads of one event, in milliseconds. */
interface Loads {
  readonly claimed: number;
  readonly withLedgerMs: readonly number[];
  readonly withoutLedgerMs: readonly number[];
  readonly keyBytes: Readonly<Record<string, number>>;
}

export const recovery: Suite = {
  name: 'recovery',
  question: 'How long is nothing sold when Redis dies, and how long does a big event take to load?',
  run: (bench) =>
    withStores('postgres', async (stores) => {
      const redis = await startRedis();
      try {
        const env = { REDIS_URL: redis.url, DATABASE_URL: await stores.freshDatabase() };
        const options = { name: 'recovery', events: 1, ticketsPerEvent: TICKETS, env };
        return await using(startServer(bench, options), (server) =>
          measureAll(bench, server, redis, env.DATABASE_URL),
        );
      } finally {
        await redis.stop();
      }
    }),
};

async function measureAll(
  bench: Bench,
  server: Program,
  redis: RedisServer,
  databaseUrl: string,
): Promise<SuiteResult> {
  const repeats = bench.quick ? 3 : 9;
  const toSell = bench.quick ? TICKETS / 10 : TICKETS / 2;
  const unsold = await loadOften(bench, databaseUrl, repeats);
  const early = await killOften(bench, server, redis, bench.quick ? 6 : 30);
  bench.say(`${round(toSell)} tickets are sold`);
  await sellTickets(server, toSell);
  const late = await killOften(bench, server, redis, bench.quick ? 4 : 10);
  const sold = await loadOften(bench, databaseUrl, repeats);
  return {
    figures: [
      gapFigure('first tickets of a million', early),
      gapFigure(`${round(toSell)} of a million tickets sold`, late),
      ...[unsold, sold].flatMap(loadFigures),
      memoryFigure(sold),
    ],
    raw: { early, late, unsold, sold },
  };
}

async function killOften(bench: Bench, server: Program, redis: RedisServer, times: number): Promise<Kills> {
  bench.say(`Redis is killed or stopped ${times} times, a buyer comes every ${BUYER_EVERY_MS} ms`);
  const buyers = new SteadyBuyers(server.port, BUYER_EVERY_MS);
  const kills: Kill[] = [];
  try {
    for (let n = 0; n < times; n++)
      kills.push(await killOnce(server, redis, buyers, SIGNALS[n % SIGNALS.length]!));
    return { kills, buyers: await buyers.stop() };
  } catch (error) {
    await buyers.stop();
    throw error;
  }
}

async function killOnce(
  server: Program,
  redis: RedisServer,
  buyers: SteadyBuyers,
  signal: Signal,
): Promise<Kill> {
  await sleep(CALM_MS + Math.random() * CALM_SPREAD_MS);
  // Clock after signal: nobody who asked before counts.
  process.kill(redis.pid, signal);
  const killedMs = performance.now();
  const gapMs = await buyers.nextSaleAfter(killedMs, NEXT_SALE_TIMEOUT_MS);
  await untilDegraded(server, true);
  if (signal === 'SIGSTOP') redis.resume();
  else await redis.restart();
  const returnedMs = performance.now();
  await untilDegraded(server, false);
  return { signal, gapMs, backMs: performance.now() - returnedMs };
}

function gapFigure(when: string, { kills, buyers }: Kills): Figure {
  const gaps = summarize(Float64Array.from(kills, ({ gapMs }) => gapMs));
  const bySignal = SIGNALS.map((signal) => {
    const some = kills.filter((kill) => kill.signal === signal);
    return `${some.length} × ${signal} median ${round(median(some.map(({ gapMs }) => gapMs)))} ms`;
  });
  const back = summarize(Float64Array.from(kills, ({ backMs }) => backMs));
  const unsold = Object.entries(buyers.statuses).filter(([status]) => status !== '201');
  const detail = [
    `p50 ${round(gaps.p50)} ms, max ${round(gaps.max)} ms`,
    ...bySignal,
    `back on Redis after p50 ${round(back.p50)} ms, max ${round(back.max)} ms`,
    `of ${round(buyers.requests)} buyers the slowest waited ${round(buyers.slowestMs)} ms`,
    unsold.length === 0
      ? 'all had a ticket'
      : unsold.map(([status, count]) => `${count} × ${status}`).join(', '),
  ];
  const name = `Redis' death to the next sale, p99, ${when}`;
  return figure({ name, value: gaps.p99, unit: 'ms', detail: detail.join('; ') }, BELOW_A_SECOND);
}

/** Into a Redis of its own, as a process does that finds Redis empty. */
async function loadOften(bench: Bench, databaseUrl: string, times: number): Promise<Loads> {
  const redis = await startRedis();
  try {
    const ledger = await openSqlLedger({ kind: 'postgres', url: databaseUrl, readUrl: undefined }, () => {});
    try {
      const { event } = (await ledger.events()).events[0]!;
      const { eventId } = event;
      const claims = await ledger.claims(eventId);
      bench.say(
        `${round(TICKETS)} tickets, ${round(claims.sold.length)} of them sold, are loaded ${times} times`,
      );
      const known = { eventId, layout: new TicketLayout(event) };
      return await loadInto(redis.url, known, claims, () => ledger.claims(eventId), times);
    } finally {
      await ledger.close();
    }
  } finally {
    await redis.stop();
  }
}

async function loadInto(
  url: string,
  event: InventoryEvent,
  claims: InventorySnapshot,
  read: () => Promise<InventorySnapshot>,
  times: number,
): Promise<Loads> {
  const inventory = await RedisInventory.connect(url);
  try {
    const withLedgerMs: number[] = [];
    const withoutLedgerMs: number[] = [];
    for (let n = 0; n < times; n++) {
      withLedgerMs.push(await timed(() => inventory.reload(event, read)));
      withoutLedgerMs.push(await timed(() => inventory.load(event, claims)));
    }
    return { claimed: claims.sold.length, withLedgerMs, withoutLedgerMs, keyBytes: await keyBytes(url) };
  } finally {
    await inventory.close();
  }
}

async function timed(act: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  await act();
  return performance.now() - startMs;
}

/** What Redis says each key takes of its memory. */
async function keyBytes(url: string): Promise<Record<string, number>> {
  const redis = new Redis(url);
  try {
    const keys = (await redis.keys('*')).toSorted();
    const sizes = await Promise.all(keys.map((key) => redis.memory('USAGE', key)));
    return Object.fromEntries(keys.map((key, at) => [key, Number(sizes[at])]));
  } finally {
    redis.disconnect();
  }
}

function loadFigures({ claimed, withLedgerMs, withoutLedgerMs }: Loads): Figure[] {
  const one = (how: string, times: readonly number[]) => {
    const name = `load of a million tickets into Redis, ${round(claimed)} sold, ${how}`;
    const detail = `${times.length} loads, slowest ${round(Math.max(...times))} ms`;
    return figure({ name, value: median(times), unit: 'ms', detail }, BELOW_A_SECOND);
  };
  return [one('read from PostgreSQL', withLedgerMs), one('without the reading', withoutLedgerMs)];
}

function memoryFigure({ keyBytes: bytes }: Loads): Figure {
  const value = Object.values(bytes).reduce((sum, size) => sum + size, 0);
  const detail = Object.entries(bytes)
    .map(([key, size]) => `${key} ${round(size)}`)
    .join(', ');
  return figure({ name: 'memory of a million tickets in Redis', value, unit: 'bytes', detail }, SMALL_ENOUGH);
}
