// The ledger's tables, each described once. From these rows every dialect makes, at start, the texts that insert,
// change and select, and what puts a record into a row; migrations take the definitions of new columns from here.
//
// A new field is one line among the columns and one in the record below them: a line that is missing does not compile.
// What has a meaning of its own stays by hand in the dialects: claims that move or end conditionally, heads, a buyer's
// belongings, SQLite's chain of the journal.
import type { EventDefinition } from '@floodgate/core/event/event.ts';
import { type FactKind, isFactKind, subjectOf } from '@floodgate/core/facts.ts';
import { HOLD_STATUSES, type HoldStatus, LIVE_STATUSES } from '@floodgate/core/hold.ts';
import type { EventId, HoldId, OrderId, Ticket } from '@floodgate/core/ids.ts';
import { LIVE_ORDER_STATUSES, ORDER_STATUSES, type OrderStatus, ticketsLeft } from '@floodgate/core/order.ts';
import type { OrderLine, Price } from '@floodgate/core/price.ts';
import { isOrder, type Kept, type KeptAnswer, keptOutcome } from './kept-outcome.ts';
import type { ClaimKind, EventRecord, HoldRecord, Idempotency, JournalEntry, OrderRecord } from './ledger.ts';

/** How columns keep values. */
interface Values {
  readonly integer: number;
  /** A 64-bit integer, in the program its decimal text. */
  readonly id: string;
  /** One of a closed union of the program's own words. */
  readonly word: string;
  /** Up to 255 characters. */
  readonly text: string;
  readonly tickets: readonly Ticket[];
  /** Of any length. Has no line feeds. */
  readonly json: object;
}
export type ColumnType = keyof Values;

interface Described<Row, Type extends ColumnType, Value> {
  readonly name: string;
  readonly type: Type;
  /** Its value in a record. Apart for each column, so that reading a field costs what it costs by hand. */
  readonly of: (row: Row) => Value;
  /** May change after the row is made. */
  readonly changes?: true;
  /** Of a word that changes: all that it can be. */
  readonly words?: readonly string[];
  /** Kept for the judge, and no part of what the ledger's reads answer. */
  readonly isInner?: true;
  /** Of an order: the hold that it was does not tell it. */
  readonly isBeyondHold?: true;
  /** The schema that brought it, if its table had been made before; `default` is for the rows of before. */
  readonly since?: number;
  readonly default?: string;
}

type ColumnOf<Row, Type extends ColumnType> =
  | (Described<Row, Type, Values[Type]> & { readonly isNull?: never })
  | (Described<Row, Type, Values[Type] | null> & { readonly isNull: true });

export type Column<Row> = { [Type in ColumnType]: ColumnOf<Row, Type> }[ColumnType];

/**
 * Every row belongs to an event: `event_no`, which is not among the columns, is the first. The key is `event_no` with
 * `id`, when there is one. On SQLite such an `id` alone is the key, and the first, for rows lie in the order of time.
 */
export interface Table<Row, Name extends string = string> {
  readonly name: string;
  readonly id?: string | undefined;
  readonly columns: readonly Column<Row>[];
  /** Never there: the names of the columns, as a type. */
  readonly names?: Name;
}

/** A row of a table on a server, where rows of many events are written together. */
export type OfEvent<Row> = Row & { readonly eventNo: number };

function table<Row>() {
  return <const Columns extends readonly Column<Row>[]>(
    name: string,
    id: Columns[number]['name'] | undefined,
    columns: Columns,
  ): Table<Row, Columns[number]['name']> => ({ name, id, columns });
}

/** The columns that may change, in their order. */
export function changingColumns<Row>({ columns }: Table<Row>): readonly Column<Row>[] {
  return columns.filter(({ changes }) => changes);
}

/** What a change is given of a row, behind its event's number: the rest of its key, and what may change. */
export function givenToChange<Row>(table: Table<Row>): readonly Column<Row>[] {
  const { id, columns } = table;
  return [...columns.filter(({ name }) => name === id), ...changingColumns(table)];
}

/** The columns that the table's records are made of. */
export function recordColumns<Row>({ columns }: Table<Row>): readonly Column<Row>[] {
  return columns.filter(({ isInner }) => !isInner);
}

