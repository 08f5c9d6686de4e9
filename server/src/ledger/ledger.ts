// The ledger is what was promised and sold: durable, and never wrong. One write path, `post`; reads beside it.
// Every entry is judged alone inside the transaction of its batch: one entry's refusal never fails its neighbours.
import { hash } from 'node:crypto';
import type { Differences } from '@floodgate/core/event/differences.ts';
import type { EventDefinition } from '@floodgate/core/event/event.ts';
import type { Fact, FactBody } from '@floodgate/core/facts.ts';
import { Unavailable } from '@floodgate/core/faults.ts';
import type { HoldStatus } from '@floodgate/core/hold.ts';
import type { AllocationId, EventId, HoldId, OrderId, SHOP, StreamId, Ticket } from '@floodgate/core/ids.ts';
import type { OrderStatus } from '@floodgate/core/order.ts';
import type { Price } from '@floodgate/core/price.ts';
import type { RefusalCode } from '@floodgate/core/refusal.ts';
import type { TicketRange } from '@floodgate/core/seating/layout.ts';

/**
 * An idempotency key (rule S5). The first entry that is judged under (event, digest) keeps its outcome for ever; later
 * ones with the same hash get that outcome, others are refused with IDEMPOTENCY_KEY_REUSED.
 */
export interface Idempotency {
  /** See {@link keyDigest}. */
  readonly digest: string;
  /** A digest of operation and request, see {@link shortDigest}; equal requests have equal hashes. */
  readonly hash: string;
}

/**
 * What stands for a key: of fixed length, and it tells nobody the key. `scope` is who asks, so that two actors never
 * see each other's outcome, and empty for guests; `key` is 1–255 printable ASCII characters, chosen by the client.
 */
export function keyDigest(scope: string, key: string): string {
  return shortDigest(`${scope}\n${key}`);
}

const DIGEST_LENGTH = 22;
const digestBytes = Buffer.alloc(DIGEST_LENGTH);

/** 132 bits of the text's SHA-256, as 22 characters of base64url. */
export function shortDigest(text: string): string {
  // Not `slice`: a string that is a part of another one sends JSON.stringify of its whole batch down its slow path.
  digestBytes.write(hash('sha256', text, 'base64url'), 0, DIGEST_LENGTH, 'latin1');
  return digestBytes.toString('latin1', 0, DIGEST_LENGTH);
}

/** Limits of one buyer (rule S8), judged against all that the buyer has of the event: holds and orders. */
export interface BuyerLimits {
  /** Of the tickets in these ranges the buyer may have at most `max`, held and sold together. */
  readonly tickets: readonly { readonly ranges: readonly TicketRange[]; readonly max: number }[];
  /** Active holds at a time. */
  readonly holds?: number | undefined;
}

interface Claim {
  readonly eventId: EventId;
  /** The event's version that the request was checked against; another is refused with EVENT_CHANGED. Unset: any. */
  readonly version?: number | undefined;
  readonly buyer: string | null;
  /** Only with a buyer. */
  readonly limits?: BuyerLimits | undefined;
  /** At least one, no repeats. */
  readonly tickets: readonly Ticket[];
  /** What they cost in the version that the request was checked against. */
  readonly price: Price;
  readonly idempotency?: Idempotency | undefined;
}

export interface CreateEvent {
  readonly kind: 'create-event';
  readonly eventId: EventId;
  readonly event: EventDefinition;
  /** For the audit log: who. */
  readonly by?: string | undefined;
}
/**
 * Staff changed the event: what it is, how many tickets it has, which of them are out of sale. All of it or nothing.
 * Refused with EVENT_CHANGED when somebody else changed it meanwhile, with TICKET_TAKEN when a ticket to be set aside
 * is claimed, or one to be restored is not set aside.
 */
