// Headline two: cheap answers per second. Most of a stampede gets these: "sold out", and how many are left.
import { compareWithEcho, type EchoComparison, ratioFigure } from '../against-echo.ts';
import { type Bench, type Figure, figure, type Suite } from '../bench.ts';
import type { LoadRequest } from '../load-tool.ts';
import { measureLoad } from '../measure.ts';
import { askFor, type ServerUnderTest, startServer, using } from '../server-under-test.ts';
import { BUY } from './durable.ts';

const AVAILABILITY: LoadRequest = { method: 'GET', path: '/api/v1/events/1/availability', body: '' };
const EVENT: LoadRequest = { method: 'GET', path: '/api/v1/event', body: '' };

const COMPARISONS: readonly (EchoComparison & { readonly name: string })[] = [
  {
    name: 'sold-out answers (POST /buy/1)',
    request: BUY,
    connections: 64,
    answers: 'refused',
    target: { is: '≥', limit: 0.6 },
  },
  { name: 'availability answers', request: AVAILABILITY, connections: 64, answers: 'granted' },
  { name: 'answers of GET /api/v1/event', request: EVENT, connections: 64, answers: 'granted' },
];

export const cheap: Suite = {
  name: 'cheap',
  question: 'How fast is the answer that most of a stampede gets: sold out, or how many are left?',
  run: (bench) =>
    using(startServer(bench, { name: 'cheap', events: 1, ticketsPerEvent: 1 }), async (server) => {
      await askFor(server, BUY);
      const figures: Figure[] = [];
      const raw: unknown[] = [];
      for (const { name, ...comparison } of COMPARISONS) {
        bench.say(`${comparison.request.method} ${comparison.request.path} against the echo`);
        const result = await compareWithEcho(bench, server, comparison);
        figures.push(ratioFigure(name, comparison, result));
        raw.push({ comparison, ...result });
      }
      const alone = await askAlone(bench, server);
      return { figures: [...figures, alone.figure], raw: [...raw, alone.raw] };
    }),
};

/** B1 promises less than a millisecond in the server; one buyer alone sees that with the loopback on top. */
async function askAlone(bench: Bench, server: ServerUnderTest): Promise<{ figure: Figure; raw: unknown }> {
  const run = await measureLoad(bench, server, {
    request: EVENT,
    connections: 1,
    seconds: bench.warmUpSeconds,
  });
  const { p50, p99 } = run.latencyMs;
  const claim = { name: 'GET /api/v1/event alone, p99', value: p99, unit: 'ms', detail: `p50 ${p50} ms` };
  return { figure: figure(claim, { is: '<', limit: 1 }), raw: { request: EVENT, connections: 1, run } };
}
