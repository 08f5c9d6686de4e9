// One batch on one connection: read under the heads' locks, judge, write. And, when the answer to its COMMIT was
// lost, what became of it.
import type { RefusalCode } from '@floodgate/core/refusal.ts';
import { judge, limitedBuyerOf } from '../../judge/judge.ts';
import type { Verdict } from '../../judge/state.ts';
import type { Entry } from '../../ledger.ts';
import { makesStream } from '../../streams.ts';
import { batchWriteOf } from './batch-write.ts';
import type { Catalogue } from './event-numbers.ts';
import { headRow, type KnownHeads, knownHead } from './known-heads.ts';
import type { BatchConnection, BatchQuery, BatchWrite, SqlServer } from './sql-server.ts';
import { queryFor, workingSetOf } from './working-set.ts';

/** What was sent with the COMMIT whose answer did not come. */
export interface Unanswered {
  readonly query: BatchQuery;
  readonly write: BatchWrite;
  readonly verdicts: Verdict[];
}

/** The connection broke while a COMMIT was under way: it may or may not have happened. */
export class CommitUnanswered extends Error {
  override readonly name = 'CommitUnanswered';
  readonly unanswered: Unanswered;

  constructor(cause: Error, unanswered: Unanswered) {
    super(cause.message, { cause });
    this.unanswered = unanswered;
  }
}

export interface BatchRooms {
  readonly server: SqlServer;
  readonly catalogue: Catalogue;
  readonly clock: { nowMs(): number };
  readonly heads: KnownHeads;
}

/** Runs the batch once. Rejects with CommitUnanswered, or with what the server said; then nothing was written. */
export async function runBatch(
  rooms: BatchRooms,
  connection: BatchConnection,
  entries: readonly Entry[],
): Promise<Verdict[]> {
  const { catalogue, heads } = rooms;
  const unknown = catalogue.unknown(entries.map(({ eventId }) => eventId));
  if (unknown.length > 0) await catalogue.lookUp(connection, unknown);
  const query = queryFor(entries, catalogue.known);
  if (query.eventNos.length === 0) return judgeBatch(rooms, entries, query, NOTHING).verdicts;
  if (entries.every(isForeseeable)) {
    await heads.settled(query.eventNos);
    const verdicts = await tryForeseen(rooms, connection, entries, query);
    if (verdicts) return verdicts;
  }
  return runOnRows(rooms, connection, entries, query);
}

/** What is judged on heads alone: claims of tickets that are free and keys that are new, unless the server objects. */
function isForeseeable(entry: Entry): boolean {
  const { kind } = entry;
  return kind === 'refuse' || ((kind === 'buy' || kind === 'hold') && limitedBuyerOf(entry) === undefined);
}

/**
 * Who is refused for a ticket is told of all that are taken, a key may have an outcome that comes before any
 * complaint, and the event may have grown: only a process that has looked knows. (Whatever else is refused, is so by what this
 * very batch writes.)
 */
function needsALook(verdict: Verdict): boolean {
  if (verdict.status === 'refused') return LOOKED_UP.has(verdict.refusal);
  return verdict.status === 'broken';
}

const LOOKED_UP: ReadonlySet<RefusalCode> = new Set(['TICKET_TAKEN', 'EVENT_CHANGED']);

/** The verdicts of a batch that went as foreseen; undefined when it was not tried, or nothing was written. */
async function tryForeseen(
  rooms: BatchRooms,
  connection: BatchConnection,
  entries: readonly Entry[],
  query: BatchQuery,
): Promise<Verdict[] | undefined> {
  const { server, heads } = rooms;
  const foreseen = heads.foresee(query.eventNos);
  if (!foreseen) return undefined;
  const rows = { ...NOTHING, heads: foreseen.map(headRow) };
  const { verdicts, write } = judgeBatch(rooms, entries, query, rows);
  if (!write || verdicts.some(needsALook)) return undefined;
  heads.stand(write.heads);
  try {
    await connection.writeForeseen(foreseen, write);
    heads.wasRight(query.eventNos);
    return verdicts;
  } catch (error) {
    heads.wasWrong(query.eventNos);
    if (server.faultOf(error) === 'connection lost') {
      throw new CommitUnanswered(error as Error, { query, write, verdicts });
    }
    await connection.rollback();
    return undefined;
  }
}

