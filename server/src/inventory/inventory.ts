// The inventory says which tickets a buyer gets. It is fast and may be wrong: the ledger decides.
// One interface, several implementations (memory, later Redis and failover), one contract suite.
//
// A ticket is in exactly one state (rule S2: their counts add up to the capacity, after every call):
//
//   available ──take──▶ pending ──settle──▶ held | sold
//       ▲                  │                  │
//       └────── giveBack ──┴──── giveBack ────┘
//
// `pending` is a take whose ledger commit is under way. It is neither available nor gone, so a refusal that
// depends on it would be a guess: `take` answers `pending` and the caller waits for `nextChange`.
import type { EventDefinition } from '@floodgate/core/event.ts';
import type { EventId, Ticket, TicketTypeId } from '@floodgate/core/ids.ts';

/** Any `quantity` tickets (≥ 1) of one type. (Seats and best-available come with manifests.) */
export interface Want {
  readonly ticketType: TicketTypeId;
  readonly quantity: number;
}

export type TakeRefusal =
  /** The inventory has no such event loaded. */
  | 'EVENT_NOT_FOUND'
  | 'TICKET_TYPE_NOT_FOUND'
  /** Not enough tickets are left, and none that are held could help: they are sold. */
  | 'SOLD_OUT'
  /** Not enough are free now, but holds that lapse could bring enough back. */
  | 'ALL_HELD'
  /** Not enough are free now, and takes in flight decide the matter within milliseconds: wait, try again. */
  | 'PENDING';

export type TakeResult = { readonly tickets: readonly Ticket[] } | { readonly refusal: TakeRefusal };

/** Tickets of one type by state. available + pending + held + sold = capacity. */
export interface TypeCounts {
  readonly ticketType: TicketTypeId;
  readonly capacity: number;
  readonly available: number;
  readonly pending: number;
  readonly held: number;
  readonly sold: number;
}

/** What the ledger says is claimed, from which the inventory is loaded. Tickets are unsorted, without repeats. */
export interface InventorySnapshot {
  readonly held: Uint32Array;
  readonly sold: Uint32Array;
}

/** Faults (the store is away) are exceptions; refusals are values. Ticket arguments must be of that event. */
export interface Inventory {
  /** Replaces all that is known of the event. Throws when a snapshot names a ticket outside the layout or twice. */
  load(event: EventDefinition, snapshot: InventorySnapshot): Promise<void>;

  /** All that is wanted, or nothing (rule S3). Taken tickets are pending until settled or given back. */
  take(eventId: EventId, wants: readonly Want[]): TakeResult | Promise<TakeResult>;

  /**
   * The ledger has committed: pending → held or sold, held → sold. Also marks an available ticket that the
   * ledger knows as claimed (the inventory was wrong). Settling again is harmless.
   */
  settle(eventId: EventId, tickets: readonly Ticket[], as: 'held' | 'sold'): void | Promise<void>;

  /**
   * Back to sale: pending or held → available, exactly once (rule S9). Giving back what is already available
   * changes nothing; giving back a sold ticket is a broken invariant and throws.
   */
  giveBack(eventId: EventId, tickets: readonly Ticket[]): void | Promise<void>;

  /** By type, in the event's order; undefined for an unknown event. */
  counts(eventId: EventId): readonly TypeCounts[] | undefined | Promise<readonly TypeCounts[] | undefined>;

  /** Resolves when the event's tickets next change state, at the latest after `maxWaitMs`. */
  nextChange(eventId: EventId, maxWaitMs: number): Promise<void>;
}
