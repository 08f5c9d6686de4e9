// The order's life as one complete table.
//
//   confirmed ──return, of some──▶ confirmed
//       └───────return, of all that are left──▶ void
//
// The table is typed by every status and every command, so a missing cell does not compile.

import type { Ticket } from './ids.ts';
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
