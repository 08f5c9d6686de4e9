// Cursors of lists: opaque to clients, a position to us.
import { type OrderId, orderId } from '@floodgate/core/ids.ts';
import type { Answer } from './answer.ts';
import { problem } from './problem.ts';

/** The position after which the page begins; undefined for a text that is no cursor. */
export function readCursor(cursor: string | undefined): number | undefined {
  if (cursor === undefined) return 0;
  const text = Buffer.from(cursor, 'base64url').toString('latin1');
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** The same for lists whose position is an id; null for a text that is no cursor, undefined for the first page. */
export function readIdCursor(cursor: string | undefined): OrderId | undefined | null {
  if (cursor === undefined) return undefined;
  return orderId(Buffer.from(cursor, 'base64url').toString('latin1')) ?? null;
}

/** The answer to a text that is no cursor. */
export function refuseCursor(requestId: string): Answer {
  return problem('VALIDATION_FAILED', requestId, { fields: { 'query.cursor': 'is not a cursor of ours' } });
}

/** The member `nextCursor`, when the page was full and so may not be the last. */
export function nextCursor(
  rows: number,
  limit: number,
  position: number | string | undefined,
): { nextCursor?: string } {
  if (rows < limit || position === undefined) return {};
  return { nextCursor: Buffer.from(String(position), 'latin1').toString('base64url') };
}
