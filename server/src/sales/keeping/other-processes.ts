// What other processes that share the ledger have done, read now and then, and earlier when somebody asks for it.
import { learnStaff } from '../access/staff-keys.ts';
import type { Shop } from '../shop.ts';

export interface Learned {
  /** Events that are on sale here too from now on. */
  readonly events: number;
  /** Events known here that have changed. */
  readonly changes: number;
}

/** Throws when the ledger cannot be read. */
export async function learnFromOthers(shop: Shop): Promise<Learned> {
  // First, so that a key revoked elsewhere opens nothing here, whatever is wrong with an event.
  await learnStaff(shop);
  const events = await shop.catalogue.learnEvents();
  return { events, changes: await shop.catalogue.learnChanges() };
}
