// What a batch writes. Changes and deletions find their rows by primary key and fail when one is missing or not as
// it was read, before anything is committed.

import { id, integer, text, textParts, textToStore } from '../../../drivers/sql/mysql/literals.ts';
import { CLAIMS, claimNumber, EVENTS, HOLDS, JOURNAL, KEPT, ORDERS } from '../../tables.ts';
import type { BatchWrite } from '../shared/sql-server.ts';
import { BY_KEY, conditional, inLists, insert, mustFind } from './row-lists.ts';
import { changes, inserts } from './table-rows.ts';

const insertEvents = inserts(EVENTS);
const insertClaims = inserts(CLAIMS);
const insertHolds = inserts(HOLDS);
const changeHolds = changes(HOLDS);
const insertOrders = inserts(ORDERS);
const changeOrders = changes(ORDERS);
const insertJournal = inserts(JOURNAL);
const insertKept = inserts(KEPT);

/** All that a batch writes, in order; the commit is not among it. A longer text than `textBytes` takes several statements. */
export function writes(write: BatchWrite, textBytes: number): string[] {
  return [
    ...moveClaims(write.movedClaims),
    ...endClaims(write.endedClaims),
    ...changeHolds(write.changedHolds),
    ...changeOrders(write.changedOrders),
    ...insertEvents(write.newEvents),
    ...changeEvents(write.changedEvents),
    ...write.manifests.flatMap((manifest) => keepManifest(manifest, textBytes)),
    ...insertClaims(write.newClaims),
    ...insertHolds(write.newHolds),
    ...insertOrders(write.orders),
    ...insertJournal(write.journal),
    ...insertKept(write.kept),
    ...putHeads(write),
  ];
}

function moveClaims(claims: BatchWrite['movedClaims']): string[] {
  return conditional(
    claims.map(
      ({ eventNo, ticket, was, as, by }) =>
        `${integer(eventNo)},${integer(ticket)},${id(was)},${claimNumber(as)},${id(by)}`,
    ),
    ['event_no', 'ticket', 'was', 'kind', 'claimed_by'],
    (moved) =>
      `UPDATE ${moved} STRAIGHT_JOIN claims c ${BY_KEY}
         ON c.event_no = l.event_no AND c.ticket = l.ticket AND c.claimed_by = l.was
       SET c.kind = l.kind, c.claimed_by = l.claimed_by`,
  );
}

function endClaims(claims: BatchWrite['endedClaims']): string[] {
  return conditional(
    claims.map(({ eventNo, ticket, was }) => `${integer(eventNo)},${integer(ticket)},${id(was)}`),
    ['event_no', 'ticket', 'was'],
    (ended) =>
      `DELETE c FROM ${ended} STRAIGHT_JOIN claims c ${BY_KEY}
         ON c.event_no = l.event_no AND c.ticket = l.ticket AND c.claimed_by = l.was`,
  );
}

function changeEvents(events: BatchWrite['changedEvents']): string[] {
  return events.flatMap(({ eventNo, event, capacity }) => [
    `UPDATE events SET definition = ${textToStore(JSON.stringify(event))}, capacity = ${integer(capacity)}
     WHERE event_no = ${integer(eventNo)}`,
    mustFind(1),
  ]);
}

/**
 * What is there stays. A content that does not fit one statement is put together in the transaction; a part is added
 * only where the parts before it end, so nothing is added to a content that is there as a whole.
 */
function keepManifest({ manifestId, content }: BatchWrite['manifests'][number], textBytes: number): string[] {
  const [first, ...others] = textParts(content, textBytes);
  let length = first!.bytes;
  return [
    `INSERT INTO manifests (manifest_id, content) VALUES (${textToStore(manifestId)},${first!.literal})
     ON DUPLICATE KEY UPDATE manifest_id = manifest_id`,
    ...others.map(({ literal, bytes }) => {
      const isNext = `manifest_id = ${text(manifestId)} AND OCTET_LENGTH(content) = ${integer(length)}`;
      length += bytes;
      return `UPDATE manifests SET content = CONCAT(content, ${literal}) WHERE ${isNext}`;
    }),
  ];
}

/** The heads of new events are made; the others were locked, so they are there. */
function putHeads({ heads, newEvents }: BatchWrite): string[] {
  const isNew = new Set(newEvents.map(({ eventNo }) => eventNo));
  const made = heads.filter((head) => isNew.has(head.eventNo)).map(headRow);
  const moved = heads.filter((head) => !isNew.has(head.eventNo));
  return [
    ...insert(`event_heads (${HEAD_COLUMNS.join(', ')})`, made),
    ...(moved.length === 1 ? moved.map(moveHead) : inLists(moved.map(headRow), HEAD_COLUMNS, moveHeads)),
  ];
}

const HEAD_COLUMNS = ['event_no', 'seq', 'held', 'sold', 'at_ms', 'version', 'aside'];

type Head = BatchWrite['heads'][number];

function headRow({ eventNo, seq, held, sold, atMs, version, aside }: Head): string {
  return [eventNo, seq, held, sold, atMs, version, aside].map(integer).join();
}

/** One head, as most batches have, without a list: 1 µs a sale less. */
function moveHead({ eventNo, seq, held, sold, atMs, version, aside }: Head): string {
  return `UPDATE event_heads SET seq = ${integer(seq)}, held = ${integer(held)}, sold = ${integer(sold)},
    at_ms = ${integer(atMs)}, version = ${integer(version)}, aside = ${integer(aside)}
    WHERE event_no = ${integer(eventNo)}`;
}

function moveHeads(list: string): string {
  return `UPDATE ${list} STRAIGHT_JOIN event_heads h ${BY_KEY} ON h.event_no = l.event_no
    SET h.seq = l.seq, h.held = l.held, h.sold = l.sold, h.at_ms = l.at_ms,
      h.version = l.version, h.aside = l.aside`;
}
