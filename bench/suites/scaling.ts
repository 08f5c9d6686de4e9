// What a sale costs when one, two or four processes are the shop, on one Redis and one PostgreSQL. The measure is
// CPU time: this machine has as many cores as it has, and when one process, its stores and the load fill them, more
// processes cannot sell more. They must not sell less, and a sale must not cost much more.
//
// Three shops of one, two and four processes, each with a Redis and a database of its own, take turns. The two that
// have no load do nothing: nothing changes that they could compare or repair.
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { problemsOf } from '../against-echo.ts';
import { type Bench, type Figure, figure, round, type Suite, type SuiteResult } from '../bench.ts';
import { medianOf } from '../measure.ts';
import { ask, type Program } from '../program.ts';
import { MILLIONS_OF_TICKETS, type RealStores, withStores } from '../real-stores.ts';
import { seatsSold, startServer, using } from '../server-under-test.ts';
import { median } from '../stats.ts';
import { BUY, soldFigure } from './durable.ts';

const PROCESSES = [1, 2, 4] as const;
/** In total, spread evenly over the processes. */
const CONNECTIONS = [64, 512];
const CPU_TARGET = { is: '<', limit: 1.2 } as const;
const RATE_TARGET = { is: '≥', limit: 1 } as const;
const LIMIT = `${cpus().length} cores, shared with the stores and the load, cannot show more than a rate that does not fall`;

/** One load over that many processes. */
interface SharedRun {
  readonly processes: number;
  readonly perSecond: number;
  readonly requests: number;
  readonly problems: readonly string[];
  /** Per sale, of the processes of the shop under load together. */
  readonly shopCpuUs: number;
  readonly redisCpuUs: number;
  readonly databaseCpuUs: number;
  /** Per sale, of all of them. */
  readonly allCpuUs: number;
  /** Sales in one commit, on average: they share the cost of the commit. */
  readonly salesPerCommit: number;
  /** Of the slowest of the processes. */
  readonly p99Ms: number;
}

/** One after the other, so that a drift of the machine meets all alike. */
type Round = readonly SharedRun[];

export const scaling: Suite = {
  name: 'scaling',
  question: 'What does a sale cost when two or four processes are the shop?',
  settings: { pairs: 3, seconds: 2, warmUpSeconds: 4 },
  run: (bench) =>
    withStores('postgres', (stores) =>
      usingShops(bench, stores, (shops) => measureAll(bench, stores, shops)),
    ),
};

/** The processes of one shop. */
type Shop = readonly Program[];

/** Starts the shops of `PROCESSES`, one process after the other; stops them afterwards, whatever happened. */
async function usingShops<Result>(
  bench: Bench,
  stores: RealStores,
  use: (shops: readonly Shop[]) => Promise<Result>,
  started: readonly Shop[] = [],
): Promise<Result> {
  const count = PROCESSES[started.length];
  if (count === undefined) return use(started);
  const env = await stores.fresh();
  // The first makes the schema and the event, the others find them.
  const start = (place: number) =>
    startServer(bench, {
      ...{ name: `process-${place}-of-${count}`, env },
      ...{ events: 1, ticketsPerEvent: MILLIONS_OF_TICKETS },
    });
  return usingAll(count, start, (shop) => usingShops(bench, stores, use, [...started, shop]));
}

function usingAll<Result>(
  count: number,
  start: (place: number) => Promise<Program>,
  use: (programs: readonly Program[]) => Promise<Result>,
  started: readonly Program[] = [],
): Promise<Result> {
  if (started.length === count) return use(started);
  return using(start(started.length), (program) => usingAll(count, start, use, [...started, program]));
}

async function measureAll(bench: Bench, stores: RealStores, shops: readonly Shop[]): Promise<SuiteResult> {
  const figures: Figure[] = [];
  const raw: unknown[] = [];
  const loads: SharedRun[] = await warmUp(bench, stores, shops);
  for (const connections of CONNECTIONS) {
    bench.say(`${connections} connections over one, two and four processes, ${bench.pairs} rounds`);
    // Connections of another number, and batches of another size, are something new to each of them.
    loads.push(...(await playRound(bench, stores, shops, connections, 1)));
    const rounds: Round[] = [];
    for (let n = 0; n < bench.pairs; n++)
      rounds.push(await playRound(bench, stores, shops, connections, bench.seconds));
    loads.push(...rounds.flat());
    for (const processes of PROCESSES.slice(1)) figures.push(...compare(connections, processes, rounds));
    raw.push({ connections, rounds });
  }
  const answered = loads.reduce((sum, run) => sum + run.requests, 0);
  // What one process has sold, another counts a tenth of a second later.
  await sleep(500);
  const counted = await Promise.all(shops.map((shop) => seatsSold(shop[0]!)));
  const sold = counted.reduce((sum, tickets) => sum + tickets, 0);
  const sales = { answered, sold, loads: loads.length };
  figures.push(soldFigure('by seven processes', Math.max(...CONNECTIONS), sales));
  return { figures, raw: { comparisons: raw, ...sales } };
}

