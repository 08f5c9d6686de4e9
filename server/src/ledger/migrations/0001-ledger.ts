// The first schema. `claims` decides what is sold (rule S1): its primary key allows one live claim per ticket.
//
// Orders, holds and journal entries lie in the order of time, so that inserts append to one page whatever the
// number of events; only the claims must lie by event. An event's journal is a chain through that order: each
// entry names the event's entry before it, `event_heads` its last one, and `journal_marks` every 16th, so that a
// page of it is found without a row per entry in a second index. See docs/adr/0003-ledger-layout.md for the figures.
import type { Migration } from './migration.ts';

export const ledgerTables: Migration = {
  version: 1,
  name: 'ledger',
  statements: (sql) => [
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
  ],
};
