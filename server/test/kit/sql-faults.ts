// What can happen to the database server of a shop, and what must come of it: the same for PostgreSQL and MariaDB.
// Two processes share the database and a Redis; the first of them reaches the database through a network that breaks.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { patienceMs } from '@floodgate/core/testing/patience.ts';
import { callsOf } from './checker/history.ts';
import { needsServer, type ServerName } from './servers/binaries.ts';
import { startRedis } from './servers/redis.ts';
import { startTcpProxy, type TcpProxy } from './servers/tcp-proxy.ts';
import { SharedShop } from './shared-shop.ts';
import { Probe } from './sql-probe.ts';

const ROUNDS = 10;
/** Two processes and their pools come to twelve connections; the rest is there to be taken away. */
export const MAX_CONNECTIONS = 30;
/** A fault that outlasts the program's patience with its database. */
const LONG_MS = 12_000;

export interface DatabaseServer {
  readonly url: string;
  readonly adminUrl: string;
  readonly port: number;
  kill(signal?: NodeJS.Signals): Promise<void>;
  pause(): void;
  resume(): void;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** A connection of somebody who is not the shop. */
export interface Session {
  query(sql: string): Promise<unknown>;
  close(): Promise<void>;
}

/** A kind of database server. */
export interface Database {
  readonly name: ServerName;
  start(): Promise<DatabaseServer>;
  /** Ends the server in order, without waiting for its clients to go. */
  readonly shutdown: NodeJS.Signals;
  /** Rejects when the server has no connection left. */
  open(url: string): Promise<Session>;
  /** Makes a user without special rights; returns its URL. */
  makeStranger(admin: Session, server: DatabaseServer): Promise<string>;
  /** Ends all sessions of the shop, at the server. */
  endSessions(admin: Session): Promise<void>;
}

/** Where a fault is played. */
interface Ground {
  readonly database: Database;
  readonly server: DatabaseServer;
  /** The first process's way to the database. */
  readonly proxy: TcpProxy;
  readonly shop: SharedShop;
  /** One for each process. */
  readonly probes: readonly Probe[];
}

interface FaultCase {
  readonly title: string;
  /** Default: ROUNDS. */
  readonly rounds?: number;
  /** Whether in every round somebody must have been answered with 503. */
  readonly isFelt: boolean;
  readonly play: (ground: Ground) => Promise<void>;
}

const FAULTS: readonly FaultCase[] = [
  { title: 'kill −9 of the server', isFelt: true, play: (ground) => down(ground, 'SIGKILL') },
  { title: 'an orderly restart of the server', isFelt: true, play: restart },
  {
    title: 'a server that stands still for 1 to 3 s',
    isFelt: false,
    play: (ground) => standStill(ground, 1_000 + ground.shop.random() * 2_000),
  },
  { title: 'a cut network between one process and the server', isFelt: true, play: cut },
  { title: 'a slow network between one process and the server', isFelt: false, play: slow },
  {
    title: 'a half-open network between one process and the server',
    isFelt: false,
    play: (ground) => halfOpen(ground, 300 + ground.shop.random() * 1_500),
  },
  { title: 'lost answers of commits', isFelt: false, play: loseAnswers },
  { title: 'no connection left at the server', isFelt: true, play: crowdOut },
  { title: "a stranger's lock on an event's head", isFelt: false, play: (ground) => lockHead(ground, 2_000) },
  { title: 'all sessions ended by the server', isFelt: false, play: endSessions },
  {
    title: 'a server that stands still for long',
    rounds: 1,
    isFelt: true,
    play: (ground) => standStill(ground, LONG_MS),
  },
  {
    title: 'a network that is half-open for long',
    rounds: 1,
    isFelt: true,
    play: (ground) => halfOpen(ground, LONG_MS),
  },
  {
    title: "a stranger's lock on an event's head for long",
    rounds: 1,
    isFelt: true,
    play: (ground) => lockHead(ground, LONG_MS),
  },
];

/** The tests of all faults, each on a database and a Redis of its own. */
export function testFaults(database: Database): void {
  for (const fault of FAULTS) {
    const { rounds = ROUNDS } = fault;
    const times = rounds === 1 ? 'one round' : `${rounds} rounds`;
    const title = `[S1–S6, S9] ${times} of ${fault.title} lose nothing and sell nothing twice`;
    test(title, { ...needsServer('redis', database.name), timeout: patienceMs(36_000) }, (t) =>
      playAll(t, database, fault, rounds),
    );
  }
}

async function playAll(t: TestContext, database: Database, fault: FaultCase, rounds: number): Promise<void> {
  // One after the other: when the second does not start, the first is stopped all the same.
  const redis = await startRedis();
  t.after(() => redis.stop());
  const server = await database.start();
  t.after(() => server.stop());
  const proxy = await startTcpProxy(server.port);
  t.after(() => proxy.stop());
  const ways = [Object.assign(new URL(server.url), { port: proxy.port }).href, server.url];
  const shop = await SharedShop.start(t, {
    ...{ processes: ways.length, redisUrl: redis.url, databaseUrl: server.url, rounds },
    envOf: (process) => ({ DATABASE_URL: ways[process]! }),
  });
  const recoveriesMs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await shop.play(async () => {
      const probes = shop.processes.map((process, index) => new Probe(shop, process, `${round}-${index}`));
      await fault.play({ database, server, proxy, shop, probes });
      const overMs = performance.now();
      await Promise.all(probes.map((probe) => probe.sells()));
      recoveriesMs.push(performance.now() - overMs);
    });
  }
  await shop.assertWhole(t);
  t.diagnostic(`sales again after ${Math.round(Math.max(...recoveriesMs))} ms at most`);
  assertBounded(t, shop, fault.isFelt ? rounds : 0);
}

