// Pass 7, Durability: what was answered with a grant is in the ledger, as it was answered (rule S4); the ledger
// of an earlier look is a beginning of the later one. A ticket is told to one buyer only, whatever became of the
// ledger since.
import { type EventEvidence, FACT_OF, type Op, sameTickets } from './evidence.ts';
import type { Fact, FinalEvent } from './final-ledger.ts';
import type { Findings } from './findings.ts';
import type { Call } from './history.ts';

/** Checks every grant an operation was answered with. */
export function checkGrants(op: Op, evidence: EventEvidence, found: Findings): void {
  for (const call of op.calls) {
    if (call.outcome !== 'ok') continue;
    // The flash purchase does not tell its place: the hold that it made has it.
    const ledgerSeq = op.kind === 'flash' ? (op.facts[0]?.seq ?? 0) : call.said.ledgerSeq;
    if (ledgerSeq === undefined) {
      found.add('durability', op.eventId, 'a grant was answered without its ledgerSeq', { ops: [op] });
      continue;
    }
    const fact = evidence.factAt.get(ledgerSeq);
    const mismatch = fact === undefined ? 'is missing' : mismatchOf(op, call, fact, evidence);
    if (mismatch !== undefined) {
      const what = `its grant was answered, and lost: seq ${ledgerSeq} ${mismatch}`;
      found.add('durability', op.eventId, what, { ops: [op], facts: fact ? [fact] : [] });
    }
  }
}

function mismatchOf(op: Op, { said }: Call, fact: Fact, evidence: EventEvidence): string | undefined {
  if (fact.kind !== FACT_OF[op.kind]) return `is ${fact.kind}`;
  // Confirming or releasing again answers what another operation did; a claim is the operation's own.
  const isOwn = op.holdId === null ? op.facts.includes(fact) : fact.holdId === op.holdId;
  if (!isOwn) return 'belongs to another request';
  const ordered = op.kind === 'flash' ? confirmationOf(fact, evidence) : fact;
  if (said.orderId !== undefined && ordered && said.orderId !== ordered.orderId)
    return `is order ${ordered.orderId}`;
  if (said.holdId !== undefined && said.holdId !== fact.holdId) return `is hold ${fact.holdId}`;
  const claim = op.holdId === null ? fact : evidence.heldAs.get(op.holdId);
  const tickets = claim?.tickets ?? [];
  if (said.tickets !== undefined && !sameTickets(said.tickets, tickets))
    return `has tickets ${tickets.join(', ')}`;
  if (HAVE_DEADLINES.has(op.kind) && said.expiresAtMs !== fact.expiresAtMs)
    return `expires at ${fact.expiresAtMs}`;
  return undefined;
}

const HAVE_DEADLINES: ReadonlySet<Op['kind']> = new Set(['hold', 'flash', 'extend']);

/** The order that was promised with a hold is the one it becomes, if it does. */
function confirmationOf({ holdId = '' }: Fact, { ends }: EventEvidence): Fact | undefined {
  return ends.get(holdId)?.find(({ kind }) => kind === 'confirmed');
}

/** Checks that no ticket was answered under two orders, which needs no ledger at all. */
export function checkToldOnce(eventId: string, ops: readonly Op[], found: Findings): void {
  const orderOf = new Map<number, { readonly orderId: string; readonly op: Op }>();
  for (const op of ops) {
    for (const { outcome, said } of op.calls) {
      if (outcome !== 'ok' || said.orderId === undefined) continue;
      for (const ticket of said.tickets ?? []) {
        const first = orderOf.get(ticket);
        if (first === undefined) {
          orderOf.set(ticket, { orderId: said.orderId, op });
        } else if (first.orderId !== said.orderId) {
          const what = `ticket ${ticket} was answered under orders ${first.orderId} and ${said.orderId}`;
          found.add('uniqueness', eventId, what, { ops: [first.op, op] });
        }
      }
    }
  }
}

/** Checks that the journal begins with all that an earlier look at it showed. */
export function checkGrowth(earlier: FinalEvent, { eventId, journal }: EventEvidence, found: Findings): void {
  for (const [index, fact] of earlier.journal.entries()) {
    const now = journal[index];
    if (now !== undefined && JSON.stringify(now) === JSON.stringify(fact)) continue;
    const what = now === undefined ? 'was in the journal and is gone' : 'was rewritten in the journal';
    found.add('durability', eventId, `${fact.kind} at seq ${fact.seq} ${what}`, { facts: [fact] });
  }
}
