// Every answer that a test sees is held against what its operation declares, by status, and against the API document: an
// undeclared member, status, code or media type fails the test, whatever the test itself looks at.
import assert from 'node:assert/strict';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { ZodType, z } from 'zod';
import { anyProblem, mediaTypeOf, problemSchema } from '../../src/contract/answers.ts';
import { allOperations } from '../../src/http/doors/doors.ts';
import { answersOf } from '../../src/http/lane/described.ts';
import type { Operation } from '../../src/http/lane/operation.ts';
import { DescribedAnswers } from './described-answers.ts';

/** What a client has of an answer. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; undefined when it is empty or something else. */
  readonly body: unknown;
}

/** What came for a request. */
export interface Answered {
  readonly method: string;
  /** The request's target, as it was sent. */
  readonly target: string;
  readonly status: number;
  readonly contentType: string | undefined;
  readonly text: string;
}

/** Says what is wrong with the answer; undefined when nothing is. */
export function whyNot(answer: Answered): string | undefined {
  const { method, target, status, contentType, text } = answer;
  if (method === 'OPTIONS') return undefined;
  const what = `${method} ${target.slice(0, 200)} → ${status} ${text.slice(0, 2_000)}`;
  const operation = operationFor(method, target);
  const schemas = described(operation).get(status) ?? described(undefined).get(status);
  if (schemas === undefined) return `${what}: ${operation?.name ?? 'nowhere'} has no such status`;
  const schema = schemas.find((each) => status === 304 || mediaTypeOf(each) === contentType);
  if (schema === undefined) return `${what}: nothing of the type ${contentType} is declared`;
  if (method === 'HEAD') return text === '' ? undefined : `${what}: an answer to HEAD has content`;
  const content = text === '' ? undefined : /json$/.test(contentType ?? '') ? JSON.parse(text) : text;
  const parsed = schema.safeParse(content);
  if (!parsed.success) return `${what}: ${parsed.error.message}`;
  const isSame =
    content?.status === undefined || typeof content.status !== 'number' || content.status === status;
  if (!isSame) return `${what}: the problem tells another status`;
  // The Express lane answers 405 for an operation's address, and no document describes what is nowhere.
  if (operation === undefined || !described(operation).has(status)) return undefined;
  const objection = documented.objection(operation, status, contentType, content);
  return objection && `${what}: ${objection}`;
}

const none = undefined as never;
/** The table of the doors, without a shop behind them. */
const OPERATIONS = allOperations(none, none).map((operation) => ({
  operation,
  pattern: new RegExp(`^${operation.path.replaceAll(/:\w+/g, '[^/]+')}/?$`, 'i'),
}));

const documented = new DescribedAnswers(OPERATIONS.map(({ operation }) => operation));

function operationFor(method: string, target: string): Operation | undefined {
  const path = (/^\w+:\/\/[^/]*(\/.*)$/.exec(target)?.[1] ?? target).split(/[?#]/, 1)[0]!;
  const asked = method === 'HEAD' ? 'GET' : method;
  return OPERATIONS.find(({ operation, pattern }) => operation.method === asked && pattern.test(path))
    ?.operation;
}

const descriptions = new Map<Operation | undefined, ReadonlyMap<number, readonly ZodType[]>>();

function described(operation: Operation | undefined): ReadonlyMap<number, readonly ZodType[]> {
  let known = descriptions.get(operation);
  if (!known) {
    known = operation ? answersOf(operation) : NOWHERE;
    descriptions.set(operation, known);
  }
  return known;
}

/** Where no operation is. An operation's own 404 goes before this one. */
const NOWHERE: ReadonlyMap<number, readonly ZodType[]> = new Map([
  [400, [problemSchema(['BAD_REQUEST'])]],
  [404, [problemSchema(['NOT_FOUND'])]],
  [405, [problemSchema(['METHOD_NOT_ALLOWED'])]],
]);

/** Watches every answer of a server in this process, no matter who asks or how. */
export class AnswerWatch {
  readonly #faults: string[] = [];
  readonly #seen = new Set<string>();

  constructor(server: Server) {
    server.prependListener('request', (req: IncomingMessage, res: ServerResponse) => this.#follow(req, res));
  }

  /** Throws when an answer was not as its operation declares. */
  assertDeclared(): void {
    const faults = this.#faults.splice(0);
    assert.equal(faults.length, 0, `not as declared in contract/:\n${faults.join('\n')}`);
  }

  #follow(req: IncomingMessage, res: ServerResponse): void {
    const pieces: Buffer[] = [];
    const { write, end } = res;
    const keep = (piece: unknown, encoding: unknown) => {
      if (typeof piece === 'string') pieces.push(Buffer.from(piece, encoding as BufferEncoding));
      else if (piece instanceof Uint8Array) pieces.push(Buffer.from(piece));
    };
    res.write = function (this: ServerResponse, ...args: unknown[]) {
      keep(args[0], args[1]);
      return Reflect.apply(write, this, args);
    } as typeof write;
    res.end = function (this: ServerResponse, ...args: unknown[]) {
      keep(args[0], args[1]);
      return Reflect.apply(end, this, args);
    } as typeof end;
    const headOf = new HeadOf(res);
    res.on('finish', () => {
      const { method = '', url = '' } = req;
      const contentType = headOf.contentType();
      const answer = { method, target: url, status: res.statusCode, contentType };
      const fault = whyNot({ ...answer, text: Buffer.concat(pieces).toString() });
      if (fault !== undefined && !this.#seen.has(fault)) {
        this.#seen.add(fault);
        this.#faults.push(fault);
      }
    });
  }
}

/** Headers that are given to writeHead as a list are not kept by Node, so they are noted on their way. */
class HeadOf {
  readonly #res: ServerResponse;
  #listed: string | undefined;

  constructor(res: ServerResponse) {
    this.#res = res;
    const { writeHead } = res;
    res.writeHead = ((status: number, headers: unknown) => {
      if (Array.isArray(headers)) {
        const at = headers.findIndex((name, index) => index % 2 === 0 && /^content-type$/i.test(name));
        if (at >= 0) this.#listed = headers[at + 1];
      }
      return Reflect.apply(writeHead, res, [status, headers]);
    }) as typeof writeHead;
  }

  contentType(): string | undefined {
    return this.#listed ?? this.#res.getHeader('content-type')?.toString();
  }
}

/** The body of an answer of this status and shape. */
export function contentOf<Shape extends ZodType>(reply: Reply, status: number, shape: Shape): z.infer<Shape> {
  assert.equal(reply.status, status, reply.text);
  assert.match(reply.headers.get('content-type') ?? '', /^application\/(problem\+)?json$/);
  return shape.parse(reply.body);
}

/** The problem of a refusal: its media type, status and code, one clear sentence, and the request's id. */
export function readProblem(reply: Reply, status: number, error: string): z.infer<typeof anyProblem> {
  const body = contentOf(reply, status, anyProblem);
  assert.equal(body.error, error, reply.text);
  assert.equal(body.status, status);
  assert.equal(reply.headers.get('content-type'), 'application/problem+json');
  assert.equal(reply.headers.get('x-request-id'), body.requestId);
  return body;
}
