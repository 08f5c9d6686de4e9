// The wire of who acts: sessions, a buyer's own tickets, staff keys, and what staff did to the shop.
import { ROLES } from '@floodgate/core/actor.ts';
import { z } from 'zod';
import { type Answers, problem } from './answers.ts';
import { orderAnswer } from './orders.ts';
import { giveExample, nextCursor, plainText, snowflake, time } from './values.ts';

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

giveExample(keyInput.shape.body, { name: 'Box office, left window', role: 'box-office' });

export const keyReference = z.object({ params: z.object({ keyId: z.string() }) });

export const sessionInput = z.object({ body: z.strictObject({}).default({}) });

const role = z.enum(ROLES);
export const staffKeyAnswer = z
  .strictObject({
    keyId: snowflake,
    name: z.string(),
    role,
    status: z.enum(['active', 'expired', 'revoked']),
    createdAt: time,
    expiresAt: time.nullable(),
    revokedAt: time.nullable(),
  })
  .meta({ id: 'StaffKey' });
export const madeKeyAnswer = staffKeyAnswer
  .extend({
    key: z
      .string()
      .regex(/^fgk_\d+_[\w-]{43}$/)
      .describe('shown now and never again'),
  })
  .meta({ id: 'MadeKey' });
export const staffKeysAnswer = z.strictObject({ keys: z.array(staffKeyAnswer), nextCursor });
/** What staff did to the shop, of any kind: members of later kinds may be added. */
export const changesAnswer = z.strictObject({
  changes: z.array(z.looseObject({ seq: z.int(), kind: z.string(), at: time })),
  nextCursor,
});

export const sessionAnswer = z
  .strictObject({
    buyer: z.string().regex(/^session:[\w-]{22}$/),
    token: z
      .string()
      .regex(/^fgs_[\w-]{22}\.[0-9a-z]+\.[\w-]{43}$/)
      .describe('a bearer token'),
    expiresAt: time,
  })
  .meta({ id: 'Session' });
export const meAnswer = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('nobody') }),
    z.strictObject({ kind: z.literal('buyer'), buyer: z.string() }),
    z.strictObject({ kind: z.literal('staff'), role, name: z.string() }),
  ])
  .meta({ id: 'Me' });
const myOrder = orderAnswer.extend({
  event: z.strictObject({
    name: z.string(),
    startsAt: z.string(),
    venue: z.looseObject({ name: z.string() }),
  }),
});
export const myTicketsAnswer = z.strictObject({ orders: z.array(myOrder), nextCursor });

export const startSessionAnswers: Answers = { 201: sessionAnswer };
export const meAnswers: Answers = { 200: meAnswer };
export const myTicketsAnswers: Answers = { 200: myTicketsAnswer, 403: problem('FORBIDDEN') };
export const makeKeyAnswers: Answers = { 201: madeKeyAnswer };
export const listKeysAnswers: Answers = { 200: staffKeysAnswer };
export const revokeKeyAnswers: Answers = { 200: staffKeyAnswer, 404: problem('KEY_NOT_FOUND') };
export const changesAnswers: Answers = { 200: changesAnswer };
