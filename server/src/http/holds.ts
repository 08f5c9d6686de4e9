// The doors of holds: take, read, give back, confirm.
import { confirmInput, holdInput, holdReference } from '../contract/holds.ts';
import { type HoldView, hold, readHold, release } from '../sales/hold.ts';
import { idempotencyOf } from '../sales/idempotency.ts';
import { confirm } from '../sales/orders.ts';
import type { Rooms } from '../sales/rooms.ts';
import { buyerFor } from '../sales/who.ts';
import { refuseBuyer } from './credentials.ts';
import { type Operation, operation } from './operation.ts';
import { orderBody } from './orders.ts';
import { problem } from './problem.ts';

export function holdOperations(rooms: Rooms): Operation[] {
  return [
    operation({
      name: 'hold',
      method: 'POST',
      path: '/api/v1/events/:eventId/holds',
      isHot: true,
      input: holdInput,
      async run({ input, requestId, who }) {
        const { eventId } = input.params;
        const { lines } = input.body;
        const buyer = buyerFor(who, input.body.buyer);
        if (buyer === undefined) return refuseBuyer(requestId);
        const idempotency = idempotencyOf(input.headers['idempotency-key'], 'hold', input.body, who);
        const held = await hold(rooms, { eventId, lines, buyer, idempotency });
        if ('refusal' in held) return problem(held.refusal, requestId);
        return { status: 201, body: holdBody(held), result: 'granted', fields: logFields(held) };
      },
    }),
    operation({
      name: 'read-hold',
      method: 'GET',
      path: '/api/v1/holds/:holdId',
      input: holdReference,
      async run({ input, requestId }) {
        const held = await readHold(rooms, input.params.holdId);
        return 'refusal' in held ? problem(held.refusal, requestId) : { status: 200, body: holdBody(held) };
      },
    }),
    operation({
      name: 'release-hold',
      method: 'DELETE',
      path: '/api/v1/holds/:holdId',
      input: holdReference,
      async run({ input, requestId }) {
        const held = await release(rooms, input.params.holdId);
        if ('refusal' in held) return problem(held.refusal, requestId);
        return { status: 200, body: holdBody(held), result: 'granted', fields: logFields(held) };
      },
    }),
    operation({
      name: 'confirm-hold',
      method: 'POST',
      path: '/api/v1/holds/:holdId/confirm',
      input: confirmInput,
      async run({ input, requestId, who }) {
        const { holdId } = input.params;
        const idempotency = idempotencyOf(input.headers['idempotency-key'], 'confirm', { holdId }, who);
        const order = await confirm(rooms, { holdId, idempotency });
        if ('refusal' in order) return problem(order.refusal, requestId);
        const { eventId, orderId, ledgerSeq, tickets } = order;
        return {
          status: 201,
          body: { ...orderBody(order), secret: order.secret },
          result: 'granted',
          fields: { eventId, holdId, orderId, ledgerSeq, tickets: tickets.length },
        };
      },
    }),
  ];
}

function holdBody(held: HoldView) {
  const { expiresAtMs, ...body } = held;
  return { ...body, expiresAt: new Date(expiresAtMs).toISOString() };
}

function logFields({ eventId, holdId, status, ledgerSeq, tickets }: HoldView) {
  return { eventId, holdId, holdStatus: status, ledgerSeq, tickets: tickets.length };
}
