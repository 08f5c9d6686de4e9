// Every read of the ledger, written once for all databases. A read yields its queries and is given their rows: a server
// answers them by promise, SQLite synchronously in the thread of its reader. What a database says in its own way is in
// its ReadDialect. Long reads go page by page, so that neither a server's timeout nor this process's event loop notices
// how large an event is.
import { type EventId, type HoldId, isEvent, type StreamId, type Ticket } from '@floodgate/core/ids.ts';
import { EventAudit } from './audit.ts';
import type {
  AuditCheck,
  ClaimOf,
  ClaimSnapshot,
  EventHead,
  JournalEntry,
  LedgerReads,
  OrderRecord,
} from './ledger.ts';
import { eventHeads, eventsPage, streamHeads } from './streams.ts';
import {
  type AnyRow,
  CLAIM_KINDS,
  claimKind,
  eventRecord,
  holdRecord,
  isLiveHold,
  journalEntry,
  numberOrNull,
  orderRecord,
} from './tables.ts';
import { TicketList } from './ticket-list.ts';

/** One statement with `?` for its parameters. */
export interface Query {
  readonly sql: string;
  readonly parameters: readonly (string | number | null)[];
}

/** What is under way: yields queries, takes their rows. */
export type Read<T> = Generator<Query, T, readonly AnyRow[]>;

export function* ask(sql: string, parameters: Query['parameters'] = []): Read<readonly AnyRow[]> {
  return yield { sql, parameters };
}

/** What a database says in its own way. */
export interface ReadDialect {
  /** Select lists of records: of orders `o` and holds `h`. */
  readonly orderColumns: string;
  readonly holdColumns: string;
  /** A 64-bit id in a select list, so that it comes as its decimal text and under its own name. */
  id(column: string): string;
  /**
   * The claims on tickets `>= ?` and `< ?` of event `?` (in the order: event, from, to), aggregated: at most one row
   * per `kind` (see CLAIM_KINDS), with `tickets` as one comma-separated list in any order. Ranges have up to 100,000
   * tickets, so the list may be a megabyte.
   */
  readonly claimedTickets: string;
  /** How many idempotency keys are kept, as `n`. */
  readonly keptKeys: string;
  journal(eventNo: number, afterSeq: number, limit: number): Read<JournalEntry[]>;
  /** In the order of their facts, which the journal has. */
  orders(event: NumberedEvent, afterSeq: number, limit: number): Read<OrderRecord[]>;
  /** A page of all entries of event `?` behind `?` of their `key`, in their order, at most `?`. */
  readonly allEntries: { readonly sql: string; readonly key: string };
}

export interface NumberedEvent {
  readonly eventNo: number;
  readonly eventId: EventId;
}

/**
 * How current an answer has to be, where there is a choice. `now`: it has every commit that was answered. `soon`: so
 * too, of a few rows for somebody who waits for them. `lagging`: it may come from a replica.
 */
export type Currency = 'now' | 'soon' | 'lagging';

export type ReadName = keyof LedgerReads;
type Asked<M extends ReadName> = Parameters<LedgerReads[M]>;
type Answer<M extends ReadName> = Awaited<ReturnType<LedgerReads[M]>>;

interface How<M extends ReadName> {
  readonly currency: Currency | ((...asked: Asked<M>) => Currency);
  /** All of its queries see the ledger at one moment. */
  readonly inOneView?: true;
}

/** Its event, the first thing that is asked for, is looked up before; or else what is read of one that is not there. */
interface OfEvent<M extends ReadName> extends How<M> {
  ofEvent(db: ReadDialect, eventNo: number, ...asked: Asked<M>): Read<Answer<M>>;
  ofUnknown(stream: StreamId): Answer<M>;
}
interface OfAll<M extends ReadName> extends How<M> {
  read(db: ReadDialect, ...asked: Asked<M>): Read<Answer<M>>;
}

/** What is read is not there: on a replica it may be on its way. */
export class NotThereYet extends Error {
  override readonly name = 'NotThereYet';
}

const EVENTS = 'SELECT e.definition, h.version FROM events e JOIN event_heads h ON h.event_no = e.event_no';
/** The most tickets of one question. */
const TICKETS_PAGE = 1_000;
const EVERYTHING = 1_000_000_000;
/** Larger than every id. */
const MAX_ID = `${2n ** 63n - 1n}`;

