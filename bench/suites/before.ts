// What a change costs: this checkout against an earlier one, in `BENCH_BEFORE` with its packages installed. Two programs
// take turns under the same load, each on a fresh ledger of its own, and the CPU time of an answer is compared, of all
// processes together where a shop has stores: rates swing with what else the machine does.
import { resolve } from 'node:path';
import { problemsOf, sideOf } from '../against-echo.ts';
import { type Bench, type Figure, figure, round, type Suite, type Target } from '../bench.ts';
import type { LoadRequest } from '../load-tool.ts';
import { alternate, measureLoad, medianOf, type Pair, type Run, untilIdle } from '../measure.ts';
import { MILLIONS_OF_TICKETS, onStores, type RealStores, withStores } from '../real-stores.ts';
import { askFor, type ServerUnderTest, startServer, using } from '../server-under-test.ts';
import { median } from '../stats.ts';
import { BUY, ENOUGH_TICKETS } from './durable.ts';
import { holdTheBest, makeSeated, PARTIES, PARTY, THEATRE } from './seats.ts';

/** What a change may cost a sale. */
const LIMIT: Target = { is: '≤', limit: 1.03 };

interface Case {
  readonly name: string;
  readonly request: LoadRequest;
  readonly connections: number;
  readonly answers: 'granted' | 'refused';
}

const HOLD: LoadRequest = {
  method: 'POST',
  path: '/api/v1/events/1/holds',
  body: '{"lines":[{"ticketType":"ga","quantity":1}]}',
};
const AVAILABILITY: LoadRequest = { method: 'GET', path: '/api/v1/events/1/availability', body: '' };

const sale = (connections: number, rest: Partial<Case> = {}): Case => {
  const name = `durable sales at ${connections} connections`;
  return { name, request: BUY, connections, answers: 'granted', ...rest };
};

const ON_SALE: readonly Case[] = [
  sale(64),
  sale(512),
  sale(64, { name: 'durable sales with keys at 64 connections', request: { ...BUY, isKeyed: true } }),
  sale(64, { name: 'holds at 64 connections', request: HOLD }),
];
const SOLD_OUT: readonly Case[] = [
  sale(64, { name: 'sold-out answers', answers: 'refused' }),
  sale(64, { name: 'availability answers', request: AVAILABILITY }),
];
const ON_STORES = [sale(64), sale(512)].map((one) => ({
  ...one,
  name: `${one.name} on Redis and PostgreSQL`,
}));

export const before: Suite = {
  name: 'before',
  question: 'What does an answer cost against the checkout in BENCH_BEFORE?',
  isAskedFor: true,
  async run(bench) {
    const folder = process.env.BENCH_BEFORE ?? '';
    if (folder === '') throw new Error('BENCH_BEFORE must name the folder of an earlier checkout');
    const checkout = resolve(folder);
    const results = [
      ...(await compareAll(bench, checkout, ON_SALE, onSqlite(bench, ENOUGH_TICKETS))),
      ...(await compareAll(bench, checkout, SOLD_OUT, onSqlite(bench, 1))),
      await compareSeats(bench, checkout),
      ...(await withStores('postgres', (servers) =>
        compareAll(bench, checkout, ON_STORES, onServers(bench, servers)),
      )),
    ];
    return { figures: results.map((one) => one.figure), raw: results };
  },
};

interface Compared<Of = Run> {
  readonly figure: Figure;
  readonly pairs: readonly Pair<Of>[];
}

/** Starts the program of one side: of this checkout where `root` is not given. */
type Start = (name: string, root?: string) => Promise<ServerUnderTest>;

/** Shops of one event with that many tickets, sold out when it is one. */
const onSqlite =
  (bench: Bench, ticketsPerEvent: number): Start =>
  (name, root) =>
    startServer(bench, { name, root, events: 1, ticketsPerEvent });

const onServers =
  (bench: Bench, servers: RealStores): Start =>
  async (name, root) => {
    const options = {
      name,
      root,
      events: 1,
      ticketsPerEvent: MILLIONS_OF_TICKETS,
      env: await servers.fresh(),
    };
    return onStores(startServer(bench, options), servers);
  };

