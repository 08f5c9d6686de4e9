// The shop's own journal: what staff did that belongs to no event. It is made by the first fact that needs it.
import { SHOP } from '@floodgate/core/ids.ts';
import type { Entry, Outcome } from '../../ledger/ledger.ts';
import type { Shop } from '../shop.ts';

/** Posts an entry of the shop's journal. */
export async function postToShop(
  shop: Pick<Shop, 'ledger'>,
  entry: Extract<Entry, { kind: 'record' | 'keep-manifest' }>,
): Promise<Outcome> {
  const outcome = await shop.ledger.post(entry);
  if (outcome.status !== 'refused' || outcome.refusal !== 'EVENT_NOT_FOUND') return outcome;
  // Another process may do so at the same moment: its shop is as good as ours.
  await shop.ledger.post({ kind: 'open-shop', eventId: SHOP });
  return shop.ledger.post(entry);
}
