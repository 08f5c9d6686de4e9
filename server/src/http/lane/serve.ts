// The one way into the doors, whichever lane a request came by.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { GUEST } from '@floodgate/core/actor.ts';
import type { DoorCode } from '../../contract/answers.ts';
import type { Doors } from './doors.ts';
import { Exchange } from './exchange.ts';
import type { Operation } from './operation.ts';
import { type ProblemExtras, problem } from './problem.ts';
import { requestIdOf, send } from './reply.ts';

/** Serves the request. `params` are those of the path, `query` is the text behind the question mark. */
export function serve(
  doors: Doors,
  operation: Operation,
  req: IncomingMessage,
  res: ServerResponse,
  params: Readonly<Record<string, string>>,
  query: string,
): void {
  const exchange = new Exchange(doors, operation, req, res, params, query);
  const { authorization, cookie } = req.headers;
  // Most of a whole on-sale are guests: they pay for nothing here.
  if (authorization === undefined && cookie === undefined) exchange.enter(GUEST);
  else exchange.identify();
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
