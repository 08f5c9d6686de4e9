// An event as its organizer describes it: what is sold, when, to whom, and under which limits. How its tickets are
// numbered is in layout.ts.
import type { AllocationId, EventId, TicketTypeId } from '../ids.ts';

/**
 * A class of equal tickets at one price (in minor units). Times are ISO 8601 with an offset, on the ledger's clock.
 * `capacity` counts what the organizer wants sold of it, also those set aside or killed for now.
 */
export interface TicketType {
  readonly ticketTypeId: TicketTypeId;
  readonly name: string;
  readonly description?: string | undefined;
  readonly price: number;
  readonly currency: string;
  readonly capacity: number;
  /** Which seats of the manifest it sells; absent: general admission. */
  readonly category?: string | undefined;
  readonly saleStartsAt?: string | undefined;
  readonly saleEndsAt?: string | undefined;
  /** Tickets of this type in one hold or purchase. */
  readonly minPerOrder?: number | undefined;
  readonly maxPerOrder?: number | undefined;
  /** Tickets of this type one buyer may have, held and sold together, over all orders (rule S8). */
  readonly limitPerBuyer?: number | undefined;
  /** Who wants tickets of this type must send it. Seen by staff only. */
  readonly accessCode?: string | undefined;
}

export type EventStatus = 'draft' | 'scheduled' | 'open' | 'paused' | 'ended' | 'cancelled';

export interface Venue {
  readonly name: string;
  readonly address?: string | undefined;
  readonly city?: string | undefined;
  readonly country?: string | undefined;
}

/** Tickets taken out of sale by staff: for a channel (they may be dropped to sale later), for good, or by a smaller capacity. */
export interface Allocation {
  readonly allocationId: AllocationId;
  readonly name: string;
  readonly kind: 'channel' | 'kill' | 'withdrawn';
  readonly ticketType: TicketTypeId;
  /** As runs, ascending: "12-40,77". */
  readonly tickets: string;
}

/** A run of ticket numbers of one type, in the order of the numbers. Blocks are never moved, only added at the end. */
export interface Block {
  readonly ticketType: TicketTypeId;
  readonly count: number;
}

/** A performance whose tickets are sold. Times are ISO 8601. */
export interface EventDefinition {
  readonly eventId: EventId;
  readonly name: string;
  readonly description?: string | undefined;
  readonly venue: Venue;
  readonly startsAt: string;
  readonly timeZone: string;
  readonly status: EventStatus;
  /** When a scheduled event goes on sale by itself. */
  readonly onSaleAt?: string | undefined;
  /** When its sale ends. */
  readonly endsAt?: string | undefined;
  /** Tickets in one hold or purchase, of all types together. */
  readonly maxPerOrder?: number | undefined;
  /** Tickets of all types one buyer may have, held and sold together, over all orders (rule S8). */
  readonly limitPerBuyer?: number | undefined;
  /** Holds one buyer may have at a time (rule S8). */
  readonly holdsPerBuyer?: number | undefined;
  readonly manifestId?: string | undefined;
  readonly ticketTypes: readonly TicketType[];
  /** How tickets are numbered; absent: one block for each ticket type, in their order. */
  readonly blocks?: readonly Block[] | undefined;
  readonly allocations?: readonly Allocation[] | undefined;
}

/** The most tickets one event can have: ticket numbers must fit 31 bits with room for growth. */
export const MAX_EVENT_CAPACITY = 50_000_000;
