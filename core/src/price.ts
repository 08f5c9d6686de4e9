// What tickets cost. A price is made once, when they are claimed, and stays with their hold and their order: it is never
// computed again, whatever the event's prices become.
import type { TicketTypeId } from './ids.ts';
import { addMoney, money, timesMoney } from './money.ts';

/**
 * Tickets of one type at one price, in minor units of the price's currency. A tuple, because that is how it stands in
 * rows and facts: `["ga",2,2500]`.
 */
export type OrderLine = readonly [ticketType: TicketTypeId, quantity: number, unitAmount: number];

/** What tickets cost together, in minor units. `total` is the sum of the lines, always. */
export interface Price {
  readonly lines: readonly OrderLine[];
  readonly total: number;
  /** An ISO 4217 code. */
  readonly currency: string;
}

/** The price of these lines. Throws RangeError when the total is not exact. */
export function priceOf(lines: readonly OrderLine[], currency: string): Price {
  const amounts = lines.map(([, quantity, unitAmount]) => timesMoney(money(unitAmount, currency), quantity));
  return { lines, total: amounts.reduce(addMoney, money(0, currency)).amount, currency };
}

/** Whether the same lines cost the same, in the same order. */
export function isSamePrice(a: Price, b: Price): boolean {
  if (a.total !== b.total || a.currency !== b.currency || a.lines.length !== b.lines.length) return false;
  return a.lines.every((line, at) => {
    const [ticketType, quantity, unitAmount] = b.lines[at]!;
    return line[0] === ticketType && line[1] === quantity && line[2] === unitAmount;
  });
}
