// The reads of the SQL ledger, each on one connection. Long ones go page by page, so that neither the server's
// timeout nor this process's event loop notices how large an event is.
import type { EventDefinition } from '@floodgate/core/event/event.ts';
import { ORDER_KINDS } from '@floodgate/core/facts.ts';
import type { AllocationId, EventId, HoldId, OrderId, Ticket } from '@floodgate/core/ids.ts';
import type { SqlConnection, SqlRow } from '../../../drivers/sql/sql.ts';
import type {
  ClaimKind,
  ClaimSnapshot,
  EventHead,
  EventRecord,
  HoldRecord,
  JournalEntry,
  OrderRecord,
} from '../../ledger.ts';
import {
  CLAIM_KINDS,
  claimKind,
  holdRecord,
  isLiveHold,
  journalRow,
  numberOrNull,
  orderRecord,
} from '../../tables.ts';
import { NotThereYet } from './reader.ts';
import { HOLD_COLUMNS, ORDER_COLUMNS } from './rows.ts';
import type { SqlServer } from './sql-server.ts';
import type { KnownEvent } from './working-set.ts';

/** Tickets of one page of {@link readClaims}: its list is at most some 800 kB, and 30 ms of the server. */
const CLAIMS_PAGE = 100_000;
/** The most tickets of one question. */
const TICKETS_PAGE = 1_000;
const LISTED = ORDER_KINDS.map((kind) => `'${kind}'`).join(', ');
const EVERYTHING = 1_000_000_000;
/** Larger than every id. */
const MAX_ID = `${2n ** 63n - 1n}`;

const EVENTS = 'SELECT e.definition, h.version FROM events e JOIN event_heads h ON h.event_no = e.event_no';

export async function readEvents(connection: SqlConnection, skip: number): Promise<EventRecord[]> {
  // Numbers are dense, so skipping so many events is skipping so many numbers.
  const sql = `${EVENTS} WHERE e.event_no > ? ORDER BY e.event_no`;
  return (await connection.query(sql, [skip])).map(eventRecord);
}

export async function readEvent(
  connection: SqlConnection,
  eventId: EventId,
): Promise<EventRecord | undefined> {
  const [row] = await connection.query(`${EVENTS} WHERE e.event_id = ?`, [eventId]);
  return row && eventRecord(row);
}

function eventRecord({ definition, version }: SqlRow): EventRecord {
  return { event: JSON.parse(definition!) as EventDefinition, version: Number(version) };
}

export async function readHeads(connection: SqlConnection): Promise<EventHead[]> {
  const rows = await connection.query(
    `SELECT e.event_id, h.seq, h.held, h.sold, h.aside, h.version FROM event_heads h
     JOIN events e ON e.event_no = h.event_no ORDER BY h.event_no`,
  );
  return rows.map((row) => ({
    eventId: row.event_id as EventId,
    seq: Number(row.seq),
    held: Number(row.held),
    sold: Number(row.sold),
    aside: Number(row.aside),
    version: Number(row.version),
  }));
}

export async function readOrder(
  connection: SqlConnection,
  orderId: OrderId,
): Promise<OrderRecord | undefined> {
  const [row] = await connection.query(
    `SELECT ${ORDER_COLUMNS}, e.event_id FROM orders o JOIN events e ON e.event_no = o.event_no
     WHERE o.order_id = ?`,
    [orderId],
  );
  return row && orderRecord(row, row.event_id as EventId);
}

export async function readHold(connection: SqlConnection, holdId: HoldId): Promise<HoldRecord | undefined> {
  const [row] = await connection.query(
    `SELECT ${HOLD_COLUMNS}, e.event_id FROM holds h JOIN events e ON e.event_no = h.event_no
     WHERE h.hold_id = ?`,
    [holdId],
  );
  return row && holdRecord(row, row.event_id as EventId);
}

/** In the order of their facts, which the journal has; an order's entry names it as its subject. */
export async function readOrders(
  connection: SqlConnection,
  eventId: EventId,
  { eventNo }: KnownEvent,
  afterSeq: number,
  limit: number,
): Promise<OrderRecord[]> {
  const rows = await connection.query(
    `SELECT ${ORDER_COLUMNS} FROM journal j
     JOIN orders o ON o.event_no = j.event_no AND o.order_id = j.subject
     WHERE j.event_no = ? AND j.seq > ? AND j.kind IN (${LISTED}) ORDER BY j.seq LIMIT ?`,
    [eventNo, afterSeq, limit],
  );
  return rows.map((row) => orderRecord(row, eventId));
}

/**
 * All ids of the buyer come from an index before the newest are chosen: the limit keeps the two apart, or a server
 * might go through everybody's orders from the newest on, until it has met enough of this buyer.
 */
export async function readOrdersOf(
  connection: SqlConnection,
  buyer: string,
  beforeId: OrderId | undefined,
  limit: number,
): Promise<OrderRecord[]> {
  const rows = await connection.query(
    `SELECT ${ORDER_COLUMNS}, e.event_id FROM (
       SELECT event_no, order_id FROM (
         SELECT event_no, order_id FROM orders WHERE buyer = ? LIMIT ${EVERYTHING}) listed
       WHERE order_id < ? ORDER BY order_id DESC LIMIT ?) newest
     JOIN orders o ON o.event_no = newest.event_no AND o.order_id = newest.order_id
     JOIN events e ON e.event_no = o.event_no ORDER BY o.order_id DESC`,
    [buyer, beforeId ?? MAX_ID, limit],
  );
  return rows.map((row) => orderRecord(row, row.event_id as EventId));
}

