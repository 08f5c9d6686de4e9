// What seats cost: holds of chosen seats, of the best seats together, and of several ticket types at once, against
// holds of as many general-admission tickets on the same server; the choice itself; and reads of the seat map.
//
// Every hold of a seat needs another seat, so the loads are bounded: a number of requests, as fast as the answers come,
// general admission and seats in turns.
import type { EventId, TicketTypeId } from '@floodgate/core/ids.ts';
import { TicketLayout } from '@floodgate/core/seating/layout.ts';
import { seatPlanOf } from '@floodgate/core/seating/seat-plan.ts';
import { parseManifestText } from '@floodgate/manifest/text.ts';
import { MemoryInventory } from '../../server/src/inventory/memory/memory-inventory.ts';
import { compareWithEcho, ratioFigure } from '../against-echo.ts';
import { type Bench, type Figure, figure, round, type Suite, type Target } from '../bench.ts';
import { closedLoop } from '../generators.ts';
import { measure, medianOf, type Pair } from '../measure.ts';
import { ask, type Program } from '../program.ts';
import { requestText } from '../raw-client.ts';
import { API_KEY, startServer, using } from '../server-under-test.ts';
import { medianRatio, summarize } from '../stats.ts';

const CONNECTIONS = 64;
const TIMEOUT_MS = 60_000;
const HOLDS = 9_000;
export const PARTY = 4;
/** Four together in 20,000 seats, until 95 % are taken. */
export const PARTIES = (20_000 * 0.95) / PARTY;

interface Hall {
  readonly sections: number;
  readonly rows: number;
  readonly seats: number;
}
const ARENA: Hall = { sections: 1, rows: 500, seats: 200 };
export const THEATRE: Hall = { sections: 20, rows: 20, seats: 50 };
const STADIUM: Hall = { sections: 50, rows: 20, seats: 50 };

export const seats: Suite = {
  name: 'seats',
  question: 'What do chosen seats, the best seats and several ticket types cost, against general admission?',
  run: (bench) =>
    using(startServer(bench, { name: 'seats', events: 1, ticketsPerEvent: 1_000 }), async (server) => {
      await makeStanding(server);
      const chosen = await compareChosen(bench, server);
      const best = await compareBest(bench, server);
      const several = await compareSeveral(bench, server);
      const reads = await compareReads(bench, server);
      const choice = measureChoice();
      return {
        figures: [
          ...chosen.figures,
          ...best.figures,
          ...several.figures,
          ...reads.figures,
          ...choice.figures,
        ],
        raw: {
          chosen: chosen.raw,
          best: best.raw,
          several: several.raw,
          reads: reads.raw,
          choice: choice.raw,
        },
      };
    }),
};

type Holds = Awaited<ReturnType<typeof holdAll>>;

function manifestOf({ sections, rows, seats }: Hall, category: string) {
  const label = (n: number) => String(n).padStart(3, '0');
  const labels = Array.from({ length: seats }, (_, n) => label(n)).join(',');
  return {
    name: 'Bench',
    sections: Array.from({ length: sections }, (_, section) => ({
      section: `S${label(section)}`,
      category,
      rows: Array.from({ length: rows }, (_, row) => ({ row: label(row), seats: labels })),
    })),
  };
}

async function post(server: Program, path: string, body: unknown): Promise<Record<string, unknown>> {
  const headers = { authorization: `Bearer ${API_KEY}` };
  const reply = await ask(server.port, 'POST', path, { headers, body: JSON.stringify(body) });
  if (reply.status !== 201) throw new Error(`POST ${path} was answered ${reply.status}: ${reply.body}`);
  return JSON.parse(reply.body) as Record<string, unknown>;
}

const EVENT = {
  name: 'Bench',
  venue: { name: 'Bench' },
  startsAt: '2030-01-01T20:00:00Z',
  timeZone: 'Etc/UTC',
};
const typeOf = (ticketTypeId: string, rest: object) => ({
  ...{ ticketTypeId, name: ticketTypeId, price: 0, currency: 'EUR' },
  ...rest,
});

async function makeStanding(server: Program): Promise<void> {
  const ticketTypes = ['a', 'b'].map((id) => typeOf(id, { capacity: 10_000_000 }));
  await post(server, '/api/v1/events', { ...EVENT, eventId: 'standing', ticketTypes });
}

