// The doors of orders: one for its buyer, all of an event for staff.
import { listOrdersAnswers, orderInput, readOrderAnswers } from '../../contract/orders.ts';
import { eventPageInput, isoTime } from '../../contract/values.ts';
import { listOrders, type OrderView, readOrder } from '../../sales/buying/confirm.ts';
import type { Shop } from '../../sales/shop.ts';
import { type Operation, operation } from '../lane/operation.ts';
import { nextCursor, readCursor, refuseCursor } from '../lane/page.ts';
import { problem } from '../lane/problem.ts';

export function orderOperations(shop: Shop): Operation[] {
  return [
    operation({
      name: 'read-order',
      summary: 'Read an order',
      tag: 'Orders',
      method: 'GET',
      path: '/api/v1/orders/:orderId',
      input: orderInput,
      answers: readOrderAnswers,
      async run({ input, requestId, actor }) {
        const secret = input.headers['order-secret'] ?? input.query.secret;
        const order = await readOrder(shop, input.params.orderId, { who: actor, secret });
        if ('refusal' in order) return problem(order.refusal, requestId);
        return {
          kind: 'json',
          status: 200,
          body: orderBody(order),
          headers: { 'Cache-Control': 'no-store' },
        };
      },
    }),
    operation({
      name: 'list-orders',
      summary: 'List the orders of an event',
      tag: 'Orders',
      method: 'GET',
      path: '/api/v1/events/:eventId/orders',
      isStaff: true,
      input: eventPageInput,
      answers: listOrdersAnswers,
      async run({ input, requestId }) {
        const after = readCursor(input.query.cursor);
        if (after === undefined) return refuseCursor(requestId);
        const { limit } = input.query;
        const page = await listOrders(shop, input.params.eventId, after, limit);
        if ('refusal' in page) return problem(page.refusal, requestId);
        const last = page.orders.at(-1)?.ledgerSeq;
        return {
          kind: 'json',
          status: 200,
          body: { orders: page.orders.map(orderBody), ...nextCursor(page.orders.length, limit, last) },
        };
      },
    }),
  ];
}

/** An order as it is shown: without the secret, which only the answer that granted it carries. */
export function orderBody({ createdAtMs, secret: _, ...order }: OrderView) {
  return { ...order, number: order.orderId, createdAt: isoTime(createdAtMs) };
}