export interface EventRow {
  readonly event: EventDefinition;
  readonly capacity: number;
}

export const EVENTS = table<EventRow>()('events', undefined, [
  { name: 'event_id', type: 'text', of: (e) => e.event.eventId },
  { name: 'definition', type: 'json', changes: true, of: (e) => e.event },
  { name: 'capacity', type: 'integer', changes: true, of: (e) => e.capacity },
]);

/** A claim's kind, by the number that stands for it in the column `kind`. */
export const CLAIM_KINDS: readonly ClaimKind[] = ['held', 'sold', 'aside'];

export function claimKind(kind: unknown): ClaimKind {
  return CLAIM_KINDS[Number(kind)]!;
}

export function claimNumber(kind: ClaimKind): number {
  return CLAIM_KINDS.indexOf(kind);
}

export interface ClaimRow {
  readonly ticket: Ticket;
  readonly as: ClaimKind;
  readonly by: string;
}

export const CLAIMS = table<ClaimRow>()('claims', undefined, [
  { name: 'ticket', type: 'integer', of: (c) => c.ticket },
  { name: 'kind', type: 'integer', changes: true, of: (c) => claimNumber(c.as) },
  { name: 'claimed_by', type: 'id', changes: true, of: (c) => c.by },
]);

/**
 * What tickets cost, from the moment they were claimed on. The defaults stand only until the migration has
 * filled in. (`lines` alone is a keyword of MySQL.)
 */
const PRICE = [
  { name: 'price_lines', type: 'json', since: 5, default: `('[]')`, of: (price: Price) => price.lines },
  { name: 'total', type: 'integer', since: 5, default: '0', of: (price: Price) => price.total },
  { name: 'currency', type: 'word', since: 5, default: `'XXX'`, of: (price: Price) => price.currency },
] as const;

/** A hold, with what its end left behind. */
export interface HoldRow extends HoldRecord {
  readonly endedSeq: number | null;
  readonly endedAtMs: number | null;
}

export const HOLDS = table<HoldRow>()('holds', 'hold_id', [
  { name: 'hold_id', type: 'id', of: (h) => h.holdId },
  { name: 'seq', type: 'integer', of: (h) => h.seq },
  { name: 'status', type: 'word', words: HOLD_STATUSES, changes: true, of: (h) => h.status },
  { name: 'buyer', type: 'text', isNull: true, of: (h) => h.buyer },
  { name: 'tickets', type: 'tickets', of: (h) => h.tickets },
  { name: 'created_at_ms', type: 'integer', of: (h) => h.createdAtMs },
  { name: 'expires_at_ms', type: 'integer', changes: true, of: (h) => h.expiresAtMs },
  { name: 'order_id', type: 'id', isNull: true, changes: true, of: (h) => h.orderId },
  { name: 'ended_seq', type: 'integer', isNull: true, changes: true, isInner: true, of: (h) => h.endedSeq },
  {
    name: 'ended_at_ms',
    type: 'integer',
    isNull: true,
    changes: true,
    isInner: true,
    of: (h) => h.endedAtMs,
  },
  ...PRICE,
  { name: 'secret', type: 'text', isNull: true, since: 5, of: (h) => h.secret },
]);

export const ORDERS = table<OrderRecord>()('orders', 'order_id', [
  { name: 'order_id', type: 'id', of: (o) => o.orderId },
  { name: 'seq', type: 'integer', isBeyondHold: true, of: (o) => o.seq },
  {
    ...{ name: 'status', type: 'word', words: ORDER_STATUSES, changes: true, isBeyondHold: true },
    of: (o) => o.status,
  },
  { name: 'buyer', type: 'text', isNull: true, of: (o) => o.buyer },
  { name: 'secret', type: 'text', isBeyondHold: true, of: (o) => o.secret },
  { name: 'tickets', type: 'tickets', of: (o) => o.tickets },
  { name: 'created_at_ms', type: 'integer', isBeyondHold: true, of: (o) => o.createdAtMs },
  { name: 'hold_id', type: 'id', isNull: true, of: (o) => o.holdId },
  ...PRICE,
  {
    ...{ name: 'returned', type: 'tickets', changes: true, isBeyondHold: true, since: 5, default: `('[]')` },
    of: (o) => o.returned,
  },
  {
    ...{
      name: 'refunded_amount',
      type: 'integer',
      changes: true,
      isBeyondHold: true,
      since: 5,
      default: '0',
    },
    of: (o) => o.refundedAmount,
  },
]);