export interface ChangeEvent extends Differences {
  readonly kind: 'change-event';
  readonly eventId: EventId;
  readonly event: EventDefinition;
  /** How many ticket numbers its layout has: never fewer than before. */
  readonly capacity: number;
  /** The version it was made from. */
  readonly version: number;
  /** Taken out of sale, for `allocationId`. */
  readonly setAside: readonly Ticket[];
  readonly allocationId: AllocationId | undefined;
  /** Put back on sale. */
  readonly restored: readonly Ticket[];
  /** For the audit log: who, and what ("pause", "change", …). What of the event is different is in the differences. */
  readonly by: string;
  readonly action: string;
}
/** Makes the shop's own stream, once: the first entry that needs it finds that there is none. */
export interface OpenShop {
  readonly kind: 'open-shop';
  readonly eventId: typeof SHOP;
}
/** A fact of the shop itself. */
export type RecordFact = {
  readonly kind: 'record';
  readonly eventId: typeof SHOP;
} & { [As in 'key-made' | 'key-revoked']: { readonly as: As; readonly fact: FactBody<As> } }[
  | 'key-made'
  | 'key-revoked'];
/** Keeps a manifest under its id, a digest of its content. Keeping it again changes nothing. */
export interface KeepManifest {
  readonly kind: 'keep-manifest';
  readonly eventId: typeof SHOP;
  readonly manifestId: string;
  /** Without line feeds. May be megabytes. */
  readonly content: string;
  readonly by: string;
}
/** An order at once, without a hold. */
export interface Buy extends Claim {
  readonly kind: 'buy';
  readonly orderId: OrderId;
  /** A bearer secret: anyone who has it may read the order. */
  readonly secret: string;
  /** How many tickets the event has left, where the answer says so: kept with the outcome and returned by replays. */
  readonly remaining?: number | undefined;
}
export interface Hold extends Claim {
  readonly kind: 'hold';
  readonly holdId: HoldId;
  /** A bearer secret: a guest's hold is used with it. */
  readonly secret: string;
  /** How long the buyer has, from the commit on. */
  readonly ttlMs: number;
  /** Set aside for the order it may become, where the buyer was told. */
  readonly orderId?: OrderId | undefined;
}
/** A hold whose buyer is told which order it may become. */
export interface Reservation extends Hold {
  readonly orderId: OrderId;
}
/** A hold becomes an order, at the price of the hold. Confirming again answers the same order. */
export interface Confirm {
  readonly kind: 'confirm';
  readonly eventId: EventId;
  /** As with a claim. */
  readonly version?: number | undefined;
  readonly holdId: HoldId;
  /**
   * Whether the sender may act on the hold. One who may not is told what its key already has, for it may have been
   * sent by this very client; else HOLD_NOT_FOUND, which is not kept.
   */
  readonly isAllowed: boolean;
  readonly orderId: OrderId;
  readonly secret: string;
  readonly idempotency?: Idempotency | undefined;
}
/**
 * A hold gets `ttlMs` from now, but no more than `maxMs` since it was made, and never less than it has. Refused with
 * HOLD_AT_CAP when it has all of that already.
 */
export interface Extend {
  readonly kind: 'extend';
  readonly eventId: EventId;
  readonly holdId: HoldId;
  readonly ttlMs: number;
  readonly maxMs: number;
}
/** The buyer gives the hold back. Releasing again answers the same. */
export interface Release {
  readonly kind: 'release';
  readonly eventId: EventId;
  readonly holdId: HoldId;
}
/** Time took the hold: refused with HOLD_NOT_DUE before its deadline. */
export interface Expire {
  readonly kind: 'expire';
  readonly eventId: EventId;
  readonly holdId: HoldId;
}
/**
 * Tickets of an order go back on sale, and what is paid back for them is taken off the order. Refused with
 * ORDER_NOT_FOUND, with TICKET_NOT_FOUND when the order never had one of them, with TICKET_VOID when one was returned
 * before, and with REFUND_TOO_MUCH when more would be paid back than the order cost.
 */
