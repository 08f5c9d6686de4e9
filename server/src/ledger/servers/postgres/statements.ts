// The statements of a batch, prepared once per connection. Each takes whole columns as arrays, so their number does
// not grow with the batch: some 15 µs of the server's time a statement, whatever it carries.

import { LIVE_STATUSES } from '@floodgate/core/hold.ts';
import type { Statement } from '../../../drivers/sql/postgres/pipeline.ts';
import {
  BEYOND_HOLD,
  besides,
  CLAIMS,
  type Column,
  type ColumnType,
  changingColumns,
  EVENTS,
  givenToChange,
  HOLDS,
  isLiveOrder,
  JOURNAL,
  KEPT,
  ORDERS,
  type Table,
} from '../../tables.ts';

const made: Statement[] = [];

function statement(name: string, text: string, columns = ''): Statement {
  const one = { name, text, columns: columns === '' ? [] : columns.split(/,\s*/) };
  made.push(one);
  return one;
}

/** All of them, to be prepared. */
export const STATEMENTS: readonly Statement[] = made;

// The database may have another default; the plan behind every statement counts on this one.
export const BEGIN = statement('begin', 'BEGIN ISOLATION LEVEL READ COMMITTED');
export const COMMIT = statement('commit', 'COMMIT');

// Plans outlive the statistics they were made from: one that was right for an empty table is kept while a million
// rows come. So the statements leave no choice: the arrays are the outer side, and each element is one look-up by
// primary key (LATERAL with LIMIT is never turned around). An `= ANY` beside the event's number once became a filter
// over all claims of the event: 57 µs a sale instead of 10.
const HEAD_COLUMNS = 'event_no, seq, held, sold, at_ms, version, aside';

export const LOCK_HEADS = statement(
  'lock_heads',
  `SELECT h.event_no, h.seq, h.held, h.sold, h.at_ms, h.version, h.aside FROM unnest($1::bigint[]) AS q (event_no)
   CROSS JOIN LATERAL (SELECT * FROM event_heads h WHERE h.event_no = q.event_no FOR UPDATE) h`,
  HEAD_COLUMNS,
);

export const LOCK_HEAD = statement(
  'lock_head',
  `SELECT ${HEAD_COLUMNS} FROM event_heads WHERE event_no = $1::bigint FOR UPDATE`,
  HEAD_COLUMNS,
);

// They divide by zero when a head is not where it was foreseen. The number is compared outside: among the conditions
// of the locked row it would be compared with what was there before the wait.
export const LOCK_FORESEEN = statement(
  'lock_foreseen',
  `SELECT 1 / (count(*) FILTER (WHERE h.seq = q.seq) = cardinality($1::bigint[]))::int
   FROM unnest($1::bigint[], $2::bigint[]) AS q (event_no, seq)
   CROSS JOIN LATERAL (SELECT seq FROM event_heads h WHERE h.event_no = q.event_no FOR UPDATE) h`,
  'found',
);

export const LOCK_ONE_FORESEEN = statement(
  'lock_one_foreseen',
  `SELECT 1 / (h.seq = $2::bigint)::int
   FROM (SELECT seq FROM event_heads WHERE event_no = $1::bigint FOR UPDATE) h`,
  'found',
);

export const READ_CLAIMS = statement(
  'read_claims',
  `SELECT q.event_no, q.ticket, c.kind, c.claimed_by
   FROM unnest($1::bigint[], $2::bigint[]) AS q (event_no, ticket)
   CROSS JOIN LATERAL (
     SELECT kind, claimed_by FROM claims WHERE event_no = q.event_no AND ticket = q.ticket LIMIT 1) c`,
  'event_no, ticket, kind, claimed_by',
);

const HOLD_COLUMNS = HOLDS.columns.map(({ name }) => name);

export const READ_HOLDS = statement(
  'read_holds',
  `SELECT h.event_no, ${HOLD_COLUMNS.map((name) => `h.${name}`).join(', ')},
     ${BEYOND_HOLD.map((name) => `o.${name}`).join(', ')}
   FROM unnest($1::bigint[], $2::bigint[]) AS q (event_no, hold_id)
   CROSS JOIN LATERAL (SELECT * FROM holds WHERE event_no = q.event_no AND hold_id = q.hold_id LIMIT 1) h
   LEFT JOIN LATERAL (
     SELECT ${BEYOND_HOLD.join(', ')} FROM orders WHERE event_no = h.event_no AND order_id = h.order_id LIMIT 1) o
     ON true`,
  ['event_no', ...HOLD_COLUMNS, ...BEYOND_HOLD.map((name) => `order_${name}`)].join(),
);

