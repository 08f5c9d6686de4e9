// The wire of events as staff make and change them, and of what they set aside. Shapes and sizes are checked here; what an event must be like to
// make sense is in core/event-problems.ts. Members that nobody knows are refused, because they are usually misspelt.
import { z } from 'zod';
import { type Answers, problem } from './answers.ts';
import { staffEventAnswer } from './events.ts';
import { passOn, seat } from './holds.ts';
import {
  count,
  eventParams,
  giveExample,
  nextCursor,
  seatName,
  snowflake,
  time,
  wireForms,
} from './values.ts';

/** Larger texts and longer lists are refused before anybody looks at them. */
const MAX_TEXT = 5_000;
const MAX_TYPES = 200;
const MAX_ALLOCATED_SEATS = 10_000;
const MAX_ALLOCATED_LINES = 200;
/** The most of general admission that one line sets aside. */
const MAX_ALLOCATED = 20_000;

const text = z.string('must be text').max(MAX_TEXT, `must be at most ${MAX_TEXT} characters`);
const number = z.number('must be a number');

const venue = z.strictObject({
  name: text,
  address: text.optional(),
  city: text.optional(),
  country: text.optional(),
});

const typeMembers = {
  name: text,
  description: text.optional(),
  price: number,
  currency: text,
  capacity: number.optional(),
  category: text.optional(),
  saleStartsAt: text.optional(),
  saleEndsAt: text.optional(),
  minPerOrder: number.optional(),
  maxPerOrder: number.optional(),
  limitPerBuyer: number.optional(),
  accessCode: text.optional(),
};

/** What reading an event adds to its ticket types: sent back, it says nothing. */
const readOnly = { available: z.unknown().optional(), needsAccessCode: z.unknown().optional() };

const eventMembers = {
  name: text,
  description: text.optional(),
  venue,
  startsAt: text,
  timeZone: text,
  onSaleAt: text.optional(),
  endsAt: text.optional(),
  maxPerOrder: number.optional(),
  limitPerBuyer: number.optional(),
  holdsPerBuyer: number.optional(),
};

/** Shops may send it as they read it elsewhere; waiting rooms are not here yet. */
const waitingRoom = z.looseObject({
  enabled: z.literal(false, 'must be false: there are no waiting rooms yet'),
});

const types = <Type extends z.ZodType>(type: Type) =>
  z
    .array(z.unknown(), 'must be a list of ticket types')
    .min(1, 'must have at least one ticket type')
    .max(MAX_TYPES, `must have at most ${MAX_TYPES} ticket types`)
    .pipe(z.array(type));

const newType = z
  .strictObject({ ticketTypeId: text, ...typeMembers, ...readOnly })
  .transform(({ available: _, needsAccessCode: __, ...type }) => type);

export const newEventInput = z.object({
  body: z
    .strictObject(
      {
        eventId: text.optional(),
        ...eventMembers,
        status: z.enum(['draft', 'scheduled', 'open'], 'must be draft, scheduled or open').optional(),
        manifestId: z.string('must be text').max(64).optional(),
        ticketTypes: types(newType),
        waitingRoom: waitingRoom.optional(),
      },
      'is required: the event as JSON',
    )
    .transform(({ waitingRoom: _, ...event }) => event),
});
giveExample(newEventInput.shape.body, {
  name: 'Rock Night',
  venue: { name: 'Town Hall', city: 'Berlin', country: 'DE' },
  startsAt: '2027-06-01T20:00:00+02:00',
  timeZone: 'Europe/Berlin',
  onSaleAt: '2027-03-01T10:00:00+01:00',
  ticketTypes: [
    { ticketTypeId: 'ga', name: 'General admission', price: 4_900, currency: 'EUR', capacity: 2_000 },
  ],
});

const nullable = <Shape extends Record<string, z.ZodType>>(shape: Shape) =>
  Object.fromEntries(Object.entries(shape).map(([name, type]) => [name, z.nullish(type)])) as {
    [K in keyof Shape]: z.ZodOptional<z.ZodNullable<Shape[K]>>;
  };

const { name: typeName, price, currency, capacity, ...optionalOfType } = typeMembers;
const typePatch = z
  .strictObject({
    ticketTypeId: text,
    ...{ name: typeName.optional(), price: price.optional(), currency: currency.optional(), capacity },
    ...nullable(optionalOfType),
    ...readOnly,
  })
  .transform(({ available: _, needsAccessCode: __, ...type }) => type);

const { name, venue: place, startsAt, timeZone, ...optionalOfEvent } = eventMembers;

export const eventPatchInput = z.object({
  params: eventParams,
  body: z.strictObject(
    {
      ...{ name: name.optional(), venue: place.optional(), startsAt: startsAt.optional() },
      timeZone: timeZone.optional(),
      ...nullable(optionalOfEvent),
      ticketTypes: types(typePatch).optional(),
    },
    'is required: the members to change, as JSON',
  ),
});
giveExample(eventPatchInput.shape.body, { name: 'Rock Night, second date', maxPerOrder: 4 });

export const eventCommandInput = z.object({ params: eventParams, body: z.strictObject({}).default({}) });

