// Rows of the SQLite ledger as records.

import type { EventDefinition } from '@floodgate/core/event/event.ts';
import type { HoldStatus } from '@floodgate/core/hold.ts';
import type { EventId, HoldId, OrderId, Ticket } from '@floodgate/core/ids.ts';
import type { ClaimKind, EventRecord, HoldRecord, OrderRecord } from '../ledger.ts';

/** What `get` and `all` return for the columns below. */
export type Row = Record<string, string | number | null>;

/** The column `claims.sold` as a word, by its value. */
export const CLAIM_KINDS: readonly ClaimKind[] = ['held', 'sold', 'aside'];

export function claimKind(row: Row): ClaimKind {
  return CLAIM_KINDS[row.sold as number]!;
}

/** A row of `definition, version`. */
export function eventRecord(row: Row): EventRecord {
  return { event: JSON.parse(row.definition as string) as EventDefinition, version: row.version as number };
}

export const ORDER_COLUMNS = `CAST(order_id AS TEXT) AS order_id, seq, status, buyer, secret, tickets,
  created_at_ms, CAST(hold_id AS TEXT) AS hold_id`;

export const HOLD_COLUMNS = `CAST(hold_id AS TEXT) AS hold_id, seq, status, buyer, tickets, created_at_ms,
  expires_at_ms, CAST(order_id AS TEXT) AS order_id, ended_seq, ended_at_ms`;

/** A row of {@link ORDER_COLUMNS}. */
export function orderRecord(row: Row, eventId: EventId): OrderRecord {
  return {
    orderId: row.order_id as OrderId,
    eventId,
    seq: row.seq as number,
    status: row.status as OrderRecord['status'],
    buyer: row.buyer as string | null,
    secret: row.secret as string,
    tickets: ticketList(row.tickets as string),
    createdAtMs: row.created_at_ms as number,
    holdId: row.hold_id as HoldId | null,
  };
}

/** A row of {@link HOLD_COLUMNS}. */
export function holdRecord(row: Row, eventId: EventId): HoldRecord {
  return {
    holdId: row.hold_id as HoldId,
    eventId,
    seq: row.seq as number,
    status: row.status as HoldStatus,
    buyer: row.buyer as string | null,
    tickets: ticketList(row.tickets as string),
    createdAtMs: row.created_at_ms as number,
    expiresAtMs: row.expires_at_ms as number,
    orderId: row.order_id as OrderId | null,
  };
}

/** The ticket numbers of a row's `tickets` column, a JSON array. */
export function ticketList(json: string): Ticket[] {
  return JSON.parse(json) as Ticket[];
}