export interface ReturnTickets {
  readonly kind: 'return-tickets';
  readonly eventId: EventId;
  readonly orderId: OrderId;
  /** At least one, no repeats. */
  readonly tickets: readonly Ticket[];
  /** In minor units of the order's currency; may be 0. */
  readonly refundedAmount: number;
  /** For the audit log: who. */
  readonly by: string;
}
/**
 * The inventory refused a keyed request: the refusal is kept under its key, unless the key already has an outcome. Then
 * that is told, which is one of the request that the key belongs to.
 */
export interface Refuse<Of extends Buy | Hold | Confirm = Buy | Hold | Confirm> {
  readonly kind: 'refuse';
  /** What the request came to be refused instead of. */
  readonly of: Of['kind'];
  readonly eventId: EventId;
  /** As with a claim: what is only refused because of an old version is not kept. */
  readonly version?: number | undefined;
  readonly refused: RefusalWithDetail;
  readonly idempotency: Idempotency;
}

export type Entry =
  | CreateEvent
  | ChangeEvent
  | OpenShop
  | RecordFact
  | KeepManifest
  | Buy
  | Hold
  | Confirm
  | Extend
  | Release
  | Expire
  | ReturnTickets
  | Refuse;

/** What a committed entry left behind. `seq` is the event's gapless sequence number of the fact; times are ledger time. */
export interface Committed {
  readonly status: 'committed';
  readonly seq: number;
  readonly atMs: number;
  readonly tickets: readonly Ticket[];
  readonly buyer: string | null;
  /**
   * This entry had no effect; the outcome is what its key, or the hold's earlier end, already had. The proposed tickets
   * of a replayed or refused entry are free to be given back.
   */
  readonly replayed?: boolean | undefined;
}
export interface CommittedBuy extends Committed {
  readonly orderId: OrderId;
  readonly secret: string;
  /** As the entry had it. */
  readonly remaining?: number | undefined;
}
export interface CommittedHold extends Committed {
  readonly holdId: HoldId;
  readonly total: number;
  readonly currency: string;
  /** Null of a hold that was made before holds had secrets. */
  readonly secret: string | null;
  /** Set aside for the order it may become. */
  readonly orderId?: OrderId | undefined;
  readonly expiresAtMs: number;
}
export interface CommittedReservation extends CommittedHold {
  readonly orderId: OrderId;
}
export interface CommittedConfirm extends Committed {
  readonly orderId: OrderId;
  readonly secret: string;
  readonly holdId: HoldId;
}
export interface CommittedExtend extends Committed {
  readonly holdId: HoldId;
  readonly expiresAtMs: number;
}
export interface CommittedReturn extends Committed {
  readonly orderId: OrderId;
}
/** A hold was released, or has expired. */
export interface CommittedEnd extends Committed {
  readonly holdId: HoldId;
}

interface CommittedByKind {
  readonly 'create-event': Committed;
  readonly 'change-event': Committed;
  readonly 'open-shop': Committed;
  readonly record: Committed;
  readonly 'keep-manifest': Committed;
  readonly buy: CommittedBuy;
  readonly hold: CommittedHold;
  readonly confirm: CommittedConfirm;
  readonly extend: CommittedExtend;
  readonly release: CommittedEnd;
  readonly expire: CommittedEnd;
  readonly 'return-tickets': CommittedReturn;
}

/** What this kind of entry leaves behind when it is committed. A refusal is answered with what its key already has. */
export type CommittedOf<E extends Entry> =
  E extends Refuse<infer Of>
    ? CommittedOf<Of>
    : E extends Reservation
      ? CommittedReservation
      : E extends Exclude<Entry, Refuse>
        ? CommittedByKind[E['kind']]
        : never;

/** How a ticket is claimed; `aside`: by staff. */
export type ClaimKind = 'held' | 'sold' | 'aside';