const typeLine = z.strictObject({
  ticketType: text,
  quantity: z
    .int('must be a whole number')
    .min(1, `must be from 1 to ${MAX_ALLOCATED}`)
    .max(MAX_ALLOCATED, `must be from 1 to ${MAX_ALLOCATED}`),
});
const seats = z
  .array(z.unknown(), 'must be a list of seats')
  .min(1, 'must name at least one seat')
  .max(MAX_ALLOCATED_SEATS, `must name at most ${MAX_ALLOCATED_SEATS} seats`)
  .pipe(z.array(seat));
const bestLine = z.strictObject({
  ticketType: text,
  bestAvailable: z
    .int('must be a whole number')
    .min(1, 'must be from 1 to 10')
    .max(10, 'must be from 1 to 10'),
  section: text.optional(),
  accessible: z.boolean('must be true or false').optional(),
  together: z.boolean('must be true or false').optional(),
});

const seatsLine = z.strictObject({ seats });
const anyKindOfLine = z.union([typeLine, bestLine, seatsLine]);
export type AllocationLine = z.output<typeof anyKindOfLine>;

const line = z
  .looseObject({}, 'must be a line, such as {"ticketType": "ga", "quantity": 20}')
  .transform((given, ctx) => {
    if ('seats' in given) return passOn<AllocationLine>(seatsLine.safeParse(given), ctx);
    if ('bestAvailable' in given) return passOn<AllocationLine>(bestLine.safeParse(given), ctx);
    return passOn<AllocationLine>(typeLine.safeParse(given), ctx);
  });

wireForms.set(line, anyKindOfLine);

export const allocationInput = z.object({
  params: eventParams,
  body: z.strictObject(
    {
      name: text,
      kind: z.enum(['channel', 'kill'], 'must be channel (may be dropped to sale later) or kill'),
      lines: z
        .array(z.unknown(), 'must be a list of lines')
        .min(1, 'must have at least one line')
        .max(MAX_ALLOCATED_LINES, `must have at most ${MAX_ALLOCATED_LINES} lines`)
        .pipe(z.array(line)),
    },
    'is required: name, kind and lines, as JSON',
  ),
});
giveExample(allocationInput.shape.body, {
  name: 'Promoter',
  kind: 'channel',
  lines: [{ ticketType: 'ga', quantity: 20 }],
});

export const releaseInput = z.object({
  params: z.object({ eventId: z.string(), allocationId: z.string() }),
  body: z
    .strictObject({
      quantity: typeLine.shape.quantity.optional(),
      ticketType: text.optional(),
      seats: seats.optional(),
    })
    .refine(
      (body) => body.seats === undefined || body.quantity === undefined,
      'has seats or a quantity, not both',
    )
    .default({}),
});

export const allocationAnswer = z
  .strictObject({
    allocationId: snowflake,
    name: z.string(),
    kind: z.enum(['channel', 'kill']),
    quantity: count,
    lines: z.array(
      z.strictObject({
        ticketType: z.string(),
        quantity: count.min(1),
        tickets: z
          .string()
          .regex(/^[\d,-]+$/)
          .describe('ticket numbers in runs, such as "12-40,77"'),
        seats: z.array(seatName).optional(),
      }),
    ),
  })
  .meta({ id: 'Allocation' });
export const allocationsAnswer = z.strictObject({ allocations: z.array(allocationAnswer) });

const members = z.record(z.string(), z.unknown());
export const eventChangesAnswer = z
  .strictObject({
    changes: z.array(
      z.strictObject({
        version: z.int().min(1).describe('of the event after the change: what its ETag was then'),
        by: z.string().nullable().describe('null: the shop itself'),
        action: z.string(),
        before: members,
        after: members,
        at: time,
      }),
    ),
    nextCursor,
  })
  .meta({ id: 'EventChanges' });

const missing = problem('EVENT_NOT_FOUND');
const changed = problem('EVENT_CHANGED');
export const createEventAnswers: Answers = {
  201: staffEventAnswer,
  404: problem('MANIFEST_NOT_FOUND'),
  409: problem('EVENT_EXISTS'),
};
export const changeEventAnswers: Answers = {
  200: staffEventAnswer,
  404: missing,
  409: problem('WRONG_STATUS', 'CAPACITY_IN_USE'),
  412: changed,
  428: problem('PRECONDITION_REQUIRED'),
};
export const commandEventAnswers: Answers = {
  200: staffEventAnswer,
  404: missing,
  409: problem('WRONG_STATUS'),
  412: changed,
};
export const allocateAnswers: Answers = {
  201: allocationAnswer,
  404: problem('EVENT_NOT_FOUND', 'TICKET_TYPE_NOT_FOUND', 'SECTION_NOT_FOUND', 'SEAT_NOT_FOUND'),
  409: problem('WRONG_STATUS', 'SEAT_TAKEN', 'SOLD_OUT', 'ALL_HELD', 'NO_SEATS_TOGETHER'),
  412: changed,
};
export const listAllocationsAnswers: Answers = { 200: allocationsAnswer, 404: missing };
export const releaseAllocationAnswers: Answers = {
  200: allocationAnswer,
  404: problem('EVENT_NOT_FOUND', 'ALLOCATION_NOT_FOUND', 'TICKET_TYPE_NOT_FOUND', 'SEAT_NOT_FOUND'),
  412: changed,
};
export const listChangesAnswers: Answers = { 200: eventChangesAnswer, 404: missing };
