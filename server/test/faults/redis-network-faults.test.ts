// The network between one of three processes and Redis: cut, slow, half-open, or losing answers. That one sells alone,
// from its memory, while the two others share; the ledger is all that stands between them.

import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { patienceMs } from '@floodgate/core/testing/patience.ts';
import { Program, temporaryFolder } from '../kit/program.ts';
import { needsServer } from '../kit/servers/binaries.ts';
import { type PostgresServer, startPostgres } from '../kit/servers/postgres.ts';
import { startRedis } from '../kit/servers/redis.ts';
import { startTcpProxy, type TcpProxy } from '../kit/servers/tcp-proxy.ts';
import { type Fault, SharedShop } from '../kit/shared-shop.ts';
import { ask } from '../kit/test-shop.ts';

const ROUNDS = 10;
const PROCESSES = 3;
/** Tickets of a process that is alone. */
const ALONE = 60;
/** Who is alone asks the ledger for news five times a second. */
const FOLLOWS_WITHIN_MS = patienceMs(1_000);
const FALLBACK = /FALLBACK/;
const STOPPED = /the ledger stopped an oversell/;

interface Harm {
  readonly title: string;
  readonly fault: (network: TcpProxy) => Fault;
  /** Whether the process behind the network must have gone alone in every round. */
  readonly isAlone: boolean;
}

const HARMS: readonly Harm[] = [
  {
    title: 'cut for a second',
    isAlone: true,
    fault: (network) => async (shop) => {
      network.cut();
      await shop.pause(500, 1_500);
      network.heal();
      await shop.pause(0, 1_000);
    },
  },
  {
    title: 'cut, and still so when the round is judged',
    isAlone: true,
    fault: (network) => async (shop) => {
      network.cut();
      await shop.pause(700, 1_500);
    },
  },
  {
    title: 'slower by 100 ms each way',
    isAlone: false,
    fault: (network) => async (shop) => {
      network.delay(100);
      await shop.pause(800, 2_000);
      network.heal();
      await shop.pause(0, 500);
    },
  },
  {
    title: 'half-open',
    isAlone: true,
    fault: (network) => async (shop) => {
      network.stall();
      await shop.pause(800, 2_000);
      network.heal();
      await shop.pause(0, 1_000);
    },
  },
  {
    title: 'losing the answers',
    isAlone: true,
    fault: (network) => async (shop) => {
      network.dropReplies();
      await shop.pause(800, 2_000);
      network.heal();
      await shop.pause(0, 1_000);
    },
  },
];

let postgres: PostgresServer;
before(async () => {
  postgres = await startPostgres();
});
after(() => postgres?.stop());

describe('the network to Redis', {
  concurrency: 3,
  timeout: patienceMs(40_000),
  ...needsServer('redis', 'postgres'),
}, () => {
  for (const harm of HARMS) {
    test(`[S1–S6, S9] ${ROUNDS} times ${harm.title}: nothing sold twice, nothing lost`, (t) => play(t, harm));
  }
});

describe('a process that is cut off from Redis', {
  timeout: patienceMs(12_000),
  ...needsServer('redis', 'postgres'),
}, () => {
  test('[F2] what it sells alone is refused to nobody else: all other tickets are sold by who shares', async (t) => {
    const redis = await startRedis();
    t.after(() => redis.stop());
    const network = await startTcpProxy(redis.port);
    t.after(() => network.stop());
    const env = {
      ...{ DATABASE_URL: await postgres.createDatabase(), SEED_EVENTS: '1', SEED_TICKETS: `${2 * ALONE}` },
      // The reconciliation, which would bring the news too, stays out of it.
      RECONCILE_SECONDS: '3600',
    };
    const open = (port: number) => {
      const its = { ...env, REDIS_URL: `redis://127.0.0.1:${port}` };
      return Program.open(t, { folder: temporaryFolder(t), env: its });
    };
    const [cutOff, sharing] = [await open(network.port), await open(redis.port)];
    network.cut();
    const statuses = async (port: number, times: number) => {
      const all: number[] = [];
      for (let time = 0; time < times; time++) all.push((await ask(port, 'POST', '/buy/1')).status);
      return all;
    };
    const granted = Array.from({ length: ALONE }, () => 201);
    assert.deepEqual(await statuses(cutOff.port, ALONE), granted);
    assert.deepEqual(await statuses(sharing.port, ALONE), granted);
    assert.match((await ask(sharing.port, 'POST', '/buy/1')).text, /"error":"SOLD_OUT"/);
    // It hears of that from the ledger; until then it may not know, but it never sells what is sold.
    const giveUpMs = performance.now() + FOLLOWS_WITHIN_MS;
    for (;;) {
      const { status, text } = await ask(cutOff.port, 'POST', '/buy/1');
      assert.notEqual(status, 201, text);
      if (/"error":"SOLD_OUT"/.test(text)) return;
      assert.ok(performance.now() < giveUpMs, text);
      await sleep(50);
    }
  });
});

async function play(t: TestContext, { fault, isAlone }: Harm): Promise<void> {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const network = await startTcpProxy(redis.port);
  t.after(() => network.stop());
  const throughNetwork = { REDIS_URL: `redis://127.0.0.1:${network.port}` };
  const shop = await SharedShop.start(t, {
    ...{ processes: PROCESSES, rounds: ROUNDS, redisUrl: redis.url },
    databaseUrl: await postgres.createDatabase(),
    envOf: (process) => (process === 0 ? throughNetwork : {}),
  });
  for (let round = 0; round < ROUNDS; round++) {
    await shop.play(fault(network));
    network.heal();
    await shop.isWell();
  }
  await shop.assertWhole(t);
  const [cutOff, ...others] = shop.warnings(FALLBACK);
  t.diagnostic(`fallbacks: ${cutOff}, of the others: ${others.join(', ')}`);
  if (!isAlone) return;
  assert.ok(cutOff! >= ROUNDS, `it went alone ${cutOff} times only`);
  const stopped = shop.warnings(STOPPED).reduce((sum, count) => sum + count);
  assert.ok(stopped > 0, 'the processes never met, so the ledger had nothing to decide');
}
