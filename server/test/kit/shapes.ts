// The answers of the API as its clients are promised them, exactly: an unknown member fails too, so nothing (least
// of all a secret) slips into an answer by accident. A member that is added on purpose is added here.
import assert from 'node:assert/strict';
import { z } from 'zod';
import type { Reply } from './test-shop.ts';

const snowflake = z.string().regex(/^[1-9]\d{17,18}$/);
const secret = z.string().regex(/^[\w-]{22}$/);
const count = z.int().min(0);
const isoTime = z.iso.datetime({ precision: 3 });

const seatName = z.strictObject({ section: z.string(), row: z.string(), seat: z.string() });
const ticket = z.strictObject({
  ticketId: z.string().regex(/^\d+$/),
  ticketType: z.string(),
  label: z.string().min(1),
  seat: seatName.optional(),
});
const tickets = z.array(ticket).min(1);
const total = z.strictObject({ amount: count, currency: z.string().regex(/^[A-Z]{3}$/) });

const granted = { orderId: snowflake, secret, tickets, ledgerSeq: z.int().min(1) };
export const bought = z.strictObject({ success: z.literal(true), eventId: z.string(), ...granted });
export const purchased = z.strictObject({ success: z.literal(true), seatsRemaining: count, ...granted });

export const hold = z.strictObject({
  holdId: snowflake,
  eventId: z.string(),
  status: z.enum(['active', 'confirmed', 'released', 'expired']),
  expiresAt: isoTime,
  expiresInMs: count,
  extendableUntil: isoTime,
  ledgerSeq: z.int().min(1),
  tickets,
  total,
  orderId: snowflake.nullable(),
});

export const order = z.strictObject({
  orderId: snowflake,
  number: snowflake,
  eventId: z.string(),
  status: z.literal('confirmed'),
  buyer: z.string().nullable(),
  tickets,
  total,
  createdAt: isoTime,
  ledgerSeq: z.int().min(1),
});
export const confirmed = order.extend({ secret });
export const orders = z.strictObject({ orders: z.array(order), nextCursor: z.string().optional() });

// As organizers sent them: with any offset, with or without fractions of a second.
const sentTime = z.iso.datetime({ offset: true });
const ticketType = z.strictObject({
  ticketTypeId: z.string(),
  name: z.string(),
  description: z.string().optional(),
  price: count,
  currency: z.string().regex(/^[A-Z]{3}$/),
  capacity: count,
  available: count,
  category: z.string().optional(),
  saleStartsAt: sentTime.optional(),
  saleEndsAt: sentTime.optional(),
  minPerOrder: count.optional(),
  maxPerOrder: count.optional(),
  limitPerBuyer: count.optional(),
  needsAccessCode: z.literal(true).optional(),
});
const eventMembers = {
  eventId: z.string(),
  name: z.string(),
  description: z.string().optional(),
  venue: z.strictObject({
    name: z.string(),
    address: z.string().optional(),
    city: z.string().optional(),
    country: z.string().optional(),
  }),
  startsAt: sentTime,
  timeZone: z.string(),
  onSaleAt: sentTime.optional(),
  endsAt: sentTime.optional(),
  maxPerOrder: count.optional(),
  limitPerBuyer: count.optional(),
  holdsPerBuyer: count.optional(),
  manifestId: z.string().optional(),
};
/** As the public reads it: no drafts, no access codes. */
export const event = z.strictObject({
  ...eventMembers,
  status: z.enum(['scheduled', 'open', 'paused', 'ended', 'cancelled']),
  ticketTypes: z.array(ticketType),
});
export const staffEvent = z.strictObject({
  ...eventMembers,
  status: z.enum(['draft', 'scheduled', 'open', 'paused', 'ended', 'cancelled']),
  ticketTypes: z.array(ticketType.extend({ accessCode: z.string().optional() })),
});
export const events = z.strictObject({ events: z.array(event), nextCursor: z.string().optional() });

const states = {
  ...{ capacity: count, available: count, pending: count, held: count, sold: count },
  ...{ allocated: count, killed: count },
};
const typeCounts = z.strictObject({ ticketType: z.string(), ...states });
export const availability = z.strictObject({
  eventId: z.string(),
  ticketTypes: z.array(typeCounts),
  ...states,
});

export const allocation = z.strictObject({
  allocationId: snowflake,
  name: z.string(),
  kind: z.enum(['channel', 'kill']),
  quantity: count,
  lines: z.array(
    z.strictObject({
      ticketType: z.string(),
      quantity: count.min(1),
      tickets: z.string().regex(/^[\d,-]+$/),
      seats: z.array(seatName).optional(),
    }),
  ),
});
export const allocations = z.strictObject({ allocations: z.array(allocation) });

const members = z.record(z.string(), z.unknown());
export const eventChanges = z.strictObject({
  changes: z.array(
    z.strictObject({
      version: z.int().min(1),
      by: z.string().nullable(),
      action: z.string(),
      before: members,
      after: members,
      at: isoTime,
    }),
  ),
  nextCursor: z.string().optional(),
});

export const audit = z.strictObject({
  ok: z.boolean(),
  checks: z.array(z.strictObject({ rule: z.string(), ok: z.boolean(), detail: z.string() })).min(1),
  counts: z.array(typeCounts),
});

