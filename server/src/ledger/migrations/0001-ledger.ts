// The first schema. `claims` decides what is sold (rule S1): its primary key allows one live claim per ticket.
//
// Orders, holds and journal entries lie in the order of time, so that inserts append to one page whatever the
// number of events; only the claims must lie by event. An event's journal is a chain through that order: each
// entry names the event's entry before it, `event_heads` its last one, and `journal_marks` every 16th, so that a
// page of it is found without a row per entry in a second index. See docs/adr/0003-ledger-layout.md for the figures.
//
// On database servers orders, holds and journal lie by event instead, because the servers shard by it, and their
// buffers are not one process's page cache; there the journal needs no chain, its primary key orders it.
import { type Migration, type SchemaDialect, tableOnServer } from '../../drivers/sql/migration.ts';

export const ledgerTables: Migration = {
  version: 1,
  name: 'ledger',
  statements: (sql) => (sql.rowsLie === 'by time' ? byTime(sql) : byEvent(sql)),
};

function byTime(sql: SchemaDialect): string[] {
  return [
    `CREATE TABLE events (
      event_no ${sql.appendKey} PRIMARY KEY,
      event_id ${sql.shortText} NOT NULL UNIQUE,
      definition ${sql.text} NOT NULL,
      capacity ${sql.bigint} NOT NULL
    ) ${sql.appended}`,

    // The sequence number an event stands at, and where the entry of that number is.
    `CREATE TABLE event_heads (
      event_no ${sql.appendKey} PRIMARY KEY,
      seq ${sql.bigint} NOT NULL,
      last_pos ${sql.bigint}
    ) ${sql.appended}`,

    `CREATE TABLE claims (
      event_no ${sql.bigint} NOT NULL,
      ticket ${sql.bigint} NOT NULL,
      sold ${sql.bigint} NOT NULL,
      claimed_by ${sql.bigint} NOT NULL,
      PRIMARY KEY (event_no, ticket)
    ) ${sql.clustered}`,

    `CREATE TABLE orders (
      order_id ${sql.appendKey} PRIMARY KEY,
      event_no ${sql.bigint} NOT NULL,
      seq ${sql.bigint} NOT NULL,
      status ${sql.shortText} NOT NULL,
      buyer ${sql.shortText},
      secret ${sql.shortText} NOT NULL,
      tickets ${sql.text} NOT NULL,
      created_at_ms ${sql.bigint} NOT NULL,
      hold_id ${sql.bigint}
    ) ${sql.appended}`,

    `CREATE TABLE holds (
      hold_id ${sql.appendKey} PRIMARY KEY,
      event_no ${sql.bigint} NOT NULL,
      seq ${sql.bigint} NOT NULL,
      status ${sql.shortText} NOT NULL,
      buyer ${sql.shortText},
      tickets ${sql.text} NOT NULL,
      created_at_ms ${sql.bigint} NOT NULL,
      expires_at_ms ${sql.bigint} NOT NULL,
      order_id ${sql.bigint},
      ended_seq ${sql.bigint},
      ended_at_ms ${sql.bigint}
    ) ${sql.appended}`,

    'CREATE INDEX holds_by_deadline ON holds (status, expires_at_ms)',

    // `subject` is the order or hold that the fact is about.
    `CREATE TABLE journal (
      pos ${sql.appendKey} PRIMARY KEY,
      event_no ${sql.bigint} NOT NULL,
      seq ${sql.bigint} NOT NULL,
      before_pos ${sql.bigint},
      kind ${sql.shortText} NOT NULL,
      at_ms ${sql.bigint} NOT NULL,
      subject ${sql.bigint},
      fact ${sql.text} NOT NULL
    ) ${sql.appended}`,

    `CREATE TABLE journal_marks (
      event_no ${sql.bigint} NOT NULL,
      seq ${sql.bigint} NOT NULL,
      pos ${sql.bigint} NOT NULL,
      PRIMARY KEY (event_no, seq)
    ) ${sql.clustered}`,

    `CREATE TABLE idempotency_keys (
      event_no ${sql.bigint} NOT NULL,
      scope ${sql.shortText} NOT NULL,
      idempotency_key ${sql.shortText} NOT NULL,
      hash ${sql.shortText} NOT NULL,
      outcome ${sql.text} NOT NULL,
      PRIMARY KEY (event_no, scope, idempotency_key)
    ) ${sql.clustered}`,
  ];
}

