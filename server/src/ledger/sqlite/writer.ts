// The writing side of a SQLite ledger: one connection, one transaction per batch. Synchronous, because it lives
// in a thread of its own (see worker.ts); tests drive it directly.
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { AllocationId, EventId, HoldId, OrderId, StreamId, Ticket } from '@floodgate/core/ids.ts';
import { holdOf, judge, keyOf, limitedBuyerOf, orderOf, ticketsNamedBy } from '../judge/judge.ts';
import type { Changes, EventState, HoldState, Verdict, WorkingSet } from '../judge/state.ts';
import type { Kept } from '../kept-outcome.ts';
import { isOrder, keptAnswerOf, keptOutcome } from '../kept-outcome.ts';
import { type Entry, LedgerOutcomeUnknown, LedgerUnavailable } from '../ledger.ts';
import { LedgerClock } from '../ledger-clock.ts';
import {
  claimKind,
  claimNumber,
  EVENTS,
  HOLDS,
  holdRecord,
  isLiveHold,
  isLiveOrder,
  keptAnswer,
  ORDERS,
  orderRecord,
  ticketsOfRow,
} from '../tables.ts';
import { JournalWriter } from './journal.ts';
import { KeptKeys } from './kept-keys.ts';
import { CannotOpenLedger } from './lock.ts';
import { change, idColumn, insertInto, type Row, selected, writing } from './rows.ts';
import { migrate } from './schema.ts';

/** SQLite's extended result codes for a failed fsync: of the file, and of its folder. */
const FSYNC_FAILED = new Set([1034, 1290]);

/**
 * With these a COMMIT ends before its last frame is in the write-ahead log: the file is locked, the disk is full,
 * a write failed. Whatever else goes wrong in a COMMIT (a full disk under the -shm file, say) may leave a whole
 * transaction in the log that is not seen now, but is after a crash.
 */
const COMMIT_LEFT_NOTHING = new Set([5, 13, 778]);

interface KnownEvent {
  readonly eventNo: number;
  readonly capacity: number;
}

export class SqliteWriter {
  readonly #file: string;
  #db: DatabaseSync;
  #sql: Statements;
  readonly #events = new Map<StreamId, KnownEvent>();
  readonly #clock: { nowMs(): number };
  /** After a failed fsync the kernel may have dropped the data and say nothing the next time: only a restart helps. */
  #fsyncFailed = false;

