// The shop's own journal: what staff did that belongs to no event. It is made by the first fact that needs it.
import { type Entry, type Outcome, SHOP } from '../../ledger/ledger.ts';
import type { Shop } from '../shop.ts';

/** Posts an entry of the shop's journal. */
export async function postToShop(
  shop: Pick<Shop, 'ledger'>,
  entry: Extract<Entry, { kind: 'record' | 'keep-manifest' }>,
): Promise<Outcome> {
  const outcome = await shop.ledger.post(entry);
  if (outcome.status !== 'refused' || outcome.refusal !== 'EVENT_NOT_FOUND') return outcome;
  // Another process may do so at the same moment: its shop is as good as ours.
  await shop.ledger.post({ kind: 'create-event', eventId: SHOP, event: SHOP_EVENT });
  return shop.ledger.post(entry);
}

const SHOP_EVENT = {
  eventId: SHOP,
  name: 'The shop',
  venue: { name: 'The shop' },
  startsAt: '1970-01-01T00:00:00.000Z',
  timeZone: 'Etc/UTC',
  status: 'draft',
  ticketTypes: [],
} as const;
