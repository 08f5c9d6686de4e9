// The clock ends holds (row D2, rule S6): whatever is due goes back to sale, the longest due first.

import { post, type Rooms } from '../conduct.ts';

/** Expires up to `limit` due holds. Returns how many were due; a full batch means there may be more. */
export async function expireDue(shop: Rooms, limit: number): Promise<number> {
  const due = await shop.ledger.dueHolds(shop.ledger.nowMs(), limit);
  // Posted together, they travel in one batch and share its commit.
  await Promise.all(
    due.map(async ({ eventId, holdId }) => {
      const outcome = await post(shop, { kind: 'expire', eventId, holdId });
      // Refused: the buyer confirmed or released it in the meantime. Replayed: it was expired before.
      if (outcome.status === 'refused' || outcome.replayed) return;
      shop.telemetry.holdExpired(eventId, holdId, outcome.tickets.length);
    }),
  );
  return due.length;
}
