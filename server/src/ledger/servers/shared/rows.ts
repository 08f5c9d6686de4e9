// Rows of the SQL ledger as records. Servers answer in text, so numbers are made here.
import type { HoldStatus } from '@floodgate/core/hold.ts';
import type { EventId, HoldId, OrderId, Ticket } from '@floodgate/core/ids.ts';
import type { SqlRow } from '../../../drivers/sql/sql.ts';
import { journalEntry } from '../../journal-entry.ts';
import type { ClaimKind, HoldRecord, JournalEntry, OrderRecord } from '../../ledger.ts';

export const ORDER_COLUMNS = `o.order_id, o.seq, o.status, o.buyer, o.secret, o.tickets, o.created_at_ms, o.hold_id`;

export const HOLD_COLUMNS = `h.hold_id, h.seq, h.status, h.buyer, h.tickets, h.created_at_ms, h.expires_at_ms,
  h.order_id`;

/** A claim's kind, by the number that stands for it in the column `sold`. */
export const CLAIM_KINDS: readonly ClaimKind[] = ['held', 'sold', 'aside'];

export function claimKind(sold: string | null | undefined): ClaimKind {
  return CLAIM_KINDS[Number(sold)]!;
}

export function claimNumber(kind: ClaimKind): number {
  return CLAIM_KINDS.indexOf(kind);
}

/** A row of {@link ORDER_COLUMNS}. */
export function orderRecord(row: SqlRow, eventId: EventId): OrderRecord {
  return {
    orderId: row.order_id as OrderId,
    eventId,
    seq: Number(row.seq),
    status: row.status as OrderRecord['status'],
    buyer: row.buyer ?? null,
    secret: row.secret as string,
    tickets: JSON.parse(row.tickets!) as Ticket[],
    createdAtMs: Number(row.created_at_ms),
    holdId: (row.hold_id ?? null) as HoldId | null,
  };
}

/** A row of {@link HOLD_COLUMNS}. */
export function holdRecord(row: SqlRow, eventId: EventId): HoldRecord {
  return {
    holdId: row.hold_id as HoldId,
    eventId,
    seq: Number(row.seq),
    status: row.status as HoldStatus,
    buyer: row.buyer ?? null,
    tickets: JSON.parse(row.tickets!) as Ticket[],
    createdAtMs: Number(row.created_at_ms),
    expiresAtMs: Number(row.expires_at_ms),
    orderId: (row.order_id ?? null) as OrderId | null,
  };
}

/** A row with seq, kind, at_ms and fact. */
export function journalRow({ seq, kind, at_ms: atMs, fact }: SqlRow): JournalEntry {
  return journalEntry(Number(seq), kind!, Number(atMs), fact!);
}

export function numberOrNull(text: string | null | undefined): number | null {
  return text === null || text === undefined ? null : Number(text);
}