  /** Opens or makes the ledger file and brings it to today's schema. Throws SchemaTooNew or SQLite's error. */
  constructor(file: string, clock?: { nowMs(): number }) {
    this.#file = file;
    this.#db = open(file);
    this.#sql = prepare(this.#db);
    this.#clock = clock ?? new LedgerClock(latestAtMs(this.#db));
    this.#learnEvents();
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  /** What the connection's settings say about rule S4, read back: `wal` and 2 (FULL) make a commit wait for fsync. */
  durability(): { journalMode: unknown; synchronous: unknown } {
    const read = (name: string) => this.#db.prepare(`PRAGMA ${name}`).get()?.[name];
    return { journalMode: read('journal_mode'), synchronous: read('synchronous') };
  }

  /**
   * One transaction: read, judge, write, make durable. Throws LedgerUnavailable when nothing was written, and
   * LedgerOutcomeUnknown when only the last step failed.
   */
  commit(entries: readonly Entry[]): Verdict[] {
    if (this.#fsyncFailed) {
      throw new LedgerUnavailable('the disk failed to keep an earlier write: check it, then restart');
    }
    let isCommitting = false;
    try {
      this.#reopenIfClosed();
      this.#db.exec('BEGIN IMMEDIATE');
      this.#sql.journal.begin();
      const set = this.readWorkingSet(entries);
      const { verdicts, changes } = judge(set, entries, this.#clock.nowMs());
      isCommitting = this.#write(set, changes);
      this.#db.exec(isCommitting ? 'COMMIT' : 'ROLLBACK');
      for (const { event, eventNo, capacity } of changes.events) {
        this.#remember(event.eventId, eventNo, capacity);
      }
      for (const [eventNo, { event, capacity }] of changes.changedEvents) {
        this.#remember(event.eventId, eventNo, capacity);
      }
      return verdicts;
    } catch (error) {
      throw this.#abandon(error, isCommitting);
    }
  }

  /** What the entries need to know, read inside the transaction. Overridden by the tests' negative control. */
  protected readWorkingSet(entries: readonly Entry[]): WorkingSet {
    const set: WorkingSet = { events: new Map(), nextEventNo: this.#events.size + 1 };
    for (const entry of entries) {
      const event = this.#readEvent(set, entry.eventId);
      if (!event) continue;
      this.readClaims(event, ticketsNamedBy(entry));
      const buyer = limitedBuyerOf(entry);
      if (buyer !== undefined) this.readBelongings(event, buyer);
      const holdId = holdOf(entry);
      if (holdId) this.#readHold(event, holdId);
      const orderId = orderOf(entry);
      if (orderId) this.#readOrder(event, orderId);
      const key = keyOf(entry);
      if (key) {
        const row = this.#sql.kept.find(event.eventNo, key.digest);
        if (row) event.kept.set(key.digest, this.#keptOf(event, row));
      }
    }
    return set;
  }

  /** Overridden by the tests' negative control. */
  protected readClaims(event: EventState, tickets: readonly Ticket[]): void {
    for (const ticket of tickets) {
      if (event.claims.has(ticket)) continue;
      const row = this.#sql.claim.get(event.eventNo, ticket);
      if (!row) continue;
      const claim = {
        as: claimKind(row.kind),
        by: row.claimed_by as HoldId | OrderId | AllocationId,
      };
      event.claims.set(ticket, { before: claim, now: claim });
    }
  }

  /** Overridden by the tests' negative control. */
  protected readBelongings(event: EventState, buyer: string): void {
    if (event.buyers.has(buyer)) return;
    const tickets = new Set<Ticket>();
    const holds = new Set<HoldId>();
    const add = (row: unknown) => {
      const { hold_id: holdId, tickets: list, returned } = row as Row;
      if (holdId) holds.add(holdId as HoldId);
      for (const ticket of ticketsOfRow(list, returned)) tickets.add(ticket);
    };
    this.#sql.ordersOfBuyer.all(buyer, event.eventNo).forEach(add);
    this.#sql.holdsOfBuyer.all(buyer, event.eventNo).forEach(add);
    event.buyers.set(buyer, { tickets, holds });
  }

  #readEvent(set: WorkingSet, eventId: StreamId): EventState | undefined {
    const present = set.events.get(eventId);
    if (present) return present;
    const known = this.#events.get(eventId);
    if (!known) return undefined;
    const { eventNo, capacity } = known;
    const event: EventState = {
      ...this.#sql.journal.headOf(eventNo),
      eventId,
      capacity,
      buyers: new Map(),
      claims: new Map(),
      kept: new Map(),
      holds: new Map(),
      orders: new Map(),
    };
    set.events.set(eventId, event);
    return event;
  }

  #readHold(event: EventState, holdId: HoldId): void {
    if (event.holds.has(holdId)) return;
    const row = this.#sql.hold.get(holdId, event.eventNo) as Row | undefined;
    if (!row) return;
    // Only events have holds.
    const eventId = event.eventId as EventId;
    const record = holdRecord(row, eventId);
    const orderRow =
      record.orderId && (this.#sql.order.get(record.orderId, event.eventNo) as Row | undefined);
    const state: HoldState = {
      ...record,
      endedSeq: row.ended_seq as number | null,
      endedAtMs: row.ended_at_ms as number | null,
      order: orderRow ? orderRecord(orderRow, eventId) : undefined,
    };
    event.holds.set(holdId, state);
    this.readClaims(event, record.tickets);
  }

  #readOrder(event: EventState, orderId: OrderId): void {
    const row = this.#sql.order.get(orderId, event.eventNo) as Row | undefined;
    if (row) event.orders.set(orderId, orderRecord(row, event.eventId as EventId));
  }

  /** A kept row with the order or hold that it points at. */
  #keptOf({ eventNo, eventId }: EventState, row: Row): Kept {
    const kept = keptAnswer(row);
    const { answer, subject } = kept;
    const of =
      subject === null
        ? undefined
        : isOrder(answer)
          ? orderRecord(this.#sql.order.get(subject, eventNo) as Row, eventId as EventId)
          : holdRecord(this.#sql.hold.get(subject, eventNo) as Row, eventId as EventId);
    return { hash: row.hash as string, outcome: keptOutcome(kept, of) };
  }

  /** False when there was nothing to write. */
  #write(set: WorkingSet, changes: Changes): boolean {
    if (changes.journal.length === 0 && changes.kept.length === 0) return false;
    const sql = this.#sql;
    for (const event of changes.events) {
      sql.insertEvent(event.eventNo, event);
      sql.journal.found(event.eventNo);
    }
    for (const [eventNo, event] of changes.changedEvents) sql.changeEvent(eventNo, event);
    for (const { manifestId, content } of changes.manifests) sql.insertManifest.run(manifestId, content);
    for (const event of set.events.values()) this.#writeClaims(event);
    const eventNoOf = ({ eventId }: { eventId: EventId }) => set.events.get(eventId)!.eventNo;
    for (const { isNew, state } of changes.holds.values()) {
      (isNew ? sql.insertHold : sql.changeHold)(eventNoOf(state), state);
    }
    for (const order of changes.orders) sql.insertOrder(eventNoOf(order), order);
    for (const order of changes.changedOrders.values()) sql.changeOrder(eventNoOf(order), order);
    sql.journal.append(changes.journal, set.events.values());
    for (const { eventNo, key, outcome } of changes.kept) {
      sql.kept.keep(eventNo, key.digest, key.hash, keptAnswerOf(outcome));
    }
    return true;
  }

  #writeClaims(event: EventState): void {
    for (const [ticket, { before, now }] of event.claims) {
      if (before === now) continue;
      if (!now) this.#sql.deleteClaim.run(event.eventNo, ticket);
      else if (before) this.#sql.moveClaim.run(claimNumber(now.as), now.by, event.eventNo, ticket);
      else this.#sql.insertClaim.run(event.eventNo, ticket, claimNumber(now.as), now.by);
    }
  }

  /** Rolls back and closes after a fault, so that the next batch begins on a fresh connection. */
  #abandon(error: unknown, isCommitting: boolean): Error {
    const { message, errcode = 0 } = error as Error & { errcode?: number };
    if (FSYNC_FAILED.has(errcode)) this.#fsyncFailed = true;
    try {
      this.close();
    } catch {
      // The connection is given up; what counts is the error that brought us here.
    }
    const isUnknown = isCommitting && !COMMIT_LEFT_NOTHING.has(errcode);
    const Fault = isUnknown ? LedgerOutcomeUnknown : LedgerUnavailable;
    return new Fault(errcode === 0 ? message : `${message} (SQLite ${errcode})`, { cause: error });
  }

