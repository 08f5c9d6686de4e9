// What the SQL ledger asks of a database server beside what every room may ask (drivers/sql/sql.ts): its schema and
// its batches. PostgreSQL and MySQL/MariaDB implement it; judging, retrying, recovering and the reads are the same for
// both and stand in sql-ledger.ts and its neighbours.
//
// All numbers come back as text, because 64-bit ids do not fit a double; who reads a sequence or a time converts it.
import type { EventDefinition } from '@floodgate/core/event/event.ts';
import type { HoldStatus } from '@floodgate/core/hold.ts';
import type { HoldId, OrderId, Ticket } from '@floodgate/core/ids.ts';
import type { SqlConnection, SqlDatabase, SqlRow } from '../../../drivers/sql/sql.ts';
import type { ClaimKind, JournalEntry, OrderRecord } from '../../ledger.ts';

export interface SqlServer extends SqlDatabase<BatchConnection> {
  /**
   * A query for the claims on tickets `>= ?` and `< ?` of event `?` (in the order: event, from, to), aggregated:
   * at most one row per `sold` (0, 1 or 2, see CLAIM_KINDS), with `tickets` as one comma-separated list in any order. Ranges have up to
   * 100,000 tickets, so the list may be a megabyte.
   */
  readonly claimedTickets: string;
  /** Brings the schema to today's. Migrators that race wait for each other. Throws SchemaTooNew, or what rights are missing. */
  migrate(): Promise<void>;
  /** Drops the tables of all other rooms. */
  dropRooms(): Promise<void>;
  /** Settings under which an answered commit could be lost, each as one line for people; empty when durable. */
  weakDurability(): Promise<string[]>;
}

/** What the entries of a batch need to know. Everything is read after the heads were locked. */
export interface BatchQuery {
  /** Ascending, without repeats. 0 is the catalogue's head: locked by batches that make events. */
  readonly eventNos: readonly number[];
  readonly claims: readonly { readonly eventNo: number; readonly ticket: Ticket }[];
  readonly holds: readonly { readonly eventNo: number; readonly holdId: HoldId }[];
  readonly keys: readonly { readonly eventNo: number; readonly scope: string; readonly key: string }[];
  /** Whose belongings are needed: only of buyers with limits. */
  readonly buyers: readonly { readonly eventNo: number; readonly buyer: string }[];
}

/** Asks for nothing, to begin a query with. */
export const NOTHING_ASKED: BatchQuery = { eventNos: [], claims: [], holds: [], keys: [], buyers: [] };

export interface BatchRows {
  /** event_no, seq, held, sold, at_ms, version, aside. One for every event number of the query. */
  readonly heads: readonly SqlRow[];
  /** event_no, ticket, sold (see CLAIM_KINDS), claimed_by. */
  readonly claims: readonly SqlRow[];
  /** All columns of holds; and, prefixed `order_`, seq, secret, created_at_ms of the order it was confirmed to. */
  readonly holds: readonly SqlRow[];
  /** event_no, scope, idempotency_key, hash, outcome. */
  readonly kept: readonly SqlRow[];
  /** event_no, buyer, tickets; and hold_id, which is null of an order. Orders and active holds. */
  readonly belongings: readonly SqlRow[];
}

export interface HoldRow {
  readonly eventNo: number;
  readonly holdId: HoldId;
  readonly seq: number;
  readonly status: HoldStatus;
  readonly buyer: string | null;
  readonly tickets: readonly Ticket[];
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly orderId: OrderId | null;
  readonly endedSeq: number | null;
  readonly endedAtMs: number | null;
}

/** Where an event stands. */
export interface KnownHead {
  readonly eventNo: number;
  readonly seq: number;
  readonly held: number;
  readonly sold: number;
  readonly atMs: number;
  readonly version: number;
  readonly aside: number;
}

/** What a batch writes, ready for multi-row statements. Empty lists cost no statement. */
export interface BatchWrite {
  readonly newEvents: readonly {
    readonly eventNo: number;
    readonly event: EventDefinition;
    readonly capacity: number;
  }[];
  /** What staff changed: definition and capacity by event_no. */
  readonly changedEvents: readonly {
    readonly eventNo: number;
    readonly event: EventDefinition;
    readonly capacity: number;
  }[];
  /** Written unless they are there. */
  readonly manifests: readonly { readonly manifestId: string; readonly content: string }[];
  /** Where the batch's events stand afterwards (also new ones, and head 0). */
  readonly heads: readonly KnownHead[];
  readonly newClaims: readonly {
    readonly eventNo: number;
    readonly ticket: Ticket;
    readonly as: ClaimKind;
    readonly by: string;
  }[];
  /** Conditional: each must find the claim as `was` has it, else the whole write is rejected and rolled back. */
  readonly movedClaims: readonly {
    readonly eventNo: number;
    readonly ticket: Ticket;
    readonly was: string;
    readonly as: ClaimKind;
    readonly by: string;
  }[];
  /** Conditional in the same way. */
  readonly endedClaims: readonly {
    readonly eventNo: number;
    readonly ticket: Ticket;
    readonly was: string;
  }[];
  readonly newHolds: readonly HoldRow[];
  /** status, expires_at_ms, order_id, ended_seq, ended_at_ms by (event_no, hold_id). */
  readonly changedHolds: readonly HoldRow[];
  readonly orders: readonly (OrderRecord & { readonly eventNo: number })[];
  readonly journal: readonly { readonly eventNo: number; readonly entry: JournalEntry }[];
  readonly kept: readonly {
    readonly eventNo: number;
    readonly scope: string;
    readonly key: string;
    readonly hash: string;
    /** JSON. */
    readonly outcome: string;
  }[];
}

export interface ForeseenHead {
  readonly eventNo: number;
  readonly seq: number;
}

/** A connection that can do batches. */
export interface BatchConnection extends SqlConnection {
  /**
   * Begins the batch's transaction (READ COMMITTED), locks the heads in ascending order, then reads what is asked
   * for: one round trip. There is at least one event number.
   */
  readBatch(query: BatchQuery): Promise<BatchRows>;
  /** Writes all and commits: one round trip. A unique key that is there already rejects, and nothing is written. */
  writeBatch(write: BatchWrite): Promise<void>;
  /**
   * A whole batch in one round trip, without a look: locks the heads in ascending order, and rejects, as `writeBatch`
   * does, unless they stand where `foreseen` has them.
   */
  writeForeseen(foreseen: readonly ForeseenHead[], write: BatchWrite): Promise<void>;
  /** Ends the batch's transaction without a trace. */
  rollback(): Promise<void>;
}

/** In production: settings of the database under which an answered sale could be lost. */
export class WeakDurability extends Error {
  override readonly name = 'WeakDurability';
}
