// What a use case works with. `sales/` is the only place where the rooms meet; main.ts builds them.
import type { HoldId, OrderId } from '@floodgate/core/ids.ts';
import type { Identity } from '../identity/identity.ts';
import type { Inventory } from '../inventory/inventory.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { NextExpiries } from './buying/next-expiry.ts';
import type { Catalogue } from './catalogue/catalogue.ts';
import type { InDoubt } from './keeping/in-doubt.ts';

export interface Shop {
  readonly catalogue: Catalogue;
  readonly inventory: Inventory;
  readonly ledger: Ledger;
  readonly inDoubt: InDoubt;
  readonly nextExpiries: NextExpiries;
  readonly identity: Identity;
  readonly telemetry: Telemetry;
  /** A fresh time-ordered id. */
  readonly newId: () => string;
  /** A fresh secret: 128 random bits in base64url. */
  readonly newSecret: () => string;
  readonly holdTtlMs: number;
  /** No hold lives longer than this since it was made, however often it is extended. */
  readonly holdMaxMs: number;
  /** The event that is meant where none is named; undefined: the first. See catalogue/default-event.ts. */
  readonly defaultEventId?: string | undefined;
}

export function newOrderId(shop: Shop): OrderId {
  return shop.newId() as OrderId;
}

export function newHoldId(shop: Shop): HoldId {
  return shop.newId() as HoldId;
}
