// How a read speaks to a server, and is carried out on one of its connections.
import { ORDER_KINDS } from '@floodgate/core/facts.ts';
import type { SqlConnection } from '../../../drivers/sql/sql.ts';
import { ask, type Read, type ReadDialect } from '../../reads.ts';
import { HOLDS, journalEntry, ORDERS, orderRecord, recordColumns } from '../../tables.ts';

const ORDER_COLUMNS = recordColumns(ORDERS)
  .map(({ name }) => `o.${name}`)
  .join(', ');
const HOLD_COLUMNS = recordColumns(HOLDS)
  .map(({ name }) => `h.${name}`)
  .join(', ');
const LISTED = ORDER_KINDS.map((kind) => `'${kind}'`).join(', ');
const ENTRIES =
  'SELECT seq, kind, at_ms, fact FROM journal WHERE event_no = ? AND seq > ? ORDER BY seq LIMIT ?';

export function readDialect({ claimedTickets }: Pick<ReadDialect, 'claimedTickets'>): ReadDialect {
  return {
    orderColumns: ORDER_COLUMNS,
    holdColumns: HOLD_COLUMNS,
    // Servers answer in text.
    id: (column) => column,
    claimedTickets,
    keptKeys: 'SELECT count(*) AS n FROM kept_keys',
    *journal(eventNo, afterSeq, limit) {
      return (yield* ask(ENTRIES, [eventNo, afterSeq, limit])).map(journalEntry);
    },
    // An order's entry in the journal names it as its subject.
    *orders({ eventNo, eventId }, afterSeq, limit) {
      const rows = yield* ask(
        `SELECT ${ORDER_COLUMNS} FROM journal j
         JOIN orders o ON o.event_no = j.event_no AND o.order_id = j.subject
         WHERE j.event_no = ? AND j.seq > ? AND j.kind IN (${LISTED}) ORDER BY j.seq LIMIT ?`,
        [eventNo, afterSeq, limit],
      );
      return rows.map((row) => orderRecord(row, eventId));
    },
    allEntries: { sql: ENTRIES, key: 'seq' },
  };
}

export async function readOn<T>(connection: SqlConnection, read: Read<T>): Promise<T> {
  let step = read.next();
  while (!step.done) {
    const { sql, parameters } = step.value;
    step = read.next(await connection.query(sql, parameters));
  }
  return step.value;
}
