// What a key costs: the same sale with an Idempotency-Key of its own, as every careful client sends it, and without
// one. Two servers take turns, so that the ledger of the one has no keys at all; CPU is compared, because rates swing.
// The bytes of a kept key are what the ledger's file grew by beyond that of the unkeyed sales.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { problemsOf } from '../against-echo.ts';
import { type Bench, type Figure, figure, round, type Suite } from '../bench.ts';
import { alternate, measureLoad, medianOf, type Pair, type Run, untilIdle } from '../measure.ts';
import { type ServerUnderTest, seatsSold, startServer, using } from '../server-under-test.ts';
import { median } from '../stats.ts';
import { BUY, ENOUGH_TICKETS } from './durable.ts';

const CONNECTIONS = [64, 512] as const;

export const keys: Suite = {
  name: 'keys',
  question: 'What does an idempotency key cost a sale, in CPU and in bytes on disk?',
  async run(bench) {
    const figures: Figure[] = [];
    const raw: unknown[] = [];
    for (const connections of CONNECTIONS) {
      bench.say(`POST /buy/1 at ${connections} connections, without and with a key`);
      const { pairs, bytesOfKey } = await compare(bench, connections);
      figures.push(...figuresOf(connections, pairs, bytesOfKey));
      raw.push({ connections, pairs, bytesOfKey });
    }
    return { figures, raw };
  },
};

function compare(
  bench: Bench,
  connections: number,
): Promise<{ readonly pairs: readonly Pair<Run>[]; readonly bytesOfKey: number }> {
  const server = (name: string) =>
    startServer(bench, { name: `${name}-${connections}`, events: 1, ticketsPerEvent: ENOUGH_TICKETS });
  return using(server('unkeyed'), (unkeyed) =>
    using(server('keyed'), async (keyed) => {
      const load = { connections, seconds: bench.seconds };
      const sell = async (program: ServerUnderTest, isKeyed: boolean) => {
        const run = await measureLoad(bench, program, { ...load, request: { ...BUY, isKeyed } });
        await untilIdle(program);
        return run;
      };
      await sell(unkeyed, false);
      await sell(keyed, true);
      const pairs = await alternate(
        bench,
        () => sell(unkeyed, false),
        () => sell(keyed, true),
      );
      const perSale = async (program: ServerUnderTest, name: string) =>
        bytesOf(bench, `${name}-${connections}`) / (await seatsSold(program));
      const bytesOfKey = (await perSale(keyed, 'keyed')) - (await perSale(unkeyed, 'unkeyed'));
      return { pairs, bytesOfKey };
    }),
  );
}

/** Of the ledger's file. What lies only in the write-ahead log is at most 2,000 pages, a few bytes a sale. */
function bytesOf(bench: Bench, name: string): number {
  return statSync(join(bench.folder, name, 'floodgate.db')).size;
}

function figuresOf(connections: number, pairs: readonly Pair<Run>[], bytesOfKey: number): Figure[] {
  const problems = pairs.flatMap(({ a, b }) => [a, b]).flatMap((run) => problemsOf(run, 'granted'));
  const [unkeyed, keyed] = [pairs.map(({ a }) => a), pairs.map(({ b }) => b)];
  const side = (runs: readonly Run[]) =>
    `${round(medianOf(runs, (run) => run.cpuUsPerRequest))} µs CPU, ${round(medianOf(runs, (run) => run.perSecond))}/s`;
  return [
    figure(
      {
        name: `CPU of a keyed sale against one without a key, ${connections} connections`,
        value: median(pairs.map(({ a, b }) => b.cpuUsPerRequest / a.cpuUsPerRequest)),
        unit: '×',
        detail: `without ${side(unkeyed)}; with ${side(keyed)}`,
      },
      { is: '≤', limit: 1.15 },
      problems,
    ),
    figure(
      {
        name: `bytes of a kept key, ${connections} connections`,
        value: bytesOfKey,
        unit: 'bytes',
        detail: 'the ledger file of keyed sales less that of unkeyed ones, a sale',
      },
      { is: '≤', limit: 150 },
    ),
  ];
}
