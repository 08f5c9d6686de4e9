// What a buyer has, over all events (row C3).
import type { OrderId } from '@floodgate/core/ids.ts';
import { type OrderView, orderView } from '../buying/confirm.ts';
import type { Shop } from '../shop.ts';

export interface MyOrder extends OrderView {
  readonly event: {
    readonly name: string;
    readonly startsAt: string;
    readonly venue: Readonly<Record<string, unknown>>;
  };
}

/** A page of the buyer's orders, the newest first, older than `before`. */
export async function ordersOfBuyer(
  shop: Pick<Shop, 'catalogue' | 'ledger'>,
  buyer: string,
  before: OrderId | undefined,
  limit: number,
): Promise<MyOrder[]> {
  const records = await shop.ledger.ordersOf(buyer, before, limit);
  return Promise.all(
    records.map(async (record) => {
      const entry = await shop.catalogue.withTickets(record.eventId, record.tickets);
      const { name, startsAt, venue } = entry.event;
      return { ...orderView(entry, record), event: { name, startsAt, venue: { ...venue } } };
    }),
  );
}