async function compareAll(
  bench: Bench,
  checkout: string,
  cases: readonly Case[],
  start: Start,
): Promise<Compared[]> {
  const results: Compared[] = [];
  for (const each of cases) {
    const name = each.name.replaceAll(' ', '-');
    results.push(
      await compare(
        bench,
        each,
        () => start(`${name}-before`, checkout),
        () => start(`${name}-now`),
      ),
    );
  }
  return results;
}

function compare(
  bench: Bench,
  { name, request, connections, answers }: Case,
  startEarlier: () => Promise<ServerUnderTest>,
  startNow: () => Promise<ServerUnderTest>,
): Promise<Compared> {
  bench.say(name);
  return using(startEarlier(), (earlier) =>
    using(startNow(), async (now) => {
      const load = async (program: ServerUnderTest, seconds = bench.seconds) => {
        const run = await measureLoad(bench, program, { request, connections, seconds });
        await untilIdle(program);
        return run;
      };
      for (const program of [earlier, now]) {
        if (answers === 'refused') await askFor(program, BUY);
        await load(program, 2 * bench.warmUpSeconds);
      }
      const pairs = await alternate(
        bench,
        () => load(earlier),
        () => load(now),
      );
      const runs = pairs.flatMap(({ a, b }) => [a, b]);
      const detail = `now ${sideOf(pairs.map(({ b }) => b))}; before ${sideOf(pairs.map(({ a }) => a))}`;
      const problems = runs.flatMap((run) => problemsOf(run, answers));
      return { figure: cpuFigure(name, pairs, detail, problems), pairs };
    }),
  );
}

type Holds = Awaited<ReturnType<typeof holdTheBest>>;

/** Each pair has two halls of its own, from empty to 95 % full. */
function compareSeats(bench: Bench, checkout: string): Promise<Compared<Holds>> {
  const name = `holds of the best ${PARTY} of 20,000 seats`;
  bench.say(name);
  const server = (side: string, root?: string) =>
    startServer(bench, { name: `best-${side}`, root, events: 1, ticketsPerEvent: 1 });
  return using(server('before', checkout), (earlier) =>
    using(server('now'), async (now) => {
      let hall = 0;
      const fill = async (program: ServerUnderTest) => {
        const eventId = `best-${hall++}`;
        await makeSeated(program, eventId, THEATRE);
        const holds = await holdTheBest(program, eventId);
        await untilIdle(program);
        return holds;
      };
      await fill(earlier);
      await fill(now);
      const pairs = await alternate(
        bench,
        () => fill(earlier),
        () => fill(now),
      );
      const problems = pairs
        .flatMap(({ a, b }) => [a, b])
        .filter(({ statuses }) => statuses['201'] !== PARTIES)
        .map(({ statuses }) => `not all were granted: ${JSON.stringify(statuses)}`);
      const side = (runs: readonly Holds[]) =>
        `${round(medianOf(runs, (run) => run.cpuUsPerRequest))} µs CPU`;
      const detail = `now ${side(pairs.map(({ b }) => b))}; before ${side(pairs.map(({ a }) => a))}`;
      return { figure: cpuFigure(name, pairs, detail, problems), pairs };
    }),
  );
}

type Costs = Pick<Run, 'cpuUsPerRequest' | 'storesCpuUsPerRequest'>;

function cpuFigure(
  name: string,
  pairs: readonly Pair<Costs>[],
  detail: string,
  problems: readonly string[],
): Figure {
  const value = median(pairs.map(({ a, b }) => cpuOf(b) / cpuOf(a)));
  return figure({ name: `CPU of ${name}, now against before`, value, unit: '×', detail }, LIMIT, problems);
}

function cpuOf({ cpuUsPerRequest, storesCpuUsPerRequest }: Costs): number {
  const { redis, database } = storesCpuUsPerRequest ?? { redis: 0, database: 0 };
  return cpuUsPerRequest + redis + database;
}
