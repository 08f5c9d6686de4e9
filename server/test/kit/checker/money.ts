// Pass 9 (rule S10): what an order costs is the sum of its lines, what its hold was to cost, and what it is shown to cost
// for ever; and never more comes back than was paid. Journals of older releases say nothing of money until they do.
import type { EventEvidence } from './evidence.ts';
import type { Fact } from './final-ledger.ts';
import type { Findings } from './findings.ts';

export function checkMoney({ eventId, event, journal, heldAs }: EventEvidence, found: Findings): void {
  const report = (what: string, ...facts: readonly Fact[]) => found.add('money', eventId, what, { facts });
  const orders = new Map<string, { readonly fact: Fact; refunded: number }>();
  let isPriced = false;
  for (const fact of journal) {
    if (fact.kind === 'returned') {
      const order = orders.get(fact.orderId ?? '');
      if (order === undefined) continue;
      order.refunded += fact.refundedAmount ?? Number.NaN;
      if (!(order.refunded <= (order.fact.total ?? Number.POSITIVE_INFINITY))) {
        report(`${order.refunded} is paid back of ${order.fact.total}`, order.fact, fact);
      }
    }
    if (fact.kind !== 'bought' && fact.kind !== 'held' && fact.kind !== 'confirmed') continue;
    isPriced ||= fact.total !== undefined;
    if (isPriced) checkSum(fact, report);
    const held = fact.kind === 'confirmed' ? heldAs.get(fact.holdId ?? '') : undefined;
    if (held?.total !== undefined && priceOf(held) !== priceOf(fact)) {
      report(`a hold of ${priceOf(held)} became an order of ${priceOf(fact)}`, held, fact);
    }
    if (fact.kind !== 'held') orders.set(fact.orderId ?? '', { fact, refunded: 0 });
  }
  for (const { orderId, total } of event.orders) {
    const fact = orders.get(orderId)?.fact;
    if (fact?.total === undefined || total === undefined) continue;
    if (total.amount !== fact.total || total.currency !== fact.currency) {
      report(`order ${orderId} is shown to cost ${total.amount} ${total.currency}`, fact);
    }
  }
}

function checkSum(fact: Fact, report: (what: string, fact: Fact) => void): void {
  const { lines = [], total, currency, tickets = [] } = fact;
  const sum = lines.reduce((sum, [, quantity, amount]) => sum + quantity * amount, 0);
  if (total === undefined || currency === undefined || sum !== total) {
    report(`lines of ${sum} cost ${total} ${currency} together`, fact);
  }
  const count = lines.reduce((sum, [, quantity]) => sum + quantity, 0);
  if (count !== tickets.length) report(`${tickets.length} tickets are priced as ${count}`, fact);
}

const priceOf = ({ lines, total, currency }: Fact): string => JSON.stringify([total, currency, lines]);
