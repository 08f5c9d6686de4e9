// What a buyer wants, as the scripts read it. take.lua knows "pool:quantity"; take-seats.lua knows three kinds:
//   "pool:quantity" + ":needed"                               any tickets
//   "=12.14-20"                                               these tickets
//   "~n:first run:end run:first pool:last pool:needed" + "!"  the best n seats, "!" if only side by side
// `needed` is what all wants of the take must find in these pools. Any tickets of one type wanted twice say it, too;
// take.lua adds them up itself.

import type { Ticket } from '@floodgate/core/ids.ts';
import type { TicketLayout } from '@floodgate/core/seating/layout.ts';
import { RunWriter } from '@floodgate/core/seating/ticket-runs.ts';
import type { TicketsWant, Want } from '../inventory.ts';
import { type Ask, isUnknown, neededFor, type PoolFinder, planTake, searchOf } from '../take-plan.ts';
import { poolFinder } from './event-image.ts';

export interface WantText {
  /** Joined by ",", in the order in which they must be taken. */
  readonly text: string;
  /** Tickets of all wants together. */
  readonly quantity: number;
  /** Whether take.lua can meet them. */
  readonly isAny: boolean;
}

export class WantEncoder implements PoolFinder {
  readonly layout: TicketLayout;
  readonly poolOf: (ticket: Ticket) => number;

  constructor(layout: TicketLayout) {
    this.layout = layout;
    this.poolOf = poolFinder(layout);
  }

  /** Undefined when the layout has no such ticket type. Throws on what `planTake` throws on. */
  encode(wants: readonly Want[]): WantText | undefined {
    const plan = planTake(this.layout, wants);
    const { asks } = plan;
    if (asks.length === 1) return isUnknown(asks[0]!) ? undefined : this.#encodeOne(asks[0]!);
    if (asks.some(isUnknown)) return undefined;
    // General admission has its tickets to itself and never fails, so the script takes it last.
    const [any, others] = [asks.filter(isAny), asks.filter((ask) => !isAny(ask))];
    const texts = [...others, ...any].map((ask) => this.#textOf(ask, neededFor(ask, plan, this)));
    const quantity = asks.reduce((sum, ask) => sum + sizeOf(ask), 0);
    return { text: texts.join(','), quantity, isAny: others.length === 0 };
  }

  #encodeOne(ask: Ask): WantText {
    return { text: this.#textOf(ask, ask.quantity), quantity: sizeOf(ask), isAny: isAny(ask) };
  }

  #textOf({ want, pools, quantity }: Ask, needed: number): string {
    if ('tickets' in want) return textOfNamed(want);
    const [first, last] = [pools[0]!, pools.at(-1)!];
    if ('quantity' in want) return `${first}:${quantity}${needed === quantity ? '' : `:${needed}`}`;
    const runs = searchOf(this.layout, pools, 0);
    const together = want.together === true ? '!' : '';
    return `~${quantity}:${runs.first}:${runs.end}:${first}:${last}:${needed}${together}`;
  }
}

function isAny({ want }: Ask): boolean {
  return 'quantity' in want;
}

function textOfNamed({ tickets }: TicketsWant): string {
  const runs = new RunWriter('.'); // A comma ends the want.
  for (const ticket of tickets) runs.add(ticket);
  return `=${runs.take()}`;
}

function sizeOf({ want, quantity }: Ask): number {
  return 'tickets' in want ? want.tickets.length : quantity;
}