/** What an order has that the hold it was does not tell; read beside the hold, as `order_…`. */
export const BEYOND_HOLD = ORDERS.columns.filter(({ isBeyondHold }) => isBeyondHold).map(({ name }) => name);

export const JOURNAL = table<{ readonly entry: JournalEntry }>()('journal', 'seq', [
  { name: 'seq', type: 'integer', of: (j) => j.entry.seq },
  { name: 'kind', type: 'word', of: (j) => j.entry.kind },
  { name: 'at_ms', type: 'integer', of: (j) => j.entry.atMs },
  { name: 'subject', type: 'id', isNull: true, isInner: true, of: (j) => subjectOf(j.entry) ?? null },
  { name: 'fact', type: 'json', of: (j) => j.entry.fact },
]);

export interface KeptRow extends KeptAnswer {
  readonly key: Idempotency;
}

/** On SQLite kept-keys.ts has the table, in another order and with an index of its own kind. */
export const KEPT = table<KeptRow>()('kept_keys', undefined, [
  { name: 'digest', type: 'text', of: (k) => k.key.digest },
  { name: 'hash', type: 'text', of: (k) => k.key.hash },
  { name: 'answer', type: 'word', of: (k) => k.answer },
  { name: 'subject', type: 'id', isNull: true, of: (k) => k.subject },
  { name: 'detail', type: 'json', isNull: true, of: (k) => k.detail },
]);

/** All of them: what a migration looks through for new columns. */
export const TABLES: readonly Pick<Table<never>, 'name' | 'id' | 'columns'>[] = [
  EVENTS,
  CLAIMS,
  HOLDS,
  ORDERS,
  JOURNAL,
  KEPT,
];

// Rows as records. Servers answer in text, SQLite in numbers where they fit, so numbers are made here. Written out:
// a loop over the columns takes twice to three times as long.

/** A row by column name, as a database answers. */
export type AnyRow = Readonly<Record<string, string | number | null>>;
type RowOf<T> = T extends Table<infer _, infer Name> ? Readonly<Record<Name, string | number | null>> : never;

/** A row of `definition, version`. */
export function eventRecord({ definition, version }: AnyRow): EventRecord {
  return { event: JSON.parse(definition as string) as EventDefinition, version: Number(version) };
}

export function orderRecord(row: AnyRow, eventId: EventId): OrderRecord {
  const o = row as RowOf<typeof ORDERS>;
  return {
    orderId: o.order_id as OrderId,
    eventId,
    seq: Number(o.seq),
    status: o.status as OrderStatus,
    buyer: (o.buyer ?? null) as string | null,
    secret: o.secret as string,
    tickets: ticketList(o.tickets),
    createdAtMs: Number(o.created_at_ms),
    holdId: (o.hold_id ?? null) as HoldId | null,
    lines: linesOf(o.price_lines),
    total: Number(o.total),
    currency: o.currency as string,
    returned: ticketList(o.returned),
    refundedAmount: Number(o.refunded_amount),
  };
}

/** The order that a hold became, from its row with {@link BEYOND_HOLD}. */
export function orderOfHold(row: AnyRow, hold: HoldRecord): OrderRecord {
  return {
    orderId: hold.orderId as OrderId,
    eventId: hold.eventId,
    seq: Number(row.order_seq),
    status: row.order_status as OrderStatus,
    buyer: hold.buyer,
    secret: row.order_secret as string,
    tickets: hold.tickets,
    createdAtMs: Number(row.order_created_at_ms),
    holdId: hold.holdId,
    lines: hold.lines,
    total: hold.total,
    currency: hold.currency,
    returned: ticketList(row.order_returned),
    refundedAmount: Number(row.order_refunded_amount),
  };
}

