// The wire of holds: three kinds of lines, and how seats are named. Everything a client can get wrong here has a
// sentence of its own.
import { type SeatName, seatKey } from '@floodgate/core/seating/layout.ts';
import { z } from 'zod';
import { type Answers, problem } from './answers.ts';
import { confirmedAnswer } from './orders.ts';
import {
  accessCode,
  bearerSecret,
  buyer,
  count,
  eventId,
  eventParams,
  giveExample,
  ledgerSeq,
  money,
  optionalKey,
  quantity,
  secret,
  snowflake,
  tickets,
  ticketType,
  time,
  wireForms,
} from './values.ts';

/** The most lines of one hold. */
export const MAX_LINES = 50;
/** The most seats that one hold can name. */
export const MAX_SEATS = 50;

const label = z.string('must be text').min(1).max(64);
const SEAT_FORMS = 'must be a seat: "Stalls/A/12", or {"section": "Stalls", "row": "A", "seat": "12"}';

/** As in "Stalls/A/12". A seat with a slash in one of its names is sent as an object. */
const seatText = ({ section, row, seat }: SeatName): string => `${section}/${row}/${seat}`;

const seatObject = z.strictObject({ section: label, row: label, seat: label });
/** A seat by its name, as a text or as an object. */
export const seat = z
  .union([z.string().max(200), z.looseObject({})], SEAT_FORMS)
  .transform((given, ctx): SeatName => {
    if (typeof given !== 'string') return passOn(seatObject.safeParse(given), ctx);
    const [section = '', row = '', name = '', ...more] = given.split('/');
    if (section === '' || row === '' || name === '' || more.length > 0) {
      ctx.addIssue({ code: 'custom', message: SEAT_FORMS });
      return z.NEVER;
    }
    return { section, row, seat: name };
  });
wireForms.set(
  seat,
  z.union([
    z
      .string()
      .regex(/^[^/]{1,64}\/[^/]{1,64}\/[^/]{1,64}$/)
      .describe('section, row and seat'),
    seatObject,
  ]),
);

const anyLine = z.strictObject({ ticketType, quantity, accessCode: accessCode.optional() });
const bestLine = z.strictObject({
  ticketType,
  bestAvailable: quantity,
  section: label.optional(),
  accessible: z.boolean('must be true or false').optional(),
  together: z.boolean('must be true or false').optional(),
  accessCode: accessCode.optional(),
});
const seatsLine = z.strictObject({
  seats: z
    .array(seat, 'must be a list of seats')
    .min(1, 'must name at least one seat')
    .max(MAX_SEATS, `must name at most ${MAX_SEATS} seats`),
  accessCode: accessCode.optional(),
});

/** Told apart by their members. */
const anyKindOfLine = z.union([anyLine, bestLine, seatsLine]);

export type HoldLine = z.output<typeof anyKindOfLine>;

// Which kind of line is meant shows in its members, so that its faults are told in terms of that kind.
const line = z
  .looseObject({}, 'must be a line, such as {"ticketType": "ga", "quantity": 2}')
  .transform((given, ctx) => {
    if ('seats' in given) return passOn<HoldLine>(seatsLine.safeParse(given), ctx);
    if ('bestAvailable' in given) return passOn<HoldLine>(bestLine.safeParse(given), ctx);
    return passOn<HoldLine>(anyLine.safeParse(given), ctx);
  });

wireForms.set(line, anyKindOfLine);

/** The value, or its issues at the place where it stands. */
export function passOn<T>(parsed: z.ZodSafeParseResult<T>, ctx: z.core.ParsePayload): T {
  if (parsed.success) return parsed.data;
  ctx.issues.push(...(parsed.error.issues as unknown as z.core.$ZodRawIssue[]));
  return z.NEVER;
}

