// Load at a fixed arrival rate: buyers come when they come, whether or not the server is ready for them.
// A closed loop (wrk) asks its next question only after the last answer, so a server that stalls for a second
// is asked little during that second, and its percentiles look well. Here every latency is counted from the
// intended arrival, so all waiting is counted, the generator's own included: its lag is measured and printed.
import { type ConnectionListener, RawConnection } from './raw-client.ts';
import { type Percentiles, summarize } from './stats.ts';

export interface OpenLoopOptions {
  readonly port: number;
  /** One request, as bytes on the wire. */
  readonly request: string;
  readonly ratePerSecond: number;
  readonly seconds: number;
  /** Arrivals that find all connections busy wait, and their waiting counts. */
  readonly connections: number;
  /** How long unanswered requests are waited for after the last arrival. */
  readonly drainMs: number;
}

export interface OpenLoopResult {
  readonly offeredPerSecond: number;
  /** Answers over the time from the first arrival to the last answer. */
  readonly answeredPerSecond: number;
  readonly requests: number;
  /** Requests without an answer. Their latency counts as the time until they were given up. */
  readonly errors: number;
  readonly statuses: Readonly<Record<string, number>>;
  readonly latencyMs: Percentiles;
  /** How late the generator itself sent arrivals that a connection was free for. Part of the latency above. */
  readonly lagMs: Percentiles;
  /** Arrivals that found all connections busy. */
  readonly waited: number;
  /** Share of time the generator's event loop was busy, 0 … 1. Near 1 it measures itself. */
  readonly generatorBusy: number;
}

/** Runs the load to its end. Rejects when no connection can be made. */
export async function runOpenLoop(options: OpenLoopOptions): Promise<OpenLoopResult> {
  return new OpenLoop(options).run();
}

class OpenLoop implements ConnectionListener {
  readonly #options: OpenLoopOptions;
  readonly #request: Buffer;
  readonly #total: number;
  readonly #latencies: Float64Array;
  readonly #lags: Float64Array;
  readonly #statuses: Record<string, number> = {};
  // First in, first out, so that all connections are used alike and none idles into its keep-alive timeout.
  #idle: RawConnection[] = [];
  #idleFrom = 0;
  readonly #open = new Set<RawConnection>();
  #startMs = 0;
  #lastAnswerMs = 0;
  #sent = 0;
  #finished = 0;
  #errors = 0;
  #lagCount = 0;
  // Arrivals below this number waited for a connection: their lag is not the generator's.
  #blockedBelow = 0;
  #waited = 0;
  #onReady: (() => void) | undefined;
  #onEnd: (() => void) | undefined;

  constructor(options: OpenLoopOptions) {
    this.#options = options;
    this.#request = Buffer.from(options.request);
    this.#total = Math.round(options.ratePerSecond * options.seconds);
    this.#latencies = new Float64Array(this.#total);
    this.#lags = new Float64Array(this.#total);
  }

