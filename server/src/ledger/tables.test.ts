// The tables' descriptions against the schema that the migrations make, and the texts that are made of them but not
// sent yet: those of an order that changes, and of a column that a later schema brings.
import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import type { OrderId, Ticket } from '@floodgate/core/ids.ts';
import { SQLITE } from '../drivers/sql/sqlite/dialect.ts';
import { definitionOf } from './migrations/new-columns.ts';
import { changes } from './servers/mysql/table-rows.ts';
import { changeText, insertText } from './servers/postgres/statements.ts';
import { change, insertInto } from './sqlite/rows.ts';
import { migrate } from './sqlite/schema.ts';
import { type Column, TABLES, type Table, ticketsText } from './tables.ts';

interface Refundable {
  readonly orderId: OrderId;
  readonly status: string;
  readonly returned: readonly Ticket[];
  readonly refunded: number | null;
  readonly lines: object | null;
}

/** Orders, as they may become. */
const REFUNDABLE: Table<Refundable> = {
  name: 'orders',
  id: 'order_id',
  columns: [
    { name: 'order_id', type: 'id', of: (o) => o.orderId },
    { name: 'status', type: 'word', words: ['confirmed', 'refunded'], changes: true, of: (o) => o.status },
    { name: 'returned', type: 'tickets', changes: true, of: (o) => o.returned },
    { name: 'refunded', type: 'integer', isNull: true, changes: true, of: (o) => o.refunded },
    { name: 'lines', type: 'json', isNull: true, of: (o) => o.lines },
  ],
};

const ONE: Refundable = {
  orderId: '9223372036854775807' as OrderId,
  status: 'refunded',
  returned: [3, 4] as Ticket[],
  refunded: null,
  lines: { a: 1 },
};

describe('tables', () => {
  test('are described as the migrations make them', () => {
    const db = new DatabaseSync(':memory:');
    migrate(db);
    for (const { name, columns, id } of TABLES) {
      const made = db.prepare(`PRAGMA table_info(${name})`).all();
      const described = columns.map((column) => {
        const isKey = column.name === id && name !== 'journal';
        const definition = definitionOf(SQLITE, column);
        return `${column.name} ${isKey ? 'INTEGER' : definition}`;
      });
      const ofSqlite = new Set(['event_no', 'pos', 'before_pos', 'key_no']);
      const present = made
        .filter(({ name }) => !ofSqlite.has(String(name)))
        .map(({ name, type, notnull }) => `${name} ${type}${notnull ? ' NOT NULL' : ''}`);
      assert.deepEqual(present.toSorted(), described.toSorted(), name);
    }
    db.close();
  });

  test('a word that changes says what it may be, and a new column what earlier rows have in it', () => {
    for (const { name, columns } of TABLES) {
      for (const column of columns) {
        const about = `${name}.${column.name}`;
        if (column.changes && column.type === 'word') assert.ok(column.words?.length, about);
        if (column.since) assert.ok(column.isNull || column.default !== undefined, about);
      }
    }
  });

  test('an order that may change is changed by its key', () => {
    const even = (text: string) => text.replace(/\s+/g, ' ');
    assert.equal(
      even(changeText(REFUNDABLE)),
      'UPDATE orders o SET status = q.status, returned = q.returned, refunded = q.refunded ' +
        "FROM unnest($1::bigint[], $2::bigint[], $3::text[], string_to_array($4, E'\\n'), $5::bigint[]) " +
        'AS q (event_no, order_id, status, returned, refunded) ' +
        'CROSS JOIN LATERAL (SELECT ctid FROM orders WHERE event_no = q.event_no AND order_id = q.order_id LIMIT 1) at ' +
        'WHERE o.ctid = at.ctid',
    );
    assert.match(insertText(REFUNDABLE), /\$5::bigint\[\], string_to_array\(\$6, E'\\n', ''\)\)$/);
    const [text, found, ...others] = changes(REFUNDABLE)([{ ...ONE, eventNo: 7 }]);
    assert.equal(
      even(text!),
      `UPDATE JSON_TABLE('[[7,9223372036854775807,2,"[3,4]",null]]', '$[*]' COLUMNS (` +
        "event_no BIGINT PATH '$[0]', order_id BIGINT PATH '$[1]', status BIGINT PATH '$[2]', " +
        "returned LONGTEXT PATH '$[3]', refunded BIGINT PATH '$[4]')) l " +
        'STRAIGHT_JOIN orders o FORCE INDEX (PRIMARY) ON o.event_no = l.event_no AND o.order_id = l.order_id ' +
        "SET o.status = ELT(l.status, 'confirmed', 'refunded'), o.returned = l.returned, o.refunded = l.refunded",
    );
    assert.match(found!, /ROW_COUNT\(\) = 1/);
    assert.deepEqual(others, []);
    assert.throws(() => changes(REFUNDABLE)([{ ...ONE, eventNo: 7, status: 'lost' }]), /status is lost/);
  });

  test('and so on SQLite, where its id is the key', () => {
    const db = new DatabaseSync(':memory:');
    db.exec(
      `CREATE TABLE orders (order_id INTEGER PRIMARY KEY, event_no INTEGER, status TEXT, returned TEXT,
         refunded INTEGER, lines TEXT) STRICT`,
    );
    insertInto(db, REFUNDABLE)(7, { ...ONE, status: 'confirmed', returned: [] });
    change(db, REFUNDABLE)(7, ONE);
    const row = db
      .prepare('SELECT CAST(order_id AS TEXT) AS id, event_no, status, returned, refunded, lines FROM orders')
      .get();
    assert.deepEqual(
      { ...row },
      {
        id: ONE.orderId,
        event_no: 7,
        status: 'refunded',
        returned: '[3,4]',
        refunded: null,
        lines: '{"a":1}',
      },
    );
    db.close();
  });

  test('a text cannot change in a list of MySQL, where it would have to be quoted twice', () => {
    const columns: readonly Column<{ readonly text: string }>[] = [
      { name: 'text', type: 'text', changes: true, of: ({ text }) => text },
    ];
    assert.throws(() => changes({ name: 'texts', columns }), TypeError);
  });

  test('tickets are kept as JSON writes them', () => {
    for (const tickets of [[], [0], [7, 1, 999_999]]) {
      assert.equal(ticketsText(tickets as Ticket[]), JSON.stringify(tickets));
    }
  });
});
