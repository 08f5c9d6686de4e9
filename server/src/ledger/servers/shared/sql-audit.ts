// Streams an event's rows from a SQL server into the audit, in one view, page by page.
import type { EventId } from '@floodgate/core/ids.ts';
import type { SqlConnection, SqlRow } from '../../../drivers/sql/sql.ts';
import { EventAudit } from '../../audit.ts';
import type { AuditCheck } from '../../ledger.ts';
import { claimKind, holdRecord, orderRecord } from '../../tables.ts';
import { HOLD_COLUMNS, ORDER_COLUMNS } from './rows.ts';
import { readHead, readJournal } from './sql-reads.ts';
import type { KnownEvent } from './working-set.ts';

const PAGE = 10_000;

export function auditEvent(
  connection: SqlConnection,
  eventId: EventId,
  event: KnownEvent,
): Promise<AuditCheck[]> {
  return connection.inOneView(async () => {
    const head = await readHead(connection, event);
    const audit = new EventAudit(head.capacity);
    await eachJournalEntry(connection, event, audit);
    const pages = new Pages(connection, event.eventNo);
    const claimsBy = new Map<string, number>();
    for await (const claim of pages.of('SELECT ticket, sold, claimed_by FROM claims c', 'ticket')) {
      const by = claim.claimed_by!;
      claimsBy.set(by, (claimsBy.get(by) ?? 0) + 1);
      audit.claim(Number(claim.ticket), claimKind(claim.sold), by);
    }
    for await (const row of pages.of(`SELECT ${HOLD_COLUMNS} FROM holds h`, 'hold_id')) {
      const hold = holdRecord(row, eventId);
      audit.hold(hold, claimsBy.get(hold.holdId) ?? 0);
    }
    for await (const row of pages.of(`SELECT ${ORDER_COLUMNS} FROM orders o`, 'order_id')) {
      const order = orderRecord(row, eventId);
      audit.order(order, claimsBy.get(order.orderId) ?? 0);
    }
    return audit.checks(head);
  });
}

async function eachJournalEntry(
  connection: SqlConnection,
  event: KnownEvent,
  audit: EventAudit,
): Promise<void> {
  for (let after = -1; ; ) {
    const page = await readJournal(connection, event, after, PAGE);
    for (const entry of page) audit.journal(entry);
    if (page.length < PAGE) return;
    after = page.at(-1)!.seq;
  }
}

/** The event's rows of a table in the order of the second column of its primary key. */
class Pages {
  readonly #connection: SqlConnection;
  readonly #eventNo: number;

  constructor(connection: SqlConnection, eventNo: number) {
    this.#connection = connection;
    this.#eventNo = eventNo;
  }

  async *of(select: string, key: string): AsyncIterable<SqlRow> {
    for (let after = '-1'; ; ) {
      const page = await this.#connection.query(
        `${select} WHERE event_no = ? AND ${key} > ? ORDER BY ${key} LIMIT ?`,
        [this.#eventNo, after, PAGE],
      );
      yield* page;
      if (page.length < PAGE) return;
      after = page.at(-1)![key]!;
    }
  }
}
