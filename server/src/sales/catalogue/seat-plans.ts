// The seats that an event sells, by ticket number: made from its manifest in the ledger, once for all events and
// versions that sell the same seats of it.

import { invariant } from '@floodgate/core/assert.ts';
import type { EventDefinition, TicketType } from '@floodgate/core/event/event.ts';
import type { Manifest } from '@floodgate/core/seating/manifest.ts';
import { type SeatPlan, seatPlanOf } from '@floodgate/core/seating/seat-plan.ts';
import { parseManifestText } from '@floodgate/manifest/text.ts';
import type { Shop } from '../shop.ts';

/** A kept manifest; undefined for one that nobody kept. */
export async function manifestNamed(shop: Shop, manifestId: string): Promise<Manifest | undefined> {
  const content = await shop.ledger.manifest(manifestId);
  return content === undefined ? undefined : parseManifestText(content);
}

/** Undefined for an event without a manifest. */
export function planFor(
  shop: Shop,
  { manifestId, ticketTypes }: EventDefinition,
): Promise<SeatPlan> | undefined {
  if (manifestId === undefined) return undefined;
  const { plans } = shop.catalogue;
  const key = keyOf(manifestId, ticketTypes);
  let plan = plans.get(key);
  if (!plan) {
    plan = makePlan(shop, manifestId, ticketTypes);
    plans.set(key, plan);
    plan.catch(() => plans.delete(key));
  }
  return plan;
}

async function makePlan(
  shop: Shop,
  manifestId: string,
  ticketTypes: readonly TicketType[],
): Promise<SeatPlan> {
  const manifest = await manifestNamed(shop, manifestId);
  invariant(manifest !== undefined, `manifest ${manifestId} is in the ledger`);
  return seatPlanOf(manifest, ticketTypes);
}

/** The numbering depends on the categories and on the order of the ticket types that sell them. */
function keyOf(manifestId: string, ticketTypes: readonly TicketType[]): string {
  const sellers = ticketTypes.filter(({ category }) => category !== undefined);
  return JSON.stringify([
    manifestId,
    ...sellers.map(({ ticketTypeId, category }) => [ticketTypeId, category]),
  ]);
}
