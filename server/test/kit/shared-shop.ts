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
import { patienceMs, SLOWNESS } from '@floodgate/core/testing/patience.ts';
import { type CheckOptions, check } from './checker/check.ts';
import type { FinalLedger } from './checker/final-ledger.ts';
import { formatViolations, type Violation } from './checker/findings.ts';
import { type Call, callsOf, HistoryLog, type Request } from './checker/history.ts';
import { seededRandom } from './checker/random.ts';
import { auditComplaints, HttpClient, readLedger, readTypes, untilTold, wireOf } from './load.ts';
import { ServerProcess } from './server-process.ts';
import { type Reply, Workload } from './workload.ts';

const HOLD_TTL_SECONDS = 1;
const RECONCILE_SECONDS = 1;
/**
 * A ticket that the inventory lost is suspect at one look of the reconciliation and back on sale at the next. The rest is
 * what the looks themselves may take, on a machine that is busy with other tests.
 */
const GRACE_MS = 2 * RECONCILE_SECONDS * 1_000 + 2_000 * SLOWNESS;
/** Counts that are shown may be behind the ledger until then. */
const SETTLES_WITHIN_MS = patienceMs(2_000 * RECONCILE_SECONDS);
/** Reconnecting waits up to a second, returning to Redis half of one. */
const WELL_WITHIN_MS = patienceMs(2_000);
/** A pair of events is shopped for some rounds, until it is sold out; then the next pair. */
const ROUNDS_PER_PAIR = 3;
const TICKETS = 300;
const PLAN = { ticketType: 'ga', clients: 24, thinkMs: 25, holdForMs: 1_500, retryMs: 100 };
const ASK_PAUSED = 0.05;
const OPTIONS: CheckOptions = {
  holdTtlMs: HOLD_TTL_SECONDS * 1_000,
  isResolved: true,
  /** "All held" is said while a ticket that came back is not known to the inventory yet. */
  staleMs: GRACE_MS,
};

export interface SharedShopOptions {
  readonly processes: number;
  readonly databaseUrl: string;
  readonly redisUrl: string;
  /** Of faults that will be played. */
  readonly rounds: number;
  /** Of each event. */
  readonly tickets?: number;
  /** What one process has otherwise, by its place. */
  readonly envOf?: (process: number) => Readonly<Record<string, string>>;
}

/** Does its harm, and has repaired, when it resolves, what it does not mean to leave. Load is running meanwhile. */
export type Fault = (shop: SharedShop) => Promise<unknown>;

export class SharedShop {
  readonly processes: readonly ServerProcess[];
  readonly log = new HistoryLog(() => performance.now());
  readonly random: () => number;
  readonly #seed: number;
  readonly #clients: readonly HttpClient[];
  readonly #workload: Workload;
  /** Of the events that were shopped for. */
  #earlier: FinalLedger = [];
  #round = 0;

  private constructor(processes: readonly ServerProcess[], seed: number) {
    this.processes = processes;
    this.#seed = seed;
    this.random = seededRandom(seed);
    this.#clients = processes.map((process) => new HttpClient(process));
    const send = (request: Request) => this.#anyClient().send(wireOf(request));
    this.#workload = new Workload({ send, sleep, random: this.random, log: this.log }, PLAN);
  }