/** What an answer says beside the code of a refusal; kept with it under its key. Each is left out where it is not known. */
export interface RefusalDetails {
  /** When the sale begins, if it is to begin. */
  readonly NOT_ON_SALE: { readonly onSaleAtMs?: number | undefined };
  /** How many tickets an order must or may have, if that is why. */
  readonly BELOW_MINIMUM: { readonly perOrder?: number | undefined };
  readonly LIMIT_REACHED: { readonly perOrder?: number | undefined };
  /** Which are taken. */
  readonly SEAT_TAKEN: { readonly seats?: readonly Ticket[] | undefined };
  /** Tickets that the event has left. */
  readonly SOLD_OUT: { readonly remaining?: number | undefined };
  readonly NO_SEATS_TOGETHER: { readonly remaining?: number | undefined };
  /** The same; and when the next hold may lapse. */
  readonly ALL_HELD: {
    readonly remaining?: number | undefined;
    readonly nextExpiryAtMs?: number | undefined;
  };
}

/** A refusal with the detail that its code has; most have none. */
export type RefusalWithDetail =
  | { readonly refusal: RefusalCode; readonly detail?: undefined }
  | {
      [Code in keyof RefusalDetails]: {
        readonly refusal: Code;
        readonly detail?: RefusalDetails[Code] | undefined;
      };
    }[keyof RefusalDetails];

export type Refused = RefusalWithDetail & {
  readonly status: 'refused';
  /** With TICKET_TAKEN: which of the proposed tickets are claimed, and how. */
  readonly taken?: readonly { readonly ticket: Ticket; readonly as: ClaimKind }[] | undefined;
  /** See {@link Committed}. */
  readonly replayed?: boolean | undefined;
};

export type OutcomeOf<E extends Entry> = CommittedOf<E> | Refused;
export type Outcome = OutcomeOf<Entry>;

export interface OrderRecord extends Price {
  readonly orderId: OrderId;
  readonly eventId: EventId;
  readonly seq: number;
  readonly status: OrderStatus;
  readonly buyer: string | null;
  readonly secret: string;
  /** All that were ordered; see `returned`. */
  readonly tickets: readonly Ticket[];
  readonly createdAtMs: number;
  readonly holdId: HoldId | null;
  /** Those of the tickets that went back on sale, in the order in which they were returned. */
  readonly returned: readonly Ticket[];
  /** Of the total. */
  readonly refundedAmount: number;
}

export interface HoldRecord extends Price {
  readonly holdId: HoldId;
  readonly eventId: EventId;
  readonly seq: number;
  readonly status: HoldStatus;
  readonly buyer: string | null;
  readonly tickets: readonly Ticket[];
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  /** The order it became; until it is confirmed, what was set aside for that. */
  readonly orderId: OrderId | null;
  /** Null of a hold that was made before holds had secrets. */
  readonly secret: string | null;
}

/** An event as the ledger has it. */
export interface EventRecord {
  readonly event: EventDefinition;
  /** The sequence number of the last change by staff; 1 for an event as it was made. */
  readonly version: number;
}

export interface EventsPage {
  readonly events: EventRecord[];
  /** Where events that are made later begin. */
  readonly next: number;
}

/** One fact, and where and when it stands in its stream. */
export type JournalEntry = Fact & { readonly seq: number; readonly atMs: number };

/** One checked rule, for the audit. `detail` says what was compared, and when not ok, with what found. */
export interface AuditCheck {
  readonly rule: string;
  readonly ok: boolean;
  readonly detail: string;
}

/** Where an event stands: its sequence, and how many of its tickets are claimed. Moves with every commit. */
export interface EventHead {
  readonly eventId: EventId;
  readonly seq: number;
  readonly held: number;
  readonly sold: number;
  readonly aside: number;
  /** See {@link EventRecord}. */
  readonly version: number;
}

