// The simulated shop's ledger: a log on a disk that survives the process, and the tables which are its replay.
// Every judgement is one synchronous step and leaves one record. It trusts the tickets it is proposed (there is no
// unique key), so that defects of the stock reach the journal.
import { type HoldCommand, type HoldStatus, stepHold } from '@floodgate/core/hold.ts';
import type { Reply } from '../workload.ts';
import type { Fact, FinalClaim, FinalOrder } from './final-ledger.ts';
import { keyOfGuest } from './guest-key.ts';
import type { Request } from './history.ts';
import type { Bug } from './sim-bugs.ts';

interface Kept {
  readonly key: string | undefined;
  readonly body: string;
  readonly reply: Reply;
}

interface LogRecord {
  readonly eventId: string;
  readonly fact?: Fact | undefined;
  /** What was answered, and under which key it is answered from now on. */
  readonly kept?: Kept | undefined;
}

/** Records up to `durable` survive a crash; the others may. */
export interface SimDisk {
  readonly log: LogRecord[];
  durable: number;
}

export interface HoldRow {
  readonly eventId: string;
  readonly held: Fact;
  expiresAtMs: number;
  status: HoldStatus;
  /** Of the confirm or release that ended it. */
  endReply?: Reply | undefined;
}

interface EventRows {
  readonly journal: Fact[];
  readonly claims: Map<number, FinalClaim>;
  readonly orders: FinalOrder[];
  readonly keys: Map<string, Kept>;
  burnt: number;
}

/** `tickets`: what this very entry claimed or ended, none when it was refused or replayed. */
export interface Verdict {
  readonly reply: Reply;
  readonly tickets: readonly number[];
}

const SEQ_BLOCK = 4;

export class SimLedger {
  readonly holds = new Map<string, HoldRow>();
  readonly #events = new Map<string, EventRows>();
  readonly #disk: SimDisk;
  readonly #bug: Bug | undefined;
  readonly #nextId: () => string;

