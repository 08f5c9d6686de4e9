// Floodgate on Redis and PostgreSQL against what people commonly build: three plain designs of one file each, in
// bench/baselines/. Those that keep what they answered are to be beaten three times over; those that do not keep
// it are to be matched, although Floodgate keeps it.
import { join } from 'node:path';
import { problemsOf, sideOf } from '../against-echo.ts';
import { type Bench, type Figure, figure, type Suite, type SuiteResult, type Target } from '../bench.ts';
import { alternate, measureLoad, type Pair, type Run, untilIdle } from '../measure.ts';
import { type Program, startProgram } from '../program.ts';
import { MILLIONS_OF_TICKETS, onStores, type RealStores, type StoreEnv, withStores } from '../real-stores.ts';
import { seatsSold, startServer, using } from '../server-under-test.ts';
import { medianRatio } from '../stats.ts';
import { BUY, soldFigure } from './durable.ts';

interface Baseline {
  readonly script: string;
  readonly title: string;
  /** More than it can sell while it is measured. */
  readonly tickets: number;
  readonly target: Target;
}

const NOT_SLOWER: Target = { is: '≥', limit: 1 };
export const BASELINES: readonly Baseline[] = [
  {
    script: 'pg-skip-locked.ts',
    title: 'Express and a PostgreSQL transaction each (durable)',
    tickets: 200_000,
    target: { is: '≥', limit: 3 },
  },
  {
    script: 'redis-pop.ts',
    title: 'Express and a Redis pop each (not durable)',
    tickets: 2_000_000,
    target: NOT_SLOWER,
  },
  {
    script: 'prisma-sqlite.ts',
    title: 'Express, a counter, and SQLite written later (not durable)',
    tickets: 10_000_000,
    target: NOT_SLOWER,
  },
];
const CONNECTIONS = [64, 512];
const START_TIMEOUT_MS = 60_000;

export const baselines: Suite = {
  name: 'baselines',
  question: 'How does it compare with the plain designs that people build, on the same stores?',
  settings: { pairs: 3, seconds: 2, warmUpSeconds: 4 },
  run: (bench) =>
    withStores('postgres', async (stores) => {
      const figures: Figure[] = [];
      const raw: unknown[] = [];
      for (const baseline of BASELINES) {
        for (const connections of CONNECTIONS) {
          bench.say(`against ${baseline.title} at ${connections} connections`);
          const result = await compare(bench, stores, baseline, connections);
          figures.push(...result.figures);
          raw.push({ baseline, connections, ...(result.raw as object) });
        }
      }
      return { figures, raw };
    }),
};

/** Starts the plain design as an operator would: production, the options of `npm start`, its log in a file. */
export function startBaseline(
  bench: Pick<Bench, 'folder'>,
  { script, tickets }: Pick<Baseline, 'script' | 'tickets'>,
  env: StoreEnv,
): Promise<Program> {
  return startProgram({
    script: join(import.meta.dirname, '..', 'baselines', script),
    args: [],
    env: { NODE_ENV: 'production', PORT: '0', TICKETS: `${tickets}`, ...env },
    cwd: bench.folder,
    logFile: join(bench.folder, `${script}.log`),
    timeoutMs: START_TIMEOUT_MS,
  });
}

async function compare(
  bench: Bench,
  stores: RealStores,
  baseline: Baseline,
  connections: number,
): Promise<SuiteResult> {
  const name = `${baseline.script}-${connections}`;
  const options = { name, events: 1, ticketsPerEvent: MILLIONS_OF_TICKETS, env: await stores.fresh() };
  return using(onStores(startServer(bench, options), stores), async (server) => {
    const starting = onStores(startBaseline(bench, baseline, await stores.fresh()), stores);
    const { warm, pairs } = await using(starting, (opponent) =>
      takeTurns(bench, opponent, server, connections),
    );
    const runs = [warm, ...pairs.map((pair) => pair.b)];
    const answered = runs.reduce((sum, run) => sum + run.requests, 0);
    const sold = await seatsSold(server);
    const where = `at ${connections} connections beside ${baseline.script}`;
    const figures = [
      ratioFigure(baseline, connections, pairs),
      soldFigure(where, connections, { sold, answered, loads: runs.length }),
    ];
    return { figures, raw: { pairs, answered, sold } };
  });
}

/** a = the plain design, b = Floodgate. Both are warm before the first pair. */
async function takeTurns(bench: Bench, opponent: Program, server: Program, connections: number) {
  const run = async (program: Program, seconds: number) => {
    const measured = await measureLoad(bench, program, { request: BUY, connections, seconds });
    await untilIdle(program);
    return measured;
  };
  await run(opponent, bench.warmUpSeconds);
  const warm = await run(server, bench.warmUpSeconds);
  const pairs = await alternate(
    bench,
    () => run(opponent, bench.seconds),
    () => run(server, bench.seconds),
  );
  return { warm, pairs };
}

function ratioFigure(baseline: Baseline, connections: number, pairs: readonly Pair<Run>[]): Figure {
  const theirs = pairs.map((pair) => pair.a);
  const ours = pairs.map((pair) => pair.b);
  const problems = [...theirs, ...ours].flatMap((run) => problemsOf(run, 'granted'));
  return figure(
    {
      name: `durable sales at ${connections} connections against ${baseline.title}`,
      value: medianRatio(pairs.map(({ a, b }) => ({ a: a.perSecond, b: b.perSecond }))),
      unit: '× of its rate',
      detail: `Floodgate ${sideOf(ours)}; ${baseline.script} ${sideOf(theirs)}`,
    },
    baseline.target,
    problems,
  );
}
