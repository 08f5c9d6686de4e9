// Logs by pino, metrics by prom-client. On the hot path a request costs one log line and one histogram
// observation; everything that can be counted elsewhere is read when Prometheus asks.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Log } from './logs.ts';
import { RecentLatencies } from './recent.ts';
import type { Answered, Statistics, Telemetry, TicketCount } from './telemetry.ts';

/** Labels stay bounded: the tickets of later events are added up under event="other". */
const MAX_EVENT_LABELS = 200;
/** On a terminal, more answers than this in a second are summed up in one line. */
const MAX_TERMINAL_LINES = 10;

/** Of a long drift the log names the first tickets. */
const MAX_DRIFT_TICKETS = 20;

/** The operations that end in an order. */
const PURCHASES = new Set(['buy', 'purchase', 'confirm-hold']);

/** What the metrics look at when they are asked. */
export interface Gauges {
  readonly ticketCounts: () => readonly TicketCount[] | Promise<readonly TicketCount[]>;
  readonly ledgerWaiting: () => number;
}

export class ShopTelemetry implements Telemetry {
  readonly #log: Log;
  readonly #registry = new Registry();
  readonly #recent = new RecentLatencies();
  readonly #requests: Counter<'operation' | 'status'>;
  readonly #latency: Histogram<'operation'>;
  readonly #refusals: Counter<'error'>;
  readonly #faults: Counter;
  readonly #oversells: Counter;
  readonly #expired: Counter;
  readonly #fallbacks: Counter;
  readonly #drift: Counter<'kind'>;
  readonly #batchSize: Histogram;
  readonly #commitSeconds: Histogram;
  readonly #byOperation = new Map<string, OperationMeters>();
  readonly #totals = {
    ...{ requests: 0, granted: 0, refused: 0, faults: 0 },
    ...{ purchases: 0, failedPurchases: 0, fallbacks: 0 },
  };
  readonly #lastOversell = { second: -1, more: 0 };
  readonly #lastFault = { what: '', second: 0, alike: 0 };
  readonly #terminal = { second: 0, lines: 0, skipped: 0 };
  #gauges: Gauges | undefined;

  constructor(log: Log) {
    this.#log = log;
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: 10 });
    this.#requests = new Counter({
      name: 'floodgate_requests_total',
      help: 'Requests answered, by operation and status code.',
      labelNames: ['operation', 'status'],
      registers,
    });
    this.#latency = new Histogram({
      name: 'floodgate_request_seconds',
      help: 'Time from the request being routed to its answer being written.',
      labelNames: ['operation'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers,
    });
    this.#refusals = new Counter({
      name: 'floodgate_refusals_total',
      help: 'Requests that were refused, by error code.',
      labelNames: ['error'],
      registers,
    });
    this.#faults = new Counter({
      name: 'floodgate_faults_total',
      help: 'Requests and workers that failed through no fault of a client.',
      registers,
    });
    this.#oversells = new Counter({
      name: 'floodgate_oversells_stopped_total',
      help: 'Tickets the ledger refused because they were claimed already.',
      registers,
    });
    this.#expired = new Counter({
      name: 'floodgate_holds_expired_total',
      help: 'Holds whose time ran out.',
      registers,
    });
    this.#batchSize = new Histogram({
      name: 'floodgate_ledger_batch_entries',
      help: 'Entries of one ledger transaction.',
      buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000],
      registers,
    });
    this.#commitSeconds = new Histogram({
      name: 'floodgate_ledger_commit_seconds',
      help: 'Time of one ledger transaction, until it is durable.',
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5],
      registers,
    });
    this.#fallbacks = new Counter({
      name: 'floodgate_fallback_activations_total',
      help: 'How often selling went on without the shared inventory. Always 0 with the in-memory inventory.',
      registers,
    });
    this.#drift = new Counter({
      name: 'floodgate_inventory_drift_repaired_total',
      help: 'Tickets of which the inventory did not say what the ledger says, by kind of correction.',
      labelNames: ['kind'],
      registers,
    });
    this.#registerGauges(registers);
  }

  #registerGauges(registers: Registry[]): void {
    const telemetry = this;
    new Gauge({
      name: 'floodgate_tickets',
      help: 'Tickets by event, ticket type and state.',
      labelNames: ['event', 'ticket_type', 'state'],
      registers,
      async collect() {
        this.reset();
        for (const { event, ticketType, state, tickets } of bounded(await telemetry.#ticketCounts())) {
          this.inc({ event, ticket_type: ticketType, state }, tickets);
        }
      },
    });
    new Gauge({
      name: 'floodgate_ledger_waiting_entries',
      help: 'Entries waiting for the next ledger transaction.',
      registers,
      collect() {
        this.set(telemetry.#gauges?.ledgerWaiting() ?? 0);
      },
    });
  }

  /** Names what the gauges read; before that they are empty. */
  watch(gauges: Gauges): void {
    this.#gauges = gauges;
  }

  async #ticketCounts(): Promise<readonly TicketCount[]> {
    return (await this.#gauges?.ticketCounts()) ?? [];
  }

  oversellStopped(eventId: string, tickets: number): void {
    this.#oversells.inc(tickets);
    // Where processes sell from their own memories this is daily work: one line a second.
    const last = this.#lastOversell;
    const second = Math.floor(performance.now() / 1_000);
    if (second === last.second) {
      last.more += tickets;
      return;
    }
    const before = last.more > 0 ? { moreBefore: last.more } : {};
    Object.assign(last, { second, more: 0 });
    const message = 'the ledger stopped an oversell: the inventory was wrong';
    this.#log.logger.warn({ eventId, tickets, ...before }, message);
  }

  driftRepaired(
    eventId: string,
    repaired: Readonly<Record<string, number>>,
    tickets: readonly number[],
  ): void {
    for (const [kind, count] of Object.entries(repaired)) this.#drift.inc({ kind }, count);
    const some = tickets.slice(0, MAX_DRIFT_TICKETS);
    const message = 'the inventory had drifted from the ledger and was repaired';
    this.#log.logger.warn({ eventId, repaired, tickets: some }, message);
  }

  wentAlone(reason: string): void {
    this.#fallbacks.inc();
    this.#totals.fallbacks++;
    this.#log.logger.error(
      { reason },
      'FALLBACK: the shared inventory failed; selling goes on from this process’s memory, which is not persistent and not shared. The ledger still decides: nothing is sold twice',
    );
  }

  becameShared(aloneMs: number): void {
    const message = 'the shared inventory is back, loaded from the ledger; the fallback has ended';
    this.#log.logger.warn({ aloneMs: Math.round(aloneMs) }, message);
  }

  holdExpired(eventId: string, holdId: string, tickets: number): void {
    this.#expired.inc();
    this.#log.logger.info({ eventId, holdId, tickets }, 'hold expired');
  }

  batchCommitted(batch: { readonly size: number; readonly waiting: number; readonly ms: number }): void {
    this.#batchSize.observe(batch.size);
    this.#commitSeconds.observe(batch.ms / 1_000);
  }

  answered(answer: Answered): void {
    const { operation, requestId, status, ms, result, fields } = answer;
    const meters = this.#byOperation.get(operation) ?? this.#meter(operation);
    meters.latency.observe(ms / 1_000);
    meters.count(status);
    this.#recent.add(ms);
    const totals = this.#totals;
    totals.requests++;
    if (result === 'read') {
      if (this.#log.logger.isLevelEnabled('debug')) {
        this.#log.logger.debug({ operation, requestId, status, ms, ...fields }, 'read');
      }
      return;
    }
    if (meters.isPurchase) {
      if (result === 'granted') totals.purchases++;
      else totals.failedPurchases++;
    }
    if (result === 'granted') totals.granted++;
    else if (result === 'refused') {
      totals.refused++;
      this.#refusals.inc({ error: String(fields?.error) });
    } else totals.faults++;
    if (!this.#mayWrite()) return;
    const facts = fields ? `,${JSON.stringify(fields).slice(1, -1)}` : '';
    const roundMs = Math.round(ms * 1_000) / 1_000;
    // Operation and request id are of a safe alphabet.
    const members = `"operation":"${operation}","requestId":"${requestId}","status":${status},"ms":${roundMs}`;
    this.#log.answer(members + facts, result);
  }

  #meter(operation: string): OperationMeters {
    const latency = this.#latency.labels(operation);
    const byStatus = new Map<number, Counter.Internal>();
    const count = (status: number): void => {
      let counter = byStatus.get(status);
      if (!counter) {
        counter = this.#requests.labels(operation, String(status));
        byStatus.set(status, counter);
      }
      counter.inc();
    };
    const meters = { latency, count, isPurchase: PURCHASES.has(operation) };
    this.#byOperation.set(operation, meters);
    return meters;
  }

  /** A person at a terminal is shown the first lines of a second, then how many there were. */
  #mayWrite(): boolean {
    if (!this.#log.isTerminal) return true;
    const terminal = this.#terminal;
    const second = Math.floor(performance.now() / 1_000);
    if (second !== terminal.second) {
      if (terminal.skipped > 0)
        this.#log.logger.info(`… and ${terminal.skipped} more answers in that second`);
      this.#terminal.second = second;
      terminal.lines = 0;
      terminal.skipped = 0;
    }
    if (terminal.lines++ < MAX_TERMINAL_LINES) return true;
    terminal.skipped++;
    return false;
  }

  fault(message: string, error: unknown, fields?: Readonly<Record<string, unknown>>): void {
    this.#faults.inc();
    const last = this.#lastFault;
    const what = `${message}: ${(error as Error).message}`;
    const second = Math.floor(performance.now() / 1_000);
    if (what === last.what && second === last.second) {
      last.alike++;
      return;
    }
    const alike = last.alike > 0 ? { alikeBefore: last.alike } : {};
    Object.assign(last, { what, second, alike: 0 });
    this.#log.logger.error({ ...fields, ...alike, err: error }, message);
  }

  warn(message: string, fields?: Readonly<Record<string, unknown>>): void {
    this.#log.logger.warn(fields ?? {}, message);
  }

  info(message: string, fields?: Readonly<Record<string, unknown>>): void {
    this.#log.logger.info(fields ?? {}, message);
  }

  statistics(): Statistics {
    const [p50Ms, p95Ms, p99Ms] = this.#recent.percentiles(50, 95, 99) as [number, number, number];
    return { ...this.#totals, p50Ms, p95Ms, p99Ms };
  }

  prometheus(): Promise<string> {
    return this.#registry.metrics();
  }
}

interface OperationMeters {
  readonly latency: Histogram.Internal<'operation'>;
  readonly count: (status: number) => void;
  readonly isPurchase: boolean;
}

function* bounded(counts: readonly TicketCount[]): Iterable<TicketCount> {
  const labels = new Set<string>();
  for (const count of counts) {
    if (labels.size < MAX_EVENT_LABELS) labels.add(count.event);
    yield labels.has(count.event) ? count : { ...count, event: 'other', ticketType: 'other' };
  }
}
