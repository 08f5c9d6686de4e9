// What a shop can still sell when its Redis is dead, against a shop that never had one: two processes, each on a
// ledger of its own, one of which lost its Redis before it was measured. It sells from its memory, reads the ledger's
// journal, and looks every half second whether Redis is back; the other is all that the machine can give.

import { startRedis } from '../../server/test/kit/servers/redis.ts';
import { problemsOf, sideOf } from '../against-echo.ts';
import { type Bench, type Figure, figure, type Suite, type SuiteResult } from '../bench.ts';
import { alternate, measureLoad, type Pair, type Run } from '../measure.ts';
import type { Program } from '../program.ts';
import { MILLIONS_OF_TICKETS, onStores, type RealStores, withStores } from '../real-stores.ts';
import { seatsSold, startServer, untilDegraded, using } from '../server-under-test.ts';
import { medianRatio } from '../stats.ts';
import { BUY, soldFigure } from './durable.ts';

const CONNECTIONS = [64, 512];
const TARGET = { is: '≥', limit: 0.8 } as const;

/** A ledger to sell from, for one of the two processes. */
interface Ledger {
  readonly title: string;
  /** The environment of a process on a fresh ledger of this kind; none is needed for a file of its own. */
  fresh(): Promise<Readonly<Record<string, string>>>;
  readonly stores?: RealStores;
}

/** What one program has answered, in all loads it had. */
interface Answered {
  answered: number;
  loads: number;
}

export const fallback: Suite = {
  name: 'fallback',
  question: 'How much is left of the speed of a shop without Redis when Redis has died?',
  settings: { pairs: 3, seconds: 2, warmUpSeconds: 4 },
  async run(bench) {
    const embedded = await compare(bench, { title: 'SQLite', fresh: async () => ({}) });
    const shared = await withStores('postgres', (stores) =>
      compare(bench, {
        title: 'PostgreSQL',
        fresh: async () => ({ DATABASE_URL: await stores.freshDatabase() }),
        stores,
      }),
    );
    return {
      figures: [...embedded.figures, ...shared.figures],
      raw: { sqlite: embedded.raw, postgres: shared.raw },
    };
  },
};

function compare(bench: Bench, ledger: Ledger): Promise<SuiteResult> {
  return using(start(bench, ledger, 'without-redis', {}), async (plain) => {
    const redis = await startRedis();
    try {
      const withRedis = { REDIS_URL: redis.url };
      return await using(start(bench, ledger, 'redis-died', withRedis), async (alone) => {
        await redis.kill();
        await untilDegraded(alone, true);
        return compareAll(bench, ledger, plain, alone);
      });
    } finally {
      await redis.stop();
    }
  });
}

async function start(
  bench: Bench,
  { title, fresh, stores }: Ledger,
  role: string,
  redisEnv: Readonly<Record<string, string>>,
): Promise<Program> {
  const env = { ...(await fresh()), ...redisEnv };
  const name = `${role}-${title}`;
  const starting = startServer(bench, { name, events: 1, ticketsPerEvent: MILLIONS_OF_TICKETS, env });
  return stores === undefined ? starting : onStores(starting, stores);
}

async function compareAll(
  bench: Bench,
  { title }: Ledger,
  plain: Program,
  alone: Program,
): Promise<SuiteResult> {
  const figures: Figure[] = [];
  const raw: unknown[] = [];
  const sales: Answered = { answered: 0, loads: 0 };
  for (const connections of CONNECTIONS) {
    const where = `at ${connections} connections on ${title}`;
    bench.say(`durable sales ${where} after Redis died, against never having had one`);
    const pairs = await takeTurns(bench, plain, alone, connections, sales);
    // The figure is worth nothing when the shop had meanwhile found another Redis.
    await untilDegraded(alone, true);
    figures.push(ratioFigure(where, pairs));
    raw.push({ connections, pairs });
  }
  const sold = await seatsSold(alone);
  figures.push(soldFigure(`on ${title} after Redis died`, Math.max(...CONNECTIONS), { ...sales, sold }));
  return { figures, raw: { comparisons: raw, ...sales, sold } };
}

/** a = the shop that never had a Redis, b = the one whose Redis died. */
async function takeTurns(
  bench: Bench,
  plain: Program,
  alone: Program,
  connections: number,
  sales: Answered,
): Promise<Pair<Run>[]> {
  const load = { request: BUY, connections, seconds: bench.seconds };
  const measureAlone = async (seconds: number) => {
    const run = await measureLoad(bench, alone, { ...load, seconds });
    sales.answered += run.requests;
    sales.loads++;
    return run;
  };
  const warmUpSeconds = sales.loads === 0 ? bench.warmUpSeconds : 1;
  await measureLoad(bench, plain, { ...load, seconds: warmUpSeconds });
  await measureAlone(warmUpSeconds);
  return alternate(
    bench,
    () => measureLoad(bench, plain, load),
    () => measureAlone(bench.seconds),
  );
}

function ratioFigure(where: string, pairs: readonly Pair<Run>[]): Figure {
  const plain = pairs.map((pair) => pair.a);
  const alone = pairs.map((pair) => pair.b);
  return figure(
    {
      name: `durable sales ${where} after Redis died`,
      value: medianRatio(pairs.map(({ a, b }) => ({ a: a.perSecond, b: b.perSecond }))),
      unit: '× of a shop without Redis',
      detail: `Redis died: ${sideOf(alone)}; never had one: ${sideOf(plain)}`,
    },
    TARGET,
    [...plain, ...alone].flatMap((run) => problemsOf(run, 'granted')),
  );
}
