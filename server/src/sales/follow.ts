// How sales follows a journal: every fact of a stream, once and in order, from a cursor on. Whatever is made from facts
// (seat maps, staff keys; later what leaves the house) goes through here, and keeps its cursor where its results are.
import { Follower } from '@floodgate/core/follower.ts';
import type { StreamId } from '@floodgate/core/ids.ts';
import type { JournalEntry, Ledger } from '../ledger/ledger.ts';

const PAGE = 2_000;

/** Facts after `afterSeq` of the stream go to `facts`, a page at a time, whenever the follower is told to read. */
export function follow(
  ledger: Pick<Ledger, 'journal'>,
  stream: StreamId,
  afterSeq: number,
  facts: (entries: readonly JournalEntry[]) => void | Promise<void>,
): Follower<JournalEntry> {
  return new Follower(afterSeq, {
    read: (seq, limit) => ledger.journal(stream, seq, limit),
    apply: facts,
    pageSize: PAGE,
  });
}