/** Nobody waited in vain, nothing unforeseen was answered, and, where it must be so, somebody felt the fault. */
function assertBounded(t: TestContext, shop: SharedShop, fewest503: number): void {
  const askedMs = new Map(
    shop.log.records.flatMap((each) => (each.type === 'invoke' ? [[each.call, each.atMs]] : [])),
  );
  const waits = shop.log.records.map((each) => each.atMs - (askedMs.get(each.call) ?? each.atMs));
  const longestMs = waits.reduce((most, wait) => Math.max(most, wait), 0);
  const calls = callsOf(shop.log.records);
  const busy = calls.filter(({ status }) => status === 503);
  t.diagnostic(`longest wait ${Math.round(longestMs)} ms, ${busy.length} answers were 503`);
  const waitedInVain = calls.filter(({ status, answer }) => status === null && /Abort|Timeout/.test(answer));
  assert.deepEqual(waitedInVain.slice(0, 3), [], 'what nobody answers, somebody should refuse');
  const strange = calls.filter(({ status }) => status !== null && status >= 500 && status !== 503);
  assert.deepEqual(strange.slice(0, 3), []);
  assert.ok(
    busy.every(({ answer }) => JSON.parse(answer).retryAfterMs > 0),
    'a 503 says when to come back',
  );
  assert.ok(busy.length >= fewest503, 'nobody felt the fault');
  const never = /"level":"fatal"|broken invariant|TypeError|unhandled|:secret@/i;
  assert.deepEqual(
    shop.warnings(never),
    shop.processes.map(() => 0),
    'what no log may hold',
  );
}

// Faults of the server ----------------------------------------------------------------------------------

async function down({ server, probes, shop }: Ground, signal: NodeJS.Signals): Promise<void> {
  await server.kill(signal);
  await Promise.all(probes.map((probe) => probe.isTurnedAway()));
  await shop.pause(0, 500);
  await server.restart();
}

/** Half of the time the server is back before anybody can look. */
async function restart(ground: Ground): Promise<void> {
  const { database, server, shop } = ground;
  if (shop.random() < 0.5) await down(ground, database.shutdown);
  else await server.restart();
}

async function standStill({ server }: Ground, forMs: number): Promise<void> {
  server.pause();
  await sleep(forMs);
  server.resume();
}

/** A stranger takes every connection there is, and those that the shop loses. */
async function crowdOut({ database, server, probes, shop }: Ground): Promise<void> {
  const admin = await database.open(server.adminUrl);
  const crowd: Session[] = [];
  try {
    const url = await database.makeStranger(admin, server);
    await fill(database, url, crowd);
    await database.endSessions(admin);
    await fill(database, url, crowd);
    await Promise.race(probes.map((probe) => probe.isTurnedAway())).catch(() => {});
    await shop.pause(0, 1_000);
  } finally {
    await Promise.all(crowd.map((session) => session.close()));
    await admin.close();
  }
}

async function fill(database: Database, url: string, crowd: Session[]): Promise<void> {
  for (let refused = 0; refused < 3; ) {
    const session = await database.open(url).catch(() => undefined);
    if (session) crowd.push(session);
    else refused++;
  }
}

/** Somebody with another tool looks at an event, FOR UPDATE, and goes to fetch a coffee. */
async function lockHead({ database, server, shop }: Ground, forMs: number): Promise<void> {
  const stranger = await database.open(server.url);
  try {
    const eventId = shop.onSale[shop.random() < 0.5 ? 0 : 1]!;
    await stranger.query('BEGIN');
    await stranger.query(
      `SELECT seq FROM event_heads
       WHERE event_no = (SELECT event_no FROM events WHERE event_id = '${eventId}') FOR UPDATE`,
    );
    await sleep(forMs);
  } finally {
    await stranger.close();
  }
}

async function endSessions({ database, server, shop }: Ground): Promise<void> {
  const admin = await database.open(server.adminUrl);
  try {
    for (let times = 0; times < 4; times++) {
      await database.endSessions(admin);
      await shop.pause(0, 150);
    }
  } finally {
    await admin.close();
  }
}

// Faults of the network of one process ------------------------------------------------------------------

async function cut({ proxy, probes: [cutOff, other], shop }: Ground): Promise<void> {
  proxy.cut();
  await Promise.all([cutOff!.isTurnedAway(), other!.sells()]);
  await shop.pause(0, 500);
  proxy.heal();
}

async function slow({ proxy, shop }: Ground): Promise<void> {
  proxy.delay(100);
  await shop.pause(500, 1_500);
  proxy.heal();
}

async function halfOpen({ proxy }: Ground, forMs: number): Promise<void> {
  proxy.stall();
  await sleep(forMs);
  proxy.heal();
}

/** Commits arrive, their answers are swallowed or cut on their way, then the connections break. */
async function loseAnswers({ proxy, shop }: Ground): Promise<void> {
  for (let times = 0; times < 3; times++) {
    proxy.dropReplies();
    await shop.pause(10, 210);
    proxy.cut();
    await shop.pause(0, 100);
    proxy.heal();
    await shop.pause(50, 150);
    proxy.cutAtReply(1 + Math.floor(shop.random() * 12));
    await sleep(100);
    proxy.heal();
  }
}
