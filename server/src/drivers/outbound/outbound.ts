// Requests to others: payment providers, webhooks. Bounded in time, in size, in attempts; a host that keeps failing is
// left alone for a while. Redirects are not followed: they are an answer like any other.
import { type Agent, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import {
  BrokenCircuitError,
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  handleType,
  handleWhen,
  type IPolicy,
  retry,
  wrap,
} from 'cockatiel';
import { checkHost, ForbiddenAddress, lookUpPublic } from './public-address.ts';

export interface OutboundOptions {
  /** `public`: for URLs that somebody else has named. `anywhere`: for those of the operator. */
  readonly reach: 'public' | 'anywhere';
  /** Of all attempts together. */
  readonly deadlineMs: number;
  readonly maxResponseBytes: number;
  /** 1: never again. */
  readonly maxAttempts: number;
}

export interface OutboundRequest {
  readonly url: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Twice is as good as once, for example by an idempotency key. Others are repeated only when nothing was sent. */
  readonly mayRepeat: boolean;
}

export interface OutboundAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** No answer, or one that is too long. */
export class OutboundFailed extends Error {
  override readonly name = 'OutboundFailed';
  /** Whether the other side may have heard of it, and acted. */
  readonly mayHaveArrived: boolean;

  constructor(message: string, mayHaveArrived: boolean, options?: ErrorOptions) {
    super(message, options);
    this.mayHaveArrived = mayHaveArrived;
  }
}

/** After this many failures in a row the host is left alone for this long. */
const FAILURES = 5;
const REST_MS = 10_000;
const BACKOFF = { initialDelay: 100, maxDelay: 5_000 };
/** As many hosts are remembered as failing or not. */
const MAX_HOSTS = 1_000;

export class Outbound {
  readonly #options: OutboundOptions;
  readonly #agents: { readonly 'http:': Agent; readonly 'https:': Agent };
  readonly #breakers = new Map<string, IPolicy>();

  constructor(options: OutboundOptions) {
    this.#options = options;
    const lookup = options.reach === 'public' ? { lookup: lookUpPublic } : {};
    this.#agents = {
      'http:': new HttpAgent({ keepAlive: true, ...lookup }),
      'https:': new HttpsAgent({ keepAlive: true, ...lookup }),
    };
  }

  /** Rejects with ForbiddenAddress, or with OutboundFailed. Any status is an answer. */
  async send(request: OutboundRequest): Promise<OutboundAnswer> {
    const url = this.#checked(request.url);
    const { deadlineMs, maxAttempts } = this.#options;
    const signal = AbortSignal.timeout(deadlineMs);
    const again = retry(
      handleWhen((error) => error instanceof OutboundFailed && (request.mayRepeat || !error.mayHaveArrived)),
      { maxAttempts: maxAttempts - 1, backoff: new ExponentialBackoff(BACKOFF) },
    );
    const policy = wrap(again, this.#breakerOf(url.host));
    try {
      return await policy.execute(() => this.#attempt(url, request, signal), signal);
    } catch (error) {
      if (error instanceof OutboundFailed || error instanceof ForbiddenAddress) throw error;
      if (error instanceof BrokenCircuitError) {
        throw new OutboundFailed(`${url.host} keeps failing: it is left alone for a while`, false);
      }
      throw new OutboundFailed(`no answer from ${url.host} within ${deadlineMs} ms`, true, { cause: error });
    }
  }

  close(): void {
    for (const agent of Object.values(this.#agents)) agent.destroy();
  }

  #checked(text: string): URL {
    const url = URL.parse(text);
    if (url === null || !(url.protocol in this.#agents)) {
      throw new ForbiddenAddress('only http and https URLs are asked');
    }
    if (this.#options.reach === 'public') checkHost(url);
    return url;
  }

  #breakerOf(host: string): IPolicy {
    let breaker = this.#breakers.get(host);
    if (breaker === undefined) {
      if (this.#breakers.size >= MAX_HOSTS) this.#breakers.delete(this.#breakers.keys().next().value!);
      breaker = circuitBreaker(handleType(OutboundFailed), {
        halfOpenAfter: REST_MS,
        breaker: new ConsecutiveBreaker(FAILURES),
      });
      this.#breakers.set(host, breaker);
    }
    return breaker;
  }

  #attempt(url: URL, request: OutboundRequest, signal: AbortSignal): Promise<OutboundAnswer> {
    const { method, headers = {}, body = '' } = request;
    const { maxResponseBytes } = this.#options;
    const agent = this.#agents[url.protocol as 'http:' | 'https:'];
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    return new Promise((resolve, reject) => {
      let isConnected = false;
      const fail = (error: Error) => {
        if (error instanceof ForbiddenAddress) return reject(error);
        reject(new OutboundFailed(`${url.host}: ${error.message}`, isConnected, { cause: error }));
      };
      const length = { 'content-length': String(Buffer.byteLength(body)) };
      const asked = send(url, { method, headers: { ...headers, ...length }, agent, signal }, (answer) => {
        readAll(answer, maxResponseBytes).then(
          (whole) => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: whole }),
          fail,
        );
      });
      asked.on('socket', (socket) => {
        if (socket.connecting) socket.once('connect', () => (isConnected = true));
        else isConnected = true;
      });
      asked.on('error', fail);
      asked.end(body);
    });
  }
}

async function readAll(answer: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    // Leaving the loop destroys the connection.
    if (bytes > maxBytes) throw new Error(`the answer has more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
