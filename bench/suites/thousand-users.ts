// Mission row B7: 1,000 buyers press the button in the same instant, on a server that has just been started and
// has warmed up for nobody. Every buyer connects, too: the clock runs from the first connection attempt.
import { type Bench, type Figure, figure, round, type Suite } from '../bench.ts';
import { closedLoop } from '../generators.ts';
import { measure, medianOf } from '../measure.ts';
import { requestText } from '../raw-client.ts';
import { seatsSold, startServer, using } from '../server-under-test.ts';

const BUYERS = 1_000;
const SOURCE_WALL_S = 4.254;
const REQUEST = requestText(
  'POST',
  '/api/v1/purchase',
  { 'Idempotency-Key': 'buyer-{n}' },
  JSON.stringify({ quantity: 1 }),
);

export const thousandUsers: Suite = {
  name: 'thousand-users',
  question: 'How long until 1,000 simultaneous buyers each have their ticket?',
  async run(bench) {
    const rounds: Round[] = [];
    const count = bench.quick ? 3 : 7;
    bench.say(`${count} × 1,000 simultaneous buyers, each time on a new server`);
    for (let n = 0; n < count; n++) rounds.push(await stampede(bench, n));
    return { figures: figuresOf(rounds), raw: { request: REQUEST, rounds } };
  },
};

type Round = Awaited<ReturnType<typeof stampede>>;

function stampede(bench: Bench, round: number) {
  const starting = startServer(bench, { name: `users-${round}`, events: 1, ticketsPerEvent: 10_000 });
  return using(starting, async (server) => {
    const rssBeforeMiB = server.usage().rssMiB;
    const load = { request: REQUEST, requests: BUYERS, connections: BUYERS, timeoutMs: 20_000 };
    const result = await measure(server, () => closedLoop({ ...load, port: server.port }));
    const { peakRssMiB } = server.usage();
    return { ...result, rssBeforeMiB, peakRssMiB, sold: await seatsSold(server) };
  });
}

function figuresOf(rounds: readonly Round[]): Figure[] {
  const problems = rounds.flatMap(({ statuses, errors, sold }) => {
    if (statuses['200'] === BUYERS && sold === BUYERS) return [];
    return [`by status ${JSON.stringify(statuses)}, ${errors} not answered, ${sold} sold`];
  });
  const seconds = rounds.map((round) => round.wallMs / 1_000);
  const wallS = medianOf(seconds, (value) => value);
  const all = seconds.map(round).join(', ');
  const faster = round(SOURCE_WALL_S / wallS);
  const cpuUs = medianOf(rounds, (run) => run.cpuUsPerRequest);
  const p50 = medianOf(rounds, (run) => run.latencyMs.p50);
  const rss = medianOf(rounds, (run) => run.rssBeforeMiB);
  return [
    figure(
      {
        name: '1,000 simultaneous buyers, first connect to last answer',
        value: wallS,
        unit: 's',
        detail: `all rounds: ${all}; ${faster} times as fast as the source's ${SOURCE_WALL_S} s; ${round(cpuUs)} µs CPU each`,
      },
      { is: '<', limit: 0.5 },
      problems,
    ),
    figure({
      name: 'their latency p99, from sending to the answer',
      value: medianOf(rounds, (run) => run.latencyMs.p99),
      unit: 'ms',
      detail: `p50 ${round(p50)} ms`,
    }),
    figure({
      name: 'peak memory of the server',
      value: medianOf(rounds, (run) => run.peakRssMiB),
      unit: 'MiB',
      detail: `${round(rss)} MiB before the buyers came`,
    }),
  ];
}