export const READS: { readonly [M in ReadName]: OfEvent<M> | OfAll<M> } = {
  events: {
    currency: 'now',
    *read(_db, from = 0) {
      // Numbers are dense, so skipping rows skips as many numbers.
      const rows = yield* ask(`${EVENTS} WHERE e.event_no > ? ORDER BY e.event_no`, [from]);
      return eventsPage(rows.map(eventRecord), from);
    },
  },

  event: {
    currency: 'soon',
    *read(_db, eventId) {
      const [row] = yield* ask(`${EVENTS} WHERE e.event_id = ?`, [eventId]);
      return row && eventRecord(row);
    },
  },

  heads: {
    currency: 'now',
    *read() {
      return eventHeads(yield* readHeads());
    },
  },

  streams: {
    currency: 'now',
    *read() {
      return streamHeads(yield* readHeads());
    },
  },

  order: {
    currency: 'soon',
    *read(db, orderId) {
      const [row] = yield* ask(
        `SELECT ${db.orderColumns}, e.event_id FROM orders o JOIN events e ON e.event_no = o.event_no
         WHERE o.order_id = ?`,
        [orderId],
      );
      return row && orderRecord(row, row.event_id as EventId);
    },
  },

  hold: {
    currency: 'soon',
    *read(db, holdId) {
      const [row] = yield* ask(
        `SELECT ${db.holdColumns}, e.event_id FROM holds h JOIN events e ON e.event_no = h.event_no
         WHERE h.hold_id = ?`,
        [holdId],
      );
      return row && holdRecord(row, row.event_id as EventId);
    },
  },

  orders: {
    currency: 'lagging',
    ofUnknown: () => [],
    ofEvent: (db, eventNo, eventId, afterSeq, limit) => db.orders({ eventNo, eventId }, afterSeq, limit),
  },

  // All ids of the buyer come from an index before the newest are chosen: the limit keeps the two apart, or a server
  // might go through everybody's orders from the newest on, until it has met enough of this buyer.
  ordersOf: {
    currency: 'soon',
    *read(db, buyer, beforeId, limit) {
      const rows = yield* ask(
        `SELECT ${db.orderColumns}, e.event_id FROM (
           SELECT event_no, order_id FROM (
             SELECT event_no, order_id FROM orders WHERE buyer = ? LIMIT ${EVERYTHING}) listed
           WHERE order_id < ? ORDER BY order_id DESC LIMIT ?) newest
         JOIN orders o ON o.event_no = newest.event_no AND o.order_id = newest.order_id
         JOIN events e ON e.event_no = o.event_no ORDER BY o.order_id DESC`,
        [buyer, beforeId ?? MAX_ID, limit],
      );
      return rows.map((row) => orderRecord(row, row.event_id as EventId));
    },
  },

  nextDeadline: {
    currency: 'soon',
    ofUnknown: () => undefined,
    *ofEvent(_db, eventNo) {
      const [row] = yield* ask(
        `SELECT expires_at_ms FROM holds WHERE event_no = ? AND ${isLiveHold()} ORDER BY expires_at_ms LIMIT 1`,
        [eventNo],
      );
      return numberOrNull(row?.expires_at_ms) ?? undefined;
    },
  },

  manifest: {
    currency: 'soon',
    *read(_db, manifestId) {
      const [row] = yield* ask('SELECT content FROM manifests WHERE manifest_id = ?', [manifestId]);
      return row && (row.content as string);
    },
  },

  dueHolds: {
    currency: 'now',
    *read(db, nowMs, limit) {
      const rows = yield* ask(
        `SELECT e.event_id, ${db.id('h.hold_id')} FROM holds h JOIN events e ON e.event_no = h.event_no
         WHERE ${isLiveHold('h.status')} AND h.expires_at_ms <= ? ORDER BY h.expires_at_ms LIMIT ?`,
        [nowMs, limit],
      );
      return rows.map((row) => ({ eventId: row.event_id as EventId, holdId: row.hold_id as HoldId }));
    },
  },

  journal: {
    // What the shop itself did must not lag: a key that was revoked opens nothing.
    currency: (stream) => (isEvent(stream) ? 'lagging' : 'now'),
    ofUnknown: () => [],
    ofEvent: (db, eventNo, _stream, afterSeq, limit) => db.journal(eventNo, afterSeq, limit),
  },

  claims: { currency: 'now', inOneView: true, ofUnknown: unknown, ofEvent: readClaims },

  claimsOf: {
    currency: 'soon',
    ofUnknown: () => [],
    *ofEvent(db, eventNo, _eventId, tickets) {
      const claims: ClaimOf[] = [];
      for (let i = 0; i < tickets.length; i += TICKETS_PAGE) {
        const page = tickets.slice(i, i + TICKETS_PAGE);
        const rows = yield* ask(
          `SELECT ticket, kind, ${db.id('claimed_by')} FROM claims
           WHERE event_no = ? AND ticket IN (${page.map(() => '?').join()})`,
          [eventNo, ...page],
        );
        for (const { ticket, kind, claimed_by: by } of rows) {
          claims.push({ ticket: Number(ticket) as Ticket, as: claimKind(kind), by: by as ClaimOf['by'] });
        }
      }
      return claims;
    },
  },

  keptKeys: {
    currency: 'lagging',
    *read(db) {
      const [row] = yield* ask(db.keptKeys);
      return Number(row!.n);
    },
  },

  audit: { currency: 'lagging', inOneView: true, ofUnknown: unknown, ofEvent: auditEvent },
};

