// An event, its ticket types, and how its tickets are numbered: dense integers 0 … n-1, laid out by ticket
// type in blocks. A block is never moved or renumbered, because the ledger keeps ticket numbers for ever;
// capacity that grows later becomes a further block at the end.
import type { EventId, Ticket, TicketTypeId } from './ids.ts';
import { type Money, money } from './money.ts';
import { invariant } from './refusal.ts';

/** A class of equal tickets at one price. `capacity` counts tickets, `price` is in minor units. */
export interface TicketType {
  readonly ticketTypeId: TicketTypeId;
  readonly name: string;
  readonly price: number;
  readonly currency: string;
  readonly capacity: number;
}

export type EventStatus = 'open';

/** A performance whose tickets are sold. Times are ISO 8601. */
export interface EventDefinition {
  readonly eventId: EventId;
  readonly name: string;
  readonly venue: { readonly name: string };
  readonly startsAt: string;
  readonly timeZone: string;
  readonly status: EventStatus;
  readonly ticketTypes: readonly TicketType[];
}

/** The most tickets one event can have: ticket numbers must fit 31 bits with room for growth. */
export const MAX_EVENT_CAPACITY = 50_000_000;

/** A run of tickets of one type: tickets `first … first+count-1`, numbered from `numberFrom` in their type. */
interface Block {
  readonly type: TicketType;
  readonly first: number;
  readonly count: number;
  readonly numberFrom: number;
}

/** What is printed on a ticket and shown to its buyer. */
export interface TicketView {
  readonly ticketId: string;
  readonly ticketType: TicketTypeId;
  readonly label: string;
}

/** Where each ticket type's tickets lie inside an event. Immutable. */
export class TicketLayout {
  readonly capacity: number;
  readonly #blocks: readonly Block[];
  readonly #prefixes: ReadonlyMap<TicketTypeId, string>;

  constructor(ticketTypes: readonly TicketType[]) {
    const blocks: Block[] = [];
    const numbered = new Map<TicketTypeId, number>();
    let first = 0;
    for (const type of ticketTypes) {
      invariant(Number.isInteger(type.capacity) && type.capacity >= 0, `capacity of ${type.ticketTypeId}`);
      const numberFrom = (numbered.get(type.ticketTypeId) ?? 0) + 1;
      blocks.push({ type, first, count: type.capacity, numberFrom });
      numbered.set(type.ticketTypeId, numberFrom + type.capacity - 1);
      first += type.capacity;
    }
    invariant(first <= MAX_EVENT_CAPACITY, `an event has at most ${MAX_EVENT_CAPACITY} tickets`);
    this.#blocks = blocks;
    this.#prefixes = new Map(ticketTypes.map((t) => [t.ticketTypeId, t.ticketTypeId.toUpperCase()]));
    this.capacity = first;
  }

  /** The half-open ranges `[first, end)` of tickets a type has, in ascending order. */
  rangesOf(ticketTypeId: TicketTypeId): readonly (readonly [first: number, end: number])[] {
    return this.#blocks
      .filter((block) => block.type.ticketTypeId === ticketTypeId)
      .map((block) => [block.first, block.first + block.count] as const);
  }

  /** Whether the number is a ticket of this event. */
  has(ticket: number): ticket is Ticket {
    return Number.isInteger(ticket) && ticket >= 0 && ticket < this.capacity;
  }

  /** The ticket's type. Throws on a number that is no ticket of this event. */
  typeOf(ticket: Ticket): TicketType {
    return this.#blockOf(ticket).type;
  }

  /** How the ticket is shown: `{ticketId: "41", ticketType: "ga", label: "GA-42"}`. */
  viewOf(ticket: Ticket): TicketView {
    const block = this.#blockOf(ticket);
    const number = ticket - block.first + block.numberFrom;
    const ticketType = block.type.ticketTypeId;
    return { ticketId: String(ticket), ticketType, label: `${this.#prefixes.get(ticketType)}-${number}` };
  }

  /** What the tickets cost together. Throws when they are of several currencies. */
  totalOf(tickets: readonly Ticket[]): Money {
    const currency = this.#blocks[0]?.type.currency ?? 'XXX';
    let amount = 0;
    for (const ticket of tickets) {
      const { type } = this.#blockOf(ticket);
      invariant(type.currency === currency, 'an event has one currency');
      amount += money(type.price, type.currency).amount;
    }
    return money(amount, currency);
  }

  // Blocks are few (one or two per ticket type), so a scan beats a binary search.
  #blockOf(ticket: Ticket): Block {
    if (this.has(ticket)) {
      for (const block of this.#blocks) if (ticket < block.first + block.count) return block;
    }
    throw new Error(`broken invariant: ${ticket} is not a ticket of this event (capacity ${this.capacity})`);
  }
}
