// The two lanes. Express routes every operation; the front lane, a table of the hot ones before it, saves the
// routes that a whole on-sale hits at once the cost of routing. Both end in the same `serve`.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import type { DoorCode } from '../../contract/answers.ts';
import type { Doors } from './doors.ts';
import type { Operation } from './operation.ts';
import { problem } from './problem.ts';
import { refuseAtDoor, serve } from './serve.ts';

/** A client that is slower than this with its headers, or its whole request, is cut off. */
const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
/** Longer than the usual idle time of reverse proxies is of no use; shorter would make them reconnect. */
const KEEP_ALIVE_MS = 65_000;
const MAX_CONNECTIONS = 60_000;

/** The server with both lanes, not listening yet. Without the front lane all goes through Express. */
export function createDoors(doors: Doors, operations: readonly Operation[], hasFrontLane = true): Server {
  const app = expressApp(doors, operations);
  const lane = hasFrontLane ? frontLane(doors, operations) : undefined;
  const handle = (req: IncomingMessage, res: ServerResponse): void => {
    // A process that stood still finds the time of a request over before it reads what had come in time. Its client
    // has been told 408, so it must not be done after all.
    if (req.socket.writableEnded) return;
    if (!doors.cors?.answerPreflight(req, res) && !lane?.(req, res)) app(req, res);
  };
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: 1_000,
      maxHeaderSize: 16_384,
    },
    handle,
  );
  // Whether a client that asks first shall send its body is known only when its request has passed the guards.
  server.on('checkContinue', handle);
  server.maxConnections = MAX_CONNECTIONS;
  // A client that has closed its sending side still gets its answer. (Node has this switch, its types do not.)
  Object.assign(server, { httpAllowHalfOpen: true });
  server.on('clientError', refuseUnreadable);
  return server;
}

const PLAIN_ID = /^[\w-]+$/;

type Lane = (req: IncomingMessage, res: ServerResponse) => boolean;

/** Serves a hot operation and says true, or leaves the request alone. */
function frontLane(doors: Doors, operations: readonly Operation[]): Lane {
  const hot = operations.filter((operation) => operation.isHot).map(hotRoute);
  return (req, res) => {
    const url = req.url!;
    const mark = url.indexOf('?');
    const path = mark < 0 ? url : url.slice(0, mark);
    for (const { operation, prefix, suffix, parameter } of hot) {
      if (operation.method !== req.method || !path.startsWith(prefix) || !path.endsWith(suffix)) continue;
      const value = path.slice(prefix.length, path.length - suffix.length);
      // Whatever is not plainly an id is Express' to judge, which knows of escapes and fragments.
      if (parameter === undefined ? value !== '' : !PLAIN_ID.test(value)) continue;
      const params = parameter === undefined ? {} : { [parameter]: value };
      serve(doors, operation, req, res, params, mark < 0 ? '' : url.slice(mark + 1));
      return true;
    }
    return false;
  };
}

/** A path of at most one parameter, cut around it. */
function hotRoute(operation: Operation) {
  const [prefix = '', parameter, suffix = ''] = operation.path.split(/:(\w+)/);
  return { operation, prefix, parameter, suffix };
}

function expressApp(doors: Doors, operations: readonly Operation[]): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  for (const [path, ofPath] of Map.groupBy(operations, (operation) => operation.path)) {
    const route = app.route(path);
    for (const operation of ofPath) {
      const method = operation.method.toLowerCase() as Lowercase<Operation['method']>;
      route[method]((req: Request, res: Response) => {
        const mark = req.url.indexOf('?');
        const query = mark < 0 ? '' : req.url.slice(mark + 1);
        serve(doors, operation, req, res, req.params as Record<string, string>, query);
      });
    }
    const allow = allowed(ofPath);
    route.all((req: Request, res: Response) => {
      if (req.method === 'OPTIONS') res.writeHead(204, { Allow: allow }).end();
      else refuseAtDoor(doors, req, res, 'METHOD_NOT_ALLOWED', { headers: { Allow: allow } });
    });
  }
  app.use((req: Request, res: Response) => refuseAtDoor(doors, req, res, 'NOT_FOUND'));
  app.use((error: Error & { status?: number }, req: Request, res: Response, _next: NextFunction) => {
    if (error.status !== 400) doors.telemetry.fault('a request failed', error);
    refuseAtDoor(doors, req, res, error.status === 400 ? 'BAD_REQUEST' : 'INTERNAL_ERROR');
  });
  return app;
}

function allowed(operations: readonly Operation[]): string {
  const methods = operations.map((operation) => operation.method as string);
  if (methods.includes('GET')) methods.push('HEAD');
  return [...methods, 'OPTIONS'].join(', ');
}

const UNREADABLE: Readonly<Record<string, readonly [status: string, code: DoorCode, detail: string]>> = {
  HPE_HEADER_OVERFLOW: [
    '431 Request Header Fields Too Large',
    'BAD_REQUEST',
    'The headers are larger than 16 kB.',
  ],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'BAD_REQUEST', 'The request took too long to arrive.'],
};

/** Node's own record of the answer that is next on a connection; its types do not have it. */
type ServerSocket = Socket & { readonly _httpMessage?: ServerResponse | null };

/** Bytes that are no HTTP, headers without end, a request that never finishes: one answer, then the line is cut. */
function refuseUnreadable(error: Error & { code?: string }, socket: ServerSocket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const underWay = socket._httpMessage;
  if (underWay?.req.complete) {
    // Requests that came whole before the unreadable bytes are answered first, or their client would take this
    // refusal for the answer to its purchase.
    socket.pause();
    underWay.once('close', () => refuseUnreadable(error, socket));
    return;
  }
  const [status, code, detail] = UNREADABLE[error.code ?? ''] ?? [
    '400 Bad Request',
    'BAD_REQUEST',
    'The request is not valid HTTP.',
  ];
  const answer = problem(code, 'none', { detail });
  const body = JSON.stringify({ ...(answer.body as object), status: Number.parseInt(status, 10) });
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
      `Connection: close\r\n\r\n${body}`,
  );
}
