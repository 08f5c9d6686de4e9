// Keys made cheap: a digest of fixed length instead of the client's text, and a pointer at the order or hold that was
// granted instead of the answer once more. What earlier releases kept is answered for ever, so it is brought along; its
// old form is read here and nowhere else.
import { invariant } from '@floodgate/core/assert.ts';
import { MAX_EVENT_CAPACITY } from '@floodgate/core/event/event.ts';
import type { Ticket } from '@floodgate/core/ids.ts';
import {
  type Filling,
  type Migration,
  type SchemaDialect,
  tableOnServer,
} from '../../drivers/sql/migration.ts';
import { keptAnswerOf } from '../kept-outcome.ts';
import { keyDigest, type Outcome, type RefusalWithDetail } from '../ledger.ts';
import { KEPT_KEYS_TABLES } from '../sqlite/kept-keys.ts';

export const cheapKeys: Migration = {
  version: 4,
  name: 'cheap keys',
  statements: (sql) =>
    sql.rowsLie === 'by time'
      ? [...KEPT_KEYS_TABLES, ...sql.renameTable('idempotency_keys', OLD_KEYS)]
      : byEvent(sql),
  fill: bringAlong,
};

/**
 * While rows are brought along, a process of an earlier release must not write another: behind the page that is being read
 * it would be dropped with the table, and its sale made again under the same key. So the table has another name first.
 */
const OLD_KEYS = 'old_idempotency_keys';

function byEvent(sql: SchemaDialect): string[] {
  const { bigint, text, shortText } = sql;
  return [
    ...tableOnServer(
      sql,
      'kept_keys',
      [
        `event_no ${bigint} NOT NULL`,
        `digest ${shortText} NOT NULL`,
        `hash ${shortText} NOT NULL`,
        `answer ${shortText} NOT NULL`,
        `subject ${bigint}`,
        `detail ${text}`,
        'PRIMARY KEY (event_no, digest)',
      ],
      sql.clustered,
    ),
    ...sql.renameTable('idempotency_keys', OLD_KEYS),
    // An attempt that was cut off behind the last step finds nothing more to bring along.
    ...tableOnServer(
      sql,
      OLD_KEYS,
      [
        `event_no ${bigint} NOT NULL`,
        ...['scope', 'idempotency_key', 'hash'].map((column) => `${column} ${shortText} NOT NULL`),
        `outcome ${text} NOT NULL`,
        'PRIMARY KEY (event_no, scope, idempotency_key)',
      ],
      sql.clustered,
    ),
  ];
}

const PAGE_ROWS = 500;

function* bringAlong(sql: SchemaDialect): Filling {
  let last: readonly (string | number)[] = [-1, '', ''];
  for (;;) {
    const rows = yield {
      sql: `SELECT event_no, scope, idempotency_key, hash, outcome FROM ${OLD_KEYS}
        WHERE event_no > ? OR (event_no = ? AND (scope > ? OR (scope = ? AND idempotency_key > ?)))
        ORDER BY event_no, scope, idempotency_key LIMIT ${PAGE_ROWS}`,
      params: [last[0]!, last[0]!, last[1]!, last[1]!, last[2]!],
    };
    if (rows.length === 0) break;
    const values = rows.flatMap(({ event_no: eventNo, scope, idempotency_key: key, hash, outcome }) => {
      const { answer, subject, detail } = keptAnswerOf(outcomeOfOldRow(`${outcome}`));
      const digest = keyDigest(`${scope}`, `${key}`);
      return [
        Number(eventNo),
        digest,
        `${hash}`.slice(0, digest.length),
        answer,
        subject,
        detail && JSON.stringify(detail),
      ];
    });
    yield {
      sql: sql.insertIfNew(
        'kept_keys (event_no, digest, hash, answer, subject, detail)',
        rows.map(() => '(?, ?, ?, ?, ?, ?)').join(', '),
      ),
      params: values,
    };
    const { event_no, scope, idempotency_key } = rows.at(-1)!;
    last = [Number(event_no), `${scope}`, `${idempotency_key}`];
  }
  yield { sql: `DROP TABLE ${OLD_KEYS}`, params: [] };
}

/**
 * Earlier releases wrote whatever an answer said beside its code as one number `note` and a list `seats`. Exported for
 * its test.
 */
export function outcomeOfOldRow(text: string): Outcome {
  const { note, seats, remaining, ...outcome } = JSON.parse(text) as Outcome & Note;
  if (outcome.status === 'refused') {
    return outcome.detail ? outcome : { status: 'refused', ...withDetail(outcome, note, seats) };
  }
  const left = remaining ?? note;
  // Only purchases noted something when they were committed: how many tickets were left.
  return (left === undefined ? outcome : { ...outcome, remaining: left }) as Outcome;
}

interface Note {
  readonly note?: number;
  readonly seats?: readonly Ticket[];
  readonly remaining?: number;
}

function withDetail(
  { refusal }: RefusalWithDetail,
  note: number | undefined,
  seats: readonly Ticket[] | undefined,
): RefusalWithDetail {
  if (note === undefined && seats === undefined) return { refusal };
  switch (refusal) {
    case 'NOT_ON_SALE':
      return { refusal, detail: { onSaleAtMs: note } };
    case 'BELOW_MINIMUM':
    case 'LIMIT_REACHED':
      return { refusal, detail: { perOrder: note } };
    case 'SEAT_TAKEN':
      return { refusal, detail: { seats } };
    case 'ALL_HELD': {
      invariant(note !== undefined, 'seats are noted only of seats');
      // A number of tickets and a time of this century are of different sizes.
      const isTime = note > MAX_EVENT_CAPACITY;
      return { refusal, detail: isTime ? { nextExpiryAtMs: note } : { remaining: note } };
    }
    case 'SOLD_OUT':
    case 'NO_SEATS_TOGETHER':
      return { refusal, detail: { remaining: note } };
    default:
      // No other refusal had anything to say.
      return { refusal };
  }
}