/** Reads under the heads' locks, judges, writes. */
async function runOnRows(
  rooms: BatchRooms,
  connection: BatchConnection,
  entries: readonly Entry[],
  query: BatchQuery,
): Promise<Verdict[]> {
  const { server, catalogue, heads } = rooms;
  const learned = heads.learn(query.eventNos);
  try {
    const rows = await connection.readBatch(query);
    // Another process may have made the event between the look-up and the lock; now nobody can.
    const made = catalogue.unknown(entries.filter(makesStream).map(({ eventId }) => eventId));
    if (made.length > 0 && (await catalogue.lookUp(connection, made))) {
      await connection.rollback();
      return await runBatch(rooms, connection, entries);
    }
    const stand = rows.heads.map(knownHead);
    const changed = catalogue.changed(
      entries.map(({ eventId }) => eventId),
      stand,
    );
    if (changed.length > 0) await catalogue.lookUp(connection, changed);
    const { verdicts, write } = judgeBatch(rooms, entries, query, rows);
    heads.stand(stand);
    heads.stand(write?.heads ?? []);
    learned();
    if (!write) await connection.rollback();
    else await commit(server, connection, { query, write, verdicts });
    if (write) catalogue.rememberWritten(write);
    return verdicts;
  } catch (error) {
    heads.forget(query.eventNos);
    if (connection.isOpen) await connection.rollback().catch(() => connection.destroy());
    throw error;
  } finally {
    learned();
  }
}

const NOTHING = { heads: [], claims: [], holds: [], orders: [], kept: [], belongings: [] };

function judgeBatch(
  { catalogue, clock }: BatchRooms,
  entries: readonly Entry[],
  query: BatchQuery,
  rows: Parameters<typeof workingSetOf>[2],
): { verdicts: Verdict[]; write: BatchWrite | undefined; query: BatchQuery } {
  const { set, latestMs } = workingSetOf(entries, catalogue.known, rows);
  // Another process may be some milliseconds ahead; an event's facts are in the order of their times all the same.
  const nowMs = Math.max(clock.nowMs(), latestMs);
  const { verdicts, changes } = judge(set, entries, nowMs);
  return { verdicts, write: batchWriteOf(set, changes, nowMs), query };
}

async function commit(server: SqlServer, connection: BatchConnection, unanswered: Unanswered): Promise<void> {
  try {
    await connection.writeBatch(unanswered.write);
  } catch (error) {
    if (server.faultOf(error) !== 'connection lost') throw error;
    throw new CommitUnanswered(error as Error, unanswered);
  }
}

/**
 * Whether the unanswered batch is in the ledger. Locking its heads waits for the old transaction to end; then either
 * all of its rows are there, or none is, and none will be.
 */
export async function wasCommitted(
  connection: BatchConnection,
  { query, write }: Unanswered,
): Promise<boolean> {
  try {
    const { kept } = await connection.readBatch({ ...query, claims: [], holds: [], orders: [], buyers: [] });
    const present = new Set(
      kept.map((row) => keptRow(row.event_no!, row.digest!, row.hash!, row.answer!, row.subject, row.detail)),
    );
    // With its hash: a foreseen batch may say "sold out" under a key that said so to another request before.
    const hasKept = write.kept.every(({ eventNo, key: { digest, hash }, answer, subject, detail }) =>
      present.has(keptRow(eventNo, digest, hash, answer, subject, detail && JSON.stringify(detail))),
    );
    const found = hasKept && (await hasEvents(connection, write)) && (await hasJournal(connection, write));
    await connection.rollback();
    return found;
  } catch (error) {
    if (connection.isOpen) await connection.rollback().catch(() => connection.destroy());
    throw error;
  }
}

function keptRow(...parts: (string | number | null | undefined)[]): string {
  return JSON.stringify(parts.map((part) => (part === null || part === undefined ? null : `${part}`)));
}

/** New events by number and definition: another process may have made one of that number, or of that id, instead. */
async function hasEvents(connection: BatchConnection, { newEvents }: BatchWrite): Promise<boolean> {
  for (const { eventNo, event } of newEvents) {
    const [row] = await connection.query('SELECT definition FROM events WHERE event_no = ?', [eventNo]);
    if (row?.definition !== JSON.stringify(event)) return false;
  }
  return true;
}

/**
 * All entries, not only the first, and all that they say: that a hold was released may have been written by another
 * process under the very number, but then the rest is not there, or says the same.
 */
async function hasJournal(connection: BatchConnection, { journal }: BatchWrite): Promise<boolean> {
  const byEvent = Map.groupBy(journal, ({ eventNo }) => eventNo);
  for (const [eventNo, entries] of byEvent) {
    const seqs = entries.map(({ entry }) => entry.seq);
    const rows = await connection.query(
      'SELECT seq, kind, fact FROM journal WHERE event_no = ? AND seq >= ? AND seq <= ?',
      [eventNo, seqs[0]!, seqs.at(-1)!],
    );
    const present = new Set(rows.map((row) => factRow(row.seq!, row.kind!, row.fact!)));
    for (const { entry } of entries) {
      const { seq, kind, fact } = entry;
      if (!present.has(factRow(seq, kind, JSON.stringify(fact)))) return false;
    }
  }
  return true;
}

function factRow(seq: number | string, kind: string, fact: string): string {
  return `${seq} ${kind} ${fact}`;
}
