// The wire of events as they are read: by the public, and what staff look up about them.
import { z } from 'zod';
import { type Answers, notModified, problem } from './answers.ts';
import { count, eventId, eventParams, nextCursor, page, snowflake, time } from './values.ts';

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

/** As organizers sent it: with any offset, with or without fractions of a second. */
const sentTime = z.iso.datetime({ offset: true });
const ticketType = z.strictObject({
  ticketTypeId: z.string(),
  name: z.string(),
  description: z.string().optional(),
  price: count.describe('in minor units of the currency'),
  currency: z.string().regex(/^[A-Z]{3}$/),
  capacity: count,
  available: count,
  category: z.string().optional().describe('of the seats it sells'),
  saleStartsAt: sentTime.optional(),
  saleEndsAt: sentTime.optional(),
  minPerOrder: count.optional(),
  maxPerOrder: count.optional(),
  limitPerBuyer: count.optional(),
  needsAccessCode: z.literal(true).optional(),
});
const eventMembers = {
  eventId,
  name: z.string(),
  description: z.string().optional(),
  venue: z.strictObject({
    name: z.string(),
    address: z.string().optional(),
    city: z.string().optional(),
    country: z.string().optional(),
  }),
  startsAt: sentTime,
  timeZone: z.string().describe('IANA, such as Europe/Berlin'),
  onSaleAt: sentTime.optional(),
  endsAt: sentTime.optional(),
  maxPerOrder: count.optional(),
  limitPerBuyer: count.optional(),
  holdsPerBuyer: count.optional(),
  manifestId: z.string().optional(),
};
/** As the public reads it: no drafts, no access codes. */
export const eventAnswer = z
  .strictObject({
    ...eventMembers,
    status: z.enum(['scheduled', 'open', 'paused', 'ended', 'cancelled']),
    ticketTypes: z.array(ticketType),
  })
  .meta({ id: 'Event' });
export const staffEventAnswer = z
  .strictObject({
    ...eventMembers,
    status: z.enum(['draft', 'scheduled', 'open', 'paused', 'ended', 'cancelled']),
    ticketTypes: z.array(ticketType.extend({ accessCode: z.string().optional() })),
  })
  .meta({ id: 'StaffEvent' });
export const eventsAnswer = z.strictObject({ events: z.array(eventAnswer), nextCursor });

const states = {
  capacity: count.describe('the sum of all that follow'),
  available: count,
  pending: count.describe('sales under way'),
  held: count,
  sold: count,
  allocated: count.describe('set aside for a channel'),
  killed: count.describe('not to be sold at all'),
};
const typeCounts = z.strictObject({ ticketType: z.string(), ...states });
export const availabilityAnswer = z
  .strictObject({ eventId, ticketTypes: z.array(typeCounts), ...states })
  .meta({ id: 'Availability' });

export const auditAnswer = z
  .strictObject({
    ok: z.boolean(),
    checks: z.array(z.strictObject({ rule: z.string(), ok: z.boolean(), detail: z.string() })).min(1),
    counts: z.array(typeCounts),
  })
  .meta({ id: 'Audit' });

const members = z.record(z.string(), z.unknown());
export const journalAnswer = z
  .strictObject({
    entries: z.array(
      z.strictObject({
        seq: z.int().min(1),
        kind: z.enum([
          ...['event-created', 'event-changed', 'bought', 'held', 'extended'],
          ...['confirmed', 'released', 'expired', 'returned'],
        ] as const),
        at: time,
        atMs: count,
        capacity: count.optional(),
        tickets: z.array(count).min(1).optional(),
        orderId: snowflake.optional(),
        holdId: snowflake.optional(),
        buyer: z.string().nullable().optional(),
        expiresAtMs: count.optional(),
        key: z.string().optional(),
        lines: z
          .array(z.tuple([z.string(), count, count]))
          .optional()
          .describe('ticket type, quantity, and the amount of each'),
        total: count.optional().describe('of the lines, in minor units'),
        currency: z.string().optional(),
        refundedAmount: count.optional().describe('paid back for returned tickets, in minor units'),
        by: z.string().optional(),
        action: z.string().optional(),
        before: members.optional(),
        after: members.optional(),
        setAside: z.array(count).optional(),
        restored: z.array(count).optional(),
        allocationId: snowflake.optional(),
        previous: z.int().min(1).optional(),
      }),
    ),
  })
  .meta({ id: 'Journal' });

/** The classic numbers of the default event (row B1). */
export const defaultEventAnswer = z.strictObject({
  totalSeats: count,
  seatsSold: count,
  seatsRemaining: count,
});

const missing = problem('EVENT_NOT_FOUND');
/** Staff see drafts and access codes too. */
export const listEventsAnswers: Answers = {
  200: z.strictObject({ events: z.array(staffEventAnswer), nextCursor }).meta({ id: 'Events' }),
};
export const readEventAnswers: Answers = { 200: staffEventAnswer, 404: missing };
export const availabilityAnswers: Answers = { 200: availabilityAnswer, 304: notModified, 404: missing };
export const defaultEventAnswers: Answers = { 200: defaultEventAnswer, 404: missing };
export const auditAnswers: Answers = { 200: auditAnswer, 404: missing };
export const journalAnswers: Answers = { 200: journalAnswer, 404: missing };
