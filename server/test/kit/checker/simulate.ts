// One repeatable run: clients shop in the simulated shop, it crashes and restarts, the clients ask again for
// what they do not know, the holds run out. The result is what the checker gets to see.
import { Workload } from '../workload.ts';
import type { CheckOptions } from './check.ts';
import type { FinalLedger } from './final-ledger.ts';
import { HistoryLog, type HistoryRecord } from './history.ts';
import { seededRandom } from './random.ts';
import type { Bug } from './sim-bugs.ts';
import { SimClock } from './sim-clock.ts';
import { SimShop } from './sim-shop.ts';

export interface Run {
  readonly history: readonly HistoryRecord[];
  readonly ledger: FinalLedger;
  readonly options: CheckOptions;
}

const PLAN = { eventIds: ['1', 'rock-night'], capacity: 120, holdTtlMs: 200, sweepMs: 20 };
const CLIENTS = {
  eventIds: PLAN.eventIds,
  ticketType: 'ga',
  clients: 10,
  thinkMs: 12,
  holdForMs: 300,
  retryMs: 15,
};
const SHOPPING_MS = 1_500;
const CRASHES = 3;
const DOWN_MS = 20;

/** Runs the shop, with the given bug if any, to its end in virtual time. */
export async function simulate(seed: number, bug?: Bug): Promise<Run> {
  const clock = new SimClock();
  const random = seededRandom(seed);
  const shop = new SimShop({ clock, random, plan: PLAN, bug });
  const log = new HistoryLog(() => clock.nowMs);
  const send = shop.send.bind(shop);
  const sleep = clock.sleep.bind(clock);
  const clients = new Workload({ send, sleep, random, log }, CLIENTS);

  const live = async (): Promise<Run> => {
    const shopping = clients.run(PLAN.eventIds, () => clock.nowMs >= SHOPPING_MS);
    let earlier: FinalLedger = [];
    for (let crash = 0; crash < CRASHES; crash++) {
      await clock.sleep(random() * 300);
      shop.crash();
      await clock.sleep(DOWN_MS);
      shop.start();
      earlier = shop.view();
    }
    await shopping;
    await clients.resolve();
    await clock.sleep(PLAN.holdTtlMs + 5 * PLAN.sweepMs);
    const options = { holdTtlMs: PLAN.holdTtlMs, isQuiet: true, isResolved: true, earlier };
    return { history: log.records, ledger: shop.view(), options };
  };
  return clock.run(live());
}
