// Does it matter how many events there are, and how many tickets? Two comparisons, each between neighbours in time:
//
// - events: 1 × 10 million tickets against 1,000 × 10 thousand, so both have the same number of tickets and neither
//   sells out. Buyers spread over all events evenly, so nearly every sale of a batch is of another event: the worst
//   case for anything that is done once per event and batch.
// - tickets: 10 thousand against 10 million in an event. Ten thousand tickets last for a third of a second, so the
//   load is not so-many-seconds but 9,000 sales, and the clock stops at the last answer. The server has two events:
//   it warms up on the second, and what counts is sold of the first. Every pair needs new servers.
import { type Bench, type Figure, figure, round, type Suite } from '../bench.ts';
import { closedLoop } from '../generators.ts';
import { alternate, measure, medianOf, type Pair } from '../measure.ts';
import { requestText } from '../raw-client.ts';
import { type ServerUnderTest, startServer, using } from '../server-under-test.ts';
import { medianRatio } from '../stats.ts';
import { BUY } from './durable.ts';

const FEW_CONNECTIONS = 64;
const MANY_CONNECTIONS = 512;
const TIMEOUT_MS = 60_000;
const MANY_EVENTS = 1_000;
const FEW_TICKETS = 10_000;
const MANY_TICKETS = 10_000_000;
const SALES = 60_000;
const QUICK_SALES = 10_000;
const SALES_OF_FEW = 9_000;
const WITHIN = { is: '≥', limit: 0.8 } as const;

export const shapes: Suite = {
  name: 'shapes',
  question: 'Are 1,000 events or 10 million tickets slower to sell than one event or 10 thousand?',
  async run(bench) {
    const events = await compareEvents(bench, FEW_CONNECTIONS);
    const eventsInACrowd = await compareEvents(bench, MANY_CONNECTIONS);
    const tickets = await compareTickets(bench);
    return {
      figures: [
        ...figuresOf(
          `1,000 events instead of 1, ${FEW_CONNECTIONS} connections`,
          '1 × 10 M',
          '1,000 × 10 k',
          events,
        ),
        ...figuresOf(
          `1,000 events instead of 1, ${MANY_CONNECTIONS} connections`,
          '1 × 10 M',
          '1,000 × 10 k',
          eventsInACrowd,
        ),
        ...figuresOf('10 M tickets instead of 10 k', '2 × 10 k', '2 × 10 M', tickets),
      ],
      raw: {
        connections: FEW_CONNECTIONS,
        events,
        crowd: { connections: MANY_CONNECTIONS, events: eventsInACrowd },
        tickets,
      },
    };
  },
};

type Sales = Awaited<ReturnType<typeof sell>>;

function compareEvents(bench: Bench, connections: number): Promise<Pair<Sales>[]> {
  const sales = bench.quick ? QUICK_SALES : SALES;
  bench.say(`${round(sales)} sales of 1 event of 10 million tickets, and of 1,000 events of 10 thousand`);
  const one = startServer(bench, {
    name: `one-event-${connections}`,
    events: 1,
    ticketsPerEvent: MANY_TICKETS,
  });
  return using(one, (oneEvent) => {
    const many = startServer(bench, {
      name: `many-events-${connections}`,
      events: MANY_EVENTS,
      ticketsPerEvent: FEW_TICKETS,
    });
    return using(many, async (manyEvents) => {
      await sell(oneEvent, '1', 1, sales, connections);
      await sell(manyEvents, '{event}', MANY_EVENTS, sales, connections);
      return alternate(
        bench,
        () => sell(oneEvent, '1', 1, sales, connections),
        () => sell(manyEvents, '{event}', MANY_EVENTS, sales, connections),
      );
    });
  });
}

async function compareTickets(bench: Bench): Promise<Pair<Sales>[]> {
  bench.say('9,000 sales of an event of 10 thousand tickets, and of one of 10 million');
  let started = 0;
  const sellFirst = (ticketsPerEvent: number) => {
    const name = `tickets-${ticketsPerEvent}-${started++}`;
    return using(startServer(bench, { name, events: 2, ticketsPerEvent }), async (server) => {
      await sell(server, '2', 1, SALES_OF_FEW);
      return sell(server, '1', 1, SALES_OF_FEW);
    });
  };
  // A third of a second is short, so there are more pairs of it.
  return alternate(
    { ...bench, pairs: bench.quick ? bench.pairs : 2 * bench.pairs + 1 },
    () => sellFirst(FEW_TICKETS),
    () => sellFirst(MANY_TICKETS),
  );
}

/** Sells that many tickets as fast as the answers come. `event` is an event's name, or `{event}` for all in turn. */
async function sell(
  server: ServerUnderTest,
  event: string,
  events: number,
  requests: number,
  connections = FEW_CONNECTIONS,
) {
  const request = requestText(BUY.method, `/buy/${event}`, {}, BUY.body);
  const load = { request, requests, events, connections, timeoutMs: TIMEOUT_MS };
  const result = await measure(server, () => closedLoop({ ...load, port: server.port }));
  return { ...result, readyMs: server.readyMs };
}

function figuresOf(name: string, aShape: string, bShape: string, pairs: readonly Pair<Sales>[]): Figure[] {
  const problems = pairs.flatMap(({ a, b }) => [a, b]).flatMap(problemsOf);
  const ratio = medianRatio(pairs.map(({ a, b }) => ({ a: a.answeredPerSecond, b: b.answeredPerSecond })));
  const side = (runs: readonly Sales[]) => {
    const perSecond = medianOf(runs, (run) => run.answeredPerSecond);
    const cpuUs = medianOf(runs, (run) => run.cpuUsPerRequest);
    return `${round(perSecond)}/s, ${round(cpuUs)} µs CPU each`;
  };
  const [aRuns, bRuns] = [pairs.map((pair) => pair.a), pairs.map((pair) => pair.b)];
  const detail = `${aShape}: ${side(aRuns)}; ${bShape}: ${side(bRuns)}`;
  const rss = (runs: readonly Sales[]) => medianOf(runs, (run) => run.rssMiB);
  return [
    figure({ name: `throughput with ${name}`, value: ratio, unit: '×', detail }, WITHIN, problems),
    figure({
      name: `memory with ${name}`,
      value: rss(bRuns),
      unit: 'MiB',
      detail: `${aShape}: ${round(rss(aRuns))} MiB; started and ready in ${round(medianOf(bRuns, (run) => run.readyMs))} ms`,
    }),
  ];
}

function problemsOf({ requests, errors, statuses }: Sales): string[] {
  const granted = (statuses['200'] ?? 0) + (statuses['201'] ?? 0);
  if (granted === requests) return [];
  return [
    `${granted} of ${requests} were granted, ${errors} not answered, by status ${JSON.stringify(statuses)}`,
  ];
}
