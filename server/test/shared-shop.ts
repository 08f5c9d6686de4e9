// Several processes of the real program that are one shop: the same Redis, the same database. Its clients shop at any
// of them, rounds of faults are played on what lies beneath, and after every round the checker compares all that any
// client was ever told with all that the ledger has.
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CheckOptions, check } from './checker/check.ts';
import type { FinalLedger } from './checker/final-ledger.ts';
import { formatViolations, type Violation } from './checker/findings.ts';
import { callsOf, HistoryLog } from './checker/history.ts';
import { seededRandom } from './checker/random.ts';
import { auditComplaints, HttpClient, readLedger, readTypes, wireOf } from './load.ts';
import { ServerProcess } from './server-process.ts';
import { Workload } from './workload.ts';

const HOLD_TTL_SECONDS = 1;
/** Half of the longest time a ticket may be lost to the inventory. */
const RECONCILE_SECONDS = 1;
/** A pair of events is shopped for some rounds, until it is sold out; then the next pair. */
const ROUNDS_PER_PAIR = 3;
const TICKETS = 400;
const PLAN = { ticketType: 'ga', clients: 24, thinkMs: 15, holdForMs: 1_500, retryMs: 100 };
const OPTIONS: CheckOptions = {
  holdTtlMs: HOLD_TTL_SECONDS * 1_000,
  isResolved: true,
  /** While a store is away, and until the grace has passed, a ticket that came back may not be seen at once. */
  staleMs: 10_000,
};

export interface SharedShopOptions {
  readonly processes: number;
  readonly redisUrl?: string | undefined;
  readonly databaseUrl: string;
  /** Of faults that will be played. */
  readonly rounds: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Settings of one process: one may reach a store by another way than the others. */
  readonly envOf?: (process: number) => Readonly<Record<string, string>>;
}

/** One fault: does its harm, and has put everything right when it resolves. Load is running meanwhile. */
export type Fault = (shop: SharedShop, random: () => number) => Promise<void>;

export class SharedShop {
  readonly processes: readonly ServerProcess[];
  readonly eventIds: readonly string[];
  readonly log = new HistoryLog(() => performance.now());
  readonly random: () => number;
  readonly seed: number;
  readonly #clients: readonly HttpClient[];
  readonly #workload: Workload;
  #earlier: FinalLedger = [];
  #round = 0;

  private constructor(processes: readonly ServerProcess[], eventIds: readonly string[], seed: number) {
    this.processes = processes;
    this.eventIds = eventIds;
    this.seed = seed;
    this.random = seededRandom(seed);
    this.#clients = processes.map((process) => new HttpClient(process));
    const send = (request: Parameters<typeof wireOf>[0]) => this.anyClient().send(wireOf(request));
    this.#workload = new Workload({ send, sleep, random: this.random, log: this.log }, PLAN);
  }