/** A ticket's claim: how it is claimed, and by what. */
export interface ClaimOf {
  readonly ticket: Ticket;
  readonly as: ClaimKind;
  readonly by: HoldId | OrderId | AllocationId;
}

export interface StreamHead {
  readonly stream: StreamId;
  readonly seq: number;
}

/** What the ledger says is claimed, in one consistent view. */
export interface ClaimSnapshot {
  readonly seq: number;
  readonly held: Uint32Array;
  readonly sold: Uint32Array;
  readonly aside: Uint32Array;
}

/** Nothing was granted and nothing was kept: safe to answer 503 with Retry-After. */
export class LedgerUnavailable extends Unavailable {
  override readonly name = 'LedgerUnavailable';
}

/** The commit's outcome is not known (it failed while being made durable): its tickets are looked up later. */
export class LedgerOutcomeUnknown extends Unavailable {
  override readonly name = 'LedgerOutcomeUnknown';
}

/** What is on sale, and where it stands. */
interface EventReads {
  /** In the order they were made; `from`: the `next` of an earlier answer. Other processes may make events too. */
  events(from?: number): Promise<EventsPage>;
  event(eventId: EventId): Promise<EventRecord | undefined>;
  /** Of all events, cheaply: no claim is counted. */
  heads(): Promise<EventHead[]>;
  /** Every stream, events' and the shop's, and how far it is: for those that follow journals. */
  streams(): Promise<StreamHead[]>;
  /** The content of a kept manifest. */
  manifest(manifestId: string): Promise<string | undefined>;
}

/** What buyers have. */
interface SaleReads {
  order(orderId: OrderId): Promise<OrderRecord | undefined>;
  hold(holdId: HoldId): Promise<HoldRecord | undefined>;
  /** Of one buyer over all events, the newest (the largest id) first, before `beforeId`. */
  ordersOf(buyer: string, beforeId: OrderId | undefined, limit: number): Promise<OrderRecord[]>;
  /** Orders of an event in the order of their seq, after `afterSeq`. */
  orders(eventId: EventId, afterSeq: number, limit: number): Promise<OrderRecord[]>;
}

/** What has happened, and what is next. */
interface JournalReads {
  journal(stream: StreamId, afterSeq: number, limit: number): Promise<JournalEntry[]>;
  /** The earliest deadline of the event's active holds; undefined when there is none. */
  nextDeadline(eventId: EventId): Promise<number | undefined>;
  /** Active holds whose deadline has passed, the longest due first. */
  dueHolds(nowMs: number, limit: number): Promise<{ eventId: EventId; holdId: HoldId }[]>;
}

/** Which tickets are claimed. */
interface ClaimReads {
  claims(eventId: EventId): Promise<ClaimSnapshot>;
  /** How the given tickets are claimed, and by which hold or order; unclaimed ones are absent. */
  claimsOf(eventId: EventId, tickets: readonly Ticket[]): Promise<ClaimOf[]>;
}

/** For operators: they read much. */
interface OperatorReads {
  /** How many idempotency keys are kept. Counts them: for statistics, not for the hot path. */
  keptKeys(): Promise<number>;
  /** Checks S1, S2, S3 and S11 against every row of the event or stream. Reads all of it: seconds for millions of tickets. */
  audit(stream: StreamId): Promise<AuditCheck[]>;
}

/** Reads see every commit that was answered before they began. */
export interface LedgerReads extends EventReads, SaleReads, JournalReads, ClaimReads, OperatorReads {}

export interface Ledger extends LedgerReads {
  /** Durable before it resolves (rule S4). Rejects with LedgerUnavailable or LedgerOutcomeUnknown. */
  post<E extends Entry>(entry: E): Promise<OutcomeOf<E>>;

  /** The ledger's clock, in milliseconds since 1970: never steps back, also across restarts (rule S7). */
  nowMs(): number;

  /** False while the last commit failed. */
  isWritable(): boolean;

  /** Finishes what was posted, then closes. */
  close(): Promise<void>;
}