/** How long it takes from the file to an event on sale. */
export async function makeSeated(server: Program, eventId: string, hall: Hall): Promise<number> {
  const startMs = performance.now();
  const { manifestId } = await post(server, '/api/v1/manifests', manifestOf(hall, 'seat'));
  const ticketTypes = [typeOf('seat', { category: 'seat' })];
  await post(server, '/api/v1/events', { ...EVENT, eventId, manifestId, ticketTypes });
  return performance.now() - startMs;
}

function holdAll(
  server: Program,
  eventId: string,
  line: object,
  requests: number,
  values?: readonly string[],
) {
  const body = JSON.stringify({ lines: [line].flat() });
  const request = requestText('POST', `/api/v1/events/${eventId}/holds`, {}, body);
  const load = {
    request,
    requests,
    connections: CONNECTIONS,
    timeoutMs: TIMEOUT_MS,
    ...(values && { values }),
  };
  return measure(server, () => closedLoop({ ...load, port: server.port }));
}

const standing = (server: Program, quantity: number, requests: number) =>
  holdAll(server, 'standing', { ticketType: 'a', quantity }, requests);

/** Parties in a theatre, until 95 % of it are taken. */
export const holdTheBest = (server: Program, eventId: string) =>
  holdAll(server, eventId, { ticketType: 'seat', bestAvailable: PARTY }, PARTIES);

/** A B A B …, each B with its own number. */
async function inTurns(
  bench: Bench,
  a: () => Promise<Holds>,
  b: (pair: number) => Promise<Holds>,
): Promise<Pair<Holds>[]> {
  const pairs: Pair<Holds>[] = [];
  await a();
  for (let pair = 0; pair < bench.pairs; pair++) pairs.push({ a: await a(), b: await b(pair) });
  return pairs;
}

/** Every hold of a seat names one that nobody has. */
async function compareChosen(bench: Bench, server: Program) {
  bench.say(`${round(HOLDS)} holds of one chosen seat, and of one general-admission ticket`);
  const loadMs = await makeSeated(server, 'chosen', ARENA);
  const label = (n: number) => String(n).padStart(3, '0');
  // Neighbours in time are far apart in the hall, as with people.
  const seatOf = (n: number) => (n * 7_919) % (ARENA.rows * ARENA.seats);
  const values = (from: number) =>
    Array.from({ length: HOLDS }, (_, n) => seatOf(from + n)).map(
      (seat) => `${label(Math.floor(seat / ARENA.seats))}/${label(seat % ARENA.seats)}`,
    );
  const hold = (from: number) =>
    holdAll(server, 'chosen', { seats: ['S000/{value}'] }, HOLDS, values(from * HOLDS));
  await hold(bench.pairs);
  const pairs = await inTurns(bench, () => standing(server, 1, HOLDS), hold);
  const name = 'holds of a chosen seat against general admission';
  const load = { name: '100,000 seats, from the file to the sale', value: loadMs, unit: 'ms', detail: '' };
  return {
    figures: [figure(load, { is: '<', limit: 2_000 }), ratio(name, pairs, { is: '≥', limit: 0.7 })],
    raw: { loadMs, pairs },
  };
}

/** Each pair has a hall of its own, from empty to 95 % full. */
async function compareBest(bench: Bench, server: Program) {
  bench.say(
    `${round(PARTIES)} holds of the best ${PARTY} of 20,000 seats, and of ${PARTY} general-admission tickets`,
  );
  const hold = async (pair: number) => {
    await makeSeated(server, `best-${pair}`, THEATRE);
    return holdTheBest(server, `best-${pair}`);
  };
  await hold(bench.pairs);
  const pairs = await inTurns(bench, () => standing(server, PARTY, PARTIES), hold);
  const ones = await inTurns(
    { ...bench, pairs: 3 },
    () => standing(server, 1, PARTIES),
    (n) => hold(bench.pairs + 1 + n),
  );
  const target: Target = { is: '≥', limit: 0.4 };
  return {
    figures: [
      ratio(`holds of the best ${PARTY} against ${PARTY} of general admission`, pairs, target),
      ratio(`holds of the best ${PARTY} against one of general admission`, ones, target),
    ],
    raw: { pairs, ones },
  };
}

