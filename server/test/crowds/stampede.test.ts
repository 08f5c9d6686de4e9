// The stampede: more buyers than tickets, all connected before the first request is sent, against the real program.
// Beside it stands the control: the same stampede on a shop whose guards were removed must fail the checker.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { check } from '../kit/checker/check.ts';
import { formatViolations, type Rule, type Violation } from '../kit/checker/findings.ts';
import { type Call, callsOf, HistoryLog, type Request } from '../kit/checker/history.ts';
import { auditComplaints, HttpClient, openConnections, readLedger, readTypes, wireOf } from '../kit/load.ts';
import { ServerProcess } from '../kit/server-process.ts';
import { bodyOf } from '../kit/workload.ts';

interface Stampede {
  readonly connections: number;
  readonly requests: number;
  readonly requestOf: (number: number) => Request;
}

const buyOne = (number: number): Request => {
  const opId = `op-${number}`;
  const body = bodyOf('buy', opId, 1, 'ga');
  return { kind: 'buy', eventId: '1', opId, keyed: false, quantity: 1, holdId: null, body };
};
const purchaseOne = (number: number): Request => {
  const body = bodyOf('purchase', '', 1, 'ga');
  return { ...buyOne(number), kind: 'purchase', keyed: true, body };
};

/** Connects everybody, then lets all ask at once, each connection one request after another. */
async function stampede(server: ServerProcess, { connections, requests, requestOf }: Stampede) {
  const log = new HistoryLog(() => performance.now());
  const open = await openConnections(server.port, connections);
  assert.equal(
    open.filter((connection) => connection.isOpen).length,
    connections,
    'all stand before the start',
  );
  const startedAtMs = performance.now();
  await Promise.all(
    open.map(async (connection, client) => {
      for (let number = client; number < requests; number += connections) {
        const request = requestOf(number);
        const call = log.invoke(client, request);
        try {
          const { status, body } = await connection.send(wireOf(request));
          log.answer(call, status, body);
        } catch (error) {
          log.lose(call, String(error));
        }
      }
    }),
  );
  const tookMs = performance.now() - startedAtMs;
  assert.equal(open.filter((connection) => connection.isOpen).length, connections, 'all stand at the end');
  for (const connection of open) connection.close();
  return { log, tookMs, calls: callsOf(log.records) };
}

/** How often each answer came: `201`, `409 SOLD_OUT`. */
function tally(calls: readonly Call[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, said, answer } of calls) {
    const name = said.error === undefined ? `${status ?? answer}` : `${status} ${said.error}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

function assertNone(violations: readonly Violation[]): void {
  assert.equal(violations.length, 0, formatViolations(violations));
}

describe('the stampede', () => {
  test('[S1–S4, A6] 2,500 connections and 20,000 requests for 10,000 tickets sell each ticket once', async (t) => {
    const server = await ServerProcess.start({ events: 1, tickets: 10_000 });
    t.after(() => server.remove());
    const load = { connections: 2_500, requests: 20_000, requestOf: buyOne };
    const { log, tookMs, calls } = await stampede(server, load);
    t.diagnostic(`20,000 requests in ${Math.round(tookMs)} ms`);

    assert.deepEqual(tally(calls), { 201: 10_000, '409 SOLD_OUT': 10_000 });
    const tickets = calls.flatMap((call) => (call.outcome === 'ok' ? call.said.tickets! : []));
    assert.equal(new Set(tickets).size, 10_000, 'as many tickets as grants, all different');
    const client = new HttpClient(server);
    t.after(() => client.close());
    assert.deepEqual(await auditComplaints(client, ['1']), []);
    assertNone(check(log.records, await readLedger(client, ['1']), { isQuiet: true }));
    await server.stop();
  });

  test('[S5, B7] 1,000 users at once buy 1,000 tickets; their keys sent again get the same bytes', async (t) => {
    const server = await ServerProcess.start({ events: 1, tickets: 1_000 });
    t.after(() => server.remove());
    const load = { connections: 1_000, requests: 1_000, requestOf: purchaseOne };
    const first = await stampede(server, load);
    t.diagnostic(`1,000 purchases in ${Math.round(first.tookMs)} ms`);

    assert.deepEqual(tally(first.calls), { 200: 1_000 });
    const again = await stampede(server, load);
    const answerOf = (calls: readonly Call[]) => new Map(calls.map((call) => [call.opId, call.answer]));
    assert.deepEqual(answerOf(again.calls), answerOf(first.calls));
    const client = new HttpClient(server);
    t.after(() => client.close());
    const [type] = await readTypes(client, '1');
    assert.deepEqual(type!.counts, { available: 0, held: 0, sold: 1_000 });
    assertNone(check(first.log.records, await readLedger(client, ['1']), { isQuiet: true }));
    await server.stop();
  });
});

describe('the control', () => {
  const unguarded = fileURLToPath(new URL('../kit/unguarded-main.ts', import.meta.url));
  const load = { connections: 200, requests: 2_000, requestOf: buyOne };

  const rulesBroken = async (server: ServerProcess): Promise<Set<Rule>> => {
    const { log } = await stampede(server, load);
    const client = new HttpClient(server);
    const violations = check(log.records, await readLedger(client, ['1']), { isQuiet: true });
    client.close();
    return new Set(violations.map(({ rule }) => rule));
  };

  test('without any guard the same stampede sells tickets twice, and the checker says so', async (t) => {
    const env = { WITHOUT: 'inventory,ledger' };
    const server = await ServerProcess.start({ events: 1, tickets: 1_000, program: unguarded, env });
    t.after(() => server.remove());
    const broken = await rulesBroken(server);
    for (const rule of ['uniqueness', 'bound'] as const) {
      assert.ok(broken.has(rule), `${rule} is not among ${[...broken]}`);
    }
  });

  test("[S1] without the inventory's guard the ledger alone sells no ticket twice", async (t) => {
    const env = { WITHOUT: 'inventory' };
    const server = await ServerProcess.start({ events: 1, tickets: 1_000, program: unguarded, env });
    t.after(() => server.remove());
    // An inventory that proposes the same tickets to all makes the shop refuse too often, never sell too much.
    const broken = await rulesBroken(server);
    assert.deepEqual(
      [...broken].filter((rule) => rule !== 'order'),
      [],
    );
  });
});
