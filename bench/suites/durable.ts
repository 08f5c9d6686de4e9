// Headline one: durable sales per second, against the echo of the same request and answer.
import { compareWithEcho, type EchoComparison, ratioFigure } from '../against-echo.ts';
import { type Figure, figure, round, type Suite } from '../bench.ts';
import type { LoadRequest } from '../load-tool.ts';
import { seatsSold, startServer, using } from '../server-under-test.ts';

/** One ticket of event 1. */
export const BUY: LoadRequest = { method: 'POST', path: '/buy/1', body: '{"quantity":1}' };
/** More than any run can sell, so that it never sells out while it is measured. */
export const ENOUGH_TICKETS = 10_000_000;

const COMPARISONS: readonly EchoComparison[] = [
  { request: BUY, connections: 64, answers: 'granted', target: { is: '≥', limit: 0.5 } },
  { request: BUY, connections: 512, answers: 'granted', target: { is: '≥', limit: 0.6 } },
];

export const durable: Suite = {
  name: 'durable',
  question: 'How much of the speed of bare HTTP is left when every answer is a ticket on disk?',
  async run(bench) {
    const figures: Figure[] = [];
    const raw: unknown[] = [];
    for (const comparison of COMPARISONS) {
      const { connections } = comparison;
      const name = `durable-${connections}`;
      bench.say(`POST /buy/1 at ${connections} connections against the echo`);
      await using(
        startServer(bench, { name, events: 1, ticketsPerEvent: ENOUGH_TICKETS }),
        async (server) => {
          const result = await compareWithEcho(bench, server, comparison);
          const sold = await seatsSold(server);
          figures.push(ratioFigure(`durable sales at ${connections} connections`, comparison, result));
          figures.push(soldFigure(`at ${connections} connections`, connections, { ...result, sold }));
          raw.push({ comparison, ...result, sold });
        },
      );
    }
    return { figures, raw };
  },
};

interface Sales {
  /** According to the server. */
  readonly sold: number;
  readonly answered: number;
  readonly loads: number;
}

/** A rate of sales is worth nothing when the ledger has not as many: between all answered and all ever sent. */
export function soldFigure(where: string, connections: number, { sold, answered, loads }: Sales): Figure {
  const missing = Math.max(0, answered - sold);
  const tooMany = Math.max(0, sold - (answered + loads * connections));
  return figure(
    {
      name: `answered sales missing in the ledger, or sold without a buyer, ${where}`,
      value: missing + tooMany,
      unit: 'tickets',
      detail: `${round(answered)} answered, ${round(sold)} sold, ${loads} loads cut off with up to ${connections} under way`,
    },
    { is: '=', limit: 0 },
  );
}
