// A shop of one or several processes of the real program that sells houses with seats while something goes wrong, and
// the proof afterwards: all that any client was told against all that the ledger has.

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { patienceMs } from '@floodgate/core/testing/patience.ts';
import { type CheckOptions, check } from './checker/check.ts';
import type { FinalEvent, FinalLedger } from './checker/final-ledger.ts';
import { formatViolations, type Violation } from './checker/findings.ts';
import { type Call, callsOf, HistoryLog, type Request } from './checker/history.ts';
import { seededRandom } from './checker/random.ts';
import { auditComplaints, HttpClient, readLedger, readTypes, untilTold, wireOf } from './load.ts';
import { checkSeats } from './seat-checks.ts';
import {
  GA,
  type House,
  LIMITS,
  makeHouse,
  readSeats,
  type SeatLook,
  SeatWatcher,
  Wishes,
} from './seat-house.ts';
import { checkDone, SeatStaff } from './seat-staff.ts';
import { ServerProcess } from './server-process.ts';
import { type Reply, Workload } from './workload.ts';

const HOLD_TTL_SECONDS = 1;
const HOLD_MAX_SECONDS = 2;
const PLAN = {
  ticketType: GA,
  clients: 28,
  thinkMs: 12,
  holdForMs: 1_500,
  retryMs: 40,
  buys: 0.15,
  flashes: 0.1,
};
/** Enough that they can have nearly all of a house. */
const BUYERS = 130;
const FIRST_HOUSE = 'house-1';

export interface SeatShopOptions {
  readonly processes: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Default: the shop. */
  readonly program?: string;
  /** For how long after a fault the inventory may be behind the ledger. */
  readonly staleMs: number;
}

export class SeatShop {
  readonly processes: readonly ServerProcess[];
  readonly clients: readonly HttpClient[];
  readonly log = new HistoryLog(() => performance.now());
  readonly random: () => number;
  readonly houses: House[] = [];
  readonly staff: SeatStaff;
  readonly #seed: number;
  readonly #staleMs: number;
  readonly #wishes: Wishes;
  readonly #workload: Workload;
  readonly #watchers = new Map<string, SeatWatcher>();
  #earlier: FinalLedger = [];
  #lastBuyers = 0;

  private constructor(processes: readonly ServerProcess[], seed: number, staleMs: number) {
    this.processes = processes;
    this.#seed = seed;
    this.#staleMs = staleMs;
    this.random = seededRandom(seed);
    this.clients = processes.map((process) => new HttpClient(process));
    const send = (request: Request) => this.#send(request);
    this.#wishes = new Wishes(this.random, BUYERS);
    this.staff = new SeatStaff(() => this.anyProcess().port, this.random);
    const plan = { ...PLAN, claim: this.#wishes.claim };
    this.#workload = new Workload({ send, sleep, random: this.random, log: this.log }, plan);
  }

  static async start(t: TestContext, options: SeatShopOptions): Promise<SeatShop> {
    const seed = Number(process.env.FAULT_SEED ?? randomInt(2 ** 31));
    t.diagnostic(`FAULT_SEED=${seed}`);
    const { program, env, staleMs } = options;
    const started: ServerProcess[] = [];
    t.after(() => Promise.all(started.map((each) => each.remove())));
    const start = async (): Promise<void> => {
      const shape = { events: 1, tickets: 1, holdTtlSeconds: HOLD_TTL_SECONDS, program };
      const more = { HOLD_MAX_SECONDS: `${HOLD_MAX_SECONDS}`, ...env };
      started.push(await ServerProcess.start({ ...shape, env: more }));
    };
    await start();
    await Promise.all(Array.from({ length: options.processes - 1 }, start));
    const shop = new SeatShop(started, seed, staleMs);
    t.after(() => {
      for (const client of shop.clients) client.close();
    });
    return shop;
  }

  get house(): House {
    return this.houses.at(-1)!;
  }

  anyClient(): HttpClient {
    return this.clients[Math.floor(this.random() * this.clients.length)]!;
  }

  anyProcess(): ServerProcess {
    return this.processes[Math.floor(this.random() * this.processes.length)]!;
  }

  pause(fromMs: number, toMs: number): Promise<void> {
    return sleep(fromMs + this.random() * (toMs - fromMs));
  }

  /** Who finds nobody there takes a breath, so that histories are not full of those. */
  async #send(request: Request): Promise<Reply> {
    try {
      return await this.anyClient().send(wireOf(request));
    } catch (error) {
      await sleep(100);
      throw error;
    }
  }

