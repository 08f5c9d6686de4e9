// What a door is: a method, a path, a schema, and a function from a valid request to an answer. Both lanes, the
// fast one and Express, run the same operations through the same `serve`.
import type { ZodType } from 'zod';

/** A request whose input has passed the operation's schema. */
export interface Ask<Input> {
  readonly input: Input;
  readonly requestId: string;
  /** Whether the API key came with it. */
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

export interface Operation {
  /** Its name in metrics, logs and the SDK. */
  readonly name: string;
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With `:name` for a parameter; parameters are whole segments. */
  readonly path: string;
  /** Only with the API key. */
  readonly isStaff: boolean;
  /** Served by the front lane, before Express: for the routes that a whole on-sale hits at once. */
  readonly isHot: boolean;
  readonly hasBody: boolean;
  /** What of the request the schema looks at. */
  readonly input: ZodType;
  readonly run: (ask: Ask<never>) => Answer | Promise<Answer>;
}

/** An operation whose `run` has the type of its schema. */
export function operation<Input>(definition: {
  readonly name: string;
  readonly method: Operation['method'];
  readonly path: string;
  readonly isStaff?: boolean;
  readonly isHot?: boolean;
  readonly input: ZodType<Input>;
  readonly run: (ask: Ask<Input>) => Answer | Promise<Answer>;
}): Operation {
  return {
    isStaff: false,
    isHot: false,
    hasBody: definition.method === 'POST',
    ...definition,
    run: definition.run as Operation['run'],
  };
}
