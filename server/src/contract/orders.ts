// The wire of orders.
import { ORDER_STATUSES } from '@floodgate/core/order.ts';
import { z } from 'zod';
import { type Answers, problem } from './answers.ts';
import {
  bearerSecret,
  eventId,
  ledgerSeq,
  money,
  nextCursor,
  secret,
  snowflake,
  tickets,
  time,
} from './values.ts';

export const orderInput = z.object({
  params: z.object({ orderId: z.string() }),
  query: z.object({ secret: z.string().max(64).optional() }),
  headers: z.object({ 'order-secret': bearerSecret }),
});

export const orderAnswer = z
  .strictObject({
    orderId: snowflake,
    number: snowflake,
    eventId,
    status: z.enum(ORDER_STATUSES),
    buyer: z.string().nullable().describe('null: a guest'),
    tickets,
    total: money,
    createdAt: time,
    ledgerSeq,
  })
  .meta({ id: 'Order' });
/** With the secret, which only the answer that granted the order carries. */
export const confirmedAnswer = orderAnswer.extend({ secret }).meta({ id: 'ConfirmedOrder' });
export const ordersAnswer = z.strictObject({ orders: z.array(orderAnswer), nextCursor });

export const readOrderAnswers: Answers = { 200: orderAnswer, 404: problem('ORDER_NOT_FOUND') };
export const listOrdersAnswers: Answers = { 200: ordersAnswer, 404: problem('EVENT_NOT_FOUND') };
