// The wire: one schema per operation's input. They validate, give the handlers their types, and will make the
// OpenAPI document. Text from clients is bounded here, so nothing behind has to doubt it.
import { z } from 'zod';
import { buyer } from './who.ts';

/** The most tickets one request can ask for. */
export const MAX_QUANTITY = 10;
/** The most rows of one page. */
export const MAX_PAGE = 1_000;

export const quantity = z
  .number('must be a whole number')
  .int('must be a whole number')
  .min(1, `must be from 1 to ${MAX_QUANTITY}`)
  .max(MAX_QUANTITY, `must be from 1 to ${MAX_QUANTITY}`);
export const ticketType = z.string('must name a ticket type').min(1).max(32);
/** Sent with every line that wants tickets of a type that has one. */
export const accessCode = z.string('must be text').min(1).max(64);
export const idempotencyKey = z
  .string('is required: 1 to 255 printable ASCII characters, new for every new purchase')
  .regex(/^[\x20-\x7e]{1,255}$/, 'must be 1 to 255 printable ASCII characters');

export const eventParams = z.object({ eventId: z.string() });
export const optionalKey = z.object({ 'idempotency-key': idempotencyKey.optional() });
export const page = z.object({
  cursor: z.string().max(64).optional(),
  limit: z
    .string()
    .regex(/^\d{1,4}$/, `must be from 1 to ${MAX_PAGE}`)
    .transform(Number)
    .refine((value) => value >= 1 && value <= MAX_PAGE, `must be from 1 to ${MAX_PAGE}`)
    .default(100),
});

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

export const purchaseInput = z.object({
  headers: z.object({ 'idempotency-key': idempotencyKey }),
  body: z.object({ quantity }),
});

export const eventReference = z.object({ params: eventParams });

export const eventsInput = z.object({ query: page });

/** Of an order or a hold. */
export const bearerSecret = z.string().max(64).optional();

export const orderInput = z.object({
  params: z.object({ orderId: z.string() }),
  query: z.object({ secret: z.string().max(64).optional() }),
  headers: z.object({ 'order-secret': bearerSecret }),
});

export const eventPageInput = z.object({ params: eventParams, query: page });

export const journalInput = z.object({
  params: eventParams,
  query: z.object({
    after: z
      .string()
      .regex(/^\d{1,15}$/, 'must be a sequence number')
      .transform(Number)
      .default(0),
    limit: page.shape.limit,
  }),
});

export const metricsInput = z.object({
  query: z.object({ format: z.enum(['json', 'prometheus']).optional() }),
  headers: z.object({ accept: z.string().optional() }),
});

export const noInput = z.object({});