/** Callers ask for events they know. */
function unknown(stream: StreamId): never {
  throw new Error(`the ledger has no event ${stream}`);
}

/** Of all rows among the events, also of a stream that is none. */
function* readHeads(): Read<EventHead[]> {
  const rows = yield* ask(
    `SELECT e.event_id, h.seq, h.held, h.sold, h.aside, h.version FROM event_heads h
     JOIN events e ON e.event_no = h.event_no ORDER BY h.event_no`,
  );
  return rows.map((row) => ({ eventId: row.event_id as EventId, ...standing(row) }));
}

function standing(head: AnyRow): Omit<EventHead, 'eventId'> {
  return {
    seq: Number(head.seq),
    held: Number(head.held),
    sold: Number(head.sold),
    aside: Number(head.aside),
    version: Number(head.version),
  };
}

/** Where the event stands now. */
function* readHead(eventNo: number): Read<Omit<EventHead, 'eventId'> & { readonly capacity: number }> {
  const [row] = yield* ask(
    `SELECT h.seq, h.held, h.sold, h.aside, h.version, e.capacity FROM event_heads h
     JOIN events e ON e.event_no = h.event_no WHERE h.event_no = ?`,
    [eventNo],
  );
  if (!row) throw new NotThereYet(`the ledger has no event of the number ${eventNo}`);
  return { ...standing(row), capacity: Number(row.capacity) };
}

/** Tickets of one page of {@link readClaims}: its list is at most some 800 kB, and 30 ms of a server. */
const CLAIMS_PAGE = 100_000;

/** A million claims take 0.3 s on PostgreSQL; the loop is free between pages. */
function* readClaims(db: ReadDialect, eventNo: number): Read<ClaimSnapshot> {
  const head = yield* readHead(eventNo);
  const lists = CLAIM_KINDS.map((kind) => new TicketList(head[kind]));
  let left = head.held + head.sold + head.aside;
  for (let from = 0; from < head.capacity && left > 0; from += CLAIMS_PAGE) {
    const rows = yield* ask(db.claimedTickets, [eventNo, from, from + CLAIMS_PAGE]);
    for (const row of rows) left -= lists[Number(row.kind)]!.addAll(row.tickets as string);
  }
  const [held, sold, aside] = lists.map((list) => list.all()) as [Uint32Array, Uint32Array, Uint32Array];
  return { seq: head.seq, held, sold, aside };
}

function* auditEvent(db: ReadDialect, eventNo: number, stream: StreamId): Read<AuditCheck[]> {
  const head = yield* readHead(eventNo);
  const audit = new EventAudit(head.capacity);
  const { sql, key } = db.allEntries;
  yield* eachRow(sql, key, eventNo, (row) => audit.journal(journalEntry(row)));
  const claimsBy = new Map<string, number>();
  const claimsOf = (by: string) => claimsBy.get(by) ?? 0;
  const claims = pages(`ticket, kind, ${db.id('claimed_by')}`, 'claims c', 'ticket');
  yield* eachRow(claims, 'ticket', eventNo, (row) => {
    const by = row.claimed_by as string;
    claimsBy.set(by, claimsOf(by) + 1);
    audit.claim(Number(row.ticket), claimKind(row.kind), by);
  });
  yield* eachRow(pages(db.holdColumns, 'holds h', 'h.hold_id'), 'hold_id', eventNo, (row) => {
    const hold = holdRecord(row, stream as EventId);
    audit.hold(hold, claimsOf(hold.holdId));
  });
  yield* eachRow(pages(db.orderColumns, 'orders o', 'o.order_id'), 'order_id', eventNo, (row) => {
    const order = orderRecord(row, stream as EventId);
    audit.order(order, claimsOf(order.orderId));
  });
  return audit.checks(head);
}

function pages(columns: string, from: string, key: string): string {
  return `SELECT ${columns} FROM ${from} WHERE event_no = ? AND ${key} > ? ORDER BY ${key} LIMIT ?`;
}

const PAGE = 10_000;

/** All rows of the event, in pages by their key, which is no smaller than 0. */
function* eachRow(sql: string, key: string, eventNo: number, use: (row: AnyRow) => void): Read<void> {
  for (let after: string | number = -1; ; ) {
    const page: readonly AnyRow[] = yield* ask(sql, [eventNo, after, PAGE]);
    for (const row of page) use(row);
    if (page.length < PAGE) return;
    after = page.at(-1)![key]!;
  }
}
