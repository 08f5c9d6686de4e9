// What a batch reads. Every statement finds its rows by primary key, driven by a list that stands in the statement
// itself, so it looks at no other row; the heads are locked in the order of the list.
import { LIVE_STATUSES } from '@floodgate/core/hold.ts';
import { id, integer, text } from '../../../drivers/sql/mysql/literals.ts';
import { BEYOND_HOLD, besides, HOLDS, isLiveOrder, ORDERS } from '../../tables.ts';
import type { BatchQuery, ForeseenHead } from '../shared/sql-server.ts';
import { BY_KEY, inLists, list, mustBe, splitRows } from './row-lists.ts';

const SUBJECT = [...besides(ORDERS, 'o'), ...besides(HOLDS, 'h')]
  .map(([column, as]) => `${column} AS ${as}`)
  .join(', ');
const OF_ORDER = BEYOND_HOLD.map((name) => `o.${name} AS order_${name}`).join(', ');

/** Locks one event's head, or those of many in the order of the list. */
export function lockHeads(eventNos: readonly number[]): string {
  const columns = 'h.event_no, h.seq, h.held, h.sold, h.at_ms, h.version, h.aside';
  if (eventNos.length === 1) {
    return `SELECT ${columns} FROM event_heads h WHERE h.event_no = ${integer(eventNos[0]!)} FOR UPDATE`;
  }
  const asked = list(eventNos.map(integer), ['event_no']);
  return `SELECT ${columns} FROM ${asked}
    STRAIGHT_JOIN event_heads h ${BY_KEY} ON h.event_no = l.event_no FOR UPDATE`;
}

/** Locks the heads as {@link lockHeads} does, and fails unless they stand where they are foreseen. */
export function lockForeseen(foreseen: readonly ForeseenHead[]): string[] {
  const asForeseen = foreseen.map(({ eventNo, seq }) => `(${integer(eventNo)},${integer(seq)})`);
  const found = `(SELECT COUNT(*) FROM event_heads ${BY_KEY} WHERE (event_no, seq) IN (${asForeseen.join()}))`;
  return [lockHeads(foreseen.map(({ eventNo }) => eventNo)), mustBe(found, foreseen.length)];
}

export function readClaims(claims: BatchQuery['claims']): string[] {
  const rows = claims.map(({ eventNo, ticket }) => `${integer(eventNo)},${integer(ticket)}`);
  return inLists(
    rows,
    ['event_no', 'ticket'],
    (asked) =>
      `SELECT c.event_no, c.ticket, c.kind, c.claimed_by
       FROM ${asked} STRAIGHT_JOIN claims c ${BY_KEY} ON c.event_no = l.event_no AND c.ticket = l.ticket`,
  );
}

export function readHolds(holds: BatchQuery['holds']): string[] {
  const rows = holds.map(({ eventNo, holdId }) => `${integer(eventNo)},${id(holdId)}`);
  return inLists(
    rows,
    ['event_no', 'hold_id'],
    (asked) =>
      `SELECT h.*, ${OF_ORDER}
       FROM ${asked} STRAIGHT_JOIN holds h ${BY_KEY} ON h.event_no = l.event_no AND h.hold_id = l.hold_id
       LEFT JOIN orders o ON o.event_no = h.event_no AND o.order_id = h.order_id`,
  );
}

export function readOrders(orders: BatchQuery['orders']): string[] {
  const rows = orders.map(({ eventNo, orderId }) => `${integer(eventNo)},${id(orderId)}`);
  return inLists(
    rows,
    ['event_no', 'order_id'],
    (asked) =>
      `SELECT o.* FROM ${asked} STRAIGHT_JOIN orders o ${BY_KEY}
         ON o.event_no = l.event_no AND o.order_id = l.order_id`,
  );
}

export function readKept(keys: BatchQuery['keys']): string[] {
  const rows = keys.map(({ eventNo, digest }) => `${integer(eventNo)},${text(digest)}`);
  return splitRows(rows).map(
    (some) =>
      `SELECT k.event_no, k.digest, k.hash, k.answer, k.subject, k.detail, ${SUBJECT} FROM kept_keys k ${BY_KEY}
       LEFT JOIN orders o ON o.event_no = k.event_no AND o.order_id = k.subject
       LEFT JOIN holds h ON h.event_no = k.event_no AND h.hold_id = k.subject
       WHERE (k.event_no, k.digest) IN ((${some.join('),(')}))`,
  );
}

/** Orders, and live holds. */
export function readBelongings(buyers: BatchQuery['buyers']): string[] {
  const rows = buyers.map(({ eventNo, buyer }) => `${text(buyer)},${integer(eventNo)}`);
  return splitRows(rows).flatMap((some) => [
    `SELECT event_no, buyer, NULL AS hold_id, tickets, returned FROM orders FORCE INDEX (orders_by_buyer)
     WHERE (buyer, event_no) IN ((${some.join('),(')})) AND ${isLiveOrder()}`,
    `SELECT event_no, buyer, hold_id, tickets, NULL AS returned FROM holds FORCE INDEX (holds_by_buyer)
     WHERE (buyer, event_no, status) IN (${LIVE_STATUSES.flatMap((status) => some.map((row) => `(${row},'${status}')`)).join()})`,
  ]);
}
