// Serves one request to one operation, whichever lane it came by: who asks, what is asked, the answer, the log.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { equalSecrets } from '../sales/orders.ts';
import { isUnavailable } from '../sales/unavailable.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { type Body, readBody } from './body.ts';
import type { Answer, Ask, Operation } from './operation.ts';
import { type DoorCode, type ProblemExtras, problem } from './problem.ts';

/** What serving needs beside the operations. */
export interface Doors {
  readonly telemetry: Telemetry;
  readonly apiKey: string;
  /** Which stores are behind the shop, for /health: "sqlite, memory". */
  readonly mode: string;
  /** True from SIGTERM on: answers then close their connections. */
  isDraining: boolean;
}

/** After a fault of the ledger, buyers come back at different moments: 1 to 3 seconds. */
const retryAfterMs = (): number => 1_000 + Math.floor(Math.random() * 2_000);

/** A bad request is told of its first faults only, or 16 kB of nonsense would be answered with a megabyte. */
const MAX_FIELDS = 10;

const REQUEST_ID = /^[\w.:-]{1,64}$/;
const idPrefix = `${Date.now().toString(36)}-`;
let requests = 0;

/** The client's X-Request-Id where it is sane, else one of ours, unique in this process's life. */
function requestIdOf(req: IncomingMessage): string {
  const sent = req.headers['x-request-id'];
  return typeof sent === 'string' && REQUEST_ID.test(sent) ? sent : idPrefix + (++requests).toString(36);
}

/** Serves the request. `path` is the path without its query, `query` the text behind the question mark. */
export function serve(
  doors: Doors,
  operation: Operation,
  req: IncomingMessage,
  res: ServerResponse,
  params: Readonly<Record<string, string>>,
  query: string,
): void {
  const startMs = performance.now();
  const requestId = requestIdOf(req);
  const finish = (answer: Answer): void => send(doors, operation.name, req, res, requestId, startMs, answer);
  if (operation.isStaff && !isStaff(doors, req)) {
    finish(problem('UNAUTHENTICATED', requestId, { headers: { 'WWW-Authenticate': 'Bearer' } }));
    return;
  }
  const act = (body: Body): void => {
    if ('error' in body) {
      const headers = body.error === 'BODY_TOO_LARGE' ? { Connection: 'close' } : undefined;
      finish(problem(body.error, requestId, { detail: body.detail, headers }));
    } else {
      void answerTo(doors, operation, req, params, query, requestId, body.value).then(finish);
    }
  };
  if (operation.hasBody) readBody(req, act);
  else act({ value: undefined });
}

/** Answers a request that no operation takes. */
export function refuseAtDoor(
  doors: Doors,
  req: IncomingMessage,
  res: ServerResponse,
  code: DoorCode,
  extras?: ProblemExtras,
): void {
  const requestId = requestIdOf(req);
  send(doors, 'none', req, res, requestId, performance.now(), problem(code, requestId, extras));
}

async function answerTo(
  doors: Doors,
  operation: Operation,
  req: IncomingMessage,
  params: Readonly<Record<string, string>>,
  query: string,
  requestId: string,
  body: unknown,
): Promise<Answer> {
  try {
    const parsed = operation.input.safeParse({
      params,
      query: query === '' ? {} : Object.fromEntries(new URLSearchParams(query)),
      headers: req.headers,
      body,
    });
    if (!parsed.success) {
      const fields: Record<string, string> = {};
      for (const issue of parsed.error.issues.slice(0, MAX_FIELDS))
        fields[issue.path.join('.')] ??= issue.message;
      return problem('VALIDATION_FAILED', requestId, { fields, detail: sentence(fields) });
    }
    const ask: Ask<never> = {
      input: parsed.data as never,
      requestId,
      // Looked up only where it is asked for: most requests carry no key.
      get isStaff() {
        return isStaff(doors, req);
      },
      header: (name) => {
        const value = req.headers[name];
        return typeof value === 'string' ? value : undefined;
      },
    };
    return await operation.run(ask);
  } catch (error) {
    return fault(doors, operation, requestId, error);
  }
}

function sentence(fields: Readonly<Record<string, string>>): string {
  return `${Object.entries(fields)
    .map(([path, message]) => `${path} ${message}`)
    .join('; ')}.`;
}

function fault(doors: Doors, operation: Operation, requestId: string, error: unknown): Answer {
  const isLedger = isUnavailable(error);
  doors.telemetry.fault(isLedger ? 'the ledger could not commit' : 'an operation failed', error, {
    operation: operation.name,
    requestId,
  });
  return isLedger
    ? problem('UNAVAILABLE', requestId, { retryAfterMs: retryAfterMs() })
    : problem('INTERNAL_ERROR', requestId);
}

/** Whether the request carries the API key. */
export function isStaff(doors: Doors, req: IncomingMessage): boolean {
  const authorization = req.headers.authorization;
  if (!authorization?.startsWith('Bearer ')) return false;
  return equalSecrets(authorization.slice('Bearer '.length), doors.apiKey);
}

function send(
  doors: Doors,
  name: string,
  req: IncomingMessage,
  res: ServerResponse,
  requestId: string,
  startMs: number,
  answer: Answer,
): void {
  const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
  const bytes = Buffer.byteLength(text);
  const headers: string[] = ['X-Request-Id', requestId];
  // A 304 speaks of the body the client has, which is neither empty nor of another type.
  if (answer.status !== 304) {
    headers.push('Content-Type', answer.contentType ?? 'application/json', 'Content-Length', String(bytes));
  }
  if (answer.headers) for (const header in answer.headers) headers.push(header, answer.headers[header]!);
  if (doors.isDraining) headers.push('Connection', 'close');
  // A client that went away gets nothing; what it caused stands in the ledger under its key.
  if (!res.destroyed) {
    res.writeHead(answer.status, headers);
    // Text that is all ASCII, as nearly every answer is, goes out faster as Latin-1.
    if (req.method === 'HEAD') res.end();
    else res.end(text, bytes === text.length ? 'latin1' : 'utf8');
  }
  doors.telemetry.answered({
    operation: name,
    requestId,
    status: answer.status,
    ms: performance.now() - startMs,
    result: answer.result ?? 'read',
    fields: answer.fields,
  });
}
