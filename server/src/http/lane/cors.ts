// Which pages of other origins may call the API (row E7). The package for this sets headers one by one on Express'
// response; here they join the one list that an answer is written with, in both lanes alike.
import type { IncomingMessage, ServerResponse } from 'node:http';

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE';
const REQUEST_HEADERS =
  'Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Admission-Pass, Hold-Secret, Order-Secret, X-Request-Id';
const ANSWER_HEADERS = 'ETag, Retry-After, Floodgate-Degraded, X-Request-Id';
/** What browsers keep a preflight for, at most, differs; none keeps it longer than two hours. */
const MAX_AGE_S = 7_200;

export class Cors {
  readonly #origins: ReadonlySet<string> | '*';

  private constructor(origins: readonly string[] | '*') {
    this.#origins = origins === '*' ? '*' : new Set(origins);
  }

  /** Undefined when no other origin is let in. */
  static of(origins: readonly string[] | '*'): Cors | undefined {
    return origins.length === 0 ? undefined : new Cors(origins);
  }

  /** Whether the origin is named, so that it may act with a browser's cookie. */
  trusts(origin: string): boolean {
    return this.#origins !== '*' && this.#origins.has(origin);
  }

  /** Names and values in turn, for any answer. */
  headersFor(req: IncomingMessage): readonly string[] {
    return [
      ...this.#allow(req),
      ...(req.headers.origin ? ['Access-Control-Expose-Headers', ANSWER_HEADERS] : []),
    ];
  }

  /** Answers a browser that asks whether a page may send a request, and says true; else false. */
  answerPreflight(req: IncomingMessage, res: ServerResponse): boolean {
    const { origin, 'access-control-request-method': method } = req.headers;
    if (req.method !== 'OPTIONS' || origin === undefined || method === undefined) return false;
    const headers = [...this.#allow(req), 'Access-Control-Allow-Methods', METHODS];
    headers.push('Access-Control-Allow-Headers', REQUEST_HEADERS);
    headers.push('Access-Control-Max-Age', String(MAX_AGE_S));
    res.writeHead(204, headers).end();
    return true;
  }

  #allow({ headers: { origin } }: IncomingMessage): string[] {
    if (this.#origins === '*') return origin === undefined ? [] : ['Access-Control-Allow-Origin', '*'];
    // Also without an origin, or a cache would give one page the answer to another.
    const vary = ['Vary', 'Origin'];
    if (origin === undefined || !this.#origins.has(origin)) return vary;
    return [...vary, 'Access-Control-Allow-Origin', origin, 'Access-Control-Allow-Credentials', 'true'];
  }
}