async function compareSeveral(bench: Bench, server: Program) {
  bench.say(`${round(HOLDS)} holds of two ticket types together, and of two tickets of one type`);
  const lines = ['a', 'b'].map((ticketType) => ({ ticketType, quantity: 1 }));
  const hold = () => holdAll(server, 'standing', lines, HOLDS);
  await hold();
  const pairs = await inTurns(bench, () => standing(server, 2, HOLDS), hold);
  const name = 'holds of two ticket types against two tickets of one';
  return { figures: [ratio(name, pairs, { is: '≥', limit: 0.7 })], raw: pairs };
}

async function compareReads(bench: Bench, server: Program) {
  await makeSeated(server, 'map', STADIUM);
  const read = (what: string) => ({ method: 'GET' as const, path: `/api/v1/events/map/${what}`, body: '' });
  const size = (await ask(server.port, 'GET', read('seats').path)).body.length;
  const target: Target = { is: '≥', limit: 0.5 };
  const figures: Figure[] = [
    figure(
      { name: 'body with the status of 50,000 seats', value: size, unit: 'bytes', detail: '' },
      { is: '≤', limit: 30_000 },
    ),
  ];
  const raw: unknown[] = [];
  for (const what of ['availability', 'seats']) {
    bench.say(`GET ${read(what).path} against the echo`);
    const comparison = { request: read(what), connections: CONNECTIONS, answers: 'granted', target } as const;
    const result = await compareWithEcho(bench, server, comparison);
    figures.push(
      ratioFigure(
        what === 'seats' ? 'status of 50,000 seats' : 'availability of a seated event',
        comparison,
        result,
      ),
    );
    raw.push({ comparison, ...result });
  }
  return { figures, raw };
}

/** The choice alone, without HTTP or ledger: a take of the best seats in memory, each timed. */
function measureChoice(): { figures: Figure[]; raw: unknown } {
  const figures: Figure[] = [];
  const raw: unknown[] = [];
  for (const [name, hall] of [
    ['20,000', THEATRE],
    ['50,000', STADIUM],
  ] as const) {
    const manifest = parseManifestText(JSON.stringify(manifestOf(hall, 'seat')));
    const ticketTypeId = 'seat' as TicketTypeId;
    const eventId = 'choice' as EventId;
    const capacity = hall.sections * hall.rows * hall.seats;
    const ticketTypes = [
      { ticketTypeId, name: 'Seat', price: 0, currency: 'EUR', capacity, category: 'seat' },
    ];
    const layout = new TicketLayout({ ticketTypes }, seatPlanOf(manifest, ticketTypes));
    const times: number[] = [];
    for (let round = 0; round < 3; round++) {
      const inventory = new MemoryInventory();
      void inventory.load({ eventId, layout }, { seq: 0, held: new Uint32Array(), sold: new Uint32Array() });
      for (let taken = 0; taken + PARTY <= capacity * 0.95; taken += PARTY) {
        const startMs = performance.now();
        inventory.take(eventId, [{ ticketType: ticketTypeId, best: PARTY }]);
        times.push(performance.now() - startMs);
      }
    }
    const latency = summarize(Float64Array.from(times));
    const detail = `${round(times.length)} choices, p50 ${round(latency.p50 * 1_000)} µs, max ${round(latency.max)} ms`;
    const claim = {
      name: `choice of the best ${PARTY} of ${name} seats, p99`,
      value: latency.p99,
      unit: 'ms',
      detail,
    };
    figures.push(figure(claim, { is: '<', limit: 2 }));
    raw.push({ hall, latency });
  }
  return { figures, raw };
}

function ratio(name: string, pairs: readonly Pair<Holds>[], target: Target): Figure {
  const problems = pairs.flatMap(({ a, b }) => [a, b]).flatMap(problemsOf);
  const value = medianRatio(pairs.map(({ a, b }) => ({ a: a.answeredPerSecond, b: b.answeredPerSecond })));
  const side = (runs: readonly Holds[]) =>
    `${round(medianOf(runs, (run) => run.answeredPerSecond))}/s, ${round(medianOf(runs, (run) => run.cpuUsPerRequest))} µs CPU each`;
  const detail = `${side(pairs.map(({ b }) => b))}; general admission ${side(pairs.map(({ a }) => a))}`;
  return figure({ name, value, unit: '×', detail }, target, problems);
}

function problemsOf({ requests, errors, statuses }: Holds): string[] {
  const granted = statuses['201'] ?? 0;
  if (granted === requests) return [];
  return [
    `${granted} of ${requests} were granted, ${errors} not answered, by status ${JSON.stringify(statuses)}`,
  ];
}
