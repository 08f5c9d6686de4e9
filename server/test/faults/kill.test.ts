// The kill: random load on the real program, SIGKILL at a random instant, a restart on the same data while the
// clients go on, again and again. After every round the checker compares all that any client was ever told with
// all that the ledger has. A failing run is named by its seed, though the machine's timing does not repeat.

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { patienceMs } from '@floodgate/core/testing/patience.ts';
import { check } from '../kit/checker/check.ts';
import type { FinalLedger } from '../kit/checker/final-ledger.ts';
import { formatViolations, type Violation } from '../kit/checker/findings.ts';
import { keyOfGuest } from '../kit/checker/guest-key.ts';
import { callsOf, HistoryLog } from '../kit/checker/history.ts';
import { seededRandom } from '../kit/checker/random.ts';
import { auditComplaints, HttpClient, readLedger, readTypes, wireOf } from '../kit/load.ts';
import { ServerProcess } from '../kit/server-process.ts';
import { Workload } from '../kit/workload.ts';

const ROUNDS = 22;
const HOLD_TTL_SECONDS = 1;
/** A pair of events is shopped for some rounds, until it is sold out; then the next pair. */
const ROUNDS_PER_PAIR = 4;
const EVENT_IDS = Array.from({ length: 2 * Math.ceil(ROUNDS / ROUNDS_PER_PAIR) }, (_, i) => `${i + 1}`);
const TICKETS = 800;
const PLAN = { ticketType: 'ga', clients: 32, thinkMs: 15, holdForMs: 1_500, retryMs: 30 };
const OPTIONS = {
  holdTtlMs: HOLD_TTL_SECONDS * 1_000,
  isResolved: true,
  /** A ticket is on sale again a moment after its hold has ended in the ledger, the later the busier the machine. */
  staleMs: 200,
};

test(`[S1–S6, S9] ${ROUNDS} kills under load lose nothing answered and sell nothing twice`, {
  timeout: patienceMs(60_000),
}, async (t) => {
  const { server, client, clients, log, random, seed } = await openShopping(t);
  let earlier: FinalLedger = [];
  for (let round = 0; round < ROUNDS; round++) {
    const pair = 2 * Math.floor(round / ROUNDS_PER_PAIR);
    let isOver = false;
    const shopping = clients.run(EVENT_IDS.slice(pair, pair + 2), () => isOver);
    await sleep(100 + random() * 900);
    await killAndStart(server);
    // Now and then a second kill, into the herd that comes back.
    await sleep(random() * 400);
    if (random() < 0.2) await killAndStart(server);
    isOver = true;
    await shopping;
    await clients.resolve();
    const ledger = await readLedger(client, EVENT_IDS);
    const violations = check(log.records, ledger, { ...OPTIONS, earlier });
    assertNone(violations, log, `round ${round}, KILL_SEED=${seed}`);
    earlier = ledger;
  }

  await allHoldsEnd(client);
  const ledger = await readLedger(client, EVENT_IDS);
  const violations = check(log.records, ledger, { ...OPTIONS, earlier, isQuiet: true });
  assertNone(violations, log, `the end, KILL_SEED=${seed}`);
  assert.deepEqual(await auditComplaints(client, EVENT_IDS), []);
  await server.stop();
  assertEventful(log, ledger, (words) => t.diagnostic(words));
});

test('the control: a disk that forgets half a second of answered sales does not pass', async (t) => {
  const { server, client, clients, log } = await openShopping(t);
  const copy = mkdtempSync(join(tmpdir(), 'floodgate-copy-'));
  t.after(() => rmSync(copy, { recursive: true }));
  for (const isForgotten of [false, true]) {
    let isOver = false;
    const shopping = clients.run(['1'], () => isOver);
    await sleep(500);
    isOver = true;
    await shopping;
    await server.kill();
    const [from, to] = isForgotten ? [copy, server.folder] : [server.folder, copy];
    rmSync(to, { recursive: true });
    cpSync(from, to, { recursive: true });
    await server.start();
  }
  await clients.resolve();
  const violations = check(log.records, await readLedger(client, EVENT_IDS), OPTIONS);
  const lost = violations.filter(
    ({ rule, what }) => rule === 'durability' && /answered, and lost/.test(what),
  );
  assert.ok(lost.length > 10, formatViolations(violations));
});

