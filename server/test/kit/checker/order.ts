// Pass 6, Real-time order: the journal is gapless, its clock never steps back, and what was answered before
// something else was asked for comes before it. And "sold out" is true at some instant of the request's window:
// the state after some fact that can have been the latest while the request was under way.
import { type EventEvidence, mayHaveActed, type Op } from './evidence.ts';
import type { Fact } from './final-ledger.ts';
import type { Findings } from './findings.ts';
import type { Call } from './history.ts';

export interface OrderOptions {
  /**
   * For how long after a ticket came back a shop may count it among the held, in milliseconds: each ticket for itself,
   * while it knows of later sales. And one that staff put on sale among the sold.
   */
  readonly staleMs?: number | undefined;
}

/** Checks one event's journal and the refusals for want of tickets. */
export function checkOrder(
  evidence: EventEvidence,
  ops: readonly Op[],
  options: OrderOptions,
  found: Findings,
): void {
  checkSequence(evidence, found);
  const windows = new Windows(evidence, ops);
  windows.checkFacts(found);
  // With several ticket types it depends on the type what "sold out" means, and a history does not name it.
  if (evidence.event.types.length === 1) checkRefusals(evidence, ops, windows, options.staleMs ?? 0, found);
}

function checkSequence({ eventId, journal }: EventEvidence, found: Findings): void {
  let last: Fact | undefined;
  for (const fact of journal) {
    const expected = (last?.seq ?? 0) + 1;
    if (fact.seq !== expected) {
      found.add('order', eventId, `seq ${fact.seq} stands where ${expected} should: the journal has a gap`, {
        facts: [fact],
      });
    }
    if (last !== undefined && fact.atMs < last.atMs) {
      const what = `the ledger's clock stepped back by ${last.atMs - fact.atMs} ms`;
      found.add('order', eventId, what, { facts: [last, fact] });
    }
    last = fact;
  }
}

/** What real time says about the place of facts in the journal. */
export class Windows {
  readonly #evidence: EventEvidence;
  readonly #askedAtMs = new Map<Fact, number>();
  /** By the time of their first answer, ascending; `maxSeq` is the largest seq answered up to it. */
  readonly #answered: { readonly atMs: number; readonly maxSeq: number }[];
  /** By the time they were first asked for, ascending; `minSeq` is the smallest seq asked for from it on. */
  readonly #asked: { readonly atMs: number; readonly minSeq: number }[];

