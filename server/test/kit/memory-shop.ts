// A shop on memory twins, for the tests of sales: its ledger outlives its crashes and fails when it is told to.
import { GUEST } from '@floodgate/core/actor.ts';
import type { EventDefinition } from '@floodgate/core/event/event.ts';
import { IdSource } from '@floodgate/core/ids.ts';
import { ShopIdentity } from '../../src/identity/shop-identity.ts';
import type { Inventory } from '../../src/inventory/inventory.ts';
import { MemoryInventory } from '../../src/inventory/memory/memory-inventory.ts';
import { MemoryLedger } from '../../src/ledger/contract/memory-ledger.ts';
import { EventEntries, TestClock } from '../../src/ledger/contract/test-entries.ts';
import type { Verdict } from '../../src/ledger/judge/state.ts';
import { type Entry, LedgerOutcomeUnknown, LedgerUnavailable } from '../../src/ledger/ledger.ts';
import type { Caller } from '../../src/sales/access/who.ts';
import { NextExpiries } from '../../src/sales/buying/next-expiry.ts';
import { Catalogue } from '../../src/sales/catalogue/catalogue.ts';
import { InDoubt } from '../../src/sales/keeping/in-doubt.ts';
import { createEvent } from '../../src/sales/organizing/create-event.ts';
import type { Shop } from '../../src/sales/shop.ts';
import { createLog } from '../../src/telemetry/logs.ts';
import { ShopTelemetry } from '../../src/telemetry/shop-telemetry.ts';

export const HOLD_TTL_MS = 100;
export const HOLD_MAX_MS = 150;

/** A guest who may act on every hold of such a shop, whose secrets are all the same. */
export const HOLDER: Caller = { who: GUEST, secret: 'secret' };

// One for all shops, as in a process: it registers the process's own metrics.
const telemetry = new ShopTelemetry(createLog('silent'));

const testIdentity = () =>
  new ShopIdentity({
    apiKey: 'memory-shop-admin-key',
    jwt: {
      secrets: [{ kid: undefined, secret: 'memory-shop-secret-of-32-characters' }],
      issuer: undefined,
      audience: undefined,
    },
    sessionMs: 86_400_000,
  });

/** How many tickets all shops have proposed that the ledger knew to be claimed. */
export async function oversellsStopped(): Promise<number> {
  const line = /^floodgate_oversells_stopped_total (\d+)$/m.exec(await telemetry.prometheus());
  return Number(line![1]);
}

/** How the ledger fails: nothing is kept and it says so, or it cannot say, and nothing or everything is kept. */
export type Fault = 'none' | 'refused' | 'lost' | 'kept';

export class FaultyLedger extends MemoryLedger {
  fault: Fault = 'none';

  override commit(entries: readonly Entry[]): Verdict[] {
    if (this.fault === 'refused') throw new LedgerUnavailable('the disk is full');
    if (this.fault === 'lost') throw new LedgerOutcomeUnknown('the connection broke before the commit');
    const verdicts = super.commit(entries);
    if (this.fault === 'kept') throw new LedgerOutcomeUnknown('the connection broke after the commit');
    return verdicts;
  }
}

/** Which implementations a shop is made of. */
export interface Parts {
  readonly Inventory: new () => Inventory;
  readonly Ledger: new (clock: TestClock) => FaultyLedger;
}

export class MemoryShop {
  readonly clock = new TestClock();
  readonly ledger: FaultyLedger;
  readonly event: EventDefinition;
  inside: Shop;
  readonly #parts: Parts;
  readonly #ids = new IdSource(1);

  private constructor(capacity: number, parts: Parts) {
    this.#parts = parts;
    this.event = new EventEntries(capacity).event;
    this.ledger = new parts.Ledger(this.clock);
    this.inside = this.#openInside();
  }

  /** A shop with one event of that many tickets, of the one type `ga`. */
  static async open(capacity: number, parts: Partial<Parts> = {}): Promise<MemoryShop> {
    const shop = new MemoryShop(capacity, { Inventory: MemoryInventory, Ledger: FaultyLedger, ...parts });
    await createEvent(shop.inside, shop.event);
    return shop;
  }

  /** Throws away all that is not in the ledger, and loads it from there. */
  async crash(): Promise<void> {
    this.inside = this.#openInside();
    await this.inside.catalogue.learnEvents();
  }

  /** A second process on the same ledger, with an inventory of its own. */
  async anotherProcess(): Promise<Shop> {
    const inside = this.#openInside();
    await inside.catalogue.learnEvents();
    return inside;
  }

  #openInside(): Shop {
    const { ledger } = this;
    const inventory = new this.#parts.Inventory();
    return {
      catalogue: new Catalogue(ledger, inventory),
      ...{ inventory, ledger },
      inDoubt: new InDoubt(ledger, inventory),
      nextExpiries: new NextExpiries(ledger),
      telemetry,
      newId: () => this.#ids.next(this.clock.nowMs()),
      newSecret: () => HOLDER.secret!,
      holdTtlMs: HOLD_TTL_MS,
      holdMaxMs: HOLD_MAX_MS,
      identity: testIdentity(),
    };
  }
}
