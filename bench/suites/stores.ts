// What is left of the speed of bare HTTP when the shop keeps its tickets in Redis and its orders in PostgreSQL or
// MariaDB, so that several processes can be one shop. Beside the rates stands the CPU of the shop's process, of
// Redis, and of the database: on a busy machine that is what can be trusted.
import { compareWithEcho, type EchoComparison, ratioFigure } from '../against-echo.ts';
import type { Bench, Figure, Suite, SuiteResult } from '../bench.ts';
import {
  type DatabaseKind,
  MILLIONS_OF_TICKETS,
  onStores,
  type RealStores,
  withStores,
} from '../real-stores.ts';
import { askFor, seatsSold, startServer, using } from '../server-under-test.ts';
import { BUY, soldFigure } from './durable.ts';

interface Case extends EchoComparison {
  readonly kind: DatabaseKind;
}

const TITLES: Readonly<Record<DatabaseKind, string>> = {
  postgres: 'Redis and PostgreSQL',
  mariadb: 'Redis and MariaDB',
};

const CASES: readonly Case[] = [
  { kind: 'postgres', request: BUY, connections: 64, answers: 'granted', target: { is: '≥', limit: 0.35 } },
  { kind: 'postgres', request: BUY, connections: 512, answers: 'granted', target: { is: '≥', limit: 0.45 } },
  { kind: 'mariadb', request: BUY, connections: 64, answers: 'granted', target: { is: '≥', limit: 0.25 } },
  { kind: 'mariadb', request: BUY, connections: 512, answers: 'granted', target: { is: '≥', limit: 0.25 } },
  { kind: 'postgres', request: BUY, connections: 64, answers: 'refused', target: { is: '≥', limit: 0.45 } },
];

export const stores: Suite = {
  name: 'stores',
  question: 'How much of the speed of bare HTTP is left with Redis and an SQL server?',
  // A shop that has sold for less than four seconds is not compiled yet.
  settings: { seconds: 2, warmUpSeconds: 4 },
  async run(bench) {
    const figures: Figure[] = [];
    const raw: unknown[] = [];
    for (const kind of ['postgres', 'mariadb'] as const) {
      await withStores(kind, async (servers) => {
        for (const each of CASES.filter((one) => one.kind === kind)) {
          const result = await (each.answers === 'granted' ? measureSales : measureRefusals)(
            bench,
            servers,
            each,
          );
          figures.push(...result.figures);
          raw.push({ comparison: each, ...(result.raw as object) });
        }
      });
    }
    return { figures, raw };
  },
};

async function measureSales(bench: Bench, servers: RealStores, comparison: Case): Promise<SuiteResult> {
  const { kind, connections } = comparison;
  const where = `at ${connections} connections on ${TITLES[kind]}`;
  bench.say(`POST /buy/1 ${where} against the echo`);
  const name = `${kind}-${connections}`;
  const options = { name, events: 1, ticketsPerEvent: MILLIONS_OF_TICKETS, env: await servers.fresh() };
  return using(onStores(startServer(bench, options), servers), async (server) => {
    const result = await compareWithEcho(bench, server, comparison);
    const sold = await seatsSold(server);
    const figures = [
      ratioFigure(`durable sales ${where}`, comparison, result),
      soldFigure(where, connections, { ...result, sold }),
    ];
    return { figures, raw: { ...result, sold } };
  });
}

async function measureRefusals(bench: Bench, servers: RealStores, comparison: Case): Promise<SuiteResult> {
  const { kind, connections } = comparison;
  const where = `at ${connections} connections on ${TITLES[kind]}`;
  bench.say(`sold out ${where} against the echo`);
  const options = { name: `${kind}-sold-out`, events: 1, ticketsPerEvent: 1, env: await servers.fresh() };
  return using(onStores(startServer(bench, options), servers), async (server) => {
    await askFor(server, BUY);
    const result = await compareWithEcho(bench, server, comparison);
    return { figures: [ratioFigure(`sold-out answers ${where}`, comparison, result)], raw: result };
  });
}
