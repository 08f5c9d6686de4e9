// The wire of the flash purchase (row D1).
import { z } from 'zod';
import { idempotencyKey, optionalKey, quantity } from './schemas.ts';
import { buyer } from './who.ts';

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
