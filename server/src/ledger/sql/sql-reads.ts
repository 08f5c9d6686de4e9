// The reads of the SQL ledger, each on one connection. Long ones go page by page, so that neither the server's
// timeout nor this process's event loop notices how large an event is.
import type { EventDefinition } from '@floodgate/core/event.ts';
import type { EventId, HoldId, OrderId, Ticket } from '@floodgate/core/ids.ts';
import type { ClaimSnapshot, EventHead, HoldRecord, JournalEntry, OrderRecord } from '../ledger.ts';
import { HOLD_COLUMNS, holdRecord, journalEntry, ORDER_COLUMNS, orderRecord } from './rows.ts';
import type { SqlConnection, SqlServer } from './sql-server.ts';
import type { KnownEvent } from './working-set.ts';

/** Tickets of one page of {@link readClaims}: its list is at most some 800 kB, and 30 ms of the server. */
const CLAIMS_PAGE = 100_000;
/** The most tickets of one question. */
const TICKETS_PAGE = 1_000;

export async function readEvents(connection: SqlConnection, skip: number): Promise<EventDefinition[]> {
  // Numbers are dense, so skipping so many events is skipping so many numbers.
  const sql = 'SELECT definition FROM events WHERE event_no > ? ORDER BY event_no';
  return (await connection.query(sql, [skip])).map((row) => JSON.parse(row.definition!) as EventDefinition);
}

export async function readHeads(connection: SqlConnection): Promise<EventHead[]> {
  const rows = await connection.query(
    `SELECT e.event_id, h.seq, h.held, h.sold FROM event_heads h JOIN events e ON e.event_no = h.event_no
     ORDER BY h.event_no`,
  );
  return rows.map((row) => ({
    eventId: row.event_id as EventId,
    seq: Number(row.seq),
    held: Number(row.held),
    sold: Number(row.sold),
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
     WHERE j.event_no = ? AND j.seq > ? AND j.kind IN ('bought', 'confirmed') ORDER BY j.seq LIMIT ?`,
    [eventNo, afterSeq, limit],
  );
  return rows.map((row) => orderRecord(row, eventId));
}

export async function readDueHolds(
  connection: SqlConnection,
  nowMs: number,
  limit: number,
): Promise<{ eventId: EventId; holdId: HoldId }[]> {
  const rows = await connection.query(
    `SELECT e.event_id, h.hold_id FROM holds h JOIN events e ON e.event_no = h.event_no
     WHERE h.status = 'active' AND h.expires_at_ms <= ? ORDER BY h.expires_at_ms LIMIT ?`,
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
  return rows.map(journalEntry);
}

/** Where the event stands now. */
export async function readHead(
  connection: SqlConnection,
  { eventNo }: KnownEvent,
): Promise<{ seq: number; held: number; sold: number }> {
  const sql = 'SELECT seq, held, sold FROM event_heads WHERE event_no = ?';
  const [row] = await connection.query(sql, [eventNo]);
  return { seq: Number(row?.seq), held: Number(row?.held), sold: Number(row?.sold) };
}

/** In one view. A million claims take 0.3 s on PostgreSQL; the loop is free between pages. */
export function readClaims(
  server: SqlServer,
  connection: SqlConnection,
  event: KnownEvent,
): Promise<ClaimSnapshot> {
  return connection.inOneView(async () => {
    const { seq, held, sold } = await readHead(connection, event);
    const lists = [new TicketList(held), new TicketList(sold)] as const;
    let left = held + sold;
    for (let from = 0; from < event.capacity && left > 0; from += CLAIMS_PAGE) {
      const rows = await connection.query(server.claimedTickets, [event.eventNo, from, from + CLAIMS_PAGE]);
      for (const row of rows) left -= lists[row.sold === '1' ? 1 : 0].addAll(row.tickets!);
    }
    return { seq, held: lists[0].all(), sold: lists[1].all() };
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

export async function readClaimsOf(
  connection: SqlConnection,
  { eventNo }: KnownEvent,
  tickets: readonly Ticket[],
): Promise<{ ticket: Ticket; as: 'held' | 'sold'; by: HoldId | OrderId }[]> {
  const claims: { ticket: Ticket; as: 'held' | 'sold'; by: HoldId | OrderId }[] = [];
  for (let i = 0; i < tickets.length; i += TICKETS_PAGE) {
    const page = tickets.slice(i, i + TICKETS_PAGE);
    const marks = page.map(() => '?').join();
    const rows = await connection.query(
      `SELECT ticket, sold, claimed_by FROM claims WHERE event_no = ? AND ticket IN (${marks})`,
      [eventNo, ...page],
    );
    for (const { ticket, sold, claimed_by: by } of rows) {
      const as = sold === '1' ? 'sold' : 'held';
      claims.push({ ticket: Number(ticket) as Ticket, as, by: by as HoldId | OrderId });
    }
  }
  return claims;
}

export async function countKeptKeys(connection: SqlConnection): Promise<number> {
  const [row] = await connection.query('SELECT count(*) AS n FROM idempotency_keys');
  return Number(row!.n);
}
