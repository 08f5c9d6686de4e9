// How answers are described: a schema for every status of an operation, exactly. Schemas of what is answered are strict,
// so that nothing, least of all a secret, slips into an answer by accident; a member that is added on purpose is added
// there. Tests hold every answer against its description, and the API document is made of them.
import type { RefusalCode } from '@floodgate/core/refusal.ts';
import { type ZodRawShape, type ZodType, z } from 'zod';
import { count, seatName, time } from './values.ts';

/** What goes wrong at the door, before or beside any rule of sale. */
export type DoorCode =
  | 'BAD_REQUEST'
  | 'VALIDATION_FAILED'
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'PRECONDITION_REQUIRED'
  | 'NOT_FOUND'
  | 'METHOD_NOT_ALLOWED'
  | 'BODY_TOO_LARGE'
  | 'UNSUPPORTED_MEDIA_TYPE'
  | 'UNAVAILABLE'
  | 'INTERNAL_ERROR';

export type ProblemCode = RefusalCode | DoorCode;

/** The codes of one status. */
export interface Problems {
  readonly codes: readonly ProblemCode[];
}

/** By status: the schema of the content, several where it has several media types, or the codes of a "no". */
export type Answers = Readonly<Record<number, ZodType | readonly ZodType[] | Problems>>;

/** A "no" with one of these codes. What every operation may answer besides (see lane/described.ts) is not named here. */
export function problem(...codes: readonly ProblemCode[]): Problems {
  return { codes };
}

/** The media type of what a schema describes. */
export function mediaTypeOf(schema: ZodType): string {
  return (schema.meta()?.mediaType as string | undefined) ?? 'application/json';
}

/** The 304 of a conditional read. */
export const notModified = z
  .undefined()
  .meta({ description: 'The content that the client has is still good.' });

const basic = {
  title: z.string().min(1),
  status: z.int(),
  detail: z
    .string()
    .regex(/^\S.*\.$/)
    .describe('one sentence for people'),
  requestId: z.string().min(1),
};

/** The members that a "no" has besides, by its code. */
const MEMBERS: Readonly<Partial<Record<ProblemCode, ZodRawShape>>> = {
  UNAVAILABLE: { retryAfterMs: z.int().min(1) },
  VALIDATION_FAILED: {
    fields: z.record(z.string(), z.string()).optional().describe('what is wrong, by the path to it'),
    problems: z
      .array(
        z.strictObject({ line: z.int().min(1).optional(), path: z.string().optional(), message: z.string() }),
      )
      .optional()
      .describe('what is wrong with a file, by line'),
  },
  FORBIDDEN: { fields: z.record(z.string(), z.string()).optional() },
  SEAT_TAKEN: { seats: z.array(seatName).min(1).optional() },
  SEAT_NOT_FOUND: { seats: z.array(seatName).min(1).optional() },
  SOLD_OUT: { seatsRemaining: count.optional() },
  ALL_HELD: {
    seatsRemaining: count.optional(),
    nextExpiryAt: time.optional().describe('when the next hold may lapse'),
  },
  NOT_ON_SALE: { onSaleAt: time.optional() },
  BELOW_MINIMUM: { perOrder: count },
  LIMIT_REACHED: { perOrder: count.optional() },
};

/** The schema of a "no" with one of these codes; `more` are members that its operation adds to all of them. */
export function problemSchema(codes: readonly ProblemCode[], more: ZodRawShape = {}): ZodType {
  const plain = codes.filter((code) => MEMBERS[code] === undefined);
  const shapes = codes
    .filter((code) => MEMBERS[code] !== undefined)
    .map((code) => variant([code], MEMBERS[code], more));
  if (plain.length > 0) shapes.push(variant(plain, {}, more));
  const [first, ...others] = shapes;
  const schema = others.length === 0 ? first! : z.discriminatedUnion('error', [first!, ...others]);
  return schema.meta({ mediaType: 'application/problem+json' });
}

/** The schema of a "no" with this code alone. */
export function problemVariant(code: ProblemCode, more: ZodRawShape = {}): ZodType {
  return variant([code], MEMBERS[code], more);
}

function variant(codes: readonly ProblemCode[], members: ZodRawShape = {}, more: ZodRawShape) {
  return z.strictObject({
    error: z.enum(codes as readonly [string, ...string[]]),
    ...basic,
    ...members,
    ...more,
  });
}

/** A "no" of any code: what a client that does not tell them apart may rely on (RFC 9457). */
export const anyProblem = z
  .strictObject({
    error: z
      .string()
      .regex(/^[A-Z_]+$/)
      .describe('stable, for programs'),
    ...basic,
    retryAfterMs: z.int().min(1).optional(),
    fields: z.record(z.string(), z.string()).optional(),
    seatsRemaining: count.optional(),
    seats: z.array(seatName).min(1).optional(),
    nextExpiryAt: time.optional(),
    onSaleAt: time.optional(),
    perOrder: count.optional(),
  })
  .meta({ id: 'Problem', mediaType: 'application/problem+json' });
