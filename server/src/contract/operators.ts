// The wire of the doors for operators: health, metrics and the classic statistics (rows A3, B3, B4).
import { z } from 'zod';
import { type Answers, problem } from './answers.ts';
import { count, eventId, time } from './values.ts';

export const metricsInput = z.object({
  query: z.object({ format: z.enum(['json', 'prometheus']).optional() }),
  headers: z.object({ accept: z.string().optional() }),
});

export const statsAnswer = z
  .strictObject({
    totalRequests: count,
    successPurchases: count,
    failedPurchases: count,
    p95Latency: z.number().min(0).describe('milliseconds'),
    cacheStats: z.strictObject({
      seatCache: z.strictObject({ eventId, totalSeats: count, seatsSold: count, lastUpdated: time }),
      idempotencyCacheSize: count.describe('idempotency keys that the ledger keeps'),
    }),
  })
  .meta({ id: 'Stats' });

const bytes = count;
export const healthAnswer = z
  .strictObject({
    status: z.enum(['ok', 'degraded']),
    degraded: z.boolean(),
    mode: z.string().describe('the stores behind the shop'),
    uptimeSeconds: count,
    uptime: z.number().min(0).describe('seconds'),
    memory: z
      .strictObject({
        rssBytes: bytes.min(1),
        heapUsedBytes: bytes.min(1),
        ...{ rss: bytes.min(1), heapTotal: bytes.min(1), heapUsed: bytes.min(1), external: bytes },
        arrayBuffers: bytes,
      })
      .describe('bytes; also under the names that Node gives them'),
    cacheSize: count
      .nullable()
      .describe('idempotency keys that the ledger keeps, some seconds ago at most; null: not known yet'),
  })
  .meta({ id: 'Health' });

export const metricsAnswer = z
  .strictObject({
    events: z.array(z.strictObject({ eventId, capacity: count, sold: count, held: count, remaining: count })),
    requests: count,
    granted: count,
    refused: count,
    errors: count,
    fallbackActivations: count,
    degraded: z.boolean(),
    latencyMs: z.strictObject({ p50: z.number(), p95: z.number(), p99: z.number() }),
  })
  .meta({ id: 'Metrics' });

const prometheus = z.string().meta({ mediaType: 'text/plain; version=0.0.4; charset=utf-8' });

export const healthAnswers: Answers = { 200: healthAnswer };
export const liveAnswers: Answers = { 200: z.strictObject({ status: z.literal('live') }) };
export const readyAnswers: Answers = { 200: z.strictObject({ status: z.literal('ready') }) };
export const metricsAnswers: Answers = { 200: [metricsAnswer, prometheus] };
export const statsAnswers: Answers = { 200: statsAnswer, 404: problem('EVENT_NOT_FOUND') };