  /** Starts the processes: the first makes schema and events, the others find them. */
  static async start(t: TestContext, options: SharedShopOptions): Promise<SharedShop> {
    const seed = Number(process.env.FAULT_SEED ?? randomInt(2 ** 31));
    t.diagnostic(`FAULT_SEED=${seed}`);
    const started: ServerProcess[] = [];
    t.after(() => Promise.all(started.map((each) => each.remove())));
    const start = async (place: number): Promise<void> => {
      const env = {
        ...{ DATABASE_URL: options.databaseUrl, REDIS_URL: options.redisUrl },
        ...{ RECONCILE_SECONDS: `${RECONCILE_SECONDS}`, ...options.envOf?.(place) },
      };
      const events = 2 * Math.ceil(options.rounds / ROUNDS_PER_PAIR);
      const { tickets = TICKETS } = options;
      const shape = { events, tickets, holdTtlSeconds: HOLD_TTL_SECONDS };
      started[place] = await ServerProcess.start({ ...shape, env });
    };
    await start(0);
    await Promise.all(Array.from({ length: options.processes - 1 }, (_, place) => start(place + 1)));
    const shop = new SharedShop(started, seed);
    t.after(() => {
      for (const client of shop.#clients) client.close();
    });
    return shop;
  }

  /** The pair of events that this round is shopped for. */
  get onSale(): readonly string[] {
    return this.#eventIds(this.#round).slice(-2);
  }

  /** A process by chance. */
  anyProcess(): ServerProcess {
    return this.#any(this.processes);
  }

  /** A length of time by chance. */
  pause(fromMs: number, toMs: number): Promise<void> {
    return sleep(fromMs + this.random() * (toMs - fromMs));
  }

  /** How often the processes said so. */
  warnings(wanted: RegExp): readonly number[] {
    return this.processes.map(({ warnings }) => warnings.filter((line) => wanted.test(line)).length);
  }

  /** Waits until no process is degraded. */
  async isWell(): Promise<void> {
    const deadlineMs = performance.now() + WELL_WITHIN_MS;
    for (const client of this.#clients) {
      for (;;) {
        const { status, mode } = await client.read<{ status: string; mode: string }>('/health');
        if (status === 'ok') break;
        assert.ok(performance.now() < deadlineMs, `a process stays degraded: ${mode}`);
        await sleep(50);
      }
    }
  }

  /** Load, the fault in its midst, load again; then everything that was told must stand in the ledger. */
  async play(fault: Fault): Promise<void> {
    await this.shop(fault);
    this.#earlier = await this.#judge(this.#anyClient(), this.#eventIds(this.#round), {});
    this.#round++;
  }

  /** Load with the fault in its midst, and no judgement. */
  async shop(fault: Fault): Promise<void> {
    let isOver = false;
    const harm = async (): Promise<void> => {
      try {
        await this.pause(150, 500);
        await fault(this);
        await this.pause(150, 500);
      } finally {
        isOver = true;
      }
    };
    await Promise.all([this.#workload.run(this.onSale, () => isOver), harm()]);
    await this.#workload.resolve();
  }

  /** What the checker says now of what the ledger of one process shows. */
  async violations(process: number, options: CheckOptions = {}): Promise<readonly Violation[]> {
    return (await this.#look(this.#clients[process]!, this.#eventIds(this.#round), options)).violations;
  }

  /**
   * The end: when every hold has had its time, what is not sold is on sale, in every process alike (rule S9), and is
   * really sold to a buyer who asks; the audit of every event is content.
   */
  async assertWhole(t: TestContext): Promise<void> {
    const eventIds = this.#eventIds(Math.max(0, this.#round - 1));
    await this.#allHoldsEnd(eventIds);
    for (const client of this.#clients) {
      await this.#judge(client, eventIds, { isQuiet: true });
      assert.deepEqual(await auditComplaints(client, eventIds), []);
    }
    for (const eventId of eventIds) await this.#sellOut(eventId);
    for (const client of this.#clients) {
      await this.#judge(client, eventIds, { isQuiet: true });
      assert.deepEqual(await auditComplaints(client, eventIds), []);
    }
    const calls = callsOf(this.log.records);
    const count = (outcome: Call['outcome']) => calls.filter((call) => call.outcome === outcome).length;
    t.diagnostic(`${count('ok')} grants, ${count('fail')} refusals, ${count('info')} without an answer`);
    assert.ok(count('ok') > this.#round * 50, 'too few grants for a proof');
    await Promise.all(this.processes.map((each) => each.stop()));
  }

  /** All events up to the pair of that round. */
  #eventIds(round: number): string[] {
    const count = 2 * (Math.floor(round / ROUNDS_PER_PAIR) + 1);
    return Array.from({ length: count }, (_, index) => `${index + 1}`);
  }

  #any<T>(list: readonly T[]): T {
    return list[Math.floor(this.random() * list.length)]!;
  }

  /** Of one that stands still only now and then: else all buyers would soon wait for it, and none ask the others. */
  #anyClient(): HttpClient {
    const isAsked = this.processes.map(({ isPaused }) => !isPaused || this.random() < ASK_PAUSED);
    const asked = this.#clients.filter((_, place) => isAsked[place]);
    return this.#any(asked.length > 0 ? asked : this.#clients);
  }

  async #look(client: HttpClient, eventIds: readonly string[], options: CheckOptions) {
    const ledger = await readLedger(client, eventIds);
    const violations = check(this.log.records, ledger, {
      ...OPTIONS,
      earlier: this.#earlier,
      ...options,
    });
    return { ledger, violations };
  }

  /** Only the counts shown may be behind the ledger, and only for a while. */
  async #judge(client: HttpClient, eventIds: readonly string[], options: CheckOptions): Promise<FinalLedger> {
    const deadlineMs = performance.now() + SETTLES_WITHIN_MS;
    for (;;) {
      const { ledger, violations } = await this.#look(client, eventIds, options);
      if (violations.length === 0) return ledger;
      const mayPass = violations.every(
        ({ rule, what }) => rule === 'conservation' && /are shown as/.test(what),
      );
      if (!mayPass || performance.now() > deadlineMs) this.#fail(violations, ledger);
      await sleep(100);
    }
  }