/** Each process alone: they are compiled by what they do, and four at once would have half a core each for it. */
async function warmUp(bench: Bench, stores: RealStores, shops: readonly Shop[]): Promise<SharedRun[]> {
  const programs = shops.flat();
  bench.say(`${programs.length} processes warm up, ${bench.warmUpSeconds} s each`);
  const runs: SharedRun[] = [];
  for (const program of programs)
    runs.push(await runOver(bench, stores, [program], CONNECTIONS[0]!, bench.warmUpSeconds));
  return runs;
}

async function playRound(
  bench: Bench,
  stores: RealStores,
  shops: readonly Shop[],
  connections: number,
  seconds: number,
): Promise<Round> {
  const runs: SharedRun[] = [];
  for (const shop of shops) runs.push(await runOver(bench, stores, shop, connections, seconds));
  return runs;
}

/** The load tool once for each process, all at the same time. */
async function runOver(
  bench: Bench,
  stores: RealStores,
  programs: readonly Program[],
  connections: number,
  seconds: number,
): Promise<SharedRun> {
  const usage = () => ({
    shop: programs.reduce((sum, program) => sum + program.usage().cpuMs, 0),
    ...stores.cpuMs(),
  });
  const each = connections / programs.length;
  const commitsBefore = await commitsOf(programs);
  const before = usage();
  const results = await Promise.all(
    programs.map(({ port }) => bench.tool.run({ port, connections: each, seconds, request: BUY })),
  );
  const after = usage();
  const commitsAfter = await commitsOf(programs);
  const requests = results.reduce((sum, result) => sum + result.requests, 0);
  const perSale = (name: keyof typeof after) =>
    ((after[name] - before[name]) * 1_000) / Math.max(requests, 1);
  const [shopCpuUs, redisCpuUs, databaseCpuUs] = [perSale('shop'), perSale('redis'), perSale('database')];
  return {
    processes: programs.length,
    perSecond: results.reduce((sum, result) => sum + result.perSecond, 0),
    requests,
    problems: results.flatMap((result) => problemsOf(result, 'granted')),
    ...{ shopCpuUs, redisCpuUs, databaseCpuUs, allCpuUs: shopCpuUs + redisCpuUs + databaseCpuUs },
    salesPerCommit:
      (commitsAfter.entries - commitsBefore.entries) /
      Math.max(commitsAfter.commits - commitsBefore.commits, 1),
    p99Ms: Math.max(...results.map((result) => result.latencyMs.p99)),
  };
}

/** Commits of all the programs since their start, and the entries in them. */
async function commitsOf(programs: readonly Program[]): Promise<{ commits: number; entries: number }> {
  const texts = await Promise.all(programs.map(({ port }) => ask(port, 'GET', '/metrics')));
  const sumOf = (name: string) =>
    texts.reduce((sum, { body }) => sum + Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(body)?.[1]), 0);
  return {
    commits: sumOf('floodgate_ledger_batch_entries_count'),
    entries: sumOf('floodgate_ledger_batch_entries_sum'),
  };
}

/** The ratios are taken inside the rounds. */
function compare(connections: number, processes: number, rounds: readonly Round[]): Figure[] {
  const of = (round: Round, wanted: number) => round.find((run) => run.processes === wanted)!;
  const ratio = (number: (run: SharedRun) => number) =>
    median(rounds.map((round) => number(of(round, processes)) / number(of(round, 1))));
  const one = rounds.map((round) => of(round, 1));
  const several = rounds.map((round) => of(round, processes));
  const problems = [...one, ...several].flatMap((run) => run.problems);
  const detail = `${processes} processes: ${sideOf(several)}; one: ${sideOf(one)}`;
  const where = `with ${processes} processes at ${connections} connections`;
  const unit = '× of one process';
  return [
    figure(
      { name: `CPU of the shop a sale ${where}`, value: ratio((run) => run.shopCpuUs), unit, detail },
      CPU_TARGET,
      problems,
    ),
    figure(
      {
        name: `CPU of shop, Redis and PostgreSQL a sale ${where}`,
        value: ratio((run) => run.allCpuUs),
        unit,
        detail: '',
      },
      CPU_TARGET,
      problems,
    ),
    figure(
      { name: `sales a second ${where}`, value: ratio((run) => run.perSecond), unit, detail: LIMIT },
      RATE_TARGET,
      problems,
    ),
  ];
}

function sideOf(runs: readonly SharedRun[]): string {
  const of = (number: (run: SharedRun) => number) => round(medianOf(runs, number));
  const cpu = `${of((run) => run.shopCpuUs)} µs CPU each in the shop, ${of((run) => run.redisCpuUs)} in Redis, ${of((run) => run.databaseCpuUs)} in PostgreSQL`;
  return `${of((run) => run.perSecond)}/s, ${cpu}, ${of((run) => run.salesPerCommit)} sales a commit, p99 ${of((run) => run.p99Ms)} ms`;
}
