// Values that many inputs and answers consist of. Text from clients is bounded here, so nothing behind has to doubt it.
import { z } from 'zod';

/** The most tickets one request can ask for. */
export const MAX_QUANTITY = 10;
/** The most rows of one page. */
export const MAX_PAGE = 1_000;

/** How the API document shows a schema that transforms or looks closer at what is sent: as this one. */
export const wireForms = new WeakMap<z.core.$ZodType, z.ZodType>();

const examples = new WeakMap<z.core.$ZodType, unknown>();

/** Gives an example of what a client sends. Metadata will not do: JSON Schema is not told it where a schema transforms. */
export function giveExample<Schema extends z.ZodType>(schema: Schema, example: z.input<Schema>): void {
  examples.set(schema, example);
}

/** Undefined when none was given. */
export function exampleOf(schema: z.ZodType): unknown {
  return examples.get(schema);
}

// What clients send -----------------------------------------------------------------------------------------

/**
 * Text that every store keeps as it is: whole characters, none of control. Leaves the bounds of its length to the
 * schema that uses it.
 */
export const plainText = z
  .string('must be text')
  .refine((text) => text.isWellFormed() && !/\p{Cc}/u.test(text), {
    message: 'must be whole Unicode characters, without control characters',
  });

/** Who a ticket is for. Whether the asker may name that buyer is decided in sales/access/who.ts. */
export const buyer = plainText
  .min(1, 'must have 1 to 255 characters')
  .max(255, 'must have 1 to 255 characters');

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
  .regex(/^[\x20-\x7e]{1,255}$/, 'must be 1 to 255 printable ASCII characters')
  .describe('chosen by the client, new for every new purchase: a repetition is answered as the first was');

export const eventParams = z.object({
  eventId: z.string().describe('as the organizer chose it, or a number'),
});
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

export const noInput = z.object({});
export const eventReference = z.object({ params: eventParams });
export const pageInput = z.object({ query: page });
export const eventPageInput = z.object({ params: eventParams, query: page });

// What is answered ------------------------------------------------------------------------------------------

/** A time as every answer writes it. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

export const time = z.iso
  .datetime({ precision: 3 })
  .describe('ISO 8601, in UTC, with milliseconds')
  .meta({ examples: ['2027-06-01T18:00:00.000Z'] });
export const snowflake = z
  .string()
  .regex(/^[1-9]\d{17,18}$/)
  .describe('a 64-bit number as text, ascending in time')
  .meta({ examples: ['730000000000000001'] });
export const eventId = z
  .string()
  .describe('as the organizer chose it, or a number as text')
  .meta({ examples: ['rock-night'] });
export const count = z.int().min(0);
export const ledgerSeq = z
  .int()
  .min(1)
  .describe("the place of this fact in the event's journal, without gaps from 1");
export const secret = z
  .string()
  .regex(/^[\w-]{22}$/)
  .describe('a bearer secret: anyone who has it may read the order, or act on the hold');
/** A header with one. */
export const bearerSecret = z.string().max(64).optional();
export const nextCursor = z.string().optional().describe('absent on the last page');

export const seatName = z
  .strictObject({ section: z.string(), row: z.string(), seat: z.string() })
  .meta({ id: 'SeatName', examples: [{ section: 'Stalls', row: 'A', seat: '12' }] });
export const ticket = z
  .strictObject({
    ticketId: z.string().regex(/^\d+$/).describe('unique within its event'),
    ticketType: z.string(),
    label: z.string().min(1).describe('for people'),
    seat: seatName.optional(),
  })
  .meta({
    id: 'Ticket',
    examples: [{ ticketId: '0', ticketType: 'ga', label: 'General admission 1' }],
  });
export const tickets = z.array(ticket).min(1);
export const money = z
  .strictObject({
    amount: count.describe('in minor units of the currency, such as cents'),
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/)
      .describe('ISO 4217'),
  })
  .meta({ id: 'Money', examples: [{ amount: 4_900, currency: 'EUR' }] });
