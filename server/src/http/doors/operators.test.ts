// The doors for the people who run the shop: mission rows A3, B3 and B4.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { contentOf, readProblem } from '../../../test/kit/answers.ts';
import { eventOf, openTestShop, type TestShop } from '../../../test/kit/test-shop.ts';
import { heldAnswer } from '../../contract/holds.ts';
import { healthAnswer, metricsAnswer, statsAnswer } from '../../contract/operators.ts';

let shop: TestShop;

before(async () => {
  shop = await openTestShop({
    settings: { SEED_EVENTS: '2', SEED_TICKETS: '10' },
    events: [eventOf('gala', { ga: 5, vip: 3 })],
  });
  await shop.ask('POST', '/buy/1', { body: { quantity: 3 } });
  await shop.ask('POST', '/buy/gala', { body: { quantity: 2, ticketType: 'vip' } });
  const lines = [{ ticketType: 'ga', quantity: 4 }];
  await shop.ask('POST', '/api/v1/events/gala/holds', { body: { lines } });
  await shop.ask('POST', '/buy/1', { body: { quantity: 8 } });
  await shop.ask('POST', '/buy/nowhere');
});
after(() => shop?.close());

/** The samples of Prometheus' text: `name{labels}` to value. Fails on a line that is none. */
function samplesOf(text: string): Map<string, number> {
  const samples = new Map<string, number>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('# HELP ') || line.startsWith('# TYPE ')) continue;
    const [, name, value] = /^([a-zA-Z_:][\w:]*(?:\{[^{}]*\})?) (\S+)$/.exec(line) ?? [];
    // An average of nothing yet is not a number; Prometheus takes it in any case.
    const isNumber = value === 'Nan' || !Number.isNaN(Number(value));
    assert.ok(name !== undefined && isNumber, `no sample: ${line}`);
    assert.ok(!samples.has(name), `twice: ${name}`);
    samples.set(name, Number(value));
  }
  return samples;
}

