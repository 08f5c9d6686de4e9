// The wire of buying in one step (rows A2, B2).
import { z } from 'zod';
import { type Answers, problem } from './answers.ts';
import {
  accessCode,
  buyer,
  count,
  eventId,
  eventParams,
  giveExample,
  idempotencyKey,
  ledgerSeq,
  optionalKey,
  quantity,
  secret,
  snowflake,
  tickets,
  ticketType,
} from './values.ts';

export const buyInput = z.object({
  params: eventParams,
  headers: optionalKey,
  body: z
    .object({
      quantity: quantity.default(1),
      buyer: buyer.optional(),
      ticketType: ticketType.optional(),
      accessCode: accessCode.optional(),
    })
    .default({ quantity: 1 }),
});

giveExample(buyInput.shape.body, { quantity: 2, ticketType: 'ga' });

export const purchaseInput = z.object({
  headers: z.object({ 'idempotency-key': idempotencyKey }),
  body: z.object({ quantity }),
});
giveExample(purchaseInput.shape.body, { quantity: 2 });

const granted = { orderId: snowflake, secret, tickets, ledgerSeq };
export const boughtAnswer = z
  .strictObject({ success: z.literal(true), eventId, ...granted })
  .meta({ id: 'Bought' });
export const purchasedAnswer = z
  .strictObject({
    success: z.literal(true),
    seatsRemaining: count.describe('tickets left when these were taken'),
    ...granted,
  })
  .meta({ id: 'Purchased' });

const refusals = {
  401: problem('BUYER_REQUIRED'),
  402: problem('PAYMENT_REQUIRED'),
  403: problem('ACCESS_CODE_REQUIRED'),
  404: problem('EVENT_NOT_FOUND', 'TICKET_TYPE_NOT_FOUND', 'SECTION_NOT_FOUND'),
  409: problem('NOT_ON_SALE', 'BELOW_MINIMUM', 'LIMIT_REACHED', 'SOLD_OUT', 'ALL_HELD'),
  422: problem('IDEMPOTENCY_KEY_REUSED'),
};
export const buyAnswers: Answers = { 201: boughtAnswer, ...refusals };
export const purchaseAnswers: Answers = { 200: purchasedAnswer, ...refusals };