const ORDER_COLUMNS = ORDERS.columns.map(({ name }) => name).join(', ');

export const READ_ORDERS = statement(
  'read_orders',
  `SELECT o.* FROM unnest($1::bigint[], $2::bigint[]) AS q (event_no, order_id)
   CROSS JOIN LATERAL (
     SELECT event_no, ${ORDER_COLUMNS} FROM orders WHERE event_no = q.event_no AND order_id = q.order_id LIMIT 1) o`,
  `event_no, ${ORDER_COLUMNS}`,
);

const SUBJECT = [...besides(ORDERS, 'o'), ...besides(HOLDS, 'h')];
const subjectIn = (table: string, id: string) =>
  `(SELECT * FROM ${table} WHERE event_no = q.event_no AND ${id} = k.subject LIMIT 1)`;

export const READ_KEPT = statement(
  'read_kept',
  `SELECT q.event_no, q.digest, k.hash, k.answer, k.subject, k.detail, ${SUBJECT.map(([column]) => column).join(', ')}
   FROM unnest($1::bigint[], $2::text[]) AS q (event_no, digest)
   CROSS JOIN LATERAL (
     SELECT hash, answer, subject, detail FROM kept_keys
     WHERE event_no = q.event_no AND digest = q.digest LIMIT 1) k
   LEFT JOIN LATERAL ${subjectIn('orders', 'order_id')} o ON true
   LEFT JOIN LATERAL ${subjectIn('holds', 'hold_id')} h ON true`,
  ['event_no', 'digest', 'hash', 'answer', 'subject', 'detail', ...SUBJECT.map(([, as]) => as)].join(),
);

// A buyer's orders of one event, and the active holds: some rows by (buyer, event), however much there is of others.
// Equalities would let other indexes compete that begin with the event: on empty tables they looked as good, and the
// plan stayed. A range of whole rows, from one to the same, can only be found by the index that begins with all of it.
const exactly = (columns: string, values: string) =>
  `(${columns}) >= (${values}) AND (${columns}) <= (${values})`;

export const READ_BELONGINGS = statement(
  'read_belongings',
  `SELECT q.event_no, q.buyer, had.hold_id, had.tickets, had.returned
   FROM unnest($1::bigint[], $2::text[]) AS q (event_no, buyer)
   CROSS JOIN LATERAL (
     (SELECT NULL::bigint AS hold_id, tickets, returned FROM orders
      WHERE ${exactly('buyer, event_no', 'q.buyer, q.event_no')} AND ${isLiveOrder()} OFFSET 0)
     ${LIVE_STATUSES.map(
       (status) => `UNION ALL
     (SELECT hold_id, tickets, NULL AS returned FROM holds
      WHERE ${exactly('buyer, event_no, status', `q.buyer, q.event_no, '${status}'`)} OFFSET 0)`,
     ).join(' ')}) had`,
  'event_no, buyer, hold_id, tickets, returned',
);

/** How a column's values travel: as an array, or, JSON texts, as lines, of which an empty one is none. */
const PARAMETER: Readonly<Record<ColumnType, (mark: string, isNull: boolean) => string>> = {
  integer: (mark) => `${mark}::bigint[]`,
  id: (mark) => `${mark}::bigint[]`,
  word: (mark) => `${mark}::text[]`,
  text: (mark) => `${mark}::text[]`,
  tickets: linesOf,
  json: linesOf,
};

function linesOf(mark: string, isNull: boolean): string {
  return `string_to_array(${mark}, E'\\n'${isNull ? ", ''" : ''})`;
}

/** The parameters of these columns, each with all rows. The first is the number of the event. */
function unnest<Row>(columns: readonly Column<Row>[]): string {
  const all = [PARAMETER.integer('$1', false)];
  for (const { type, isNull } of columns) all.push(PARAMETER[type](`$${all.length + 1}`, isNull === true));
  return `unnest(${all.join(', ')})`;
}

export function insertText<Row>({ name, columns }: Table<Row>): string {
  const names = ['event_no', ...columns.map((column) => column.name)].join(', ');
  return `INSERT INTO ${name} (${names}) SELECT * FROM ${unnest(columns)}`;
}

export const INSERT_EVENTS = statement('insert_events', insertText(EVENTS));

export const INSERT_HEADS = statement(
  'insert_heads',
  `INSERT INTO event_heads (${HEAD_COLUMNS})
   SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
     $7::bigint[])`,
);

