// The wire of the seat map: how the venue looks, and which seats are free.
import { z } from 'zod';
import { type Answers, notModified, problem } from './answers.ts';
import { count, eventId, eventParams } from './values.ts';

export const manifestReference = z.object({
  params: eventParams,
  query: z.object({ v: z.string().max(64).optional() }),
});

export const seatsInput = z.object({
  params: eventParams,
  query: z.object({
    since: z
      .string()
      .regex(/^\d{1,15}$/, 'must be a version that this address has answered')
      .transform(Number)
      .optional(),
  }),
});

const places = z.array(count).optional();
const segment = z
  .strictObject({
    ticketType: z.string().nullable().describe('null: these seats are not sold'),
    firstTicket: count.nullable().describe('of its first seat; the next seat has the next number'),
    seats: z.array(z.string()),
    x: z.array(z.number()),
    y: z.array(z.number()),
    accessible: places.describe('indexes of such seats'),
    companion: places,
    restrictedView: places,
  })
  .meta({
    id: 'SeatSegment',
    description: 'Adjacent seats of one ticket type, with consecutive ticket numbers.',
  });
const rows = z.array(z.strictObject({ row: z.string(), segments: z.array(segment) }));
const focus = z.enum(['left', 'centre', 'right']).describe('where the best seats of a row are');

export const seatMapAnswer = z
  .strictObject({
    eventId,
    manifestId: z.string(),
    name: z.string(),
    seats: count,
    sections: z.array(
      z.union([
        z.strictObject({ section: z.string(), focus, rows }),
        z.strictObject({ section: z.string(), ticketType: z.string().nullable(), capacity: count }),
      ]),
    ),
  })
  .meta({ id: 'SeatMap' });

const runs = z
  .string()
  .regex(/^[\d,-]+$/)
  .optional()
  .describe('ticket numbers in runs, such as "12-40,77"');
const allSeats = z.strictObject({
  eventId,
  version: count,
  seats: count,
  encoding: z.literal('2-bit'),
  status: z
    .base64()
    .describe(
      'two bits a seat by ticket number, the first in the highest: 0 available, 1 held, 2 sold, 3 not sold',
    ),
});
const changedSeats = z.strictObject({
  eventId,
  since: count,
  version: count,
  changes: z
    .strictObject({ available: runs, held: runs, sold: runs, unavailable: runs })
    .describe('by status: the seats that have it now'),
});
export const seatStatusAnswer = z.union([allSeats, changedSeats]).meta({ id: 'SeatStatus' });

const missing = problem('EVENT_NOT_FOUND', 'MANIFEST_NOT_FOUND');
export const seatMapAnswers: Answers = { 200: seatMapAnswer, 304: notModified, 404: missing };
export const seatStatusAnswers: Answers = { 200: seatStatusAnswer, 304: notModified, 404: missing };