export async function readNextDeadline(
  connection: SqlConnection,
  { eventNo }: KnownEvent,
): Promise<number | undefined> {
  const [row] = await connection.query(
    `SELECT expires_at_ms FROM holds WHERE event_no = ? AND ${isLiveHold()} ORDER BY expires_at_ms LIMIT 1`,
    [eventNo],
  );
  return numberOrNull(row?.expires_at_ms) ?? undefined;
}

export async function readManifest(
  connection: SqlConnection,
  manifestId: string,
): Promise<string | undefined> {
  const [row] = await connection.query('SELECT content FROM manifests WHERE manifest_id = ?', [manifestId]);
  return row?.content ?? undefined;
}

export async function readDueHolds(
  connection: SqlConnection,
  nowMs: number,
  limit: number,
): Promise<{ eventId: EventId; holdId: HoldId }[]> {
  const rows = await connection.query(
    `SELECT e.event_id, h.hold_id FROM holds h JOIN events e ON e.event_no = h.event_no
     WHERE ${isLiveHold('h.status')} AND h.expires_at_ms <= ? ORDER BY h.expires_at_ms LIMIT ?`,
    [nowMs, limit],
  );
  return rows.map((row) => ({ eventId: row.event_id as EventId, holdId: row.hold_id as HoldId }));
}

export async function readJournal(
  connection: SqlConnection,
  { eventNo }: KnownEvent,
  afterSeq: number,
  limit: number,
): Promise<JournalEntry[]> {
  const rows = await connection.query(
    'SELECT seq, kind, at_ms, fact FROM journal WHERE event_no = ? AND seq > ? ORDER BY seq LIMIT ?',
    [eventNo, afterSeq, limit],
  );
  return rows.map(journalRow);
}

/** Where the event stands now. */
export async function readHead(
  connection: SqlConnection,
  { eventNo }: KnownEvent,
): Promise<Omit<EventHead, 'eventId'> & { capacity: number }> {
  const [row] = await connection.query(
    `SELECT h.seq, h.held, h.sold, h.aside, h.version, e.capacity FROM event_heads h
     JOIN events e ON e.event_no = h.event_no WHERE h.event_no = ?`,
    [eventNo],
  );
  if (!row) throw new NotThereYet(`the ledger has no event of the number ${eventNo}`);
  return {
    seq: Number(row.seq),
    held: Number(row.held),
    sold: Number(row.sold),
    aside: Number(row.aside),
    version: Number(row.version),
    capacity: Number(row.capacity),
  };
}

/** In one view. A million claims take 0.3 s on PostgreSQL; the loop is free between pages. */
export function readClaims(
  server: SqlServer,
  connection: SqlConnection,
  event: KnownEvent,
): Promise<ClaimSnapshot> {
  return connection.inOneView(async () => {
    const head = await readHead(connection, event);
    const lists = CLAIM_KINDS.map((kind) => new TicketList(head[kind]));
    let left = head.held + head.sold + head.aside;
    for (let from = 0; from < head.capacity && left > 0; from += CLAIMS_PAGE) {
      const rows = await connection.query(server.claimedTickets, [event.eventNo, from, from + CLAIMS_PAGE]);
      for (const row of rows) left -= lists[Number(row.sold)]!.addAll(row.tickets!);
    }
    const [held, sold, aside] = lists.map((list) => list.all()) as [Uint32Array, Uint32Array, Uint32Array];
    return { seq: head.seq, held, sold, aside };
  });
}

/** Ticket numbers from comma-separated lists, without a string for each. */
class TicketList {
  #tickets: Uint32Array;
  #length = 0;

  constructor(expected: number) {
    this.#tickets = new Uint32Array(expected);
  }

  /** How many there were. */
  addAll(list: string): number {
    const before = this.#length;
    let ticket = 0;
    for (let i = 0; i < list.length; i++) {
      const code = list.charCodeAt(i);
      if (code === 44) {
        this.#add(ticket);
        ticket = 0;
      } else {
        ticket = ticket * 10 + code - 48;
      }
    }
    this.#add(ticket);
    return this.#length - before;
  }

  #add(ticket: number): void {
    if (this.#length === this.#tickets.length) {
      const larger = new Uint32Array(this.#length * 2 + 16);
      larger.set(this.#tickets);
      this.#tickets = larger;
    }
    this.#tickets[this.#length++] = ticket;
  }

  all(): Uint32Array {
    return this.#tickets.slice(0, this.#length);
  }
}

export interface ClaimOf {
  readonly ticket: Ticket;
  readonly as: ClaimKind;
  readonly by: HoldId | OrderId | AllocationId;
}

export async function readClaimsOf(
  connection: SqlConnection,
  { eventNo }: KnownEvent,
  tickets: readonly Ticket[],
): Promise<ClaimOf[]> {
  const claims: ClaimOf[] = [];
  for (let i = 0; i < tickets.length; i += TICKETS_PAGE) {
    const page = tickets.slice(i, i + TICKETS_PAGE);
    const marks = page.map(() => '?').join();
    const rows = await connection.query(
      `SELECT ticket, sold, claimed_by FROM claims WHERE event_no = ? AND ticket IN (${marks})`,
      [eventNo, ...page],
    );
    for (const { ticket, sold, claimed_by: by } of rows) {
      claims.push({ ticket: Number(ticket) as Ticket, as: claimKind(sold), by: by as ClaimOf['by'] });
    }
  }
  return claims;
}

export async function countKeptKeys(connection: SqlConnection): Promise<number> {
  const [row] = await connection.query('SELECT count(*) AS n FROM idempotency_keys');
  return Number(row!.n);
}
