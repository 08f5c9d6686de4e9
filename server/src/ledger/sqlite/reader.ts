// The reading side of a SQLite ledger: a read-only connection in a thread of its own, so that a long read (an
// audit, a claim snapshot) never holds up a commit. WAL gives every transaction one consistent view.
import { DatabaseSync } from 'node:sqlite';
import { orderListedBy } from '@floodgate/core/facts.ts';
import type { AllocationId, EventId, HoldId, OrderId, Ticket } from '@floodgate/core/ids.ts';
import { EventAudit } from '../audit.ts';
import type {
  AuditCheck,
  ClaimKind,
  ClaimSnapshot,
  EventHead,
  EventRecord,
  HoldRecord,
  JournalEntry,
  OrderRecord,
} from '../ledger.ts';
import { CLAIM_KINDS, claimKind, eventRecord, holdRecord, isLiveHold, orderRecord } from '../tables.ts';
import { readJournal, wholeJournal } from './journal.ts';
import { HOLD_COLUMNS, ORDER_COLUMNS, type Row } from './rows.ts';

export class SqliteReader {
  readonly #db: DatabaseSync;

  /** Opens an existing ledger file. */
  constructor(file: string) {
    this.#db = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
  }

  events(skip = 0): EventRecord[] {
    // Numbers are dense, so skipping so many events is skipping so many numbers.
    const rows = this.#rows(
      `SELECT definition, version FROM events JOIN event_heads USING (event_no)
       WHERE event_no > ? ORDER BY event_no`,
      skip,
    );
    return rows.map(eventRecord);
  }

  event(eventId: EventId): EventRecord | undefined {
    const row = this.#row(
      'SELECT definition, version FROM events JOIN event_heads USING (event_no) WHERE event_id = ?',
      eventId,
    );
    return row && eventRecord(row);
  }

  heads(): EventHead[] {
    const rows = this.#rows(
      `SELECT event_id AS eventId, seq, held, sold, aside, version
       FROM event_heads JOIN events USING (event_no) ORDER BY event_no`,
    );
    return rows.map((row) => ({ ...(row as unknown as EventHead) }));
  }

  order(orderId: OrderId): OrderRecord | undefined {
    const row = this.#row(
      `SELECT ${ORDER_COLUMNS}, event_id FROM orders JOIN events USING (event_no) WHERE order_id = ?`,
      orderId,
    );
    return row && orderRecord(row, row.event_id as EventId);
  }

  hold(holdId: HoldId): HoldRecord | undefined {
    const row = this.#row(
      `SELECT ${HOLD_COLUMNS}, event_id FROM holds JOIN events USING (event_no) WHERE hold_id = ?`,
      holdId,
    );
    return row && holdRecord(row, row.event_id as EventId);
  }

  orders(eventId: EventId, afterSeq: number, limit: number): OrderRecord[] {
    return this.#inOneView(() => {
      const orders: OrderRecord[] = [];
      const statement = this.#db.prepare(`SELECT ${ORDER_COLUMNS} FROM orders WHERE order_id = ?`);
      let after = afterSeq;
      while (orders.length < limit) {
        const page = this.journal(eventId, after, limit);
        if (page.length === 0) break;
        for (const entry of page) {
          after = entry.seq;
          const orderId = orderListedBy(entry);
          const row = orderId && (statement.get(orderId) as Row | undefined);
          if (row && orders.length < limit) orders.push(orderRecord(row, eventId));
        }
      }
      return orders;
    });
  }

  ordersOf(buyer: string, beforeId: OrderId | undefined, limit: number): OrderRecord[] {
    const rows = this.#rows(
      `SELECT ${ORDER_COLUMNS}, event_id FROM orders JOIN events USING (event_no)
       WHERE order_id IN (SELECT order_id FROM orders WHERE buyer = ?1 AND (?2 IS NULL OR order_id < ?2)
                          ORDER BY order_id DESC LIMIT ?3)
       ORDER BY orders.order_id DESC`,
      buyer,
      beforeId ?? null,
      limit,
    );
    return rows.map((row) => orderRecord(row, row.event_id as EventId));
  }

  nextDeadline(eventId: EventId): number | undefined {
    const row = this.#row(
      `SELECT min(expires_at_ms) AS deadline FROM holds
       WHERE ${isLiveHold()} AND event_no = (SELECT event_no FROM events WHERE event_id = ?)`,
      eventId,
    );
    return (row?.deadline as number | null | undefined) ?? undefined;
  }

  manifest(manifestId: string): string | undefined {
    const row = this.#row('SELECT content FROM manifests WHERE manifest_id = ?', manifestId);
    return row?.content as string | undefined;
  }

  dueHolds(nowMs: number, limit: number): { eventId: EventId; holdId: HoldId }[] {
    const rows = this.#rows(
      `SELECT event_id, CAST(hold_id AS TEXT) AS hold_id FROM holds JOIN events USING (event_no)
       WHERE ${isLiveHold()} AND expires_at_ms <= ? ORDER BY expires_at_ms LIMIT ?`,
      nowMs,
      limit,
    );
    return rows.map((row) => ({ eventId: row.event_id as EventId, holdId: row.hold_id as HoldId }));
  }

  journal(eventId: EventId, afterSeq: number, limit: number): JournalEntry[] {
    const row = this.#row('SELECT event_no FROM events WHERE event_id = ?', eventId);
    return row ? readJournal(this.#db, row.event_no as number, afterSeq, limit) : [];
  }

  claims(eventId: EventId): ClaimSnapshot {
    return this.#inOneView(() => {
      const { eventNo, seq } = this.#event(eventId);
      const tickets: Record<ClaimKind, number[]> = { held: [], sold: [], aside: [] };
      const statement = this.#db.prepare('SELECT ticket, sold FROM claims WHERE event_no = ?');
      for (const row of statement.iterate(eventNo)) {
        tickets[CLAIM_KINDS[row.sold as number]!].push(row.ticket as number);
      }
      const { held, sold, aside } = tickets;
      const list = (numbers: number[]) => Uint32Array.from(numbers);
      return { seq, held: list(held), sold: list(sold), aside: list(aside) };
    });
  }

  claimsOf(
    eventId: EventId,
    tickets: readonly Ticket[],
  ): { ticket: Ticket; as: ClaimKind; by: HoldId | OrderId | AllocationId }[] {
    const rows = this.#rows(
      `SELECT ticket, sold, CAST(claimed_by AS TEXT) AS claimed_by FROM claims
       WHERE event_no = (SELECT event_no FROM events WHERE event_id = ?)
         AND ticket IN (SELECT value FROM json_each(?))`,
      eventId,
      JSON.stringify(tickets),
    );
    return rows.map((row) => ({
      ticket: row.ticket as Ticket,
      as: claimKind(row.sold),
      by: row.claimed_by as HoldId | OrderId | AllocationId,
    }));
  }

  keptKeys(): number {
    return this.#row('SELECT count(*) AS n FROM idempotency_keys')!.n as number;
  }

  audit(eventId: EventId): AuditCheck[] {
    return this.#inOneView(() => {
      const head = this.#event(eventId);
      const { eventNo } = head;
      const audit = new EventAudit(head.capacity);
      const iterate = (sql: string) => this.#db.prepare(sql).iterate(eventNo) as Iterable<Row>;
      for (const entry of wholeJournal(this.#db, eventNo)) audit.journal(entry);
      const claimsBy = new Map<string, number>();
      for (const row of iterate(
        'SELECT ticket, sold, CAST(claimed_by AS TEXT) AS claimed_by FROM claims WHERE event_no = ?',
      )) {
        const by = row.claimed_by as string;
        claimsBy.set(by, (claimsBy.get(by) ?? 0) + 1);
        audit.claim(row.ticket as number, claimKind(row.sold), by);
      }
      for (const row of iterate(`SELECT ${HOLD_COLUMNS} FROM holds WHERE event_no = ?`)) {
        const hold = holdRecord(row, eventId);
        audit.hold(hold, claimsBy.get(hold.holdId) ?? 0);
      }
      for (const row of iterate(`SELECT ${ORDER_COLUMNS} FROM orders WHERE event_no = ?`)) {
        const order = orderRecord(row, eventId);
        audit.order(order, claimsBy.get(order.orderId) ?? 0);
      }
      return audit.checks(head);
    });
  }

  close(): void {
    this.#db.close();
  }

  /** Throws for an unknown event: the callers ask for events they know. */
  #event(eventId: EventId): EventHead & { readonly eventNo: number; readonly capacity: number } {
    const row = this.#row(
      `SELECT event_no AS eventNo, event_id AS eventId, capacity, seq, held, sold, aside, version
       FROM events JOIN event_heads USING (event_no) WHERE event_id = ?`,
      eventId,
    );
    if (!row) throw new Error(`the ledger has no event ${eventId}`);
    return row as unknown as EventHead & { eventNo: number; capacity: number };
  }

  #inOneView<T>(read: () => T): T {
    this.#db.exec('BEGIN');
    try {
      return read();
    } finally {
      this.#db.exec('COMMIT');
    }
  }

  #row(sql: string, ...parameters: (string | number | null)[]): Row | undefined {
    return this.#db.prepare(sql).get(...parameters) as Row | undefined;
  }

  #rows(sql: string, ...parameters: (string | number | null)[]): Row[] {
    return this.#db.prepare(sql).all(...parameters) as Row[];
  }
}
