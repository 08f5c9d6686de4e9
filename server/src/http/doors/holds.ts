// The doors of holds: take, read, extend, give back, confirm.

import type { Actor } from '@floodgate/core/actor.ts';
import type { Refusal } from '@floodgate/core/refusal.ts';
import {
  confirmAnswers,
  confirmInput,
  extendAnswers,
  extendInput,
  holdAnswers,
  holdInput,
  holdReference,
  readHoldAnswers,
  releaseAnswers,
} from '../../contract/holds.ts';
import { isoTime } from '../../contract/values.ts';
import { buyerFor, type Caller } from '../../sales/access/who.ts';
import { confirm } from '../../sales/buying/confirm.ts';
import { extend, type HoldView, hold, readHold, release } from '../../sales/buying/hold.ts';
import { idempotencyOf } from '../../sales/buying/idempotency.ts';
import type { Shop } from '../../sales/shop.ts';
import type { Answer } from '../lane/answer.ts';
import { refuseBuyer } from '../lane/credentials.ts';
import { type Operation, operation } from '../lane/operation.ts';
import { refused } from '../lane/refused.ts';
import { orderBody } from './orders.ts';

export function holdOperations(shop: Shop): Operation[] {
  return [
    operation({
      name: 'hold',
      summary: 'Hold tickets for a time',
      tag: 'Holds',
      method: 'POST',
      path: '/api/v1/events/:eventId/holds',
      isHot: true,
      input: holdInput,
      answers: holdAnswers,
      async run({ input, requestId, actor }) {
        const { eventId } = input.params;
        const { lines } = input.body;
        const buyer = buyerFor(actor, input.body.buyer);
        if (buyer === undefined) return refuseBuyer(requestId);
        const idempotency = idempotencyOf(input.headers['idempotency-key'], 'hold', input.body, actor);
        const held = await hold(shop, { eventId, lines, buyer, idempotency });
        return 'refusal' in held ? refused(held, requestId, eventId) : granted(held, 201);
      },
    }),
    operation({
      name: 'read-hold',
      summary: 'Read a hold',
      tag: 'Holds',
      method: 'GET',
      path: '/api/v1/holds/:holdId',
      input: holdReference,
      answers: readHoldAnswers,
      async run({ input, requestId, actor }) {
        const held = await readHold(shop, input.params.holdId, callerOf(input, actor));
        if ('refusal' in held) return refused(held, requestId);
        return { kind: 'json', status: 200, body: holdBody(held), headers: { 'Cache-Control': 'no-store' } };
      },
    }),
    operation({
      name: 'extend-hold',
      summary: 'Give a hold more time',
      tag: 'Holds',
      method: 'POST',
      path: '/api/v1/holds/:holdId/extend',
      input: extendInput,
      answers: extendAnswers,
      run: async ({ input, requestId, actor }) =>
        grantedOrRefused(await extend(shop, input.params.holdId, callerOf(input, actor)), requestId),
    }),
    operation({
      name: 'release-hold',
      summary: 'Give the tickets of a hold back',
      tag: 'Holds',
      method: 'DELETE',
      path: '/api/v1/holds/:holdId',
      input: holdReference,
      answers: releaseAnswers,
      run: async ({ input, requestId, actor }) =>
        grantedOrRefused(await release(shop, input.params.holdId, callerOf(input, actor)), requestId),
    }),
    operation({
      name: 'confirm-hold',
      summary: 'Make an order of a hold',
      tag: 'Holds',
      method: 'POST',
      path: '/api/v1/holds/:holdId/confirm',
      input: confirmInput,
      answers: confirmAnswers,
      async run({ input, requestId, actor }) {
        const { holdId } = input.params;
        const idempotency = idempotencyOf(input.headers['idempotency-key'], 'confirm', { holdId }, actor);
        const order = await confirm(shop, { holdId, caller: callerOf(input, actor), idempotency });
        if ('refusal' in order) return refused(order, requestId);
        const { eventId, orderId, ledgerSeq, tickets } = order;
        return {
          kind: 'json',
          status: 201,
          body: { ...orderBody(order), secret: order.secret },
          result: 'granted',
          fields: { eventId, holdId, orderId, ledgerSeq, tickets: tickets.length },
        };
      },
    }),
  ];
}

function callerOf(
  { headers }: { readonly headers: { readonly 'hold-secret'?: string | undefined } },
  who: Actor,
): Caller {
  return { who, secret: headers['hold-secret'] };
}

function grantedOrRefused(held: HoldView | Refusal, requestId: string): Answer {
  return 'refusal' in held ? refused(held, requestId) : granted(held, 200);
}

function granted(held: HoldView, status: number): Answer {
  return { kind: 'json', status, body: holdBody(held), result: 'granted', fields: logFields(held) };
}

function holdBody({ expiresAtMs, extendableUntilMs, ...body }: HoldView) {
  return { ...body, expiresAt: isoTime(expiresAtMs), extendableUntil: isoTime(extendableUntilMs) };
}

function logFields({ eventId, holdId, status, ledgerSeq, tickets }: HoldView) {
  return { eventId, holdId, holdStatus: status, ledgerSeq, tickets: tickets.length };
}
