// What a door is: a method, a path, guards, a schema, and a function from a valid request to an answer. Both lanes, the
// fast one and Express, run the same operations through the same `serve`.

import type { Role } from '@floodgate/core/actor.ts';
import type { ZodRawShape, ZodType } from 'zod';
import type { Answers } from '../../contract/answers.ts';
import type { Answer, JsonAnswer } from './answer.ts';
import type { BodyKind } from './body.ts';
import { type Guard, type RequestHead, staffOnly } from './guards.ts';

/** A request whose input has passed the operation's schema. */
export interface DoorRequest<Input> extends RequestHead {
  readonly input: Input;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Few requests need more than this. */
const MAX_BODY_BYTES = 16_384;

/** What an operation is about. The API document says more of each: see openapi.ts. */
export type Tag = 'Buying' | 'Holds' | 'Orders' | 'Events' | 'Organizing' | 'Access' | 'Operation';

export type SentHeader = 'ETag' | 'Location' | 'Set-Cookie';

export interface Operation {
  /** Its name in metrics, logs and the SDK. */
  readonly name: string;
  /** What it does, as a command without a full stop, for the API document. */
  readonly summary: string;
  readonly tag: Tag;
  readonly method: Method;
  /** With `:name` for a parameter; parameters are whole segments. */
  readonly path: string;
  /** Staff only, of one of these roles; `admin` always may. Undefined: anybody. */
  readonly roles: readonly Role[] | undefined;
  /** Run in this order when it is known who acts, and before the body is read. */
  readonly guards: readonly Guard[];
  /** Served by the front lane, before Express: for the routes that a whole on-sale hits at once. */
  readonly isHot: boolean;
  readonly body: BodyKind;
  /** A larger body is refused before it is read. */
  readonly maxBodyBytes: number;
  /** The content types of a body that is `text` or `raw`; empty: any. */
  readonly takes: readonly string[];
  /** What of the request the schema looks at. */
  readonly input: ZodType;
  /** What it answers, by status. The lane adds what it refuses by itself: see described.ts. */
  readonly answers: Answers;
  /** Headers that a grant of it has besides those of every answer. */
  readonly sends: readonly SentHeader[];
  /** What every "no" of it has besides: see `dress`. */
  readonly problemMembers: ZodRawShape | undefined;
  readonly run: (request: DoorRequest<never>) => Answer | Promise<Answer>;
  /** Puts every JSON answer into the shape that the operation promises, refusals and faults too. */
  readonly dress: ((answer: JsonAnswer, ms: number) => JsonAnswer) | undefined;
}

/** An operation whose `run` has the type of its schema. */
export function operation<Input>(definition: {
  readonly name: string;
  readonly summary: string;
  readonly tag: Tag;
  readonly method: Method;
  readonly path: string;
  /** Staff only. Without `roles`: the box office, and for reads the role `read` too. */
  readonly isStaff?: boolean;
  readonly roles?: readonly Role[];
  /** After that of the roles. */
  readonly guards?: readonly Guard[];
  readonly isHot?: boolean;
  /** Default: JSON, and none for GET and DELETE. */
  readonly body?: BodyKind;
  readonly maxBodyBytes?: number;
  readonly takes?: readonly string[];
  readonly input: ZodType<Input>;
  readonly answers: Answers;
  readonly sends?: readonly SentHeader[];
  readonly problemMembers?: ZodRawShape;
  readonly run: (request: DoorRequest<Input>) => Answer | Promise<Answer>;
  readonly dress?: Operation['dress'];
}): Operation {
  const { isStaff, guards = [], ...others } = definition;
  const { method } = definition;
  const roles = definition.roles ?? (isStaff ? staffRoles(method) : undefined);
  return {
    isHot: false,
    body: method === 'GET' || method === 'DELETE' ? 'none' : 'json',
    maxBodyBytes: MAX_BODY_BYTES,
    takes: [],
    sends: [],
    dress: undefined,
    problemMembers: undefined,
    ...others,
    roles,
    guards: roles ? [staffOnly(roles), ...guards] : guards,
    run: definition.run as Operation['run'],
  };
}

const staffRoles = (method: Method): readonly Role[] =>
  method === 'GET' ? ['box-office', 'read'] : ['box-office'];
