// The wire of the flash purchase (row D1).
import { z } from 'zod';
import { type Answers, anyProblem, problem } from './answers.ts';
import { buyer, giveExample, idempotencyKey, optionalKey, quantity, secret, snowflake } from './values.ts';

/** Systems that number their users and articles may send the numbers as such. */
const orNumber = <Text extends z.ZodType<string, string>>(text: Text) =>
  z.preprocess((given) => (Number.isSafeInteger(given) ? String(given) : given), text);

export const flashInput = z.object({
  headers: optionalKey,
  body: z.object(
    {
      userId: orNumber(buyer),
      skuId: orNumber(
        z.string('must name a ticket type: "ga", or "rock-night:ga" with its event').min(1).max(97),
      ),
      quantity,
      idempotencyKey: idempotencyKey.optional(),
    },
    'must be like {"userId": "ann", "skuId": "rock-night:ga", "quantity": 2}',
  ),
});
giveExample(flashInput.shape.body, { userId: 'ann', skuId: 'rock-night:ga', quantity: 2 });

const processingTimeMs = z.number().min(0);
export const reservedAnswer = z
  .strictObject({
    success: z.literal(true),
    reservationId: snowflake.describe('of the hold'),
    holdSecret: secret.optional().describe('goes with the hold, as the header Hold-Secret'),
    orderId: snowflake.describe('of the order that confirming the hold will make'),
    expiresAt: z.int().describe('milliseconds since 1970'),
    message: z.string().min(1),
    processingTimeMs,
  })
  .meta({ id: 'Reserved' });

/** What every "no" of the flash purchase has besides. */
export const notReservedMembers = { success: z.literal(false), message: z.string().min(1), processingTimeMs };
export const notReservedAnswer = anyProblem.extend(notReservedMembers).meta({ id: 'NotReserved' });

export const flashAnswers: Answers = {
  200: reservedAnswer,
  401: problem('BUYER_REQUIRED'),
  403: problem('ACCESS_CODE_REQUIRED'),
  404: problem('EVENT_NOT_FOUND', 'TICKET_TYPE_NOT_FOUND', 'SECTION_NOT_FOUND'),
  409: problem('NOT_ON_SALE', 'BELOW_MINIMUM', 'LIMIT_REACHED', 'SOLD_OUT', 'ALL_HELD', 'NO_SEATS_TOGETHER'),
  422: problem('IDEMPOTENCY_KEY_REUSED'),
};
