// Two thousand buyers at once, each waiting for an answer: nobody is turned away, and nobody waits much longer
// than the others.
import { compareWithEcho, type EchoComparison, ratioFigure } from '../against-echo.ts';
import { figure, round, type Suite } from '../bench.ts';
import { startServer, using } from '../server-under-test.ts';
import { BUY, ENOUGH_TICKETS } from './durable.ts';

const COMPARISON: EchoComparison = { request: BUY, connections: 2_000, answers: 'granted' };

export const connections: Suite = {
  name: 'connections',
  question: 'Do 2,000 connections buy without an error, and without a long tail?',
  run: (bench) => {
    bench.say('POST /buy/1 at 2,000 connections against the echo');
    const starting = startServer(bench, { name: 'connections', events: 1, ticketsPerEvent: ENOUGH_TICKETS });
    return using(starting, async (server) => {
      const result = await compareWithEcho(bench, server, COMPARISON);
      const runs = result.pairs.map((pair) => pair.b);
      const errors = runs.reduce((sum, run) => sum + run.errors + run.refused, 0);
      // The worst of the runs, not the median: a tail that shows in one run of three is there.
      const tail = Math.max(...runs.map((run) => run.latencyMs.p99 / run.latencyMs.p50));
      const latencies = runs
        .map(({ latencyMs }) => `${round(latencyMs.p50)} / ${round(latencyMs.p99)}`)
        .join(', ');
      return {
        figures: [
          figure(
            { name: 'errors at 2,000 connections', value: errors, unit: 'answers', detail: '' },
            { is: '=', limit: 0 },
            result.problems,
          ),
          figure(
            {
              name: 'p99 over median, worst run',
              value: tail,
              unit: '×',
              detail: `p50 / p99 in ms: ${latencies}`,
            },
            { is: '<', limit: 10 },
            result.problems,
          ),
          ratioFigure('durable sales at 2,000 connections', COMPARISON, result),
        ],
        raw: { comparison: COMPARISON, ...result },
      };
    });
  },
};
