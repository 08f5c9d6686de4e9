// A house with seats and what may happen to it, word by word as the rules say it: the model that random sales are compared
// with. Which tickets an inventory chooses is the inventory model's to say.

import { invariant } from '@floodgate/core/assert.ts';
import { type EventId, type HoldId, SHOP, type Ticket, ticketTypeId } from '@floodgate/core/ids.ts';
import type { RefusalCode } from '@floodgate/core/refusal.ts';
import type { TicketLayout } from '@floodgate/core/seating/layout.ts';
import { sectionOf, sells } from '@floodgate/core/testing/houses.ts';
import { manifestText } from '@floodgate/manifest/text.ts';
import { layoutOf } from '../../src/inventory/contract/test-events.ts';
import { InventoryModel } from '../../src/inventory/contract/test-model.ts';
import { AVAILABLE, HELD, SOLD, type State, type Want } from '../../src/inventory/inventory.ts';
import { post } from '../../src/sales/conduct.ts';
import { makeEvent, type NewEvent } from '../../src/sales/organizing/organize.ts';
import type { Shop } from '../../src/sales/shop.ts';
import { HOLD_MAX_MS, HOLD_TTL_MS } from './memory-shop.ts';

export const MANIFEST = {
  name: 'House',
  sections: [sectionOf('Low', ['ssss|sss', 'sssac']), sectionOf('High', ['ssss'])],
};
export const TYPES = [sells('std'), { ...sells('ga'), category: undefined }];
export const GA = 4;
const LOOK_AT_MOST_EVERY_MS = 100;
export const EVENT = 'house' as EventId;

/** What of the event staff change. */
export interface Terms {
  readonly version: number;
  readonly status: 'open' | 'paused';
  readonly limitPerBuyer: number | undefined;
  readonly holdsPerBuyer: number | undefined;
  /** Tickets of general admission that were added later, in the order they were. */
  readonly growth: readonly number[];
}

export interface ModelHold {
  readonly buyer: string | null;
  readonly tickets: readonly Ticket[];
  readonly madeMs: number;
  dueMs: number;
  status: 'active' | 'confirmed' | 'released' | 'expired';
  id?: HoldId;
}

const layoutWith = ({ growth }: Terms): TicketLayout =>
  layoutOf(
    {
      ticketTypes: TYPES.map((type) => ({ ...type, capacity: type.category ? 16 : GA })),
      manifest: MANIFEST,
    },
    growth.map((count) => ({ ticketType: ticketTypeId('ga')!, count })),
  );

/** `known` is what the process that sells knows, `terms` what the ledger has. */
export class Model {
  terms: Terms = {
    version: 1,
    status: 'open',
    limitPerBuyer: undefined,
    holdsPerBuyer: undefined,
    growth: [],
  };
  known: Terms = this.terms;
  inventory = new InventoryModel(layoutWith(this.terms));
  readonly holds: ModelHold[] = [];
  readonly sold = new Map<Ticket, string | null>();
  #lookedMs = -Infinity;

  learn(): void {
    this.known = this.terms;
    this.inventory.grow(layoutWith(this.terms));
  }

  /** An event that does not sell is looked up again now and then. Whether it has changed. */
  #lookAgain(nowMs: number): boolean {
    if (nowMs - this.#lookedMs < LOOK_AT_MOST_EVERY_MS) return false;
    this.#lookedMs = nowMs;
    const isNewer = this.known.version !== this.terms.version;
    this.learn();
    return isNewer;
  }

  crash(): void {
    this.#lookedMs = -Infinity;
    this.known = this.terms;
    this.inventory = new InventoryModel(layoutWith(this.terms));
    this.#mark([...this.sold.keys()], SOLD);
    for (const { status, tickets } of this.holds) if (status === 'active') this.#mark(tickets, HELD);
  }

