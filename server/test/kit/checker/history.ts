// The history: what clients asked, what they were told, and when. It is written by the load generator, never
// by the server, so it can contradict the server. One JSON object a line (NDJSON): an `invoke` before a request
// is sent, and at most one `ok`, `fail` or `info` after it. A request that was never answered is as good as `info`.

/**
 * The requests of buyers that can change the shop. `buy` and `purchase` are one step; a hold ends by confirm or
 * release; `flash` makes a hold too. What staff do is in the journal only.
 */
export type OpKind = 'buy' | 'purchase' | 'hold' | 'flash' | 'confirm' | 'release' | 'extend';

/** What a client asks for. Attempts at the same operation share its `opId`. */
export interface Request {
  readonly kind: OpKind;
  readonly eventId: string;
  /** The idempotency key when `keyed`; otherwise a name used once, which travels as the buyer's name. */
  readonly opId: string;
  readonly keyed: boolean;
  /** Tickets asked for; 0 for confirm, release and extend. */
  readonly quantity: number;
  /** The hold which confirm, release and extend are about, else null. */
  readonly holdId: string | null;
  /** Of that hold: goes along as a header. */
  readonly secret?: string | undefined;
  /** As sent, byte for byte: two attempts under one key are equal when their bodies are. */
  readonly body: string;
}

export interface Invoke extends Request {
  readonly type: 'invoke';
  /** Numbers the attempts of a history; its completion carries the same number. */
  readonly call: number;
  readonly client: number;
  /** Milliseconds, with fractions, of one monotonic clock for the whole history. */
  readonly atMs: number;
}

/** `ok`: granted. `fail`: refused, so it had no effect. `info`: nobody knows (timeout, reset, 5xx after send). */
export interface Completion {
  readonly type: 'ok' | 'fail' | 'info';
  readonly call: number;
  readonly atMs: number;
  /** Null when no answer came. */
  readonly status: number | null;
  /** The answer as received, or for want of one what went wrong. */
  readonly body: string;
}

export type HistoryRecord = Invoke | Completion;

/** What an answer says, as far as the checker reads it. */
export interface Said {
  readonly ledgerSeq?: number | undefined;
  readonly orderId?: string | undefined;
  readonly holdId?: string | undefined;
  /** Of the hold or order. */
  readonly secret?: string | undefined;
  readonly total?: { readonly amount: number; readonly currency: string } | undefined;
  readonly tickets?: readonly number[] | undefined;
  readonly expiresAtMs?: number | undefined;
  /** The code of a refusal, such as SOLD_OUT. */
  readonly error?: string | undefined;
}

/** One attempt: an invoke with its completion. */
export interface Call extends Invoke {
  readonly outcome: 'ok' | 'fail' | 'info';
  /** Infinity for `info`: it may still take effect at any later time. */
  readonly endedAtMs: number;
  readonly status: number | null;
  readonly answer: string;
  readonly said: Said;
}

/** Collects a history while a test runs. `nowMs` is its monotonic clock. */
export class HistoryLog {
  readonly records: HistoryRecord[] = [];
  readonly #nowMs: () => number;
  #calls = 0;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Call just before the request is sent. Returns the number to complete it with. */
  invoke(client: number, request: Request): number {
    const call = this.#calls++;
    this.records.push({ type: 'invoke', call, client, atMs: this.#nowMs(), ...request });
    return call;
  }

  /** Call when the whole answer has arrived. Returns how it was classed. */
  answer(call: number, status: number, body: string): Completion['type'] {
    const type = classify(status);
    this.records.push({ type, call, atMs: this.#nowMs(), status, body });
    return type;
  }

  /** Call when no answer came: a timeout, a reset, a cut answer. */
  lose(call: number, why: string): void {
    this.records.push({ type: 'info', call, atMs: this.#nowMs(), status: null, body: why });
  }

  toNdjson(): string {
    return this.records.map((record) => `${JSON.stringify(record)}\n`).join('');
  }
}

/** 2xx grants, 4xx refuses without effect; whatever else came back leaves the outcome unknown. */
export function classify(status: number): Completion['type'] {
  if (status >= 200 && status < 300) return 'ok';
  return status >= 400 && status < 500 ? 'fail' : 'info';
}

/** The records of an NDJSON text. Throws SyntaxError on a line that is no JSON. */
export function parseHistory(ndjson: string): HistoryRecord[] {
  return ndjson
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as HistoryRecord);
}

/** Joins invokes with their completions, in order of invocation. Throws when the generator logged nonsense. */
export function callsOf(records: readonly HistoryRecord[]): Call[] {
  const invokes = new Map<number, Invoke>();
  const completions = new Map<number, Completion>();
  for (const record of records) {
    const seen: Map<number, HistoryRecord> = record.type === 'invoke' ? invokes : completions;
    if (seen.has(record.call)) throw new Error(`call ${record.call} has two ${record.type} records`);
    if (record.type !== 'invoke' && !invokes.has(record.call)) {
      throw new Error(`call ${record.call} was completed before it was invoked`);
    }
    seen.set(record.call, record);
  }
  return [...invokes.values()].map((invoke) => joined(invoke, completions.get(invoke.call)));
}

function joined(invoke: Invoke, completion: Completion | undefined): Call {
  const outcome = completion?.type ?? 'info';
  return {
    ...invoke,
    outcome,
    endedAtMs: completion === undefined || outcome === 'info' ? Number.POSITIVE_INFINITY : completion.atMs,
    status: completion?.status ?? null,
    answer: completion?.body ?? '',
    said: outcome === 'info' ? {} : readAnswer(completion?.body ?? ''),
  };
}

/** Reads an answer's facts; what it does not say, or says in another type, is undefined. */
export function readAnswer(body: string): Said {
  const said = parseObject(body);
  if (said === undefined) return {};
  return {
    ledgerSeq: typeof said.ledgerSeq === 'number' ? said.ledgerSeq : undefined,
    orderId: textOf(said.orderId),
    holdId: textOf(said.holdId ?? said.reservationId),
    secret: textOf(said.secret ?? said.holdSecret),
    total: totalOf(said.total),
    tickets: Array.isArray(said.tickets) ? said.tickets.map(ticketNumber) : undefined,
    expiresAtMs: timeOf(said.expiresAt),
    error: textOf(said.error),
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function totalOf(value: unknown): Said['total'] {
  const { amount, currency } = (value ?? {}) as Record<string, unknown>;
  return typeof amount === 'number' && typeof currency === 'string' ? { amount, currency } : undefined;
}

/** ISO 8601, or milliseconds since 1970. */
function timeOf(value: unknown): number | undefined {
  if (typeof value === 'string') return Date.parse(value);
  return typeof value === 'number' ? value : undefined;
}

function parseObject(body: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

// A ticket is answered as `{ticketId: "41", …}`. NaN, which equals no ticket, stands for anything else.
function ticketNumber(ticket: unknown): number {
  const id =
    typeof ticket === 'object' && ticket !== null && 'ticketId' in ticket ? ticket.ticketId : undefined;
  return typeof id === 'string' && /^[0-9]+$/.test(id) ? Number(id) : Number.NaN;
}
