// What a batch writes. Changes and deletions find their rows by primary key and fail when one is missing or not as
// it was read, before anything is committed.

import { invariant } from '@floodgate/core/assert.ts';
import { subjectOf } from '@floodgate/core/facts.ts';
import type { HoldStatus } from '@floodgate/core/hold.ts';
import {
  id,
  integer,
  orJsonNull,
  orNull,
  text,
  textParts,
  textToStore,
  ticketList,
  word,
} from '../../../drivers/sql/mysql/literals.ts';
import { claimNumber } from '../shared/rows.ts';
import type { BatchWrite, HoldRow } from '../shared/sql-server.ts';
import { BY_KEY, conditional, inLists, insert, mustFind } from './row-lists.ts';

/** All that a batch writes, in order; the commit is not among it. A longer text than `textBytes` takes several statements. */
export function writes(write: BatchWrite, textBytes: number): string[] {
  return [
    ...moveClaims(write.movedClaims),
    ...endClaims(write.endedClaims),
    ...changeHolds(write.changedHolds),
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
    ['event_no', 'ticket', 'was', 'sold', 'claimed_by'],
    (moved) =>
      `UPDATE ${moved} STRAIGHT_JOIN claims c ${BY_KEY}
         ON c.event_no = l.event_no AND c.ticket = l.ticket AND c.claimed_by = l.was
       SET c.sold = l.sold, c.claimed_by = l.claimed_by`,
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

const HOLD_STATUSES: readonly HoldStatus[] = ['active', 'confirmed', 'released', 'expired'];

function changeHolds(holds: readonly HoldRow[]): string[] {
  return conditional(
    holds.map((h) => [
      integer(h.eventNo), id(h.holdId), statusNumber(h.status), integer(h.expiresAtMs),
      orJsonNull(h.orderId, id), orJsonNull(h.endedSeq, integer), orJsonNull(h.endedAtMs, integer),
    ].join()), // biome-ignore format: one row, in the order of its columns
    ['event_no', 'hold_id', 'status', 'expires_at_ms', 'order_id', 'ended_seq', 'ended_at_ms'],
    (changed) =>
      `UPDATE ${changed} STRAIGHT_JOIN holds h ${BY_KEY} ON h.event_no = l.event_no AND h.hold_id = l.hold_id
       SET h.status = ELT(l.status, '${HOLD_STATUSES.join("', '")}'), h.expires_at_ms = l.expires_at_ms,
         h.order_id = l.order_id, h.ended_seq = l.ended_seq, h.ended_at_ms = l.ended_at_ms`,
  );
}

function statusNumber(status: HoldStatus): string {
  const index = HOLD_STATUSES.indexOf(status);
  invariant(index >= 0, `a hold is ${status}`);
  return String(index + 1);
}

function insertEvents(events: BatchWrite['newEvents']): string[] {
  return insert(
    'events (event_no, event_id, definition, capacity)',
    events.map(({ eventNo, event, capacity }) => [
      integer(eventNo), textToStore(event.eventId), textToStore(JSON.stringify(event)), integer(capacity),
    ].join()), // biome-ignore format: one row, in the order of its columns
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

function insertClaims(claims: BatchWrite['newClaims']): string[] {
  return insert(
    'claims (event_no, ticket, sold, claimed_by)',
    claims.map(
      ({ eventNo, ticket, as, by }) => `${integer(eventNo)},${integer(ticket)},${claimNumber(as)},${id(by)}`,
    ),
  );
}

function insertHolds(holds: readonly HoldRow[]): string[] {
  return insert(
    `holds (event_no, hold_id, seq, status, buyer, tickets, created_at_ms, expires_at_ms, order_id, ended_seq,
      ended_at_ms)`,
    holds.map((h) => [
      integer(h.eventNo), id(h.holdId), integer(h.seq), word(h.status), orNull(h.buyer, textToStore), ticketList(h.tickets),
      integer(h.createdAtMs), integer(h.expiresAtMs), orNull(h.orderId, id), orNull(h.endedSeq, integer),
      orNull(h.endedAtMs, integer),
    ].join()), // biome-ignore format: one row, in the order of its columns
  );
}

function insertOrders(orders: BatchWrite['orders']): string[] {
  return insert(
    'orders (event_no, order_id, seq, status, buyer, secret, tickets, created_at_ms, hold_id)',
    orders.map((o) => {
      const who = `${orNull(o.buyer, textToStore)},${textToStore(o.secret)}`;
      const what = `${ticketList(o.tickets)},${integer(o.createdAtMs)},${orNull(o.holdId, id)}`;
      return `${integer(o.eventNo)},${id(o.orderId)},${integer(o.seq)},${word(o.status)},${who},${what}`;
    }),
  );
}

function insertJournal(journal: BatchWrite['journal']): string[] {
  return insert(
    'journal (event_no, seq, kind, at_ms, subject, fact)',
    journal.map(({ eventNo, entry }) => {
      const { seq, kind, atMs, fact } = entry;
      const subject = orNull(subjectOf(entry) ?? null, id);
      const about = `${integer(eventNo)},${integer(seq)},${word(kind)},${integer(atMs)},${subject}`;
      return `${about},${textToStore(JSON.stringify(fact))}`;
    }),
  );
}

function insertKept(kept: BatchWrite['kept']): string[] {
  return insert(
    'idempotency_keys (event_no, scope, idempotency_key, hash, outcome)',
    kept.map(({ eventNo, scope, key, hash, outcome }) => {
      const address = `${integer(eventNo)},${textToStore(scope)},${textToStore(key)}`;
      return `${address},${textToStore(hash)},${textToStore(outcome)}`;
    }),
  );
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