function byEvent(sql: SchemaDialect): string[] {
  const { bigint, text, shortText } = sql;
  return [
    ...tableOnServer(
      sql,
      'events',
      [
        `event_no ${bigint} NOT NULL PRIMARY KEY`,
        `event_id ${shortText} NOT NULL UNIQUE`,
        `definition ${text} NOT NULL`,
        `capacity ${bigint} NOT NULL`,
      ],
      sql.appended,
    ),

    // Where an event stands. A writer locks the event's head first, so its facts are numbered in the
    // order of their commits, without gaps. Head 0 is the catalogue's: its seq counts the events.
    ...tableOnServer(
      sql,
      'event_heads',
      [
        `event_no ${bigint} NOT NULL PRIMARY KEY`,
        ...['seq', 'held', 'sold', 'at_ms'].map((column) => `${column} ${bigint} NOT NULL`),
      ],
      sql.rewritten,
    ),
    `INSERT INTO event_heads (event_no, seq, held, sold, at_ms) SELECT 0, 0, 0, 0, 0
     FROM (SELECT count(*) AS n FROM event_heads WHERE event_no = 0) AS present WHERE n = 0`,

    ...tableOnServer(
      sql,
      'claims',
      [
        ...['event_no', 'ticket', 'sold', 'claimed_by'].map((column) => `${column} ${bigint} NOT NULL`),
        'PRIMARY KEY (event_no, ticket)',
      ],
      sql.clustered,
    ),
    ...orders(sql),
    ...holds(sql),

    // `subject` is the order or hold that the fact is about.
    ...tableOnServer(
      sql,
      'journal',
      [
        `event_no ${bigint} NOT NULL`,
        `seq ${bigint} NOT NULL`,
        `kind ${shortText} NOT NULL`,
        `at_ms ${bigint} NOT NULL`,
        `subject ${bigint}`,
        `fact ${text} NOT NULL`,
        'PRIMARY KEY (event_no, seq)',
      ],
      sql.clustered,
    ),
    ...tableOnServer(
      sql,
      'idempotency_keys',
      [
        `event_no ${bigint} NOT NULL`,
        `scope ${shortText} NOT NULL`,
        `idempotency_key ${shortText} NOT NULL`,
        `hash ${shortText} NOT NULL`,
        `outcome ${text} NOT NULL`,
        'PRIMARY KEY (event_no, scope, idempotency_key)',
      ],
      sql.clustered,
    ),

    // Which process makes ids with which node number, so that two never make the same.
    ...tableOnServer(
      sql,
      'node_leases',
      [
        `node_id ${bigint} NOT NULL PRIMARY KEY`,
        `token ${shortText} NOT NULL`,
        `expires_at_ms ${bigint} NOT NULL`,
      ],
      sql.rewritten,
    ),
  ];
}

function orders(sql: SchemaDialect): string[] {
  const { bigint, text, shortText } = sql;
  return tableOnServer(
    sql,
    'orders',
    [
      `event_no ${bigint} NOT NULL`,
      `order_id ${bigint} NOT NULL`,
      `seq ${bigint} NOT NULL`,
      `status ${shortText} NOT NULL`,
      `buyer ${shortText}`,
      `secret ${shortText} NOT NULL`,
      `tickets ${text} NOT NULL`,
      `created_at_ms ${bigint} NOT NULL`,
      `hold_id ${bigint}`,
      'PRIMARY KEY (event_no, order_id)',
    ],
    sql.clustered,
    { orders_by_id: 'order_id' },
  );
}

function holds(sql: SchemaDialect): string[] {
  const { bigint, text, shortText } = sql;
  return tableOnServer(
    sql,
    'holds',
    [
      `event_no ${bigint} NOT NULL`,
      `hold_id ${bigint} NOT NULL`,
      `seq ${bigint} NOT NULL`,
      `status ${shortText} NOT NULL`,
      `buyer ${shortText}`,
      `tickets ${text} NOT NULL`,
      `created_at_ms ${bigint} NOT NULL`,
      `expires_at_ms ${bigint} NOT NULL`,
      `order_id ${bigint}`,
      `ended_seq ${bigint}`,
      `ended_at_ms ${bigint}`,
      'PRIMARY KEY (event_no, hold_id)',
    ],
    sql.clustered,
    { holds_by_id: 'hold_id', holds_by_deadline: 'status, expires_at_ms' },
  );
}
