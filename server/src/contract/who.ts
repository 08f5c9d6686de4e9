// The wire of who asks: the name a buyer goes by, staff keys, sessions, and a buyer's own tickets.
import { z } from 'zod';

/**
 * Text that every store keeps as it is: whole characters, none of control. Leaves the bounds of its length to the
 * schema that uses it.
 */
export const plainText = z
  .string('must be text')
  .refine((text) => text.isWellFormed() && !/\p{Cc}/u.test(text), {
    message: 'must be whole Unicode characters, without control characters',
  });

/** Who a ticket is for. Whether the asker may name that buyer is decided in sales/who.ts. */
export const buyer = plainText
  .min(1, 'must have 1 to 255 characters')
  .max(255, 'must have 1 to 255 characters');
