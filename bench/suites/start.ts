// How long a shop stays closed: the first start with an empty folder (tables made, demo events seeded), a start on
// an existing ledger, and one on a ledger with a million tickets sold, all of which are loaded before it is ready.
// Time runs from spawn to the first 200 of GET /health/ready; npm's own second is not in it.
import { type Bench, type Figure, figure, round, type Suite } from '../bench.ts';
import { closedLoop } from '../generators.ts';
import { medianOf } from '../measure.ts';
import type { Program } from '../program.ts';
import { requestText } from '../raw-client.ts';
import { type ServerOptions, seatsSold, startServer, using } from '../server-under-test.ts';

// A buyer may take ten tickets at once: a million are sold in a tenth of the requests.
const TICKETS_PER_BUY = 10;
const BELOW_A_SECOND = { is: '<', limit: 1_000 } as const;

export const start: Suite = {
  name: 'start',
  question: 'How long from spawn until it sells: first start, restart, and with a million tickets sold?',
  async run(bench) {
    const starts = bench.quick ? 3 : 7;
    const first: Start[] = [];
    const again: Start[] = [];
    bench.say(`${starts} first starts, each with a restart on the ledger it made`);
    for (let n = 0; n < starts; n++) {
      const demo = { name: `demo-${n}`, events: 3, ticketsPerEvent: 10_000 };
      first.push(await startOnce(bench, demo));
      again.push(await startOnce(bench, demo));
    }
    const toSell = bench.quick ? 100_000 : 1_000_000;
    bench.say(`${round(toSell)} tickets sold, then ${starts} restarts`);
    const full = { name: 'full', events: 1, ticketsPerEvent: 2 * toSell };
    await using(startServer(bench, full), (server) => sellTickets(server, toSell));
    const loaded: Start[] = [];
    for (let n = 0; n < starts; n++) loaded.push(await startOnce(bench, full));
    const lost = loaded
      .filter(({ sold }) => sold !== toSell)
      .map(({ sold }) => `${sold} of ${toSell} sold were loaded`);
    return {
      figures: [
        startFigure('first start, with seeding', first, BELOW_A_SECOND),
        startFigure('start on an existing ledger', again, BELOW_A_SECOND),
        startFigure(`start with ${round(toSell)} tickets sold`, loaded, undefined, lost),
      ],
      raw: { first, again, loaded, toSell },
    };
  },
};

interface Start {
  readonly readyMs: number;
  readonly rssMiB: number;
  readonly sold: number;
}

function startOnce(bench: Bench, options: ServerOptions): Promise<Start> {
  return using(startServer(bench, options), async (server) => {
    const { rssMiB } = server.usage();
    return { readyMs: server.readyMs, rssMiB, sold: await seatsSold(server) };
  });
}

/** Sells that many tickets of event 1, a multiple of ten. */
export async function sellTickets(server: Program, tickets: number): Promise<void> {
  const request = requestText('POST', '/buy/1', {}, JSON.stringify({ quantity: TICKETS_PER_BUY }));
  const requests = tickets / TICKETS_PER_BUY;
  const load = { request, requests, connections: 64, timeoutMs: 120_000 };
  const { statuses } = await closedLoop({ ...load, port: server.port });
  const granted = (statuses['200'] ?? 0) + (statuses['201'] ?? 0);
  if (granted !== requests) throw new Error(`could not sell ${tickets} tickets: ${JSON.stringify(statuses)}`);
}

function startFigure(
  name: string,
  starts: readonly Start[],
  target?: typeof BELOW_A_SECOND,
  problems: readonly string[] = [],
): Figure {
  const slowest = Math.max(...starts.map((one) => one.readyMs));
  const detail = `slowest ${round(slowest)} ms; ${round(medianOf(starts, (one) => one.rssMiB))} MiB when ready`;
  const value = medianOf(starts, (one) => one.readyMs);
  return figure({ name, value, unit: 'ms', detail }, target, problems);
}