/** Their texts may have line feeds. */
export const KEEP_MANIFESTS = statement(
  'keep_manifests',
  `INSERT INTO manifests (manifest_id, content) SELECT * FROM unnest($1::text[], $2::text[])
   ON CONFLICT DO NOTHING`,
);

// Rows to be changed are looked up in the same way, then reached by where they lie: under the locks of their events'
// heads nobody moves them.
const found = (table: string, key: string) =>
  `CROSS JOIN LATERAL (SELECT ctid FROM ${table} WHERE event_no = q.event_no AND ${key} LIMIT 1) at`;

/** Changes what may change, of rows that are there. */
export function changeText<Row>(table: Table<Row>): string {
  const { name, id } = table;
  const alias = name[0]!;
  const sets = changingColumns(table)
    .map((column) => `${column.name} = q.${column.name}`)
    .join(', ');
  const given = givenToChange(table);
  const names = ['event_no', ...given.map((column) => column.name)].join(', ');
  return `UPDATE ${name} ${alias} SET ${sets} FROM ${unnest(given)} AS q (${names})
    ${found(name, id ? `${id} = q.${id}` : 'true')} WHERE ${alias}.ctid = at.ctid`;
}

export const CHANGE_EVENTS = statement('change_events', changeText(EVENTS));

export const MOVE_HEADS = statement(
  'move_heads',
  `UPDATE event_heads h SET seq = q.seq, held = q.held, sold = q.sold, at_ms = q.at_ms, version = q.version,
     aside = q.aside
   FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
     AS q (${HEAD_COLUMNS}) ${found('event_heads', 'true')}
   WHERE h.ctid = at.ctid`,
);

export const MOVE_HEAD = statement(
  'move_head',
  `UPDATE event_heads SET seq = $2::bigint, held = $3::bigint, sold = $4::bigint, at_ms = $5::bigint,
     version = $6::bigint, aside = $7::bigint
   WHERE event_no = $1::bigint`,
);

export const INSERT_CLAIMS = statement('insert_claims', insertText(CLAIMS));

// A claim that is not as the batch read it makes the statement divide by zero, so that nothing of the batch stays.
const allFound = (changed: string, expected: string) =>
  `WITH changed AS (${changed} RETURNING 1) SELECT 1 / (count(*) = ${expected})::int FROM changed`;

export const MOVE_CLAIMS = statement(
  'move_claims',
  allFound(
    `UPDATE claims c SET kind = q.kind, claimed_by = q.now_by
     FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
       AS q (event_no, ticket, was_by, kind, now_by) ${found('claims', 'ticket = q.ticket')}
     WHERE c.ctid = at.ctid AND c.claimed_by = q.was_by`,
    '$6::bigint',
  ),
  'found',
);

export const END_CLAIMS = statement(
  'end_claims',
  allFound(
    `DELETE FROM claims c USING unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS q (event_no, ticket, was_by)
     ${found('claims', 'ticket = q.ticket')} WHERE c.ctid = at.ctid AND c.claimed_by = q.was_by`,
    '$4::bigint',
  ),
  'found',
);

export const INSERT_HOLDS = statement('insert_holds', insertText(HOLDS));
export const CHANGE_HOLDS = statement('change_holds', changeText(HOLDS));
export const INSERT_ORDERS = statement('insert_orders', insertText(ORDERS));
export const CHANGE_ORDERS = statement('change_orders', changeText(ORDERS));
export const INSERT_JOURNAL = statement('insert_journal', insertText(JOURNAL));
export const INSERT_KEPT = statement('insert_kept', insertText(KEPT));

/** What nearly every batch writes: sales of one event. */
export const SALE = [MOVE_HEAD, INSERT_CLAIMS, INSERT_ORDERS, INSERT_JOURNAL] as const;

/** They need nothing of each other, so they are one statement: 45 µs of the server less for a batch of any size. */
export const WRITE_SALES = statement('write_sales', together(SALE));

/** The last as it is, the others before it in a WITH; each with the parameters that follow those before it. */
function together(parts: readonly Statement[]): string {
  let shift = 0;
  const shifted = parts.map(({ text }) => {
    const by = shift;
    return text.replace(/\$(\d+)/g, (_, number: string) => {
      shift = Math.max(shift, by + Number(number));
      return `$${by + Number(number)}`;
    });
  });
  const last = shifted.pop();
  return `WITH ${shifted.map((text, index) => `part_${index} AS (${text})`).join(', ')} ${last}`;
}
