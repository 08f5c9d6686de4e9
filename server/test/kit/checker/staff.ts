// Pass 6 for what staff do: their changes are a chain, each made from the one before; and while the event is closed by
// one of them, nobody is given a ticket. So what was answered to staff held in every process.
import type { EventEvidence } from './evidence.ts';
import type { Fact } from './final-ledger.ts';
import type { Findings } from './findings.ts';

/** In these nobody holds or buys. */
const CLOSED = new Set(['draft', 'paused', 'ended', 'cancelled']);

export function checkStaff({ eventId, journal, causes }: EventEvidence, found: Findings): void {
  let last: Fact | undefined;
  let closed: { readonly fact: Fact; readonly status: string } | undefined;
  for (const fact of journal) {
    if (fact.kind === 'event-created') last = fact;
    if (closed && (fact.kind === 'held' || fact.kind === 'bought')) {
      const what = `${fact.kind} while the event was ${closed.status}`;
      found.add('order', eventId, what, { ops: causes.get(fact), facts: [closed.fact, fact] });
    }
    if (fact.kind !== 'event-changed') continue;
    if (last !== undefined && fact.previous !== last.seq) {
      const what = `a change was made from version ${fact.previous}, where it was ${last.seq}`;
      found.add('order', eventId, what, { facts: [last, fact] });
    }
    last = fact;
    const status = fact.after?.status;
    if (typeof status === 'string') closed = CLOSED.has(status) ? { fact, status } : undefined;
  }
}