export function holdRecord(row: AnyRow, eventId: EventId): HoldRecord {
  const h = row as RowOf<typeof HOLDS>;
  return {
    holdId: h.hold_id as HoldId,
    eventId,
    seq: Number(h.seq),
    status: h.status as HoldStatus,
    buyer: (h.buyer ?? null) as string | null,
    tickets: ticketList(h.tickets),
    createdAtMs: Number(h.created_at_ms),
    expiresAtMs: Number(h.expires_at_ms),
    orderId: (h.order_id ?? null) as OrderId | null,
    lines: linesOf(h.price_lines),
    total: Number(h.total),
    currency: h.currency as string,
    secret: (h.secret ?? null) as string | null,
  };
}

export function keptAnswer(row: AnyRow): KeptAnswer {
  const k = row as RowOf<typeof KEPT>;
  return {
    answer: k.answer as KeptAnswer['answer'],
    subject: (k.subject ?? null) as KeptAnswer['subject'],
    detail: k.detail === null ? null : (JSON.parse(k.detail as string) as object),
  };
}

/** The columns that a record is made of as they are read beside another table's, under names of their own. */
export function besides<Row>(
  table: Table<Row>,
  alias: string,
): readonly (readonly [column: string, as: string])[] {
  return recordColumns(table).map(({ name }) => [`${alias}.${name}`, `${table.name}_${name}`]);
}

/** The row that was read beside another one. */
function rowBeside(row: AnyRow, { name, columns }: Pick<Table<never>, 'name' | 'columns'>): AnyRow {
  return Object.fromEntries(columns.map((column) => [column.name, row[`${name}_${column.name}`] ?? null]));
}

/** What is kept under a key, from its row with what {@link besides} of orders and holds was read for its subject. */
export function keptBeside(row: AnyRow, eventId: EventId): Kept {
  const kept = keptAnswer(row);
  return { hash: row.hash as string, outcome: keptOutcome(kept, subjectBeside(row, kept, eventId)) };
}

function subjectBeside(row: AnyRow, { answer, subject }: KeptAnswer, eventId: EventId) {
  if (subject === null) return undefined;
  return isOrder(answer)
    ? orderRecord(rowBeside(row, ORDERS), eventId)
    : holdRecord(rowBeside(row, HOLDS), eventId);
}

export function journalEntry(row: AnyRow): JournalEntry {
  const { seq, at_ms: atMs, fact } = row as RowOf<typeof JOURNAL>;
  const kind = factKind(row);
  return { seq: Number(seq), kind, atMs: Number(atMs), fact: JSON.parse(fact as string) } as JournalEntry;
}

/** What is not known here is no fact to be skipped: a fold of the journal without it would be wrong for ever. */
export function factKind(row: AnyRow): FactKind {
  const { seq, kind } = row as RowOf<typeof JOURNAL>;
  if (isFactKind(kind as string)) return kind as FactKind;
  throw new Error(
    `entry ${seq} of the journal is of the kind "${kind}", which a newer release must have written`,
  );
}

/** The ticket numbers of a column `tickets`, a JSON array. */
export function ticketList(json: unknown): Ticket[] {
  return JSON.parse(json as string) as Ticket[];
}

/** The tickets that a hold has, or an order still has, from its columns; a hold has nothing `returned`. */
export function ticketsOfRow(tickets: unknown, returned: unknown): readonly Ticket[] {
  const list = ticketList(tickets);
  return returned ? ticketsLeft({ tickets: list, returned: ticketList(returned) }) : list;
}

function linesOf(json: unknown): OrderLine[] {
  return JSON.parse(json as string) as OrderLine[];
}

/** Ticket numbers as they are kept: as JSON writes them, in half of its time. */
export function ticketsText(tickets: readonly Ticket[]): string {
  return `[${tickets.join()}]`;
}

export function numberOrNull(value: string | number | null | undefined): number | null {
  return value === null || value === undefined ? null : Number(value);
}

// Which holds and orders count. A status is asked for as a word where there is one, as every index was made for it.

/** That a hold's status is a live one. */
export function isLiveHold(status = 'status'): string {
  return isOneOf(status, LIVE_STATUSES);
}

/** That an order's status is a live one. */
export function isLiveOrder(status = 'status'): string {
  return isOneOf(status, LIVE_ORDER_STATUSES);
}

function isOneOf(column: string, words: readonly string[]): string {
  const quoted = words.map((word) => `'${word}'`);
  return quoted.length === 1 ? `${column} = ${quoted[0]}` : `${column} IN (${quoted.join(', ')})`;
}
