// The door of the flash purchase (row D1). Every answer of it, also a refusal or a fault, has its members `success`,
// `message` and `processingTimeMs`; a refusal has those of a problem besides.
import { flashAnswers, flashInput, notReservedMembers } from '../../contract/flash.ts';
import { isoTime } from '../../contract/values.ts';
import { buyerFor } from '../../sales/access/who.ts';
import { findSku, type Reserved, reserve } from '../../sales/buying/flash.ts';
import { idempotencyOf } from '../../sales/buying/idempotency.ts';
import type { Shop } from '../../sales/shop.ts';
import type { Answer, JsonAnswer } from '../lane/answer.ts';
import { type Operation, operation } from '../lane/operation.ts';
import { problem } from '../lane/problem.ts';
import { refused } from '../lane/refused.ts';

export function flashOperations(shop: Shop): Operation[] {
  return [
    operation({
      name: 'flash-purchase',
      summary: 'Reserve tickets of one type, with the number of the order to be',
      tag: 'Buying',
      method: 'POST',
      path: '/api/v1/flash/purchase',
      isHot: true,
      input: flashInput,
      answers: flashAnswers,
      dress: withTime,
      problemMembers: notReservedMembers,
      async run({ input, requestId, actor }) {
        const { idempotencyKey, ...request } = input.body;
        const { userId, skuId, quantity } = request;
        const key = input.headers['idempotency-key'] ?? idempotencyKey;
        if (idempotencyKey !== undefined && idempotencyKey !== key) {
          return invalid(
            requestId,
            'body.idempotencyKey',
            'is another than that of the Idempotency-Key header',
          );
        }
        const buyer = buyerFor(actor, userId);
        if (buyer === undefined) return refuseUser(requestId);
        const sku = await findSku(shop, skuId);
        if ('refusal' in sku) return refused(sku, requestId);
        if ('ambiguous' in sku) {
          const names = sku.ambiguous.slice(0, MAX_NAMES).join(', ');
          return invalid(
            requestId,
            'body.skuId',
            `is sold by ${sku.ambiguous.length} events: name one, as in ${names}`,
          );
        }
        const idempotency = idempotencyOf(key, 'flash', request, actor);
        const reserved = await reserve(shop, { ...sku, quantity, buyer, idempotency });
        return 'refusal' in reserved ? refused(reserved, requestId, sku.eventId) : granted(reserved);
      },
    }),
  ];
}

const MAX_NAMES = 3;

function granted(reserved: Reserved): Answer {
  const { eventId, holdId, orderId, secret, expiresAtMs, ledgerSeq, tickets } = reserved;
  const what = tickets === 1 ? '1 ticket is' : `${tickets} tickets are`;
  return {
    kind: 'json',
    status: 200,
    body: {
      success: true,
      reservationId: holdId,
      ...(secret === null ? undefined : { holdSecret: secret }),
      orderId,
      expiresAt: expiresAtMs,
      message: `${what} reserved until ${isoTime(expiresAtMs)}. Confirm the hold before then.`,
    },
    result: 'granted',
    fields: { eventId, holdId, orderId, ledgerSeq, tickets },
  };
}

function invalid(requestId: string, field: string, message: string): Answer {
  return problem('VALIDATION_FAILED', requestId, {
    fields: { [field]: message },
    detail: `${field} ${message}.`,
  });
}

function refuseUser(requestId: string): Answer {
  return problem('FORBIDDEN', requestId, {
    detail:
      'You cannot buy as that user: send your own id. Ids that begin with session: or user: need a session or a token.',
    fields: { 'body.userId': 'is somebody else' },
  });
}

function withTime(answer: JsonAnswer, ms: number): JsonAnswer {
  const body = answer.body as Readonly<Record<string, unknown>>;
  const isGranted = answer.status < 300;
  const spoken = isGranted ? undefined : { success: false, message: body.detail };
  return { ...answer, body: { ...spoken, ...body, processingTimeMs: Math.round(ms * 1_000) / 1_000 } };
}