  /** Starts the processes one after another: the first makes schema and events, the others find them. */
  static async start(t: TestContext, options: SharedShopOptions): Promise<SharedShop> {
    const seed = Number(process.env.FAULT_SEED ?? randomInt(2 ** 31));
    t.diagnostic(`FAULT_SEED=${seed}`);
    const events = 2 * Math.ceil(options.rounds / ROUNDS_PER_PAIR);
    const started: ServerProcess[] = [];
    t.after(() => Promise.all(started.map((process) => process.remove())));
    for (let each = 0; each < options.processes; each++) {
      const env = {
        ...{ DATABASE_URL: options.databaseUrl, RECONCILE_SECONDS: `${RECONCILE_SECONDS}` },
        ...(options.redisUrl === undefined ? {} : { REDIS_URL: options.redisUrl }),
        ...options.env,
        ...options.envOf?.(each),
      };
      started.push(
        await ServerProcess.start({ events, tickets: TICKETS, holdTtlSeconds: HOLD_TTL_SECONDS, env }),
      );
    }
    const eventIds = Array.from({ length: events }, (_, index) => `${index + 1}`);
    const shop = new SharedShop(started, eventIds, seed);
    t.after(() => {
      for (const client of shop.#clients) client.close();
    });
    return shop;
  }

  /** A client of any process. */
  anyClient(): HttpClient {
    return this.#clients[Math.floor(this.random() * this.#clients.length)]!;
  }

  /** A process by chance. */
  anyProcess(): ServerProcess {
    return this.processes[Math.floor(this.random() * this.processes.length)]!;
  }

  /** The pair of events that this round is shopped for. */
  get onSale(): readonly string[] {
    const first = 2 * Math.floor(this.#round / ROUNDS_PER_PAIR);
    return this.eventIds.slice(first, first + 2);
  }

  /** Load, the fault in its midst, load again; then everything that was told must stand in the ledger. */
  async play(fault: Fault): Promise<void> {
    let isOver = false;
    const shopping = this.#workload.run(this.onSale, () => isOver);
    await sleep(150 + this.random() * 350);
    await fault(this, this.random);
    await sleep(150 + this.random() * 350);
    isOver = true;
    await shopping;
    await this.#workload.resolve();
    const ledger = await readLedger(this.anyClient(), this.eventIds);
    const violations = check(this.log.records, ledger, { ...OPTIONS, earlier: this.#earlier });
    this.#assertNone(violations, `round ${this.#round}`);
    this.#earlier = ledger;
    this.#round++;
  }

  /**
   * The end: when every hold has had its time, what is not sold is on sale, in every process alike (rule S9); the
   * audit of every event is content; selling works at every process.
   */
  async assertWhole(t: TestContext, graceMs = 15_000): Promise<void> {
    await this.#allComeToRest(graceMs);
    for (const client of this.#clients) {
      const ledger = await readLedger(client, this.eventIds);
      const violations = check(this.log.records, ledger, {
        ...OPTIONS,
        earlier: this.#earlier,
        isQuiet: true,
      });
      this.#assertNone(violations, 'the end');
      assert.deepEqual(await auditComplaints(client, this.eventIds), []);
    }
    await this.#assertSellable();
    const calls = callsOf(this.log.records);
    const lost = calls.filter(({ outcome }) => outcome === 'info').length;
    t.diagnostic(`${calls.length} requests, ${lost} without an answer or with a 5xx`);
    assert.ok(calls.length > this.#round * 50, 'too few requests for a proof');
    await Promise.all(this.processes.map((process) => process.stop()));
  }

  async #allComeToRest(graceMs: number): Promise<void> {
    const deadlineMs = performance.now() + graceMs;
    for (const eventId of this.eventIds) {
      for (;;) {
        const states = await Promise.all(this.#clients.map((client) => readTypes(client, eventId)));
        const held = states.flat().reduce((sum, { counts }) => sum + counts.held, 0);
        const alike = new Set(states.map((types) => JSON.stringify(types))).size === 1;
        if (held === 0 && alike) break;
        assert.ok(
          performance.now() < deadlineMs,
          `event ${eventId} is not at rest: ${JSON.stringify(states)}`,
        );
        await sleep(100);
      }
    }
  }

  /** Every ticket that the counts call available can really be bought, and not one more. */
  async #assertSellable(): Promise<void> {
    const eventId = this.eventIds[0]!;
    const [type] = await readTypes(this.anyClient(), eventId);
    const left = type!.counts.available;
    const asked = left + 5;
    const answers = await Promise.all(
      Array.from({ length: asked }, () =>
        this.anyClient().send({ method: 'POST', path: `/buy/${eventId}`, headers: {}, body: '' }),
      ),
    );
    const sold = answers.filter(({ status }) => status === 201).length;
    assert.equal(sold, left, `of ${asked} who asked for the last ${left} tickets`);
  }

  #assertNone(violations: readonly Violation[], when: string): void {
    if (violations.length === 0) return;
    const file = join(tmpdir(), `floodgate-history-${process.pid}.ndjson`);
    writeFileSync(file, this.log.toNdjson());
    const seed = `FAULT_SEED=${this.seed}`;
    assert.fail(`${when}, ${seed}: ${formatViolations(violations)}\nthe history is in ${file}`);
  }
}
