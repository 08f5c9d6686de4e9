// The program that the kill test kills: it commits one batch after the other on the ledger named by its argument,
// and writes a line for every batch that was acknowledged.
import { writeSync } from 'node:fs';
import { IdSource } from '@floodgate/core/ids.ts';
import type { CommittedConfirm, Entry } from '../ledger.ts';
import { SqliteReader } from '../sqlite/reader.ts';
import { SqliteWriter } from '../sqlite/writer.ts';
import { EventEntries } from './test-entries.ts';

/** One acknowledged fact: its number, the entry's kind, and the order or hold it is about. */
export type Acknowledged = readonly [seq: number, kind: Entry['kind'], id: string | undefined];

const file = process.argv[2]!;
const entries = new EventEntries(1_000_000, 'kill-test');
const writer = new SqliteWriter(file);
writer.commit([entries.create()]);
const reader = new SqliteReader(file);
let { seq } = reader.claims(entries.eventId);
reader.close();
const ids = new IdSource(1);
const freshId = () => ids.next(Date.now()) as never;

/** A few entries of all kinds on tickets that nobody has. */
function nextBatch(): Entry[] {
  // A sequence number gives at most one claim, and a batch begins beyond the last one: so no ticket is named twice.
  const firstTicket = seq * 8;
  const [kept, given] = [
    entries.hold([firstTicket, firstTicket + 1], { holdId: freshId() }),
    entries.hold([firstTicket + 2], { holdId: freshId() }),
  ] as const;
  const lapsed = entries.hold([firstTicket + 3], { holdId: freshId(), ttlMs: 0 });
  const buy = entries.buy([firstTicket + 4], { orderId: freshId() });
  const confirm = entries.confirm(kept.holdId, { orderId: freshId() });
  const batch = [
    kept,
    given,
    lapsed,
    buy,
    confirm,
    entries.release(given.holdId),
    entries.expire(lapsed.holdId),
  ];
  return batch.slice(0, 1 + (seq % batch.length));
}

for (;;) {
  const batch = nextBatch();
  const acknowledged = writer.commit(batch).map((verdict, index): Acknowledged => {
    if (verdict.status !== 'committed') throw new Error(JSON.stringify(verdict));
    seq = verdict.seq;
    const { orderId, holdId } = verdict as Partial<CommittedConfirm>;
    return [verdict.seq, batch[index]!.kind, orderId ?? holdId];
  });
  writeSync(1, `${JSON.stringify(acknowledged)}\n`);
}