  async run(): Promise<OpenLoopResult> {
    await this.#connect();
    const busyBefore = performance.eventLoopUtilization();
    this.#startMs = performance.now();
    await this.#send();
    const busy = performance.eventLoopUtilization(busyBefore).utilization;
    for (const connection of this.#open) connection.close();
    return this.#result(busy);
  }

  onReady(connection: RawConnection): void {
    this.#open.add(connection);
    this.#idle.push(connection);
    this.#onReady?.();
  }

  onAnswer(connection: RawConnection, status: number): void {
    this.#statuses[status] = (this.#statuses[status] ?? 0) + 1;
    this.#finish(connection);
    this.#idle.push(connection);
    this.#dispatch();
  }

  onClose(connection: RawConnection, lost: boolean): void {
    if (!this.#open.delete(connection)) throw new Error('cannot connect to the server');
    const ended = this.#finished === this.#total;
    if (lost && !ended) {
      this.#errors++;
      this.#finish(connection);
    }
    // The server may close an idle connection at any time: another takes its place.
    if (!ended) new RawConnection(this.#options.port, this);
  }

  #connect(): Promise<void> {
    return new Promise((resolve) => {
      this.#onReady = () => {
        if (this.#open.size < this.#options.connections) return;
        this.#onReady = undefined;
        resolve();
      };
      for (let n = 0; n < this.#options.connections; n++) new RawConnection(this.#options.port, this);
    });
  }

  #send(): Promise<void> {
    const { seconds, drainMs } = this.#options;
    return new Promise((resolve) => {
      // A millisecond is the finest timer there is without burning a core that the server needs; answers that
      // come in between send what is due as well.
      const timer = setInterval(() => {
        this.#dispatch();
        if (performance.now() > this.#startMs + seconds * 1_000 + drainMs) this.#giveUp();
      }, 1);
      this.#onEnd = () => {
        clearInterval(timer);
        resolve();
      };
    });
  }

  #intendedMs(request: number): number {
    return this.#startMs + (request * 1_000) / this.#options.ratePerSecond;
  }

  /** Sends every arrival that is due and finds a free connection. */
  #dispatch(): void {
    const nowMs = performance.now();
    const due = Math.ceil(((nowMs - this.#startMs) * this.#options.ratePerSecond) / 1_000);
    const last = Math.min(due, this.#total);
    while (this.#sent < last) {
      const connection = this.#nextIdle();
      if (connection === undefined) break;
      if (this.#sent >= this.#blockedBelow)
        this.#lags[this.#lagCount++] = nowMs - this.#intendedMs(this.#sent);
      connection.request = this.#sent++;
      connection.send(this.#request);
    }
    if (this.#sent < last) {
      this.#waited += last - Math.max(this.#sent, this.#blockedBelow);
      this.#blockedBelow = last;
    }
  }

  #nextIdle(): RawConnection | undefined {
    while (this.#idleFrom < this.#idle.length) {
      const connection = this.#idle[this.#idleFrom++]!;
      if (this.#idleFrom === 4_096) {
        this.#idle = this.#idle.slice(this.#idleFrom);
        this.#idleFrom = 0;
      }
      if (this.#open.has(connection)) return connection;
    }
    return undefined;
  }

  #finish(connection: RawConnection): void {
    this.#lastAnswerMs = performance.now();
    this.#latencies[this.#finished++] = this.#lastAnswerMs - this.#intendedMs(connection.request);
    connection.request = -1;
    if (this.#finished === this.#total) this.#onEnd?.();
  }

  /** Counts all that is still unanswered or unsent as errors, and ends the run. */
  #giveUp(): void {
    const nowMs = performance.now();
    const unanswered = [...this.#open].map((connection) => connection.request).filter((n) => n >= 0);
    for (let unsent = this.#sent; unsent < this.#total; unsent++) unanswered.push(unsent);
    for (const request of unanswered) {
      this.#latencies[this.#finished++] = nowMs - this.#intendedMs(request);
      this.#errors++;
    }
    this.#onEnd?.();
  }

  #result(generatorBusy: number): OpenLoopResult {
    const answered = this.#finished - this.#errors;
    return {
      offeredPerSecond: this.#options.ratePerSecond,
      answeredPerSecond: (answered * 1_000) / Math.max(this.#lastAnswerMs - this.#startMs, 1),
      requests: this.#total,
      errors: this.#errors,
      statuses: this.#statuses,
      latencyMs: summarize(this.#latencies.subarray(0, this.#finished)),
      lagMs: summarize(this.#lags.subarray(0, this.#lagCount)),
      waited: this.#waited,
      generatorBusy,
    };
  }
}

if (import.meta.main) {
  console.log(JSON.stringify(await runOpenLoop(JSON.parse(process.argv[2]!) as OpenLoopOptions)));
  // Connections that are still being made must not keep the process.
  process.exit(0);
}