  /** Another house goes on sale: from now on it is the one that all want. */
  async open(): Promise<House> {
    const eventId = FIRST_HOUSE.replace('1', `${this.houses.length + 1}`);
    const house = await makeHouse(this.processes[0]!.port, this.clients[0]!, eventId);
    this.houses.push(house);
    this.#wishes.add(house);
    this.#watchers.set(eventId, new SeatWatcher(eventId));
    return house;
  }

  /** Load on the newest house with the harm in its midst; then everything that was told must stand in the ledger. */
  async play(harm: () => Promise<unknown>, withStaff = false): Promise<void> {
    await this.#alive(async () => {
      await this.shop(harm, withStaff);
      await this.#workload.resolve();
      this.#earlier = await this.#judge(this.anyClient(), {});
    });
  }

  /** A process that ended by itself is what is told then, not what came of it. */
  async #alive(act: () => Promise<void>): Promise<void> {
    let fault: unknown;
    await act().catch((error: unknown) => {
      fault = error;
    });
    for (const { death } of this.processes) {
      if (death !== undefined) throw new Error(`FAULT_SEED=${this.#seed}: ${death}`, { cause: fault });
    }
    if (fault !== undefined) throw fault;
  }

  /** Load with the harm in its midst, and no judgement. Who had no answer is left without. */
  async shop(harm: () => Promise<unknown>, withStaff = false): Promise<void> {
    let isOver = false;
    const harmed = async (): Promise<void> => {
      try {
        await this.pause(150, 500);
        await harm();
        await this.pause(150, 400);
      } finally {
        isOver = true;
      }
    };
    const { eventId } = this.house;
    const watcher = this.#watchers.get(eventId)!;
    await Promise.all([
      this.#workload.run([eventId], () => isOver),
      watcher.watch(
        () => this.anyClient(),
        () => isOver,
      ),
      withStaff ? this.staff.work(this.house, () => isOver) : undefined,
      harmed(),
    ]);
  }

  /** What is wrong with what clients were told, by the ledger that one process shows. */
  async violations(client: HttpClient, options: CheckOptions = {}): Promise<readonly Violation[]> {
    return (await this.#look(client, options)).violations;
  }

  /** What there is to judge answers about the newest house by. */
  async evidence(): Promise<{ readonly event: FinalEvent; readonly looks: readonly SeatLook[] }> {
    const client = this.clients[0]!;
    const seats = await readSeats(client, this.house.eventId);
    const event = await readFinal(client, this.house);
    return { event, looks: [...this.#watchers.get(event.eventId)!.looks, seats] };
  }

  async #look(client: HttpClient, options: CheckOptions) {
    const { house } = this;
    const seats = await readSeats(client, house.eventId);
    const ledger = await Promise.all(this.houses.map((each) => readFinal(client, each)));
    const violations = check(this.log.records, ledger, {
      ...{ holdTtlMs: HOLD_TTL_SECONDS * 1_000, holdMaxMs: HOLD_MAX_SECONDS * 1_000 },
      ...{ isResolved: true, staleMs: this.#staleMs, limits: LIMITS, earlier: this.#earlier },
      ...options,
    });
    // The houses before were looked at when they were the newest.
    const { looks } = this.#watchers.get(house.eventId)!;
    const seen = [...looks, seats];
    violations.push(
      ...checkSeats(this.log.records, ledger.at(-1)!, house, seen, { staleMs: this.#staleMs }),
      ...checkDone(this.log.records, ledger.at(-1)!, this.staff.done),
    );
    return { ledger, violations };
  }

  /** Only the counts shown may be behind the ledger, and only for a while. */
  async #judge(client: HttpClient, options: CheckOptions): Promise<FinalLedger> {
    const deadlineMs = performance.now() + patienceMs(this.#staleMs);
    for (;;) {
      const { ledger, violations } = await this.#look(client, options);
      if (violations.length === 0) return ledger;
      const mayPass = violations.every(({ what }) => /are shown as/.test(what));
      if (!mayPass || performance.now() > deadlineMs) this.#fail(violations, ledger);
      await sleep(100);
    }
  }

  /**
   * The end: when every hold has had its time nothing is held, in every process alike (rule S9), the seat map shows what
   * the journal says, audits are content, and each seat that is shown as free goes to a buyer who asks for it.
   */
  async assertWhole(t: TestContext): Promise<void> {
    await this.#alive(async () => {
      await this.#allHoldsEnd();
      for (const client of this.clients) {
        this.#earlier = await this.#judge(client, { isQuiet: true });
        const eventIds = this.houses.map(({ eventId }) => eventId);
        assert.deepEqual(await auditComplaints(client, eventIds), []);
      }
      await this.#sellOut();
      for (const client of this.clients) await this.#judge(client, {});
    });
    const calls = callsOf(this.log.records);
    const count = (outcome: Call['outcome']) => calls.filter((call) => call.outcome === outcome).length;
    t.diagnostic(`${count('ok')} grants, ${count('fail')} refusals, ${count('info')} without an answer`);
    const looks = [...this.#watchers.values()].reduce((sum, watcher) => sum + watcher.looks.length, 0);
    t.diagnostic(`${looks} looks at seat maps`);
  }

  async #allHoldsEnd(): Promise<void> {
    const deadlineMs = performance.now() + patienceMs(HOLD_MAX_SECONDS * 1_000 + this.#staleMs);
    for (const { eventId } of this.houses) {
      for (const client of this.clients) {
        for (;;) {
          const held = (await readTypes(client, eventId)).reduce((sum, { counts }) => sum + counts.held, 0);
          if (held === 0) break;
          assert.ok(performance.now() < deadlineMs, `event ${eventId} still has ${held} tickets held`);
          await sleep(50);
        }
      }
    }
  }

  /** Everything that is shown as free is held by name and by number, all at once. */
  async #sellOut(): Promise<void> {
    const { eventId, seats } = this.house;
    const { codes } = await readSeats(this.anyClient(), eventId);
    const free = seats.filter(({ ticket }) => codes[ticket] === 0).map(({ name }) => name);
    const lines: { quantity: number; line: object }[] = [];
    for (let first = 0; first < free.length; first += LIMITS.ticketsPerBuyer) {
      const named = free.slice(first, first + LIMITS.ticketsPerBuyer);
      lines.push({ quantity: named.length, line: { seats: named } });
    }
    for (const { ticketType, counts } of await readTypes(this.anyClient(), eventId)) {
      if (ticketType !== GA && ticketType !== 'floor') continue;
      for (let left = counts.available; left > 0; left -= LIMITS.ticketsPerBuyer) {
        const quantity = Math.min(left, LIMITS.ticketsPerBuyer);
        lines.push({ quantity, line: { ticketType, quantity } });
      }
    }
    const answers = await Promise.all(lines.map(({ quantity, line }) => this.#hold(quantity, line)));
    assert.deepEqual(
      answers.filter(({ status }) => status !== 201),
      [],
      'what is shown as free can be had',
    );
    const refused = await this.#hold(1, { ticketType: 'circle', bestAvailable: 1 });
    assert.equal(refused.status, 409, refused.body);
  }

  async #hold(quantity: number, line: object) {
    const opId = `last-${++this.#lastBuyers}`;
    const body = JSON.stringify({ lines: [line], buyer: opId });
    const { eventId } = this.house;
    const request = { kind: 'hold', eventId, opId, keyed: true, quantity, holdId: null, body } as const;
    return untilTold(async () => {
      const call = this.log.invoke(0, request);
      const reply = await this.anyClient().send(wireOf(request));
      this.log.answer(call, reply.status, reply.body);
      return reply;
    }, patienceMs(10_000));
  }

  #fail(violations: readonly Violation[], ledger: FinalLedger): never {
    const name = join(tmpdir(), `floodgate-seats-${process.pid}-${this.#seed}`);
    writeFileSync(`${name}.ndjson`, this.log.toNdjson());
    writeFileSync(`${name}.json`, JSON.stringify({ ledger, house: this.house }));
    writeFileSync(`${name}.log`, this.processes.map(({ warnings }) => warnings.join('\n')).join('\n\n'));
    assert.fail(
      `FAULT_SEED=${this.#seed}: ${formatViolations(violations)}\nhistory, ledger and warnings are in ${name}.*`,
    );
  }
}

/** The ledger's half of the proof. Tickets that were withdrawn keep their numbers, and new ones come at the end. */
async function readFinal(client: HttpClient, house: House): Promise<FinalEvent> {
  const [event] = await readLedger(client, [house.eventId]);
  const blocks = house.blocks.map((block) => ({ ...block }));
  let numbers = blocks.reduce((sum, { count }) => sum + count, 0);
  for (const { capacity = numbers } of event!.journal) {
    blocks.push({ ticketType: GA, count: capacity - numbers });
    numbers = capacity;
  }
  const types = event!.types.map((type) => {
    const own = blocks.filter(({ ticketType }) => ticketType === type.ticketType);
    const capacity = own.reduce((sum, { count }) => sum + count, 0);
    const aside = (type.counts.aside ?? 0) + capacity - type.capacity;
    return { ...type, capacity, counts: { ...type.counts, ...(aside > 0 ? { aside } : {}) } };
  });
  return { ...event!, types, blocks: blocks.filter(({ count }) => count > 0) };
}
