// Pass 3 for each buyer (rule S8): at no instant has anybody more than the limits of the event allow, orders and
// active holds together. The journal names the buyer of every claim; the test says what the limits were.
import type { EventEvidence } from './evidence.ts';
import type { Fact } from './final-ledger.ts';
import type { Findings } from './findings.ts';

export interface LimitOptions {
  /** The same for every event and all the time. Claims without a buyer are not limited. */
  readonly limits?:
    | { readonly ticketsPerBuyer?: number | undefined; readonly holdsPerBuyer?: number | undefined }
    | undefined;
}

interface Belongings {
  tickets: number;
  readonly holds: Set<string>;
}

export function checkLimits(
  { eventId, journal, heldAs, causes }: EventEvidence,
  { limits }: LimitOptions,
  found: Findings,
): void {
  if (limits === undefined) return;
  const { ticketsPerBuyer = Number.POSITIVE_INFINITY, holdsPerBuyer = Number.POSITIVE_INFINITY } = limits;
  const buyers = new Map<string, Belongings>();
  for (const fact of journal) {
    const buyer = (heldAs.get(fact.holdId ?? '') ?? fact).buyer;
    if (buyer === undefined) continue;
    const his = buyers.get(buyer) ?? { tickets: 0, holds: new Set() };
    buyers.set(buyer, his);
    if (!gain(his, fact, heldAs)) continue;
    const pointers = { ops: causes.get(fact), facts: [fact] };
    if (his.tickets > ticketsPerBuyer) {
      const what = `${buyer} has ${his.tickets} tickets, ${ticketsPerBuyer} are allowed`;
      found.add('bound', eventId, what, pointers);
    }
    if (his.holds.size > holdsPerBuyer) {
      const what = `${buyer} has ${his.holds.size} holds, ${holdsPerBuyer} are allowed`;
      found.add('bound', eventId, what, pointers);
    }
  }
}

/** Moves what the buyer has; true when it may have become more. */
function gain(his: Belongings, fact: Fact, heldAs: ReadonlyMap<string, Fact>): boolean {
  const holdId = fact.holdId ?? '';
  switch (fact.kind) {
    case 'bought':
      his.tickets += fact.tickets?.length ?? 0;
      return true;
    case 'held':
      his.tickets += fact.tickets?.length ?? 0;
      his.holds.add(holdId);
      return true;
    case 'released':
    case 'expired':
      // A hold that ends twice is the replay's to find.
      if (his.holds.delete(holdId)) his.tickets -= heldAs.get(holdId)?.tickets?.length ?? 0;
      return false;
    case 'returned':
      his.tickets -= fact.tickets?.length ?? 0;
      return false;
    default:
      if (fact.kind === 'confirmed') his.holds.delete(holdId);
      return false;
  }
}
