// What an event's tickets cost by their numbers, in one version of the event. Needs no seats: the blocks say which type
// a number is of.

import { invariant } from '../assert.ts';
import type { Ticket } from '../ids.ts';
import { type OrderLine, type Price, priceOf } from '../price.ts';
import type { Block, TicketType } from './event.ts';

/** Prices of up to this many tickets of one type are made once: nearly every claim is one of them, so it costs a look. */
const MADE_ONCE = 16;

interface PricedBlock {
  readonly type: TicketType;
  readonly end: number;
  /** By quantity. */
  readonly prices: (Price | undefined)[];
}

/** Immutable. */
export class PriceList {
  readonly #blocks: readonly PricedBlock[];
  readonly #currency: string;

  /** Throws when types have several currencies, or a block is of a type that is not among them. */
  constructor(ticketTypes: readonly TicketType[], blocks: readonly Block[]) {
    this.#currency = ticketTypes[0]?.currency ?? 'XXX';
    const isOne = ticketTypes.every(({ currency }) => currency === this.#currency);
    invariant(isOne, 'an event has one currency');
    let end = 0;
    this.#blocks = blocks.map(({ ticketType, count }) => {
      const type = ticketTypes.find(({ ticketTypeId }) => ticketTypeId === ticketType);
      invariant(type !== undefined, `a block of the unknown ticket type ${ticketType}`);
      end += count;
      return { type, end, prices: [] };
    });
  }

  /** What the tickets cost together; a line for each type, in the order in which the tickets name them. */
  priceOf(tickets: readonly Ticket[]): Price {
    const [first] = tickets;
    if (first === undefined) return priceOf([], this.#currency);
    const block = this.#blockOf(first);
    const quantity = tickets.length;
    for (let i = 1; i < quantity; i++) {
      if (this.#blockOf(tickets[i]!) !== block) return this.#priceOfSeveral(tickets);
    }
    const { prices, type } = block;
    const known = prices[quantity];
    if (known) return known;
    const price = priceOf([lineOf(type, quantity)], this.#currency);
    if (quantity <= MADE_ONCE) prices[quantity] = price;
    return price;
  }

  #priceOfSeveral(tickets: readonly Ticket[]): Price {
    const quantities = new Map<TicketType, number>();
    for (const ticket of tickets) {
      const { type } = this.#blockOf(ticket);
      quantities.set(type, (quantities.get(type) ?? 0) + 1);
    }
    return priceOf([...quantities].map(([type, quantity]) => lineOf(type, quantity)), this.#currency); // biome-ignore format: short
  }

  // Blocks are few (one or two per ticket type), so a scan beats a binary search.
  #blockOf(ticket: Ticket): PricedBlock {
    if (Number.isInteger(ticket) && ticket >= 0) {
      for (const block of this.#blocks) if (ticket < block.end) return block;
    }
    throw new Error(`broken invariant: ${ticket} is not a ticket of this event`);
  }
}

function lineOf({ ticketTypeId, price }: TicketType, quantity: number): OrderLine {
  return [ticketTypeId, quantity, price];
}
