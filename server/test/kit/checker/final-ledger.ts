// The other half of the evidence: what the ledger says after the fact, read from the server (or a simulation)
// when the clients have fallen silent. The journal is the total order of an event's facts.

/** What a journal can say. The checker's own list, on purpose: it believes nothing of what it checks. */
export type FactKind =
  | 'event-created'
  | 'event-changed'
  | 'bought'
  | 'held'
  | 'extended'
  | 'confirmed'
  | 'released'
  | 'expired'
  | 'returned'
  | 'key-made'
  | 'key-revoked'
  | 'manifest-kept';

/** One fact of an event's journal. What its kind does not have is undefined. */
export interface Fact {
  readonly seq: number;
  readonly kind: FactKind;
  /** On the ledger's clock. */
  readonly atMs: number;
  readonly orderId?: string | undefined;
  readonly holdId?: string | undefined;
  readonly tickets?: readonly number[] | undefined;
  readonly buyer?: string | undefined;
  /** The idempotency key under which it was asked for. */
  readonly key?: string | undefined;
  readonly expiresAtMs?: number | undefined;
  /** What was bought, held or confirmed costs: ticket type, quantity, amount of each. Unknown of older releases. */
  readonly lines?: readonly (readonly [string, number, number])[] | undefined;
  readonly total?: number | undefined;
  readonly currency?: string | undefined;
  /** What is paid back for returned tickets. */
  readonly refundedAmount?: number | undefined;
  /** How many ticket numbers the event has from here on, when staff made or changed it. */
  readonly capacity?: number | undefined;
  /** Tickets that staff took out of sale, and what for; and those put back. */
  readonly setAside?: readonly number[] | undefined;
  readonly allocationId?: string | undefined;
  readonly restored?: readonly number[] | undefined;
  /** The sequence number of the change before, and what the event became. */
  readonly previous?: number | undefined;
  readonly after?: Readonly<Record<string, unknown>> | undefined;
}

/** Tickets by state as the shop shows them to the public, of one ticket type. */
export interface ShownCounts {
  readonly available: number;
  readonly held: number;
  readonly sold: number;
  /** Taken out of sale by staff. */
  readonly aside?: number | undefined;
}

export interface FinalType {
  readonly ticketType: string;
  /** All ticket numbers it has. */
  readonly capacity: number;
  readonly counts: ShownCounts;
}

export interface FinalOrder {
  readonly orderId: string;
  readonly seq: number;
  /** Also those that were returned. */
  readonly tickets: readonly number[];
  readonly total?: { readonly amount: number; readonly currency: string } | undefined;
}

export interface FinalClaim {
  readonly ticket: number;
  readonly as: 'held' | 'sold' | 'aside';
  /** The order, hold or allocation it belongs to. */
  readonly by: string;
}

/** One event at the end. */
export interface FinalEvent {
  readonly eventId: string;
  readonly types: readonly FinalType[];
  /** How tickets are numbered, from 0; absent: through the types in their order. */
  readonly blocks?: readonly { readonly ticketType: string; readonly count: number }[] | undefined;
  /** All of it, by ascending seq. */
  readonly journal: readonly Fact[];
  readonly orders: readonly FinalOrder[];
  /** The rows that stand for live claims, where the reader can see them. */
  readonly claims?: readonly FinalClaim[] | undefined;
}

export type FinalLedger = readonly FinalEvent[];
