// The order's life as one complete table, and what an order costs: a price is made once, when tickets are claimed, and
// never computed again, whatever the event's prices become.
//
//   confirmed ──return, of some──▶ confirmed
//       └───────return, of all that are left──▶ void
//
// The table is typed by every status and every command, so a missing cell does not compile.

import type { Ticket, TicketTypeId } from './ids.ts';
import { addMoney, money, timesMoney } from './money.ts';
import type { RefusalCode } from './refusal.ts';

/** `void`: all its tickets have been returned. */
export type OrderStatus = 'confirmed' | 'void';
export type OrderCommand = 'return';

export type OrderStep = { readonly to: OrderStatus } | { readonly refusal: RefusalCode };

type Left = 'some left' | 'none left';

const STEPS: Record<OrderStatus, Record<OrderCommand, Record<Left, OrderStep>>> = {
  confirmed: { return: { 'some left': { to: 'confirmed' }, 'none left': { to: 'void' } } },
  void: { return: { 'some left': { refusal: 'TICKET_VOID' }, 'none left': { refusal: 'TICKET_VOID' } } },
};

/** All of them, in a fixed order. */
export const ORDER_STATUSES = Object.keys(STEPS) as readonly OrderStatus[];

/** Whether an order of this status has tickets. A new status has to say. */
const IS_LIVE: Readonly<Record<OrderStatus, boolean>> = { confirmed: true, void: false };

export const LIVE_ORDER_STATUSES: readonly OrderStatus[] = ORDER_STATUSES.filter((status) => IS_LIVE[status]);

export function isLiveOrder({ status }: { readonly status: OrderStatus }): boolean {
  return IS_LIVE[status];
}

/** The tickets that the order still has. */
export function ticketsLeft(order: {
  readonly tickets: readonly Ticket[];
  readonly returned: readonly Ticket[];
}): readonly Ticket[] {
  const { tickets, returned } = order;
  return returned.length === 0 ? tickets : tickets.filter((ticket) => !returned.includes(ticket));
}

/** What a command does to an order that has this many tickets left after it. */
export function stepOrder(status: OrderStatus, command: OrderCommand, left: number): OrderStep {
  return STEPS[status][command][left > 0 ? 'some left' : 'none left'];
}

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