  async #allHoldsEnd(eventIds: readonly string[]): Promise<void> {
    const deadlineMs = performance.now() + patienceMs(1_000 * HOLD_TTL_SECONDS) + SETTLES_WITHIN_MS;
    for (const eventId of eventIds) {
      for (const client of this.#clients) {
        for (;;) {
          const held = (await readTypes(client, eventId)).reduce((sum, { counts }) => sum + counts.held, 0);
          if (held === 0) break;
          assert.ok(performance.now() < deadlineMs, `event ${eventId} still has ${held} tickets held`);
          await sleep(50);
        }
      }
    }
  }

  /** Every ticket that is shown as available can really be bought, and not one more. */
  async #sellOut(eventId: string): Promise<void> {
    const [type] = await readTypes(this.#anyClient(), eventId);
    const left = type!.counts.available;
    const answers = await Promise.all(
      Array.from({ length: left + 5 }, (_, number) => {
        const opId = `last-${eventId}-${number}`;
        const body = JSON.stringify({ quantity: 1, buyer: opId });
        const request = {
          kind: 'buy',
          eventId,
          opId,
          keyed: true,
          quantity: 1,
          holdId: null,
          body,
        } as const;
        return untilTold(() => this.#send(number % PLAN.clients, request), SETTLES_WITHIN_MS);
      }),
    );
    const sold = answers.filter(({ status }) => status === 201).length;
    assert.equal(
      sold,
      left,
      `of ${answers.length} who asked for the last ${left} tickets of event ${eventId}`,
    );
  }

  async #send(client: number, request: Request): Promise<Reply> {
    const call = this.log.invoke(client, request);
    const reply = await this.#anyClient().send(wireOf(request));
    this.log.answer(call, reply.status, reply.body);
    return reply;
  }

  #fail(violations: readonly Violation[], ledger: FinalLedger): never {
    const name = join(tmpdir(), `floodgate-history-${process.pid}-${this.#seed}`);
    writeFileSync(`${name}.ndjson`, this.log.toNdjson());
    writeFileSync(`${name}.json`, JSON.stringify(ledger));
    writeFileSync(`${name}.log`, this.processes.map(({ warnings }) => warnings.join('\n')).join('\n\n'));
    const when = `round ${this.#round}, FAULT_SEED=${this.#seed}`;
    assert.fail(`${when}: ${formatViolations(violations)}\nhistory, ledger and warnings are in ${name}.*`);
  }
}