  constructor(disk: SimDisk, nextId: () => string, bug: Bug | undefined) {
    this.#disk = disk;
    this.#nextId = nextId;
    this.#bug = bug;
    for (const record of disk.log) this.#apply(record);
    if (bug === 'keys-in-memory') for (const { keys } of this.#events.values()) keys.clear();
  }

  createEvent(eventId: string, nowMs: number): void {
    this.#append({ eventId, fact: { seq: 1, kind: 'event-created', atMs: nowMs } });
  }

  rows(eventId: string): EventRows {
    let rows = this.#events.get(eventId);
    if (rows === undefined) {
      rows = { journal: [], claims: new Map(), orders: [], keys: new Map(), burnt: 0 };
      this.#events.set(eventId, rows);
    }
    return rows;
  }

  /** The answer under the request's key, if it has one. */
  kept(request: Request, nowMs: number): Reply | undefined {
    const kept = request.keyed ? this.rows(request.eventId).keys.get(request.opId) : undefined;
    if (kept === undefined) return undefined;
    if (kept.body !== request.body && this.#bug !== 'other-body')
      return refusal(422, 'IDEMPOTENCY_KEY_REUSED');
    if (this.#bug !== 'fresh-replay') return kept.reply;
    return { ...kept.reply, body: JSON.stringify({ ...JSON.parse(kept.reply.body), servedAtMs: nowMs }) };
  }

  /** Judges a buy or hold of the proposed tickets, or keeps the refusal the stock has made. */
  judgeClaim(
    request: Request,
    proposed: readonly number[] | string,
    nowMs: number,
    holdTtlMs: number,
  ): Verdict {
    const kept = this.#bug === 'check-then-act' ? undefined : this.kept(request, nowMs);
    if (kept !== undefined) return { reply: kept, tickets: [] };
    if (typeof proposed === 'string') return this.#keep(request, refusal(409, proposed));
    const { eventId, opId, keyed } = request;
    const seq = this.#nextSeq(eventId);
    const common = {
      seq,
      atMs: nowMs,
      tickets: proposed,
      buyer: opId,
      key: keyed ? keyOfGuest(opId) : undefined,
    };
    const id = this.#nextId();
    if (request.kind === 'hold') {
      const expiresAtMs = nowMs + holdTtlMs;
      const fact: Fact = { ...common, kind: 'held', holdId: id, expiresAtMs };
      const expiresAt = new Date(expiresAtMs).toISOString();
      return this.#grant(request, fact, { holdId: id, eventId, expiresAt, ledgerSeq: seq }, proposed);
    }
    const fact: Fact = { ...common, kind: 'bought', orderId: id };
    return this.#grant(request, fact, { success: true, eventId, orderId: id, ledgerSeq: seq }, proposed);
  }

  /** Judges a confirm or release. */
  judgeEnd(request: Request, nowMs: number): Verdict {
    const kept = this.kept(request, nowMs);
    if (kept !== undefined) return { reply: kept, tickets: [] };
    const hold = this.holds.get(request.holdId ?? '');
    if (hold === undefined) return this.#keep(request, refusal(404, 'HOLD_NOT_FOUND'));
    const { held } = hold;
    const command = request.kind === 'confirm' ? 'confirm' : 'release';
    const step = this.#step(hold, command, nowMs);
    if ('refusal' in step) return this.#keep(request, refusal(409, step.refusal));
    if ('same' in step) return this.#keep(request, hold.endReply!);
    const seq = this.#nextSeq(request.eventId);
    const key = request.keyed ? request.opId : undefined;
    const fact: Fact = {
      seq,
      kind: 'released',
      atMs: nowMs,
      holdId: held.holdId,
      key,
      tickets: held.tickets,
    };
    const said = { holdId: held.holdId, status: step.to, ledgerSeq: seq };
    if (command === 'release') return this.#grant(request, fact, said, held.tickets!);
    const orderId = this.#nextId();
    return this.#grant(request, { ...fact, kind: 'confirmed', orderId }, { ...said, orderId }, held.tickets!);
  }

  /** Another `holdTtlMs` from now. */
  judgeExtend(request: Request, nowMs: number, holdTtlMs: number): Verdict {
    const hold = this.holds.get(request.holdId ?? '');
    if (hold === undefined) return this.#keep(request, refusal(404, 'HOLD_NOT_FOUND'));
    const step = this.#step(hold, 'extend', nowMs);
    if ('refusal' in step) return this.#keep(request, refusal(409, step.refusal));
    const { holdId, tickets } = hold.held;
    const expiresAtMs = nowMs + holdTtlMs;
    const seq = this.#nextSeq(request.eventId);
    const fact: Fact = { seq, kind: 'extended', atMs: nowMs, holdId, expiresAtMs };
    const said = { holdId, expiresAt: new Date(expiresAtMs).toISOString(), ledgerSeq: seq };
    return { ...this.#grant(request, fact, said, tickets!), tickets: [] };
  }

  /** Expires a hold that is due. Returns its tickets, none when it has ended meanwhile. */
  judgeExpire(hold: HoldRow, nowMs: number): readonly number[] {
    const { held, eventId } = hold;
    const isExpired = 'to' in this.#step(hold, 'expire', nowMs) || this.#bug === 'double-release';
    if (!isExpired) return [];
    const { holdId, tickets } = held;
    const fact: Fact = { seq: this.#nextSeq(eventId), kind: 'expired', atMs: nowMs, holdId, tickets };
    this.#append({ eventId, fact });
    return tickets!;
  }

  /** Active holds that are due. */
  due(nowMs: number): HoldRow[] {
    return [...this.holds.values()].filter((hold) => 'to' in this.#step(hold, 'expire', nowMs));
  }

  #step(hold: HoldRow, command: HoldCommand, nowMs: number) {
    const isForgotten = this.#bug === 'forgotten-extension' && command === 'expire';
    const deadlineMs = isForgotten ? hold.held.expiresAtMs! : hold.expiresAtMs;
    const isEarly = this.#bug === 'early-expire' && command === 'expire';
    const isLate = this.#bug === 'late-confirm' && command === 'confirm';
    return stepHold(hold.status, command, isEarly ? nowMs + 50 : isLate ? 0 : nowMs, deadlineMs);
  }

  #grant(request: Request, fact: Fact, said: object, tickets: readonly number[]): Verdict {
    const shown = tickets.map((ticket) => ({ ticketId: String(ticket), ticketType: 'ga' }));
    const reply = { status: 200, body: JSON.stringify({ ...said, tickets: shown }) };
    this.#append({ eventId: request.eventId, fact, kept: keptOf(request, reply) });
    return { reply, tickets };
  }

  #keep(request: Request, reply: Reply): Verdict {
    if (this.#bug === 'seq-gap') this.rows(request.eventId).burnt++;
    if (request.keyed) this.#append({ eventId: request.eventId, kept: keptOf(request, reply) });
    return { reply, tickets: [] };
  }

  #nextSeq(eventId: string): number {
    const { journal, burnt } = this.rows(eventId);
    const count = journal.length;
    if (this.#bug !== 'seq-disorder') return count + 1 + burnt;
    return count - (count % SEQ_BLOCK) + SEQ_BLOCK - (count % SEQ_BLOCK);
  }

  #append(record: LogRecord): void {
    this.#disk.log.push(record);
    this.#apply(record);
  }

  #apply({ eventId, fact, kept }: LogRecord): void {
    const rows = this.rows(eventId);
    if (kept?.key !== undefined) rows.keys.set(kept.key, kept);
    if (fact === undefined) return;
    rows.journal.push(fact);
    const hold = this.holds.get(fact.holdId ?? '');
    const tickets = fact.tickets ?? [];
    if (fact.kind === 'held') {
      const { expiresAtMs } = fact;
      this.holds.set(fact.holdId!, { eventId, held: fact, expiresAtMs: expiresAtMs!, status: 'active' });
      for (const ticket of tickets) rows.claims.set(ticket, { ticket, as: 'held', by: fact.holdId! });
    } else if (fact.kind === 'bought' || fact.kind === 'confirmed') {
      rows.orders.push({ orderId: fact.orderId!, seq: fact.seq, tickets });
      for (const ticket of tickets) rows.claims.set(ticket, { ticket, as: 'sold', by: fact.orderId! });
      if (hold !== undefined) Object.assign(hold, { status: 'confirmed', endReply: kept?.reply });
    } else if (fact.kind === 'extended') {
      hold!.expiresAtMs = fact.expiresAtMs!;
    } else if (fact.kind !== 'event-created') {
      for (const ticket of tickets) rows.claims.delete(ticket);
      if (hold !== undefined) Object.assign(hold, { status: fact.kind, endReply: kept?.reply });
    }
  }
}

export function refusal(status: number, error: string): Reply {
  return { status, body: JSON.stringify({ error, status }) };
}

function keptOf({ keyed, opId, body }: Request, reply: Reply): Kept {
  return { key: keyed ? opId : undefined, body, reply };
}