  constructor(evidence: EventEvidence, ops: readonly Op[]) {
    this.#evidence = evidence;
    for (const [fact, causes] of evidence.causes) {
      const times = causes.flatMap((op) => op.calls.filter(mayHaveActed).map((call) => call.atMs));
      if (times.length > 0)
        this.#askedAtMs.set(
          fact,
          times.reduce((a, b) => Math.min(a, b)),
        );
    }
    const answers = [...answersOf(evidence, ops)].sort(([, a], [, b]) => a - b);
    let maxSeq = 0;
    this.#answered = answers.map(([{ seq }, atMs]) => {
      maxSeq = Math.max(maxSeq, seq);
      return { atMs, maxSeq };
    });
    const asks = [...this.#askedAtMs].sort(([, a], [, b]) => b - a);
    let minSeq = Number.POSITIVE_INFINITY;
    this.#asked = asks
      .map(([{ seq }, atMs]) => {
        minSeq = Math.min(minSeq, seq);
        return { atMs, minSeq };
      })
      .reverse();
  }

  /** The largest seq that was answered before the instant: facts up to it are visible then. */
  seqBefore(atMs: number): number {
    const index = firstIndex(this.#answered, (answer) => answer.atMs >= atMs) - 1;
    return this.#answered[index]?.maxSeq ?? 0;
  }

  /** The smallest seq that was asked for after the instant: facts from it on are not visible yet. */
  seqAfter(atMs: number): number {
    const index = firstIndex(this.#asked, (ask) => ask.atMs > atMs);
    return this.#asked[index]?.minSeq ?? Number.POSITIVE_INFINITY;
  }

  checkFacts(found: Findings): void {
    for (const [fact, atMs] of this.#askedAtMs) {
      const before = this.seqBefore(atMs);
      if (before <= fact.seq) continue;
      const { causes, factAt, eventId } = this.#evidence;
      const first = factAt.get(before)!;
      const ops = [...(causes.get(first) ?? []), ...(causes.get(fact) ?? [])];
      const what = `seq ${before} was answered before seq ${fact.seq} was even asked for`;
      found.add('order', eventId, what, { ops, facts: [first, fact] });
    }
  }
}

/** When a fact was first answered to anybody. */
function answersOf(evidence: EventEvidence, ops: readonly Op[]): Map<Fact, number> {
  const answeredAtMs = new Map<Fact, number>();
  for (const op of ops) {
    for (const call of op.calls) {
      const fact = evidence.factAt.get(call.said.ledgerSeq ?? 0);
      if (call.outcome !== 'ok' || fact === undefined) continue;
      answeredAtMs.set(fact, Math.min(call.endedAtMs, answeredAtMs.get(fact) ?? Number.POSITIVE_INFINITY));
    }
  }
  return answeredAtMs;
}

function checkRefusals(
  { eventId, event, journal, heldAs }: EventEvidence,
  ops: readonly Op[],
  windows: Windows,
  staleMs: number,
  found: Findings,
): void {
  const capacity = event.types[0]!.capacity;
  const { claimed, sold } = usage(journal, heldAs, capacity);
  const most = (of: RangeMax, returns: Returns, from: number, to: number, unseenFrom: number): number => {
    let used = of.max(from, to);
    if (staleMs === 0) return used;
    for (let seq = from; seq <= to; seq++) {
      used = Math.max(used, of.max(seq, seq) + returns.unseen(unseenFrom, seq));
    }
    return used;
  };
  const byStaff = new Returns(journal, heldAs, ['event-changed', 'returned']);
  const all = new Returns(journal, heldAs, ['event-changed', 'released', 'expired', 'returned']);
  for (const op of ops) {
    for (const call of op.calls) {
      const { error } = call.said;
      if (call.outcome !== 'fail' || (error !== 'SOLD_OUT' && error !== 'ALL_HELD')) continue;
      const askedAtMs = firstAsked(op, call);
      const from = windows.seqBefore(askedAtMs);
      const to = Math.min(windows.seqAfter(call.endedAtMs) - 1, journal.length);
      if (from > to) continue; // The journal contradicts real time, which the checks above have reported.
      const unseenFrom = windows.seqBefore(askedAtMs - staleMs);
      const isSold = error === 'SOLD_OUT';
      const mostUsed = most(isSold ? sold : claimed, isSold ? byStaff : all, from, to, unseenFrom);
      if (capacity - mostUsed >= call.quantity) {
        const what = `${error} for ${call.quantity}, while at least ${capacity - mostUsed} were left`;
        const facts = [{ seq: from }, { seq: to }];
        found.add('order', eventId, what, { ops: [op], facts });
      }
    }
  }
}

// A replayed refusal was true when the key was first judged, which may have been at any earlier attempt.
function firstAsked(op: Op, call: Call): number {
  return op.calls.find((earlier) => earlier.body === call.body)?.atMs ?? call.atMs;
}

/**
 * Tickets in use after each fact, at index = seq (0: before the first): those that staff took out of sale, and those
 * that the event gets later, are so too. Assumes a gapless journal.
 */
function usage(journal: readonly Fact[], heldAs: ReadonlyMap<string, Fact>, capacity: number) {
  const claimed = [0];
  const sold = [0];
  let unmade = 0;
  for (const fact of journal) {
    const tickets =
      (fact.kind === 'held' ? fact : (heldAs.get(fact.holdId ?? '') ?? fact)).tickets?.length ?? 0;
    const isClaim = fact.kind === 'held' || fact.kind === 'bought';
    const isSale = fact.kind === 'confirmed' || fact.kind === 'bought';
    const isGivenBack = fact.kind === 'returned';
    const isReturn = isGivenBack || fact.kind === 'released' || fact.kind === 'expired';
    let byStaff = (fact.setAside?.length ?? 0) - (fact.restored?.length ?? 0);
    if (fact.capacity !== undefined) {
      byStaff += capacity - fact.capacity - unmade;
      unmade = capacity - fact.capacity;
    }
    claimed.push(claimed.at(-1)! + byStaff + (isClaim ? tickets : isReturn ? -tickets : 0));
    sold.push(sold.at(-1)! + byStaff + (isSale ? tickets : isGivenBack ? -tickets : 0));
  }
  return { claimed: new RangeMax(claimed), sold: new RangeMax(sold) };
}

/** From when to when, by seq, each ticket was free that had been held or sold before, or out of sale. */
class Returns {
  readonly #spans: { readonly fromSeq: number; toSeq: number }[] = [];

  /** Those by facts of these kinds. */
  constructor(journal: readonly Fact[], heldAs: ReadonlyMap<string, Fact>, kinds: readonly Fact['kind'][]) {
    const open = new Map<number, { toSeq: number }>();
    let capacity = journal.find((fact) => fact.capacity !== undefined)?.capacity ?? 0;
    for (const fact of journal) {
      for (const ticket of fact.setAside ?? fact.tickets ?? []) {
        const span = open.get(ticket);
        if (span) span.toSeq = fact.seq;
        open.delete(ticket);
      }
      if (!kinds.includes(fact.kind)) continue;
      const later = fact.capacity ?? capacity;
      const grown = Array.from({ length: Math.max(0, later - capacity) }, (_, index) => capacity + index);
      capacity = later;
      const gone = new Set(fact.setAside);
      const backOnSale = fact.kind === 'returned' ? fact.tickets : heldAs.get(fact.holdId ?? '')?.tickets;
      const returned = backOnSale ?? [...(fact.restored ?? []), ...grown];
      for (const ticket of returned) {
        if (gone.has(ticket)) continue;
        const span = { fromSeq: fact.seq, toSeq: Number.POSITIVE_INFINITY };
        this.#spans.push(span);
        open.set(ticket, span);
      }
    }
  }

  /** How many tickets are free at an instant whose return, after `fromSeq`, may not be known yet. */
  unseen(fromSeq: number, atSeq: number): number {
    let count = 0;
    for (let at = firstIndex(this.#spans, (span) => span.fromSeq > fromSeq); at < this.#spans.length; at++) {
      const span = this.#spans[at]!;
      if (span.fromSeq > atSeq) break;
      if (span.toSeq > atSeq) count++;
    }
    return count;
  }
}

/** Answers the maximum of any range in constant time: level k holds the maxima of all runs of 2^k values. */
class RangeMax {
  readonly #levels: (readonly number[])[];

  constructor(values: readonly number[]) {
    this.#levels = [values];
    for (let run = 1; run * 2 <= values.length; run *= 2) {
      const below = this.#levels.at(-1)!;
      const count = values.length - run * 2 + 1;
      this.#levels.push(Array.from({ length: count }, (_, i) => Math.max(below[i]!, below[i + run]!)));
    }
  }

  /** The largest value from index `from` to index `to`, both included. */
  max(from: number, to: number): number {
    const level = Math.floor(Math.log2(to - from + 1));
    const maxima = this.#levels[level]!;
    return Math.max(maxima[from]!, maxima[to - 2 ** level + 1]!);
  }
}

/** The first index whose item satisfies a condition that stays true from there on; the length when none does. */
function firstIndex<T>(items: readonly T[], holds: (item: T) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(items[middle]!)) high = middle;
    else low = middle + 1;
  }
  return low;
}
