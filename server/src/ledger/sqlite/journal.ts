// The journal in SQLite: entries lie in the order of time, and an event's entries are a chain through it. Each names
// the position of the one before; the event's head names the last; every 16th has a mark. So a batch over a thousand
// events writes its entries to one page, and a page of an event's journal costs a look-up per entry, no scan.
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { ORDER_KINDS, subjectOf } from '@floodgate/core/facts.ts';
import type { JournalEntry, OrderRecord } from '../ledger.ts';
import { ask, type NumberedEvent, type Read } from '../reads.ts';
import { factKind, journalEntry, ORDERS, orderRecord, recordColumns } from '../tables.ts';
import { type Row, selected, writing } from './rows.ts';

/** A page's chain is entered at a mark behind it, so at most this many entries are read in vain. */
const MARK_EVERY = 16;

/** Where an event stands. */
interface Head {
  readonly eventNo: number;
  readonly seq: number;
  readonly version: number;
  readonly held: number;
  readonly sold: number;
  readonly aside: number;
}

/** Appends inside the writer's transactions. */
export class JournalWriter {
  readonly #head: StatementSync;
  readonly #lastPos: StatementSync;
  readonly #insert: StatementSync;
  readonly #mark: StatementSync;
  readonly #makeHead: StatementSync;
  readonly #moveHead: StatementSync;
  /** Of the events of this transaction: where their chains end. */
  readonly #chainEnds = new Map<number, number | null>();

  constructor(db: DatabaseSync) {
    const write = (sql: string): StatementSync => writing(db, sql);
    this.#head = db.prepare(
      'SELECT seq, version, held, sold, aside, last_pos FROM event_heads WHERE event_no = ?',
    );
    this.#lastPos = db.prepare('SELECT coalesce(max(pos), 0) AS pos FROM journal');
    this.#insert = write(
      `INSERT INTO journal (pos, event_no, seq, before_pos, kind, at_ms, subject, fact)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#mark = write('INSERT INTO journal_marks (event_no, seq, pos) VALUES (?, ?, ?)');
    this.#makeHead = write('INSERT INTO event_heads (event_no, seq) VALUES (?, 0)');
    this.#moveHead = write(
      `UPDATE event_heads SET seq = ?, version = ?, held = ?, sold = ?, aside = ?, last_pos = ?
       WHERE event_no = ?`,
    );
  }

  /** Begins a transaction: what was known of the chains may be of one that was rolled back. */
  begin(): void {
    this.#chainEnds.clear();
  }

  /** Where the event stands. To be asked before entries of it are appended. */
  headOf(eventNo: number): Head {
    const { last_pos: lastPos, ...head } = this.#head.get(eventNo) as Row;
    this.#chainEnds.set(eventNo, lastPos as number | null);
    return { eventNo, ...(head as unknown as Omit<Head, 'eventNo'>) };
  }

  /** A new event's journal, without entries yet. */
  found(eventNo: number): void {
    this.#makeHead.run(eventNo);
    this.#chainEnds.set(eventNo, null);
  }

  /** Appends the entries, each event's in the order of its sequence, and moves the heads of their events. */
  append(
    entries: readonly { readonly eventNo: number; readonly entry: JournalEntry }[],
    heads: Iterable<Head>,
  ): void {
    let pos = this.#lastPos.get()!.pos as number;
    const moved = new Set<number>();
    for (const { eventNo, entry } of entries) {
      const { seq, kind, atMs, fact } = entry;
      const subject = subjectOf(entry) ?? null;
      const before = this.#chainEnds.get(eventNo) ?? null;
      this.#insert.run(++pos, eventNo, seq, before, kind, atMs, subject, JSON.stringify(fact));
      if (seq % MARK_EVERY === 0) this.#mark.run(eventNo, seq, pos);
      this.#chainEnds.set(eventNo, pos);
      moved.add(eventNo);
    }
    for (const { eventNo, seq, version, held, sold, aside } of heads) {
      if (!moved.has(eventNo)) continue;
      this.#moveHead.run(seq, version, held, sold, aside, this.#chainEnds.get(eventNo) ?? null, eventNo);
    }
  }
}

/** Entries `?2 + 1` … `?3` of event `?1`. */
const CHAIN = `WITH RECURSIVE chain (pos, seq, before_pos) AS (
    SELECT pos, seq, before_pos FROM journal WHERE pos = coalesce(
      (SELECT pos FROM journal_marks WHERE event_no = ?1 AND seq >= ?3 ORDER BY seq LIMIT 1),
      (SELECT last_pos FROM event_heads WHERE event_no = ?1))
    UNION ALL
    SELECT j.pos, j.seq, j.before_pos FROM chain JOIN journal j ON j.pos = chain.before_pos
    WHERE j.seq > ?2)`;
const IN_CHAIN = 'j.seq > ?2 AND j.seq <= ?3';

/** Entries `afterSeq+1 … afterSeq+limit` of an event, in order. */
export function* journalPage(eventNo: number, afterSeq: number, limit: number): Read<JournalEntry[]> {
  const rows = yield* ask(
    `${CHAIN} SELECT j.seq, j.kind, j.at_ms, j.fact FROM chain JOIN journal j USING (pos)
     WHERE ${IN_CHAIN} ORDER BY j.seq`,
    [eventNo, afterSeq, afterSeq + limit],
  );
  return rows.map(journalEntry);
}

const LISTED = ORDER_KINDS.map((kind) => `'${kind}'`).join(', ');

/** Orders by the facts that list them, a page of facts at a time. */
export function* ordersInChain(
  { eventNo, eventId }: NumberedEvent,
  afterSeq: number,
  limit: number,
): Read<OrderRecord[]> {
  const orders: OrderRecord[] = [];
  for (let after = afterSeq; orders.length < limit; after += limit) {
    const rows: readonly Row[] = yield* ask(
      `${CHAIN} SELECT j.seq AS fact_seq, j.kind, ${selected(recordColumns(ORDERS), 'o.')}
       FROM chain JOIN journal j USING (pos)
       LEFT JOIN orders o ON o.order_id = j.subject AND j.kind IN (${LISTED})
       WHERE ${IN_CHAIN} ORDER BY j.seq`,
      [eventNo, after, after + limit],
    );
    if (rows.length === 0) break;
    for (const row of rows) {
      factKind({ seq: row.fact_seq!, kind: row.kind! });
      if (row.order_id && orders.length < limit) orders.push(orderRecord(row, eventId));
    }
  }
  return orders;
}

/** All entries of an event in the order they were written: reads the whole journal once. */
export const ENTRIES_BY_POS =
  'SELECT pos, seq, kind, at_ms, fact FROM journal WHERE event_no = ? AND pos > ? ORDER BY pos LIMIT ?';
