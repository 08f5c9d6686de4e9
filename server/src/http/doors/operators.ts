// The doors for the people who run the shop: health, metrics, and the classic statistics (A3, B3, B4).
import {
  healthAnswers,
  liveAnswers,
  metricsAnswers,
  metricsInput,
  readyAnswers,
  statsAnswers,
} from '../../contract/operators.ts';
import { noInput } from '../../contract/values.ts';
import { sumCounts } from '../../sales/catalogue/counts.ts';
import { KeptKeys } from '../../sales/keeping/kept-keys.ts';
import { countTickets } from '../../sales/organizing/create-event.ts';
import type { Shop } from '../../sales/shop.ts';
import { readDefaultEvent } from '../../sales/showing/default-event.ts';
import type { Answer } from '../lane/answer.ts';
import type { Doors } from '../lane/doors.ts';
import type { Operation } from '../lane/operation.ts';
import { operation } from '../lane/operation.ts';
import { problem } from '../lane/problem.ts';

export function operatorOperations(shop: Shop, doors: Doors): Operation[] {
  const keys = new KeptKeys(shop);
  const health = async (): Promise<Answer> => {
    const memory = process.memoryUsage();
    const uptimeS = process.uptime();
    const degraded = doors.degraded();
    return {
      kind: 'json',
      status: 200,
      headers: { 'Cache-Control': 'no-store' },
      body: {
        status: degraded === '' ? 'ok' : 'degraded',
        degraded: degraded !== '',
        mode: doors.mode(),
        uptimeSeconds: Math.floor(uptimeS),
        uptime: uptimeS,
        memory: { rssBytes: memory.rss, heapUsedBytes: memory.heapUsed, ...memory },
        cacheSize: await keys.latest(),
      },
    };
  };
  return [
    operation({
      name: 'health',
      summary: 'Read how the server is',
      tag: 'Operation',
      method: 'GET',
      path: '/health',
      input: noInput,
      answers: healthAnswers,
      run: health,
    }),
    operation({
      name: 'health-live',
      summary: 'Ask whether the process lives',
      tag: 'Operation',
      method: 'GET',
      path: '/health/live',
      input: noInput,
      answers: liveAnswers,
      run: () => ({ kind: 'json', status: 200, body: { status: 'live' } }),
    }),
    operation({
      name: 'health-ready',
      summary: 'Ask whether the server takes requests',
      tag: 'Operation',
      method: 'GET',
      path: '/health/ready',
      input: noInput,
      answers: readyAnswers,
      run: ({ requestId }) =>
        doors.isDraining
          ? problem('UNAVAILABLE', requestId, { detail: 'The server is shutting down.', retryAfterMs: 1_000 })
          : { kind: 'json', status: 200, body: { status: 'ready' } },
    }),
    operation({
      name: 'metrics',
      summary: 'Read metrics, for Prometheus or as JSON',
      tag: 'Operation',
      method: 'GET',
      path: '/metrics',
      input: metricsInput,
      answers: metricsAnswers,
      async run({ input }) {
        const { format } = input.query;
        const wantsJson =
          format === 'json' || (!format && /application\/json/.test(input.headers.accept ?? ''));
        return wantsJson
          ? { kind: 'json', status: 200, body: await metricsBody(shop, doors) }
          : {
              kind: 'text',
              status: 200,
              contentType: 'text/plain; version=0.0.4; charset=utf-8',
              body: await doors.telemetry.prometheus(),
            };
      },
    }),
    operation({
      name: 'stats',
      summary: 'Read the classic statistics of the default event',
      tag: 'Operation',
      method: 'GET',
      path: '/api/v1/stats',
      input: noInput,
      answers: statsAnswers,
      async run({ requestId }) {
        const view = await readDefaultEvent(shop);
        if ('refusal' in view) return problem(view.refusal, requestId);
        const { requests, purchases, failedPurchases, p95Ms } = doors.telemetry.statistics();
        const { capacity, sold } = sumCounts(view.counts);
        const seatCache = {
          eventId: view.event.eventId,
          totalSeats: capacity,
          seatsSold: sold,
          lastUpdated: new Date().toISOString(),
        };
        return {
          kind: 'json',
          status: 200,
          body: {
            totalRequests: requests,
            successPurchases: purchases,
            failedPurchases,
            p95Latency: p95Ms,
            cacheStats: { seatCache, idempotencyCacheSize: await keys.count() },
          },
        };
      },
    }),
  ];
}

async function metricsBody(shop: Shop, doors: Doors) {
  const { requests, granted, refused, faults, fallbacks, p50Ms, p95Ms, p99Ms } = doors.telemetry.statistics();
  const events = (await countTickets(shop)).map(({ eventId, counts }) => {
    const { capacity, available, pending, held, sold } = sumCounts(counts);
    return { eventId, capacity, sold, held: held + pending, remaining: available };
  });
  return {
    events,
    requests,
    granted,
    refused,
    errors: faults,
    fallbackActivations: fallbacks,
    degraded: doors.degraded() !== '',
    latencyMs: { p50: p50Ms, p95: p95Ms, p99: p99Ms },
  };
}
