// The wire of the seat map.
import { z } from 'zod';

const eventParams = z.object({ eventId: z.string() });

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
