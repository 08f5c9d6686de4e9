// Latency as buyers see it: they arrive at half of the rate the server can sustain, whether or not it is ready, and
// all waiting counts. The echo at the same rate shows the floor: generator, kernel and HTTP.
import { type Bench, type Figure, figure, round, type Suite } from '../bench.ts';
import { openLoop as generate } from '../generators.ts';
import { alternate, measure, measureLoad, medianOf } from '../measure.ts';
import type { OpenLoopResult } from '../open-loop.ts';
import type { Program } from '../program.ts';
import { requestText } from '../raw-client.ts';
import { type ServerUnderTest, startEcho, startServer, using } from '../server-under-test.ts';
import { BUY, ENOUGH_TICKETS } from './durable.ts';

// Enough that an arrival finds one free as long as answers take less than 20 ms at 25,000 a second.
const CONNECTIONS = 512;
const DRAIN_MS = 3_000;
// A generator later than this measures itself. Its timer alone is up to 1.1 ms late.
const MAX_LAG_P99_MS = 2.5;
const REQUEST = requestText(BUY.method, BUY.path, {}, BUY.body);

export const openLoop: Suite = {
  name: 'open-loop',
  question: 'How long do buyers wait when they come at half of the peak rate, all waiting counted?',
  run: (bench) => {
    const starting = startServer(bench, { name: 'open-loop', events: 1, ticketsPerEvent: ENOUGH_TICKETS });
    return using(starting, (server) =>
      using(startEcho(bench, server, BUY, [200, 201]), async (echo) => {
        const peakPerSecond = await findPeak(bench, server);
        const ratePerSecond = Math.round(peakPerSecond / 2);
        bench.say(
          `arrivals at ${round(ratePerSecond)} per second, half of the peak, on echo and server in turns`,
        );
        const pairs = await alternate(
          bench,
          () => arrive(bench, echo, ratePerSecond),
          () => arrive(bench, server, ratePerSecond),
        );
        const settings = { connections: CONNECTIONS, drainMs: DRAIN_MS, request: REQUEST, peakPerSecond };
        return { figures: figuresOf(pairs, peakPerSecond), raw: { settings, pairs } };
      }),
    );
  },
};

/** The better of the two rates that the durable suite measures, after a warm-up. */
async function findPeak(bench: Bench, server: ServerUnderTest): Promise<number> {
  const rates: number[] = [];
  await measureLoad(bench, server, { request: BUY, connections: 64, seconds: bench.warmUpSeconds });
  for (const connections of [64, 512]) {
    bench.say(`the peak at ${connections} connections`);
    const run = await measureLoad(bench, server, { request: BUY, connections, seconds: bench.seconds });
    rates.push(run.perSecond);
  }
  return Math.max(...rates);
}

type Arrivals = OpenLoopResult & { readonly cpuUsPerRequest: number };

function arrive(bench: Bench, program: Program, ratePerSecond: number): Promise<Arrivals> {
  const load = {
    request: REQUEST,
    ratePerSecond,
    seconds: bench.seconds,
    connections: CONNECTIONS,
    drainMs: DRAIN_MS,
  };
  return measure(program, () => generate({ ...load, port: program.port }));
}

function figuresOf(pairs: readonly { readonly a: Arrivals; readonly b: Arrivals }[], peak: number): Figure[] {
  const echoes = pairs.map((pair) => pair.a);
  const runs = pairs.map((pair) => pair.b);
  const problems = runs.flatMap(problemsOf);
  const at = (runs: readonly Arrivals[], name: keyof Arrivals['latencyMs']) =>
    medianOf(runs, (run) => run.latencyMs[name]);
  const one = (name: keyof Arrivals['latencyMs'], title: string): Figure => {
    const detail = `echo ${round(at(echoes, name))} ms`;
    return figure({
      name: `latency ${title} at half of the peak`,
      value: at(runs, name),
      unit: 'ms',
      detail,
    });
  };
  const rate = medianOf(runs, (run) => run.offeredPerSecond);
  const cpuUs = medianOf(runs, (run) => run.cpuUsPerRequest);
  const p99 = figure(
    {
      name: 'latency p99 at half of the peak',
      value: at(runs, 'p99'),
      unit: 'ms',
      detail: `echo ${round(at(echoes, 'p99'))} ms; ${round(rate)} arrivals/s of a peak of ${round(peak)}/s, ${round(cpuUs)} µs CPU each`,
    },
    { is: '≤', limit: 10 },
    problems,
  );
  return [one('p50', 'p50'), p99, one('p999', 'p99.9'), one('max', 'max'), lagFigure([...echoes, ...runs])];
}

function problemsOf(run: Arrivals): string[] {
  const { errors, requests, statuses } = run;
  const granted = (statuses['200'] ?? 0) + (statuses['201'] ?? 0);
  const told = `${granted} of ${requests} were granted, ${errors} not answered, by status ${JSON.stringify(statuses)}`;
  return granted === requests ? [] : [told];
}

/** Whether the figures above are the server's and not the generator's. */
function lagFigure(runs: readonly Arrivals[]): Figure {
  const busy = Math.max(...runs.map((run) => run.generatorBusy));
  return figure(
    {
      name: 'lag of the generator itself, p99 of the worst run',
      value: Math.max(...runs.map((run) => run.lagMs.p99)),
      unit: 'ms',
      detail: `its event loop was busy ${round(busy * 100)} % of the time`,
    },
    { is: '≤', limit: MAX_LAG_P99_MS },
  );
}