test('[A3] metrics are Prometheus text, with every ticket of every event in one state', async () => {
  const reply = await shop.ask('GET', '/metrics');
  assert.equal(reply.status, 200);
  assert.equal(reply.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  const samples = samplesOf(reply.text);
  const tickets = (event: string, type: string) =>
    ['available', 'pending', 'held', 'sold'].map((state) =>
      samples.get(`floodgate_tickets{event="${event}",ticket_type="${type}",state="${state}"}`),
    );
  assert.deepEqual(tickets('1', 'ga'), [7, 0, 0, 3]);
  assert.deepEqual(tickets('2', 'ga'), [10, 0, 0, 0]);
  assert.deepEqual(tickets('gala', 'ga'), [1, 0, 4, 0]);
  assert.deepEqual(tickets('gala', 'vip'), [1, 0, 0, 2]);
});

test('[A3] [A5] [E12] metrics count refusals, faults, fallbacks and stopped oversells, and time requests and commits', async () => {
  const samples = samplesOf((await shop.ask('GET', '/metrics')).text);
  assert.equal(samples.get('floodgate_requests_total{operation="buy",status="201"}'), 2);
  assert.equal(samples.get('floodgate_requests_total{operation="buy",status="409"}'), 1);
  assert.equal(samples.get('floodgate_refusals_total{error="SOLD_OUT"}'), 1);
  assert.equal(samples.get('floodgate_refusals_total{error="EVENT_NOT_FOUND"}'), 1);
  for (const name of ['faults', 'oversells_stopped', 'fallback_activations', 'holds_expired']) {
    assert.equal(samples.get(`floodgate_${name}_total`), 0, name);
  }
  assert.equal(samples.get('floodgate_request_seconds_count{operation="buy"}'), 4);
  assert.equal(samples.get('floodgate_request_seconds_bucket{le="+Inf",operation="buy"}'), 4);
  // Three events, two purchases and a hold were committed, in six transactions at most.
  assert.equal(samples.get('floodgate_ledger_batch_entries_sum'), 6);
  const commits = samples.get('floodgate_ledger_commit_seconds_count') ?? 0;
  assert.ok(commits >= 1 && commits <= 6, `${commits} commits`);
  assert.equal(samples.get('floodgate_ledger_waiting_entries'), 0);
  assert.ok(samples.has('nodejs_eventloop_lag_p99_seconds'));
});

test('[A3] metrics are JSON by Accept or by format=json, and format wins', async () => {
  const replies = [
    await shop.ask('GET', '/metrics?format=json'),
    await shop.ask('GET', '/metrics', { headers: { accept: 'application/json' } }),
    await shop.ask('GET', '/metrics?format=json', { headers: { accept: 'text/plain' } }),
  ];
  for (const reply of replies) {
    assert.equal(reply.headers.get('content-type'), 'application/json');
    const metrics = contentOf(reply, 200, metricsAnswer);
    assert.deepEqual(metrics.events, [
      { eventId: '1', capacity: 10, sold: 3, held: 0, remaining: 7 },
      { eventId: '2', capacity: 10, sold: 0, held: 0, remaining: 10 },
      { eventId: 'gala', capacity: 8, sold: 2, held: 4, remaining: 2 },
    ]);
    const { granted, refused, errors, fallbackActivations, degraded } = metrics;
    assert.deepEqual(
      { granted, refused, errors, fallbackActivations, degraded },
      { granted: 3, refused: 2, errors: 0, fallbackActivations: 0, degraded: false },
    );
    const { p50, p95, p99 } = metrics.latencyMs;
    assert.ok(0 < p50 && p50 <= p95 && p95 <= p99, JSON.stringify(metrics.latencyMs));
  }
  const text = await shop.ask('GET', '/metrics?format=prometheus', {
    headers: { accept: 'application/json' },
  });
  assert.match(text.headers.get('content-type') ?? '', /^text\/plain/);
  readProblem(await shop.ask('GET', '/metrics?format=xml'), 400, 'VALIDATION_FAILED');
});

test('[B3] statistics count requests, purchases and refusals, and show the default event', async () => {
  const fresh = await openTestShop({ settings: { SEED_TICKETS: '20' } });
  try {
    for (const key of ['a', 'b', 'c']) {
      await fresh.ask('POST', '/api/v1/purchase', { key, body: { quantity: 5 } });
    }
    await fresh.ask('POST', '/api/v1/purchase', { key: 'a', body: { quantity: 5 } });
    await fresh.ask('POST', '/api/v1/purchase', { key: 'd', body: { quantity: 6 } });
    // A hold that becomes an order is one purchase; a hold given back is none, and neither is a read that fails.
    const lines = [{ ticketType: 'ga', quantity: 1 }];
    const holds = ['confirm', 'release'].map(async () => {
      const held = await fresh.ask('POST', '/api/v1/events/1/holds', { body: { lines } });
      return contentOf(held, 201, heldAnswer).holdId;
    });
    const [confirmed, released] = await Promise.all(holds);
    await fresh.ask('POST', `/api/v1/holds/${confirmed}/confirm`);
    await fresh.ask('DELETE', `/api/v1/holds/${released}`);
    await fresh.ask('GET', '/api/v1/orders/1');
    const stats = contentOf(await fresh.ask('GET', '/api/v1/stats'), 200, statsAnswer);
    assert.equal(stats.totalRequests, 10);
    assert.equal(stats.successPurchases, 5);
    assert.equal(stats.failedPurchases, 1);
    assert.ok(stats.p95Latency > 0);
    const { seatCache, idempotencyCacheSize } = stats.cacheStats;
    assert.equal(idempotencyCacheSize, 4);
    assert.deepEqual(
      { ...seatCache, lastUpdated: '' },
      { eventId: '1', totalSeats: 20, seatsSold: 16, lastUpdated: '' },
    );
    const updatedMs = Date.parse(seatCache.lastUpdated);
    assert.ok(updatedMs > performance.timeOrigin - 1_000 && updatedMs < Date.now() + 1_000);
  } finally {
    await fresh.close();
  }
});

test('[B4] health says status, uptime, memory and mode, and is never cached', async () => {
  const reply = await shop.ask('GET', '/health');
  const health = contentOf(reply, 200, healthAnswer);
  assert.deepEqual([health.status, health.degraded], ['ok', false]);
  assert.equal(health.mode, 'ledger: sqlite, inventory: memory');
  assert.equal(health.uptimeSeconds, Math.floor(health.uptime));
  const { rss, rssBytes, heapUsed, heapUsedBytes, heapTotal } = health.memory;
  assert.deepEqual([rssBytes, heapUsedBytes], [rss, heapUsed]);
  assert.ok(heapUsed <= heapTotal && heapTotal <= rss, JSON.stringify(health.memory));
  assert.equal(health.cacheSize, 0);
  assert.equal(reply.headers.get('cache-control'), 'no-store');
});

test('[B4] live and ready answer beside it', async () => {
  const [live, ready] = [await shop.ask('GET', '/health/live'), await shop.ask('GET', '/health/ready')];
  assert.deepEqual([live.status, live.text], [200, '{"status":"live"}']);
  assert.deepEqual([ready.status, ready.text], [200, '{"status":"ready"}']);
});

test('every answer names its request: by the sane X-Request-Id of the client, else by one of ours', async () => {
  const named = async (id?: string) => {
    const reply = await shop.ask('POST', '/buy/nowhere', { headers: id ? { 'x-request-id': id } : {} });
    return readProblem(reply, 404, 'EVENT_NOT_FOUND').requestId;
  };
  assert.equal(await named('trace-01.a:b_C'), 'trace-01.a:b_C');
  const ours = [
    await named(),
    await named(),
    await named('with space'),
    await named('q"uote'),
    await named('é'),
  ];
  ours.push(await named('x'.repeat(65)));
  assert.equal(new Set(ours).size, ours.length);
  for (const id of ours) assert.match(id, /^[\w-]{3,40}$/);
});
