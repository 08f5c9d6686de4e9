// What a batch of entries is judged on, and what comes of it: read by the dialects before, written by them after.

import type { EventDefinition } from '@floodgate/core/event/event.ts';
import type { AllocationId, HoldId, OrderId, StreamId, Ticket } from '@floodgate/core/ids.ts';
import type { Kept } from '../kept-outcome.ts';
import type {
  ClaimKind,
  Entry,
  Idempotency,
  JournalEntry,
  OrderRecord,
  Outcome,
  OutcomeOf,
} from '../ledger.ts';
import type { HoldRow } from '../tables.ts';

/** A live claim on a ticket. */
export interface TicketClaim {
  readonly as: ClaimKind;
  readonly by: HoldId | OrderId | AllocationId;
}

/** A claim before the batch and now: the difference is what is written. */
export interface ClaimCell {
  readonly before: TicketClaim | undefined;
  now: TicketClaim | undefined;
}

/** A hold's row, and with it: */
export interface HoldState extends HoldRow {
  /** The order it was confirmed to. */
  readonly order: OrderRecord | undefined;
}

/** What one buyer has of an event: the tickets of orders and active holds, and those holds. */
export interface Belongings {
  readonly tickets: Set<Ticket>;
  readonly holds: Set<HoldId>;
}

/** One event as its batch sees it: read before judging, advanced while judging. */
export interface EventState {
  readonly eventNo: number;
  readonly eventId: StreamId;
  capacity: number;
  seq: number;
  /** The sequence number of the last change by staff. */
  version: number;
  /** How many of its tickets are claimed: kept with every claim that moves. */
  held: number;
  sold: number;
  aside: number;
  /** Of every buyer that an entry with limits names. */
  readonly buyers: Map<string, Belongings>;
  /** Of every ticket that an entry names or a referenced hold has: its claim. */
  readonly claims: Map<Ticket, ClaimCell>;
  /** By the digest of the key. */
  readonly kept: Map<string, Kept>;
  readonly holds: Map<HoldId, HoldState>;
  /** Of every order that an entry refers to, if it was there before the batch. */
  readonly orders: Map<OrderId, OrderRecord>;
}

export interface WorkingSet {
  readonly events: Map<StreamId, EventState>;
  /** The number the next new event gets. */
  nextEventNo: number;
}

/** What the batch writes, besides the claims that differ from before and the sequences. */
export interface Changes {
  readonly events: { eventNo: number; event: EventDefinition; capacity: number }[];
  /** Events that staff changed: each once, as it is after the batch. Not those that are new in it. */
  readonly changedEvents: Map<number, { event: EventDefinition; capacity: number; version: number }>;
  /** To be written unless they are there. */
  readonly manifests: { manifestId: string; content: string }[];
  /** New ones. */
  readonly orders: OrderRecord[];
  /** Those that were there before, as they are after the batch. */
  readonly changedOrders: Map<OrderId, OrderRecord>;
  readonly holds: Map<HoldId, { readonly isNew: boolean; readonly state: HoldState }>;
  readonly journal: { eventNo: number; entry: JournalEntry }[];
  readonly kept: { eventNo: number; key: Idempotency; outcome: Outcome }[];
}

/** An entry that could never be right: our bug. It fails alone, its neighbours are judged. */
export interface Broken {
  readonly status: 'broken';
  readonly message: string;
}

export type VerdictOn<E extends Entry> = OutcomeOf<E> | Broken;
export type Verdict = VerdictOn<Entry>;
