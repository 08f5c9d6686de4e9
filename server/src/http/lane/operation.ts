// What a door is: a method, a path, a schema, and a function from a valid request to an answer. Both lanes, the
// fast one and Express, run the same operations through the same `serve`.

import type { Actor, Role } from '@floodgate/core/actor.ts';
import type { ZodType } from 'zod';

/** A request whose input has passed the operation's schema. */
export interface Ask<Input> {
  readonly input: Input;
  readonly requestId: string;
  readonly who: Actor;
  /** Whether staff of any role asks. */
  readonly isStaff: boolean;
  /** A header by its lower-case name, for what no schema looks at. */
  header(name: string): string | undefined;
}

export interface Answer {
  readonly status: number;
  /** Text is sent as it is, anything else as JSON. */
  readonly body: unknown;
  /** Default: application/json. */
  readonly contentType?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** For the log: see Answered. Default: `read`. */
  readonly result?: 'granted' | 'refused' | 'read' | 'fault' | undefined;
  /** For the log. Never a secret. */
  readonly fields?: Readonly<Record<string, unknown>> | undefined;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Few requests need more than this. */
const MAX_BODY_BYTES = 16_384;

export interface Operation {
  /** Its name in metrics, logs and the SDK. */
  readonly name: string;
  readonly method: Method;
  /** With `:name` for a parameter; parameters are whole segments. */
  readonly path: string;
  /** Staff only, of one of these roles; `admin` always may. Undefined: anybody. */
  readonly roles: readonly Role[] | undefined;
  /** Served by the front lane, before Express: for the routes that a whole on-sale hits at once. */
  readonly isHot: boolean;
  readonly hasBody: boolean;
  /** A larger body is refused before it is read. */
  readonly maxBodyBytes: number;
  /** When not empty: the content types it takes, all as text, JSON too. Else it takes JSON. */
  readonly takesText: readonly string[];
  /** What of the request the schema looks at. */
  readonly input: ZodType;
  readonly run: (ask: Ask<never>) => Answer | Promise<Answer>;
  /** Puts every answer into the shape that the operation promises, refusals and faults too. */
  readonly dress: ((answer: Answer, ms: number) => Answer) | undefined;
}

/** An operation whose `run` has the type of its schema. */
export function operation<Input>(definition: {
  readonly name: string;
  readonly method: Method;
  readonly path: string;
  /** Staff only. Without `roles`: the box office, and for reads the role `read` too. */
  readonly isStaff?: boolean;
  readonly roles?: readonly Role[];
  readonly isHot?: boolean;
  readonly maxBodyBytes?: number;
  readonly takesText?: readonly string[];
  readonly input: ZodType<Input>;
  readonly run: (ask: Ask<Input>) => Answer | Promise<Answer>;
  readonly dress?: Operation['dress'];
}): Operation {
  const { isStaff, roles, ...others } = definition;
  const { method } = definition;
  return {
    isHot: false,
    hasBody: method !== 'GET' && method !== 'DELETE',
    maxBodyBytes: MAX_BODY_BYTES,
    takesText: [],
    dress: undefined,
    ...others,
    roles: roles ?? (isStaff ? staffRoles(method) : undefined),
    run: definition.run as Operation['run'],
  };
}

const staffRoles = (method: Method): readonly Role[] =>
  method === 'GET' ? ['box-office', 'read'] : ['box-office'];
