// The doors for time: what runs, how often, and how much at once.

import { expireDue } from '../sales/keeping/expire.ts';
import { resolveDoubts } from '../sales/keeping/in-doubt.ts';
import { learnFromOthers } from '../sales/keeping/other-processes.ts';
import { Reconciliation } from '../sales/keeping/reconcile.ts';
import type { Shop } from '../sales/shop.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';

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

export function startWorkers(shop: Shop, telemetry: Telemetry, reconcileEveryMs: number): Workers {
  const expire = repeat(telemetry, 'expiring holds failed', EXPIRE_EVERY_MS, async () => {
    return (await expireDue(shop, EXPIRE_AT_ONCE)) === EXPIRE_AT_ONCE;
  });
  const resolve = repeat(telemetry, 'looking up tickets in doubt failed', RESOLVE_EVERY_MS, async () => {
    const resolved = await resolveDoubts(shop);
    if (resolved > 0) telemetry.info('tickets in doubt were looked up in the ledger', { resolved });
    return false;
  });
  const learn = repeat(telemetry, 'looking for what other processes did failed', LEARN_EVERY_MS, async () => {
    const { events, changes } = await learnFromOthers(shop);
    if (events > 0) telemetry.info('events of another process are on sale here too', { learned: events });
    if (changes > 0) telemetry.info('events were changed by another process', { changed: changes });
    return false;
  });
  const reconciliation = new Reconciliation(shop);
  const reconcile = repeat(telemetry, 'comparing inventory and ledger failed', reconcileEveryMs, async () => {
    for (const { eventId, repaired, tickets } of await reconciliation.look()) {
      telemetry.driftRepaired(eventId, repaired, tickets);
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
  telemetry: Telemetry,
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
        telemetry.fault(complaint, error);
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
