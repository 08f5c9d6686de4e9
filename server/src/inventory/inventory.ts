// The inventory says which tickets a buyer gets. It is fast and may be wrong: the ledger decides.
// One interface, several implementations (memory, Redis, and failover from the one to the other), one contract suite.
//
// A ticket is in exactly one state (rule S2: their counts add up to the capacity, after every call):
//
//   available ──take──▶ pending ──settle──▶ held | sold
//       ▲                  │                  │
//       └────── giveBack ──┴──── giveBack ────┘
//
// `pending` is a take whose ledger commit is under way. It is neither available nor gone, so a refusal that
// depends on it would be a guess: `take` answers `pending` and the caller waits for `nextChange`.
//
// Messages of several processes may cross, so each is harmless when it comes late: what it finds otherwise than it
// expected, it leaves. The safe side of a doubt is `available`: the ledger refuses a wrong proposal and the inventory
// learns from it, while a ticket wrongly held would be lost until the next reconciliation.
//
// What is `sold` here is gone: sold, or taken out of sale by staff. The ledger knows which.
import type { EventId, Ticket, TicketTypeId } from '@floodgate/core/ids.ts';
import type { TicketLayout } from '@floodgate/core/seating/layout.ts';

/** What an inventory has to know of an event. */
export interface InventoryEvent {
  readonly eventId: EventId;
  readonly layout: TicketLayout;
}

/** Of two layouts of one event: whether the first has more tickets, or ticket types that have none yet. */
export function hasGrown(layout: TicketLayout, since: TicketLayout): boolean {
  if (layout.capacity !== since.capacity) return layout.capacity > since.capacity;
  return layout.pools.length > since.pools.length;
}

/** Any `quantity` tickets (≥ 1) of one type, the lowest numbers first. Not of a type that sells seats. */
export interface AnyWant {
  readonly ticketType: TicketTypeId;
  readonly quantity: number;
}
/** These very tickets: at least one, no repeats. */
export interface TicketsWant {
  readonly tickets: readonly Ticket[];
}
/**
 * The best `best` seats (1 … MAX_PARTY) of one type, side by side: see best-seats.ts. In all sections or in one;
 * accessible ones only when asked for. Where nothing is left side by side, several smaller groups, unless `together`.
 */
export interface BestWant {
  readonly ticketType: TicketTypeId;
  readonly best: number;
  readonly section?: string | undefined;
  readonly accessible?: boolean | undefined;
  readonly together?: boolean | undefined;
}
/**
 * A request wants all of them together. Pools that the layout does not have are a broken invariant, and so is a ticket
 * that is named twice. Named tickets are taken before all others, best seats in one section before those in all
 * sections, else in the order of the request: so no want takes what another one needs.
 */
export type Want = AnyWant | TicketsWant | BestWant;

/** The largest party that is seated side by side. */
export const MAX_PARTY = 10;

/**
 * In order of precedence: of several, the first is answered. A definite no goes before one that may change, so that
 * nobody waits in vain. What several wants need of the same pools adds up.
 */
export type TakeRefusal =
  /** The inventory has no such event loaded. */
  | 'EVENT_NOT_FOUND'
  | 'TICKET_TYPE_NOT_FOUND'
  /** Some of the named tickets are held or sold: `taken` has them, without those that are pending. */
  | 'SEAT_TAKEN'
  /** Not enough tickets are left, and none that are held could help: they are sold. */
  | 'SOLD_OUT'
  /** Not enough are free now, but holds that lapse could bring enough back. */
  | 'ALL_HELD'
  /** Not enough are free now, and takes in flight decide the matter within milliseconds: wait, try again. */
  | 'PENDING'
  /**
   * Enough are free for all wants, but not side by side, which was insisted on. Where not even one seat can be given
   * (companion seats without an accessible one), the answer is PENDING if any of these pools' seats is pending, else
   * ALL_HELD if any is held, else SOLD_OUT; the same without the insisting.
   */
  | 'NO_SEATS_TOGETHER';

export type TakeResult =
  | { readonly tickets: readonly Ticket[] }
  | { readonly refusal: TakeRefusal; readonly taken?: readonly Ticket[] | undefined };

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
  /** The event's sequence number in the ledger when it was read. */
  readonly seq: number;
  readonly held: Uint32Array;
  readonly sold: Uint32Array;
}

/** The states of {@link Inventory.states}. Their order is a rule: `settle` only ever moves a ticket to a higher one. */
export const AVAILABLE = 0;
export const PENDING = 1;
export const HELD = 2;
export const SOLD = 3;
export type State = 0 | 1 | 2 | 3;

/** A correction, made after comparing inventory and ledger. */
export interface Repair {
  readonly ticket: Ticket;
  readonly from: State;
  readonly to: State;
}

/** Faults (the store is away) are exceptions; refusals are values. Ticket arguments must be of that event. */
export interface Inventory {
  /**
   * Makes the event known here. A store that other processes use too is left as it is when it has the event and can
   * be trusted; else the event is loaded from `read`. Opening again changes nothing.
   */
  open(event: InventoryEvent, read: () => Promise<InventorySnapshot>): Promise<void>;

  /** Replaces all that is known of the event. Throws when a snapshot names a ticket outside the layout or twice. */
  load(event: InventoryEvent, snapshot: InventorySnapshot): Promise<void>;

  /**
   * The event has a layout now that has grown: see {@link hasGrown}. What is there stays as it is, what is new is
   * available. Any other layout changes nothing.
   */
  grow(event: InventoryEvent): Promise<void>;

  /** All that is wanted, or nothing (rule S3). Taken tickets are pending until settled or given back. */
  take(eventId: EventId, wants: readonly Want[]): TakeResult | Promise<TakeResult>;

  /**
   * The ledger has committed: pending → held or sold, held → sold, and available → sold (the inventory was loaded
   * meanwhile). Leaves what is available when settled as held: its hold may have ended before this message came.
   * Nobody waits for it: it takes effect before whatever this process asks of the event next.
   */
  settle(eventId: EventId, tickets: readonly Ticket[], as: 'held' | 'sold'): void;

  /**
   * Back to sale: pending or held → available, exactly once (rule S9). What is available or sold stays so. Nobody
   * waits for it, as with `settle`.
   */
  giveBack(eventId: EventId, tickets: readonly Ticket[]): void;

  /** By type, in the event's order; undefined for an unknown event. A shared store may answer some ms late. */
  counts(eventId: EventId): readonly TypeCounts[] | undefined | Promise<readonly TypeCounts[] | undefined>;

  /** Resolves when the event's tickets next change state, at the latest after `maxWaitMs`. */
  nextChange(eventId: EventId, maxWaitMs: number): Promise<void>;

  /**
   * The ledger refused this process's proposals again and again: followers of the ledger's journal read it now.
   * An inventory that all processes share has nothing to catch up with.
   */
  catchUp(eventId: EventId): Promise<void>;

  /** The state of every ticket by its number, as a copy; undefined for an unknown event. */
  states(eventId: EventId): Promise<Uint8Array | undefined>;

  /** Makes each correction whose ticket is still in the state it is corrected from; says how many. */
  repair(eventId: EventId, repairs: readonly Repair[]): Promise<number>;

  close(): Promise<void>;
}
