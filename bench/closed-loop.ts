// A bounded number of requests, as fast as the answers come: for questions that a load of so-many-seconds cannot
// answer, such as "how long until the last of 1,000 buyers has a ticket?" and "how fast is an event of 10,000
// tickets, before it is sold out?".
import { type ConnectionListener, RawConnection } from './raw-client.ts';
import { type Percentiles, summarize } from './stats.ts';

export interface ClosedLoopOptions {
  readonly port: number;
  /** One request, as text on the wire; `{n}` becomes the number of the request, `{event}` that of an event. */
  readonly request: string;
  /** One for each request, in place of `{value}`; as long as that, because the Content-Length is fixed. */
  readonly values?: readonly string[];
  readonly requests: number;
  /** `{event}` runs over 1 … this number, each as often as any other, neighbours far apart. Absent: 1. */
  readonly events?: number;
  readonly connections: number;
  /** After this long, whatever is unanswered is an error. */
  readonly timeoutMs: number;
}

export interface ClosedLoopResult {
  readonly requests: number;
  /** Requests without an answer. */
  readonly errors: number;
  readonly statuses: Readonly<Record<string, number>>;
  /** From the first connection attempt to the last answer: buyers have to connect, too. */
  readonly wallMs: number;
  readonly answeredPerSecond: number;
  /** From sending to the whole answer, connecting not included. */
  readonly latencyMs: Percentiles;
  /** Share of time the generator's event loop was busy, 0 … 1. Near 1 it may be the bottleneck. */
  readonly generatorBusy: number;
}

/** Runs the load to its end, or to its timeout. */
export async function runClosedLoop(options: ClosedLoopOptions): Promise<ClosedLoopResult> {
  return new ClosedLoop(options).run();
}

class ClosedLoop implements ConnectionListener {
  readonly #options: ClosedLoopOptions;
  readonly #requests: readonly Buffer[];
  readonly #sentMs: Float64Array;
  readonly #latencies: Float64Array;
  readonly #statuses: Record<string, number> = {};
  readonly #open = new Set<RawConnection>();
  #sent = 0;
  #answered = 0;
  #errors = 0;
  #lastAnswerMs = 0;
  #onEnd: (() => void) | undefined;

  constructor(options: ClosedLoopOptions) {
    this.#options = options;
    this.#requests = renderRequests(options.request, options.requests, options.events ?? 1, options.values);
    this.#sentMs = new Float64Array(options.requests);
    this.#latencies = new Float64Array(options.requests);
  }

  async run(): Promise<ClosedLoopResult> {
    const { requests, connections, timeoutMs } = this.#options;
    const busyBefore = performance.eventLoopUtilization();
    const startMs = performance.now();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#onEnd = () => {
        clearTimeout(timer);
        resolve();
      };
      for (let n = 0; n < connections; n++) this.#open.add(new RawConnection(this.#options.port, this));
    });
    const { utilization } = performance.eventLoopUtilization(busyBefore);
    for (const connection of this.#open) connection.close();
    const wallMs = (this.#answered > 0 ? this.#lastAnswerMs : performance.now()) - startMs;
    return {
      requests,
      errors: requests - this.#answered,
      statuses: this.#statuses,
      wallMs,
      answeredPerSecond: (this.#answered * 1_000) / wallMs,
      latencyMs: summarize(this.#latencies.subarray(0, this.#answered)),
      generatorBusy: utilization,
    };
  }

  onReady(connection: RawConnection): void {
    this.#sendNext(connection);
  }

  onAnswer(connection: RawConnection, status: number): void {
    this.#lastAnswerMs = performance.now();
    this.#latencies[this.#answered++] = this.#lastAnswerMs - this.#sentMs[connection.request]!;
    this.#statuses[status] = (this.#statuses[status] ?? 0) + 1;
    this.#sendNext(connection);
    this.#endWhenDone();
  }

  onClose(connection: RawConnection, lost: boolean): void {
    this.#open.delete(connection);
    if (lost) this.#errors++;
    this.#endWhenDone();
  }

  #sendNext(connection: RawConnection): void {
    const request = this.#requests[this.#sent];
    if (request === undefined) return;
    connection.request = this.#sent;
    this.#sentMs[this.#sent++] = performance.now();
    connection.send(request);
  }

  // With every connection gone the rest can never be sent: that is the end as well, with errors.
  #endWhenDone(): void {
    if (this.#answered + this.#errors === this.#options.requests || this.#open.size === 0) this.#onEnd?.();
  }
}

// Prime, and no factor of any sensible number of events: multiples of it visit every event in turn.
const STRIDE = 7_919;

/** All requests as bytes, made before the clock starts. */
export function renderRequests(
  request: string,
  count: number,
  events: number,
  values: readonly string[] = [],
): readonly Buffer[] {
  if (!/\{(n|event|value)\}/.test(request)) return new Array<Buffer>(count).fill(Buffer.from(request));
  const eventOf = (n: number) => 1 + ((n * STRIDE) % events);
  return Array.from({ length: count }, (_, n) =>
    Buffer.from(
      request
        .replaceAll('{n}', String(n))
        .replaceAll('{event}', String(eventOf(n)))
        .replaceAll('{value}', values[n] ?? ''),
    ),
  );
}

if (import.meta.main) {
  console.log(JSON.stringify(await runClosedLoop(JSON.parse(process.argv[2]!) as ClosedLoopOptions)));
  process.exit(0);
}
