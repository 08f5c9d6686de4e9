// Metrics stay bounded whatever there is to count, and a terminal stays readable whatever is sold. What they say of
// a running shop is in http/operations.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import type { Log } from './logs.ts';
import { ShopTelemetry } from './shop-telemetry.ts';

/** A log into memory. */
function memoryLog(isTerminal: boolean): { log: Log; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const logger = pino({ level: 'info' }, { write: (line: string) => lines.push(JSON.parse(line)) });
  const log: Log = {
    logger,
    isTerminal,
    answer: (members, message) => logger.info(JSON.parse(`{${members}}`), message),
    flush: async () => {},
  };
  return { log, lines };
}

const answered = (result: 'granted' | 'refused' | 'read' | 'fault', error?: string) =>
  ({
    operation: 'buy',
    requestId: 'r',
    status: 200,
    ms: 1,
    result,
    fields: error ? { error } : undefined,
  }) as const;

test('[A3] the tickets of at most 200 events have labels of their own; the others are added up', async () => {
  const telemetry = new ShopTelemetry(memoryLog(false).log);
  const counts = Array.from({ length: 300 }, (_, i) =>
    (['available', 'sold'] as const).map((state) => ({
      event: `event-${i}`,
      ticketType: 'ga',
      state,
      tickets: state === 'sold' ? 1 : 9,
    })),
  ).flat();
  telemetry.watch({ ticketCounts: () => counts, ledgerWaiting: () => 3 });
  const text = await telemetry.prometheus();
  const samples = text.split('\n').filter((line) => line.startsWith('floodgate_tickets{'));
  assert.equal(samples.length, 201 * 2);
  assert.ok(samples.includes('floodgate_tickets{event="event-199",ticket_type="ga",state="sold"} 1'));
  assert.ok(samples.includes('floodgate_tickets{event="other",ticket_type="other",state="sold"} 100'));
  assert.ok(samples.includes('floodgate_tickets{event="other",ticket_type="other",state="available"} 900'));
  assert.match(text, /^floodgate_ledger_waiting_entries 3$/m);
  assert.equal(await telemetry.prometheus().then((again) => again.includes('event="other"')), true);
});

test('[A3] asked twice, the gauges say what is, not the sum of both times', async () => {
  const telemetry = new ShopTelemetry(memoryLog(false).log);
  let tickets = 5;
  telemetry.watch({
    ticketCounts: () => [{ event: '1', ticketType: 'ga', state: 'sold', tickets }],
    ledgerWaiting: () => 0,
  });
  await telemetry.prometheus();
  tickets = 7;
  assert.match(
    await telemetry.prometheus(),
    /^floodgate_tickets\{event="1",ticket_type="ga",state="sold"\} 7$/m,
  );
});

test('[A3] [B3] answers are counted by their kind, refusals by their code', async () => {
  const telemetry = new ShopTelemetry(memoryLog(false).log);
  const answers = [answered('granted'), answered('refused', 'SOLD_OUT'), answered('refused', 'SOLD_OUT')];
  for (const answer of [...answers, answered('read'), answered('fault')]) telemetry.answered(answer);
  const { requests, granted, refused, faults, p50Ms } = telemetry.statistics();
  assert.deepEqual([requests, granted, refused, faults, p50Ms], [5, 1, 2, 1, 1]);
  const text = await telemetry.prometheus();
  assert.match(text, /^floodgate_refusals_total\{error="SOLD_OUT"\} 2$/m);
  assert.match(text, /^floodgate_requests_total\{operation="buy",status="200"\} 5$/m);
  assert.match(text, /^floodgate_request_seconds_count\{operation="buy"\} 5$/m);
});

test('[F8] stopped oversells are counted in tickets and warned about, in one line a second', async (t) => {
  const now = t.mock.method(performance, 'now', () => 10_100);
  const { log, lines } = memoryLog(false);
  const telemetry = new ShopTelemetry(log);
  for (const [tickets, atMs] of [
    [2, 10_100],
    [1, 10_200],
    [3, 10_900],
    [5, 11_000],
  ] as const) {
    now.mock.mockImplementation(() => atMs);
    telemetry.oversellStopped('1', tickets);
  }
  assert.match(await telemetry.prometheus(), /^floodgate_oversells_stopped_total 11$/m);
  assert.deepEqual(
    lines.map(({ level, eventId, tickets, moreBefore }) => [level, eventId, tickets, moreBefore]),
    [
      [40, '1', 2, undefined],
      [40, '1', 5, 4],
    ],
  );
});

test('[A7] in a file every grant and refusal has its line; on a terminal only the first of a second', () => {
  const file = memoryLog(false);
  const terminal = memoryLog(true);
  for (const { log } of [file, terminal]) {
    const telemetry = new ShopTelemetry(log);
    for (let i = 0; i < 500; i++) telemetry.answered(answered('granted'));
  }
  assert.equal(file.lines.length, 500);
  // Twice as many and a sum, when the second turned in between.
  assert.ok(terminal.lines.length >= 1 && terminal.lines.length <= 50, `${terminal.lines.length} lines`);
});

test('[A7] the same fault a thousand times is a line a second; another fault has its own', async () => {
  const { log, lines } = memoryLog(false);
  const telemetry = new ShopTelemetry(log);
  for (let i = 0; i < 1_000; i++) telemetry.fault('the ledger could not commit', new Error('disk is full'));
  const ofFull = lines.length;
  assert.ok(ofFull >= 1 && ofFull <= 2, `${ofFull} lines`);
  telemetry.fault('the ledger could not commit', new Error('disk is gone'));
  telemetry.fault('expiring holds failed', new Error('disk is gone'));
  assert.equal(lines.length, ofFull + 2);
  const alike = lines.map(({ alikeBefore }) => Number(alikeBefore ?? 0)).reduce((sum, some) => sum + some, 0);
  assert.equal(alike, 1_000 - ofFull);
  assert.match(await telemetry.prometheus(), /^floodgate_faults_total 1002$/m);
});