/** The program on an empty folder, and clients with a seed of their own. */
async function openShopping(t: TestContext) {
  const seed = Number(process.env.KILL_SEED ?? randomInt(2 ** 31));
  t.diagnostic(`KILL_SEED=${seed}`);
  const random = seededRandom(seed);
  const options = { events: EVENT_IDS.length, tickets: TICKETS, holdTtlSeconds: HOLD_TTL_SECONDS };
  const server = await ServerProcess.start(options);
  t.after(() => server.remove());
  const client = new HttpClient(server);
  t.after(() => client.close());
  const log = new HistoryLog(() => performance.now());
  const clients = new Workload({ send: (request) => client.send(wireOf(request)), sleep, random, log }, PLAN);
  return { server, client, clients, log, random, seed };
}

async function killAndStart(server: ServerProcess): Promise<void> {
  await server.kill();
  await server.start();
}

function assertNone(violations: readonly Violation[], log: HistoryLog, when: string): void {
  if (violations.length === 0) return;
  const file = join(tmpdir(), `floodgate-history-${process.pid}.ndjson`);
  writeFileSync(file, log.toNdjson());
  assert.fail(`${when}: ${formatViolations(violations)}\nthe history is in ${file}`);
}

/** The leak check of rule S9 needs the shop to be at rest: every hold has had its time. */
async function allHoldsEnd(client: HttpClient): Promise<void> {
  const deadlineMs = performance.now() + patienceMs(HOLD_TTL_SECONDS * 1_000);
  for (const eventId of EVENT_IDS) {
    for (;;) {
      const held = (await readTypes(client, eventId)).reduce((sum, { counts }) => sum + counts.held, 0);
      if (held === 0) break;
      assert.ok(performance.now() < deadlineMs, `event ${eventId} still has ${held} tickets held`);
      await sleep(50);
    }
  }
}

/** A test in which nothing happened proves nothing: kills must have met requests in flight, and every kind of fact. */
function assertEventful(log: HistoryLog, ledger: FinalLedger, say: (words: string) => void): void {
  const calls = callsOf(log.records);
  const facts = ledger.flatMap((event) => event.journal);
  const lost = calls.filter((call) => call.outcome === 'info' && !/ECONNREFUSED/.test(call.answer));
  const found = new Set(facts.map((fact) => fact.key ?? fact.buyer));
  const kept = new Set(
    lost.map((call) => call.opId).filter((opId) => found.has(opId) || found.has(keyOfGuest(opId))),
  );
  say(
    `${calls.length} requests; ${lost.length} in flight at a kill, ${kept.size} of which had or got their effect`,
  );
  assert.ok(lost.length >= ROUNDS, 'kills met too few requests');
  assert.ok(kept.size > 0, 'no request in flight had an effect');

  const ofKind = Object.groupBy(facts, (fact) => fact.kind);
  const counts = Object.entries(ofKind).map(([kind, list]) => `${list.length} ${kind}`);
  say(counts.join(', '));
  for (const kind of ['bought', 'held', 'extended', 'confirmed', 'released', 'expired'] as const) {
    assert.ok((ofKind[kind]?.length ?? 0) >= ROUNDS, `too few ${kind}: ${counts.join(', ')}`);
  }
  const refusals = new Set(calls.map((call) => call.said.error));
  for (const code of ['ALL_HELD', 'HOLD_EXPIRED', 'IDEMPOTENCY_KEY_REUSED']) {
    assert.ok(refusals.has(code), `nobody was refused with ${code}`);
  }
}
