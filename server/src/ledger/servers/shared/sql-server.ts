// What the SQL ledger asks of a database server beside what every room may ask (drivers/sql/sql.ts): its schema and
// its batches. PostgreSQL and MySQL/MariaDB implement it; judging, retrying, recovering and the reads are the same for
// both and stand in sql-ledger.ts and its neighbours.
//
// All numbers come back as text, because 64-bit ids do not fit a double; the code that reads a sequence or a time converts it.
import type { HoldId, OrderId, Ticket } from '@floodgate/core/ids.ts';
import type { SqlConnection, SqlDatabase, SqlRow } from '../../../drivers/sql/sql.ts';
import type { JournalEntry, OrderRecord } from '../../ledger.ts';
import type { ReadDialect } from '../../reads.ts';
import type { ClaimRow, EventRow, HoldRow, KeptRow, OfEvent } from '../../tables.ts';

export interface SqlServer extends SqlDatabase<BatchConnection> {
  /** See {@link ReadDialect}. */
  readonly claimedTickets: ReadDialect['claimedTickets'];
  /** Brings the schema to today's. Migrators that race wait for each other. Throws SchemaTooNew, or what rights are missing. */
  migrate(): Promise<void>;
  /** Throws SchemaTooNew, or SchemaTooOld where the schema is not today's. Changes nothing. */
  assertMigrated(): Promise<void>;
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
  readonly orders: readonly { readonly eventNo: number; readonly orderId: OrderId }[];
  readonly keys: readonly { readonly eventNo: number; readonly digest: string }[];
  /** Whose belongings are needed: only of buyers with limits. */
  readonly buyers: readonly { readonly eventNo: number; readonly buyer: string }[];
}

/** Asks for nothing, to begin a query with. */
export const NOTHING_ASKED: BatchQuery = {
  eventNos: [],
  claims: [],
  holds: [],
  orders: [],
  keys: [],
  buyers: [],
};

export interface BatchRows {
  /** event_no, seq, held, sold, at_ms, version, aside. One for every event number of the query. */
  readonly heads: readonly SqlRow[];
  /** event_no, ticket, kind (see CLAIM_KINDS), claimed_by. */
  readonly claims: readonly SqlRow[];
  /** All columns of holds; and, prefixed `order_`, those of the order it became that it does not tell. */
  readonly holds: readonly SqlRow[];
  /** All columns of orders. */
  readonly orders: readonly SqlRow[];
  /** event_no, digest, hash, answer, subject, detail, and beside them the order or hold that is the subject. */
  readonly kept: readonly SqlRow[];
  /** event_no, buyer, tickets; and hold_id of a live hold, `returned` of a live order, and the other null. */
  readonly belongings: readonly SqlRow[];
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
  readonly newEvents: readonly OfEvent<EventRow>[];
  /** What staff changed. */
  readonly changedEvents: readonly OfEvent<EventRow>[];
  /** Written unless they are there. */
  readonly manifests: readonly { readonly manifestId: string; readonly content: string }[];
  /** Where the batch's events stand afterwards (also new ones, and head 0). */
  readonly heads: readonly KnownHead[];
  readonly newClaims: readonly OfEvent<ClaimRow>[];
  /** Conditional: each must find the claim as `was` has it, else the whole write is rejected and rolled back. */
  readonly movedClaims: readonly OfEvent<ClaimRow & { readonly was: string }>[];
  /** Conditional in the same way. */
  readonly endedClaims: readonly {
    readonly eventNo: number;
    readonly ticket: Ticket;
    readonly was: string;
  }[];
  readonly newHolds: readonly OfEvent<HoldRow>[];
  /** What may change of them, by their key; so with orders. */
  readonly changedHolds: readonly OfEvent<HoldRow>[];
  readonly orders: readonly OfEvent<OrderRecord>[];
  readonly changedOrders: readonly OfEvent<OrderRecord>[];
  readonly journal: readonly OfEvent<{ readonly entry: JournalEntry }>[];
  readonly kept: readonly OfEvent<KeptRow>[];
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
