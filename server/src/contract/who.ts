// The wire of who asks: the name a buyer goes by, staff keys, sessions, and a buyer's own tickets.
import { ROLES } from '@floodgate/core/actor.ts';
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

export const keyInput = z.object({
  body: z.strictObject(
    {
      name: plainText
        .min(1, 'must have 1 to 100 characters')
        .max(100, 'must have 1 to 100 characters')
        .refine((text) => text === text.trim(), 'must not begin or end with a space'),
      role: z.enum(ROLES, `must be one of ${ROLES.join(', ')}`),
      expiresAt: z.iso
        .datetime({ offset: true, error: 'must be a time in ISO 8601, such as 2027-01-01T19:00:00Z' })
        .optional(),
    },
    'must be an object with name and role',
  ),
});

export const keyReference = z.object({ params: z.object({ keyId: z.string() }) });

export const sessionInput = z.object({ body: z.strictObject({}).default({}) });