export const journal = z.strictObject({
  entries: z.array(
    z.strictObject({
      seq: z.int().min(1),
      kind: z.enum([
        ...['event-created', 'event-changed', 'bought', 'held', 'extended'],
        ...['confirmed', 'released', 'expired'],
      ] as const),
      at: isoTime,
      atMs: count,
      capacity: count.optional(),
      tickets: z.array(count).min(1).optional(),
      orderId: snowflake.optional(),
      holdId: snowflake.optional(),
      buyer: z.string().nullable().optional(),
      expiresAtMs: count.optional(),
      key: z.string().optional(),
      by: z.string().optional(),
      action: z.string().optional(),
      before: members.optional(),
      after: members.optional(),
      setAside: z.array(count).optional(),
      restored: z.array(count).optional(),
      allocationId: snowflake.optional(),
      previous: z.int().min(1).optional(),
    }),
  ),
});

export const defaultEvent = z.strictObject({ totalSeats: count, seatsSold: count, seatsRemaining: count });

export const stats = z.strictObject({
  totalRequests: count,
  successPurchases: count,
  failedPurchases: count,
  p95Latency: z.number().min(0),
  cacheStats: z.strictObject({
    seatCache: z.strictObject({
      eventId: z.string(),
      totalSeats: count,
      seatsSold: count,
      lastUpdated: isoTime,
    }),
    idempotencyCacheSize: count,
  }),
});

export const health = z.strictObject({
  status: z.enum(['ok', 'degraded']),
  degraded: z.boolean(),
  mode: z.string(),
  uptimeSeconds: count,
  memory: z.strictObject({ rssBytes: count.min(1), heapUsedBytes: count.min(1) }),
});

const latencies = z.strictObject({ p50: z.number(), p95: z.number(), p99: z.number() });
export const metrics = z.strictObject({
  events: z.array(
    z.strictObject({ eventId: z.string(), capacity: count, sold: count, held: count, remaining: count }),
  ),
  requests: count,
  granted: count,
  refused: count,
  errors: count,
  fallbackActivations: count,
  degraded: z.boolean(),
  latencyMs: latencies,
});

export const problem = z.strictObject({
  error: z.string().regex(/^[A-Z_]+$/),
  title: z.string().min(1),
  status: z.int(),
  detail: z.string().regex(/^\S.*\.$/),
  requestId: z.string().min(1),
  retryAfterMs: z.int().min(1).optional(),
  fields: z.record(z.string(), z.string()).optional(),
  seatsRemaining: count.optional(),
  seats: z.array(seatName).min(1).optional(),
  nextExpiryAt: isoTime.optional(),
  onSaleAt: isoTime.optional(),
  perOrder: count.optional(),
});

/** Of the flash purchase. */
export const reserved = z.strictObject({
  success: z.literal(true),
  reservationId: snowflake,
  orderId: snowflake,
  expiresAt: z.int(),
  message: z.string().min(1),
  processingTimeMs: z.number().min(0),
});
export const notReserved = problem.extend({
  success: z.literal(false),
  message: z.string().min(1),
  processingTimeMs: z.number().min(0),
});

/** The body of an answer of this status and shape. */
export function read<Shape extends z.ZodType>(reply: Reply, status: number, shape: Shape): z.infer<Shape> {
  assert.equal(reply.status, status, reply.text);
  assert.match(reply.headers.get('content-type') ?? '', /^application\/(problem\+)?json$/);
  return shape.parse(reply.body);
}

/** The problem of a refusal: its media type, status and code, one clear sentence, and the request's id. */
export function readProblem(reply: Reply, status: number, error: string): z.infer<typeof problem> {
  const body = read(reply, status, problem);
  assert.equal(body.error, error, reply.text);
  assert.equal(body.status, status);
  assert.equal(reply.headers.get('content-type'), 'application/problem+json');
  assert.equal(reply.headers.get('x-request-id'), body.requestId);
  return body;
}

const role = z.enum(['admin', 'box-office', 'door', 'read']);
export const staffKey = z.strictObject({
  keyId: snowflake,
  name: z.string(),
  role,
  status: z.enum(['active', 'expired', 'revoked']),
  createdAt: isoTime,
  expiresAt: isoTime.nullable(),
  revokedAt: isoTime.nullable(),
});
export const madeKey = staffKey.extend({ key: z.string().regex(/^fgk_\d+_[\w-]{43}$/) });
export const staffKeys = z.strictObject({ keys: z.array(staffKey), nextCursor: z.string().optional() });
export const changes = z.strictObject({
  changes: z.array(z.looseObject({ seq: z.int(), kind: z.string(), at: isoTime })),
  nextCursor: z.string().optional(),
});

export const session = z.strictObject({
  buyer: z.string().regex(/^session:[\w-]{22}$/),
  token: z.string().regex(/^fgs_[\w-]{22}\.[0-9a-z]+\.[\w-]{43}$/),
  expiresAt: isoTime,
});
export const me = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('nobody') }),
  z.strictObject({ kind: z.literal('buyer'), buyer: z.string() }),
  z.strictObject({ kind: z.literal('staff'), role, name: z.string() }),
]);
const myOrder = order.extend({
  event: z.strictObject({
    name: z.string(),
    startsAt: z.string(),
    venue: z.looseObject({ name: z.string() }),
  }),
});
export const myTickets = z.strictObject({ orders: z.array(myOrder), nextCursor: z.string().optional() });
