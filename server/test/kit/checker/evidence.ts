// Brings both halves of the evidence together: which operation caused which fact of the journal.
// A bought or held fact names its operation by idempotency key or, for keyless ones, by the buyer's name.
// A hold's end names the hold, and any confirm or release of that hold may have caused it.

import type { Fact, FinalEvent, FinalLedger } from './final-ledger.ts';
import { keyOfGuest } from './guest-key.ts';
import { type Call, callsOf, type HistoryRecord, type OpKind } from './history.ts';

/** All attempts at one operation and the facts it caused, both in their order. */
export interface Op {
  readonly opId: string;
  readonly keyed: boolean;
  readonly kind: OpKind;
  readonly eventId: string;
  readonly holdId: string | null;
  readonly calls: Call[];
  readonly facts: Fact[];
}

/** An event with what is known about each of its facts. */
export interface EventEvidence {
  readonly event: FinalEvent;
  readonly eventId: string;
  readonly journal: readonly Fact[];
  readonly factAt: ReadonlyMap<number, Fact>;
  /** Operations that can have caused the fact; empty for what the clock or the organizer did. */
  readonly causes: ReadonlyMap<Fact, readonly Op[]>;
  /** The facts that made a hold and that ended it, by hold id. */
  readonly heldAs: ReadonlyMap<string, Fact>;
  readonly ends: ReadonlyMap<string, readonly Fact[]>;
}

export interface Evidence {
  readonly ops: readonly Op[];
  readonly events: ReadonlyMap<string, EventEvidence>;
}

/** What the journal calls an operation's effect. */
export const FACT_OF = {
  buy: 'bought',
  purchase: 'bought',
  hold: 'held',
  flash: 'held',
  confirm: 'confirmed',
  release: 'released',
  extend: 'extended',
} as const satisfies Record<OpKind, Fact['kind']>;

/** Joins history and ledger. Throws when an operation changes its nature between attempts. */
export function gather(records: readonly HistoryRecord[], ledger: FinalLedger): Evidence {
  const { ops, byKey } = opsOf(callsOf(records));
  const byHold = new Map<string, Op[]>();
  for (const op of ops.values()) {
    if (op.holdId !== null) push(byHold, `${op.kind} ${op.holdId}`, op);
  }
  const events = new Map(ledger.map((event) => [event.eventId, eventEvidence(event, ops, byKey, byHold)]));
  return { ops: [...ops.values()], events };
}

/** The requests by the id of their operation, and those with a key by what a journal calls it. */
function opsOf(calls: readonly Call[]): { ops: Map<string, Op>; byKey: Map<string, Op> } {
  const ops = new Map<string, Op>();
  const byKey = new Map<string, Op>();
  for (const call of calls) {
    const { opId, keyed, kind, eventId, holdId } = call;
    let op = ops.get(opId);
    if (op === undefined) {
      op = { opId, keyed, kind, eventId, holdId, calls: [], facts: [] };
      ops.set(opId, op);
      byKey.set(keyOfGuest(opId), op);
    }
    if (op.kind !== kind || op.eventId !== eventId || op.keyed !== keyed) {
      throw new Error(
        `op ${opId} is a ${op.kind} of event ${op.eventId} and also a ${kind} of event ${eventId}`,
      );
    }
    op.calls.push(call);
  }
  return { ops, byKey };
}

function eventEvidence(
  event: FinalEvent,
  ops: ReadonlyMap<string, Op>,
  byKey: ReadonlyMap<string, Op>,
  byHold: ReadonlyMap<string, readonly Op[]>,
): EventEvidence {
  const causes = new Map<Fact, readonly Op[]>();
  const heldAs = new Map<string, Fact>();
  const ends = new Map<string, Fact[]>();
  for (const fact of event.journal) {
    const causing = causesOf(fact, ops, byKey, byHold).filter((op) => op.eventId === event.eventId);
    causes.set(fact, causing);
    for (const op of causing) op.facts.push(fact);
    if (fact.holdId === undefined) continue;
    if (fact.kind === 'held') heldAs.set(fact.holdId, fact);
    else if (fact.kind !== 'extended') push(ends, fact.holdId, fact);
  }
  const factAt = new Map(event.journal.map((fact) => [fact.seq, fact]));
  return { event, eventId: event.eventId, journal: event.journal, factAt, causes, heldAs, ends };
}

function causesOf(
  fact: Fact,
  ops: ReadonlyMap<string, Op>,
  byKey: ReadonlyMap<string, Op>,
  byHold: ReadonlyMap<string, readonly Op[]>,
): readonly Op[] {
  const named = byKey.get(fact.key ?? '') ?? ops.get(fact.buyer ?? '');
  switch (fact.kind) {
    case 'event-created':
    case 'event-changed':
    case 'expired':
    case 'returned':
    case 'key-made':
    case 'key-revoked':
    case 'manifest-kept':
      return [];
    case 'bought':
    case 'held':
      return named !== undefined && FACT_OF[named.kind] === fact.kind ? [named] : [];
    case 'confirmed':
      return named?.kind === 'confirm' ? [named] : (byHold.get(`confirm ${fact.holdId}`) ?? []);
    case 'released':
      return byHold.get(`release ${fact.holdId}`) ?? [];
    case 'extended':
      return byHold.get(`extend ${fact.holdId}`) ?? [];
  }
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

/** Whether the attempt can have had an effect: it was granted, or nobody knows. */
export function mayHaveActed(call: Call): boolean {
  return call.outcome !== 'fail';
}

/** Whether the shop judged the request and answered for good: a grant, or a refusal by the state of the shop. */
export function isJudged(call: Call): boolean {
  return call.outcome === 'ok' || (call.outcome === 'fail' && (call.status === 409 || call.status === 410));
}

/** Whether two sets of tickets, each without repeats, are the same. */
export function sameTickets(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  const inA = new Set(a);
  return inA.size === a.length && new Set(b).size === b.length && b.every((ticket) => inA.has(ticket));
}
