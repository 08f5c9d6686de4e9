// The doors for time: what runs, how often, and how much at once.

import { learnStaff } from '../sales/access/staff-keys.ts';
import { expireDue } from '../sales/keeping/expire.ts';
import { resolveDoubts } from '../sales/keeping/in-doubt.ts';
import { Reconciliation } from '../sales/keeping/reconcile.ts';
import type { Shop } from '../sales/shop.ts';

/** Due holds are looked for this often: a hold lapses at most this late. */
const EXPIRE_EVERY_MS = 250;
/** Holds expired in one go; a storm is worked off in such bites, so that sales go on between them. */
const EXPIRE_AT_ONCE = 500;
const RESOLVE_EVERY_MS = 1_000;
/**
 * Events made by another process are on sale here after so long, or when the first buyer asks for them; what it has
 * changed is known here after so long, or when the first buyer would break it.
 */
const LEARN_EVERY_MS = 1_000;

export interface Workers {
  /** Resolves when what was running has finished. */
  stop(): Promise<void>;
}

export function startWorkers(shop: Shop, reconcileEveryMs: number): Workers {
  const expire = repeat(shop, 'expiring holds failed', EXPIRE_EVERY_MS, async () => {
    return (await expireDue(shop, EXPIRE_AT_ONCE)) === EXPIRE_AT_ONCE;
  });
  const resolve = repeat(shop, 'looking up tickets in doubt failed', RESOLVE_EVERY_MS, async () => {
    const resolved = await resolveDoubts(shop);
    if (resolved > 0) shop.telemetry.info('tickets in doubt were looked up in the ledger', { resolved });
    return false;
  });
  const learn = repeat(shop, 'looking for what other processes did failed', LEARN_EVERY_MS, async () => {
    // First, so that a key revoked elsewhere opens nothing here, whatever is wrong with an event.
    await learnStaff(shop);
    const learned = await shop.catalogue.learnEvents();
    if (learned > 0) shop.telemetry.info('events of another process are on sale here too', { learned });
    const changed = await shop.catalogue.learnChanges();
    if (changed > 0) shop.telemetry.info('events were changed by another process', { changed });
    return false;
  });
  const reconciliation = new Reconciliation(shop);
  const reconcile = repeat(shop, 'comparing inventory and ledger failed', reconcileEveryMs, async () => {
    for (const { eventId, repaired, tickets } of await reconciliation.look()) {
      shop.telemetry.driftRepaired(eventId, repaired, tickets);
    }
    return false;
  });
  return {
    async stop() {
      await Promise.all([expire(), resolve(), learn(), reconcile()]);
    },
  };
}

/** Runs `work` again and again, never twice at once; at once when it says there is more. Returns how to stop it. */
function repeat(
  shop: Shop,
  complaint: string,
  everyMs: number,
  work: () => Promise<boolean>,
): () => Promise<void> {
  let isStopped = false;
  let wake = (): void => {};
  const done = (async () => {
    while (!isStopped) {
      let hasMore = false;
      try {
        hasMore = await work();
      } catch (error) {
        shop.telemetry.fault(complaint, error);
      }
      if (isStopped) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, hasMore ? 0 : everyMs);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  })();
  return () => {
    isStopped = true;
    wake();
    return done;
  };
}