/** Counted before any line is looked at, so that a thousand bad lines have one fault. */
const lines = z
  .array(z.unknown(), 'must be a list of lines')
  .min(1, 'must have at least one line')
  .max(MAX_LINES, `must have at most ${MAX_LINES} lines`)
  .pipe(z.array(line))
  .superRefine((lines, ctx) => {
    const named = new Set<string>();
    for (const [place, line] of lines.entries()) {
      if (!('seats' in line)) continue;
      for (const [index, seat] of line.seats.entries()) {
        const name = seatKey(seat);
        if (named.has(name)) {
          const message = `names ${seatText(seat)}, which the request names already`;
          ctx.addIssue({ code: 'custom', message, path: [place, 'seats', index] });
        }
        named.add(name);
      }
    }
    if (named.size > MAX_SEATS) {
      ctx.addIssue({
        code: 'custom',
        message: `name ${named.size} seats; at most ${MAX_SEATS} are held together`,
      });
    }
  });

const holdParams = z.object({ holdId: z.string() });

export const holdInput = z.object({
  params: eventParams,
  headers: optionalKey,
  body: z.strictObject({ lines, buyer: buyer.optional() }),
});
giveExample(holdInput.shape.body, {
  lines: [{ ticketType: 'ga', quantity: 2 }, { seats: ['Stalls/A/12', 'Stalls/A/13'] }],
});

const holdSecret = z.object({ 'hold-secret': bearerSecret });

export const holdReference = z.object({ params: holdParams, headers: holdSecret });

const emptyBody = z.strictObject({}).default({});

export const extendInput = z.object({ params: holdParams, headers: holdSecret, body: emptyBody });

export const confirmInput = z.object({
  params: holdParams,
  headers: optionalKey.extend(holdSecret.shape),
  body: emptyBody,
});

export const holdAnswer = z
  .strictObject({
    holdId: snowflake,
    eventId,
    status: z.enum(['active', 'confirmed', 'released', 'expired']),
    expiresAt: time,
    expiresInMs: count.describe('from the moment of this answer, by the ledger; 0 when the hold has ended'),
    extendableUntil: time.describe('extending brings the deadline no further than this'),
    ledgerSeq,
    tickets,
    total: money,
    orderId: snowflake.nullable().describe('the order it became'),
  })
  .meta({ id: 'Hold' });

/** With the secret, which only the answer that made the hold carries; one from before holds had secrets has none. */
export const heldAnswer = holdAnswer.extend({ secret: secret.optional() }).meta({ id: 'NewHold' });

const missing = problem('HOLD_NOT_FOUND');
export const holdAnswers: Answers = {
  201: heldAnswer,
  401: problem('BUYER_REQUIRED'),
  403: problem('ACCESS_CODE_REQUIRED'),
  404: problem('EVENT_NOT_FOUND', 'TICKET_TYPE_NOT_FOUND', 'SECTION_NOT_FOUND', 'SEAT_NOT_FOUND'),
  409: problem(
    ...(['NOT_ON_SALE', 'BELOW_MINIMUM', 'LIMIT_REACHED', 'SEAT_TAKEN', 'SOLD_OUT', 'ALL_HELD'] as const),
    'NO_SEATS_TOGETHER',
  ),
  422: problem('IDEMPOTENCY_KEY_REUSED'),
};
export const readHoldAnswers: Answers = { 200: holdAnswer, 404: missing };
export const extendAnswers: Answers = {
  200: holdAnswer,
  404: missing,
  409: problem('HOLD_EXPIRED', 'HOLD_RELEASED', 'HOLD_CONFIRMED', 'HOLD_AT_CAP'),
};
export const releaseAnswers: Answers = {
  200: holdAnswer,
  404: missing,
  409: problem('HOLD_EXPIRED', 'HOLD_CONFIRMED'),
};
export const confirmAnswers: Answers = {
  201: confirmedAnswer,
  402: problem('PAYMENT_REQUIRED'),
  404: missing,
  409: problem('NOT_ON_SALE', 'HOLD_EXPIRED', 'HOLD_RELEASED'),
  422: problem('IDEMPOTENCY_KEY_REUSED'),
};