  #reopenIfClosed(): void {
    if (this.#db.isOpen) return;
    this.#db = open(this.#file);
    this.#sql = prepare(this.#db);
    this.#learnEvents();
  }

  /** Anew after a fault: a commit of unknown outcome may have made or changed events. */
  #learnEvents(): void {
    this.#events.clear();
    for (const row of this.#db.prepare('SELECT event_no, event_id, capacity FROM events').all()) {
      this.#remember(row.event_id as EventId, Number(row.event_no), Number(row.capacity));
    }
  }

  #remember(eventId: StreamId, eventNo: number, capacity: number): void {
    this.#events.set(eventId, { eventNo, capacity });
  }

  close(): void {
    if (this.#db.isOpen) this.#db.close();
  }
}

function open(file: string): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file, { timeout: 5_000 });
    // FULL makes every commit wait for fsync (rule S4). The cache holds the hot pages of about a thousand events.
    db.exec('PRAGMA journal_mode = WAL');
    db.exec('PRAGMA synchronous = FULL');
    db.exec('PRAGMA cache_size = -65536');
    db.exec('PRAGMA wal_autocheckpoint = 2000');
    migrate(db);
    return db;
  } catch (error) {
    db?.close();
    const isOfSqlite = (error as { errcode?: number }).errcode !== undefined;
    throw isOfSqlite ? new CannotOpenLedger(file, error as Error) : error;
  }
}

/** The latest ledger time in the file: that of the last journal entry. */
function latestAtMs(db: DatabaseSync): number {
  const row = db.prepare('SELECT at_ms FROM journal ORDER BY pos DESC LIMIT 1').get();
  return Number(row?.at_ms ?? 0);
}

type Statements = ReturnType<typeof prepare>;

function prepare(db: DatabaseSync) {
  const sql = (text: string): StatementSync => db.prepare(text);
  return {
    journal: new JournalWriter(db),
    claim: sql(`SELECT kind, ${idColumn('claimed_by')} FROM claims WHERE event_no = ? AND ticket = ?`),
    kept: new KeptKeys(db),
    hold: sql(`SELECT ${selected(HOLDS.columns)} FROM holds WHERE hold_id = ? AND event_no = ?`),
    order: sql(`SELECT ${selected(ORDERS.columns)} FROM orders WHERE order_id = ? AND event_no = ?`),
    ordersOfBuyer: sql(
      `SELECT tickets, returned FROM orders WHERE buyer = ? AND event_no = ? AND ${isLiveOrder()}`,
    ),
    holdsOfBuyer: sql(
      `SELECT ${idColumn('hold_id')}, tickets FROM holds WHERE buyer = ? AND event_no = ? AND ${isLiveHold()}`,
    ),
    insertEvent: insertInto(db, EVENTS),
    changeEvent: change(db, EVENTS),
    insertManifest: writing(
      db,
      'INSERT INTO manifests (manifest_id, content) VALUES (?, ?) ON CONFLICT DO NOTHING',
    ),
    insertClaim: writing(db, 'INSERT INTO claims (event_no, ticket, kind, claimed_by) VALUES (?, ?, ?, ?)'),
    moveClaim: writing(db, 'UPDATE claims SET kind = ?, claimed_by = ? WHERE event_no = ? AND ticket = ?'),
    deleteClaim: writing(db, 'DELETE FROM claims WHERE event_no = ? AND ticket = ?'),
    insertHold: insertInto(db, HOLDS),
    changeHold: change(db, HOLDS),
    insertOrder: insertInto(db, ORDERS),
    changeOrder: change(db, ORDERS),
  };
}
