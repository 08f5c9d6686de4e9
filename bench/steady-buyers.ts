// Buyers who come at a steady rate, whatever happens to the shop: they tell how long nothing was sold after a fault.
// Few enough to be sent by the process that also plays the fault and reads the clock.
import { Agent, request } from 'node:http';

export interface SteadyResult {
  readonly requests: number;
  /** By status; `lost` are those without an answer. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly slowestMs: number;
}

interface Watch {
  readonly sinceMs: number;
  readonly resolve: (gapMs: number) => void;
}

const BODY = '{"quantity":1}';
const HEADERS = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(BODY) };
const ANSWER_TIMEOUT_MS = 30_000;

export class SteadyBuyers {
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #timer: NodeJS.Timeout;
  readonly #underWay = new Set<Promise<void>>();
  readonly #statuses: Record<string, number> = {};
  #requests = 0;
  #slowestMs = 0;
  #watch: Watch | undefined;

  /** One buys a ticket of event 1 at this interval in milliseconds, from now on. */
  constructor(port: number, everyMs: number) {
    this.#port = port;
    this.#timer = setInterval(() => {
      const buying: Promise<void> = this.#buy().finally(() => this.#underWay.delete(buying));
      this.#underWay.add(buying);
    }, everyMs);
  }

  /** From `sinceMs` (of performance.now()) until somebody has a ticket who asked for it later than that. */
  nextSaleAfter(sinceMs: number, timeoutMs: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const tooLate = setTimeout(() => reject(new Error(`nothing was sold in ${timeoutMs} ms`)), timeoutMs);
      const done = (gapMs: number) => {
        clearTimeout(tooLate);
        resolve(gapMs);
      };
      this.#watch = { sinceMs, resolve: done };
    });
  }

  /** No more come; those who wait are waited for. */
  async stop(): Promise<SteadyResult> {
    clearInterval(this.#timer);
    await Promise.all(this.#underWay);
    this.#agent.destroy();
    return { requests: this.#requests, statuses: this.#statuses, slowestMs: this.#slowestMs };
  }

  async #buy(): Promise<void> {
    const sentMs = performance.now();
    this.#requests++;
    const status = await this.#ask();
    const answeredMs = performance.now();
    this.#statuses[status] = (this.#statuses[status] ?? 0) + 1;
    this.#slowestMs = Math.max(this.#slowestMs, answeredMs - sentMs);
    const watch = this.#watch;
    if (status !== '201' || watch === undefined || sentMs < watch.sinceMs) return;
    this.#watch = undefined;
    watch.resolve(answeredMs - watch.sinceMs);
  }

  #ask(): Promise<string> {
    return new Promise((resolve) => {
      const options = {
        port: this.#port,
        method: 'POST',
        path: '/buy/1',
        agent: this.#agent,
        headers: HEADERS,
      };
      const asked = request(options, (answer) => {
        answer.resume();
        answer.on('end', () => resolve(String(answer.statusCode)));
        answer.on('error', () => resolve('lost'));
      });
      asked.setTimeout(ANSWER_TIMEOUT_MS, () => asked.destroy());
      asked.on('error', () => resolve('lost'));
      asked.end(BODY);
    });
  }
}
