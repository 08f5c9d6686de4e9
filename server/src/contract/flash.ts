// The wire of the flash purchase (row D1).
import { z } from 'zod';
import { idempotencyKey, optionalKey, quantity } from './schemas.ts';
import { buyer } from './who.ts';

export const flashInput = z.object({
  headers: optionalKey,
  body: z.object(
    {
      userId: buyer,
      skuId: z.string('must name a ticket type: "ga", or "rock-night:ga" with its event').min(1).max(97),
      quantity,
      idempotencyKey: idempotencyKey.optional(),
    },
    'must be like {"userId": "ann", "skuId": "rock-night:ga", "quantity": 2}',
  ),
});
