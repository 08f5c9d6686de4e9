// The reading side of a SQLite ledger: a read-only connection in a thread of its own, so that a long read (an
// audit, a claim snapshot) never holds up a commit. WAL gives every transaction one consistent view.
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { ReadingAtOnce, readNamed } from '../reading.ts';
import { ask, type Read, type ReadDialect, type ReadName } from '../reads.ts';
import { HOLDS, ORDERS, recordColumns } from '../tables.ts';
import { ENTRIES_BY_POS, journalPage, ordersInChain } from './journal.ts';
import { idColumn, type Row, selected } from './rows.ts';
import { assertToday } from './schema.ts';

const SQLITE: ReadDialect = {
  orderColumns: selected(recordColumns(ORDERS), 'o.'),
  holdColumns: selected(recordColumns(HOLDS), 'h.'),
  id: idColumn,
  claimedTickets: `SELECT kind, group_concat(ticket) AS tickets FROM claims
    WHERE event_no = ? AND ticket >= ? AND ticket < ? GROUP BY kind`,
  // They are numbered without gaps, and never deleted: nobody has to count millions of them.
  keptKeys: 'SELECT coalesce(max(key_no), 0) AS n FROM kept_keys',
  journal: journalPage,
  orders: ordersInChain,
  allEntries: { sql: ENTRIES_BY_POS, key: 'pos' },
};

/** Lists of tickets make texts of every length, of which not all are kept. */
const MOST_PREPARED = 64;

export class SqliteReader extends ReadingAtOnce {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /** Opens an existing ledger file. Throws SchemaTooNew and SchemaTooOld. */
  constructor(file: string) {
    super();
    this.#db = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
    assertToday(this.#db);
  }

  override answer(name: ReadName, asked: readonly unknown[]): unknown {
    const { read, ofEvent, ofUnknown } = readNamed(name);
    if (!ofEvent) return this.#run(read!(SQLITE, ...asked));
    const [eventId] = asked;
    return this.#inOneView(() => {
      const [event] = this.#run(ask('SELECT event_no FROM events WHERE event_id = ?', [eventId as string]));
      return event ? this.#run(ofEvent(SQLITE, event.event_no as number, ...asked)) : ofUnknown!(eventId);
    });
  }

  close(): void {
    this.#db.close();
  }

  #run<T>(read: Read<T>): T {
    let step = read.next();
    while (!step.done) {
      const { sql, parameters } = step.value;
      step = read.next(this.#prepared(sql).all(...parameters) as Row[]);
    }
    return step.value;
  }

  #prepared(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known) return known;
    const statement = this.#db.prepare(sql);
    if (this.#statements.size < MOST_PREPARED) this.#statements.set(sql, statement);
    return statement;
  }

  #inOneView<T>(read: () => T): T {
    this.#db.exec('BEGIN');
    try {
      return read();
    } finally {
      this.#db.exec('COMMIT');
    }
  }
}
