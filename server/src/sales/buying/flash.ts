// The flash purchase (rows D1, D2): a hold, told as a reservation of an order that has its number already.

import type { HoldId, OrderId } from '@floodgate/core/ids.ts';
import type { Refusal } from '@floodgate/core/refusal.ts';
import type { Hold, Idempotency, Reservation } from '../../ledger/ledger.ts';
import type { CatalogueEntry } from '../catalogue/catalogue.ts';
import { defaultEvent } from '../catalogue/default-event.ts';
import { newOrderId, type Shop } from '../shop.ts';
import { claimHold } from './hold.ts';
import { typeNamed } from './wants.ts';

/** A ticket type of an event. */
export interface Sku {
  readonly eventId: string;
  readonly ticketType: string;
}

/** Several events have such a type, and none of them is the default event. */
export interface AmbiguousSku {
  readonly ambiguous: readonly string[];
}

/**
 * What a SKU names: `event:type`, or a type of the default event, or one that only one event has. Refusals:
 * EVENT_NOT_FOUND, TICKET_TYPE_NOT_FOUND.
 */
export async function findSku(shop: Shop, skuId: string): Promise<Sku | AmbiguousSku | Refusal> {
  const colon = skuId.indexOf(':');
  if (colon >= 0) {
    const eventId = skuId.slice(0, colon);
    const ticketType = skuId.slice(colon + 1);
    const entry = await shop.catalogue.find(eventId);
    if (!entry) return { refusal: 'EVENT_NOT_FOUND' };
    return typeNamed(entry, ticketType) ? { eventId, ticketType } : { refusal: 'TICKET_TYPE_NOT_FOUND' };
  }
  const preferred = defaultEvent(shop);
  if (preferred && typeNamed(preferred, skuId)) return skuOf(preferred, skuId);
  const having = shop.catalogue
    .all()
    .filter((entry) => entry.event.status !== 'draft' && typeNamed(entry, skuId));
  if (having.length > 1) return { ambiguous: having.map(({ eventId }) => `${eventId}:${skuId}`) };
  return having[0] ? skuOf(having[0], skuId) : { refusal: 'TICKET_TYPE_NOT_FOUND' };
}

const skuOf = ({ eventId }: CatalogueEntry, ticketType: string): Sku => ({ eventId, ticketType });

export interface FlashCommand extends Sku {
  readonly quantity: number;
  readonly buyer: string | null;
  readonly idempotency?: Idempotency | undefined;
}

export interface Reserved {
  readonly eventId: string;
  readonly holdId: HoldId;
  /** The order that confirming the hold will make. */
  readonly orderId: OrderId;
  /** Of the hold; null of one that was made before holds had secrets. */
  readonly secret: string | null;
  readonly expiresAtMs: number;
  readonly ledgerSeq: number;
  readonly tickets: number;
}

/** Holds tickets of one type. Refusals and faults are those of `hold`. */
export async function reserve(shop: Shop, command: FlashCommand): Promise<Reserved | Refusal> {
  const { eventId, ticketType, quantity, buyer, idempotency } = command;
  const lines = [{ ticketType, quantity }];
  const setOrderAside = (hold: Hold): Reservation => ({ ...hold, orderId: newOrderId(shop) });
  const claimed = await claimHold(shop, { eventId, lines, buyer, idempotency }, setOrderAside);
  if ('refusal' in claimed) return claimed;
  const { holdId, orderId, secret, expiresAtMs, seq, tickets } = claimed.outcome;
  return { eventId, holdId, orderId, secret, expiresAtMs, ledgerSeq: seq, tickets: tickets.length };
}
