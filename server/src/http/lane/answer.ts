// What a door answers: a head, and content of one of four kinds. How each goes over the wire is in reply.ts.

interface Head {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** For the log: see Answered. Default: `read`. */
  readonly result?: 'granted' | 'refused' | 'read' | 'fault' | undefined;
  /** For the log. Never a secret. */
  readonly fields?: Readonly<Record<string, unknown>> | undefined;
}

export interface JsonAnswer extends Head {
  readonly kind: 'json';
  readonly body: unknown;
  /** Default: application/json. */
  readonly contentType?: 'application/json' | 'application/problem+json';
}

/** Text that is made already; JSON too, where a door keeps it as text because it is asked for it again and again. */
export interface TextAnswer extends Head {
  readonly kind: 'text';
  readonly body: string;
  readonly contentType: string;
}

export interface BytesAnswer extends Head {
  readonly kind: 'bytes';
  readonly body: Uint8Array;
  readonly contentType: string;
}

/**
 * Content that is not there yet, or never as a whole: server-sent events, a large file. A Readable is one, an async
 * generator too. It is read no faster than the client takes it, not at all for HEAD, and closed when the client leaves.
 */
export interface StreamAnswer extends Head {
  readonly kind: 'stream';
  /**
   * Called once, when the head has been sent. `stop` aborts when the client has left, has at least closed its sending
   * side, or the server shuts down: what waits for something to happen must then stop waiting and end. What ends by
   * itself need not look at it; it is closed when the connection is.
   */
  readonly open: (stop: AbortSignal) => AsyncIterable<Uint8Array | string>;
  readonly contentType: string;
  /** The length of the whole, where it is known: a client can then tell a stream that broke off from one that ended. */
  readonly bytes?: number | undefined;
}

export type Answer = JsonAnswer | TextAnswer | BytesAnswer | StreamAnswer;

export const JSON_TYPE = 'application/json';
