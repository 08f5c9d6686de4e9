// The seats that an event sells, by ticket number: made from its manifest in the ledger, once for all events and
// versions that sell the same seats of it.

import { invariant } from '@floodgate/core/assert.ts';
import type { EventDefinition, TicketType } from '@floodgate/core/event/event.ts';
import type { Manifest } from '@floodgate/core/seating/manifest.ts';
import { type SeatPlan, seatPlanOf } from '@floodgate/core/seating/seat-plan.ts';
import { parseManifestText } from '@floodgate/manifest/text.ts';
import type { Ledger } from '../../ledger/ledger.ts';

export class SeatPlans {
  readonly #ledger: Pick<Ledger, 'manifest'>;
  /** By seat map and what is sold of it. */
  readonly #plans = new Map<string, Promise<SeatPlan>>();

  constructor(ledger: Pick<Ledger, 'manifest'>) {
    this.#ledger = ledger;
  }

  /** A kept manifest; undefined for one that nobody kept. */
  async manifest(manifestId: string): Promise<Manifest | undefined> {
    const content = await this.#ledger.manifest(manifestId);
    return content === undefined ? undefined : parseManifestText(content);
  }

  /** Undefined for an event without a manifest. */
  of({ manifestId, ticketTypes }: EventDefinition): Promise<SeatPlan> | undefined {
    if (manifestId === undefined) return undefined;
    const key = keyOf(manifestId, ticketTypes);
    let plan = this.#plans.get(key);
    if (!plan) {
      plan = this.#make(manifestId, ticketTypes);
      this.#plans.set(key, plan);
      plan.catch(() => this.#plans.delete(key));
    }
    return plan;
  }

  async #make(manifestId: string, ticketTypes: readonly TicketType[]): Promise<SeatPlan> {
    const manifest = await this.manifest(manifestId);
    invariant(manifest !== undefined, `manifest ${manifestId} is in the ledger`);
    return seatPlanOf(manifest, ticketTypes);
  }
}

/** The numbering depends on the categories and on the order of the ticket types that sell them. */
function keyOf(manifestId: string, ticketTypes: readonly TicketType[]): string {
  const sellers = ticketTypes.filter(({ category }) => category !== undefined);
  return JSON.stringify([
    manifestId,
    ...sellers.map(({ ticketTypeId, category }) => [ticketTypeId, category]),
  ]);
}