  claim(
    act: 'buy' | 'hold',
    wants: readonly Want[],
    buyer: string | null,
    nowMs: number,
  ): RefusalCode | readonly Ticket[] {
    for (;;) {
      const { status, limitPerBuyer, holdsPerBuyer } = this.known;
      if (status !== 'open') {
        if (this.#lookAgain(nowMs)) continue;
        return 'NOT_ON_SALE';
      }
      const isLimited = limitPerBuyer !== undefined || (act === 'hold' && holdsPerBuyer !== undefined);
      if (isLimited && buyer === null) return 'BUYER_REQUIRED';
      const taken = this.inventory.take(wants);
      if ('refusal' in taken) return taken.refusal as RefusalCode;
      const { tickets } = taken;
      const isStale = this.known.version !== this.terms.version;
      const isBeyond = isLimited && this.#isBeyond(act, tickets.length, buyer);
      this.#mark(tickets, isStale || isBeyond ? AVAILABLE : act === 'buy' ? SOLD : HELD);
      if (isStale) {
        this.learn();
        continue;
      }
      if (isBeyond) return 'LIMIT_REACHED';
      if (act === 'hold') {
        this.holds.push({ buyer, tickets, madeMs: nowMs, dueMs: nowMs + HOLD_TTL_MS, status: 'active' });
      } else for (const ticket of tickets) this.sold.set(ticket, buyer);
      return tickets;
    }
  }

  #isBeyond(act: 'buy' | 'hold', wanted: number, buyer: string | null): boolean {
    const { limitPerBuyer = Infinity, holdsPerBuyer = Infinity } = this.known;
    const holds = this.holds.filter((hold) => hold.status === 'active' && hold.buyer === buyer);
    if (act === 'hold' && holds.length >= holdsPerBuyer) return true;
    const bought = [...this.sold.values()].filter((owner) => owner === buyer).length;
    return bought + holds.flatMap(({ tickets }) => tickets).length + wanted > limitPerBuyer;
  }

  confirm(hold: ModelHold, nowMs: number): RefusalCode | undefined {
    if (hold.status === 'confirmed') return undefined;
    if (hold.status !== 'active') return ENDED[hold.status];
    if (nowMs >= hold.dueMs) return 'HOLD_EXPIRED';
    if (this.known.status === 'open') this.learn();
    if (this.known.status !== 'open') this.#lookAgain(nowMs);
    if (this.known.status !== 'open') return 'NOT_ON_SALE';
    hold.status = 'confirmed';
    for (const ticket of hold.tickets) this.sold.set(ticket, hold.buyer);
    this.#mark(hold.tickets, SOLD);
    return undefined;
  }

  release(hold: ModelHold): RefusalCode | undefined {
    if (hold.status !== 'active') return hold.status === 'released' ? undefined : ENDED[hold.status];
    this.#end(hold, 'released');
    return undefined;
  }

  extend(hold: ModelHold, nowMs: number): RefusalCode | undefined {
    if (hold.status !== 'active') return ENDED[hold.status];
    if (nowMs >= hold.dueMs) return 'HOLD_EXPIRED';
    const latestMs = hold.madeMs + HOLD_MAX_MS;
    if (hold.dueMs >= latestMs) return 'HOLD_AT_CAP';
    hold.dueMs = Math.max(hold.dueMs, Math.min(nowMs + HOLD_TTL_MS, latestMs));
    return undefined;
  }

  expire(nowMs: number): number {
    const due = this.holds.filter(({ status, dueMs }) => status === 'active' && dueMs <= nowMs);
    for (const hold of due) this.#end(hold, 'expired');
    return due.length;
  }

  #end(hold: ModelHold, status: 'released' | 'expired'): void {
    hold.status = status;
    this.#mark(hold.tickets, AVAILABLE);
  }

  #mark(tickets: readonly Ticket[], state: State): void {
    for (const ticket of tickets) this.inventory.states[ticket] = state;
  }
}

const ENDED = { confirmed: 'HOLD_CONFIRMED', released: 'HOLD_RELEASED', expired: 'HOLD_EXPIRED' } as const;

/** Keeps its seat map and makes the event, open. */
export async function putHouseOnSale(
  shop: Shop,
  limits: Pick<Partial<NewEvent>, 'limitPerBuyer' | 'holdsPerBuyer'> = {},
): Promise<void> {
  const kept = { manifestId: 'house', content: manifestText(MANIFEST), by: 'staff' };
  await post(shop, { kind: 'keep-manifest', eventId: SHOP, ...kept });
  const where = { venue: { name: 'House' }, timeZone: 'Etc/UTC', startsAt: '2030-01-01T20:00:00Z' };
  const ticketTypes = TYPES.map(({ capacity: _, ...type }) => ({
    ...{ ...type, price: 0 },
    ...(type.category ? {} : { capacity: GA }),
  }));
  const sent = {
    eventId: EVENT,
    name: 'House',
    manifestId: kept.manifestId,
    ...where,
    ...limits,
    ticketTypes,
  };
  const made = await makeEvent(shop, sent, 'staff');
  invariant('event' in made, JSON.stringify(made));
}
