// The doors that sell in one step: A2, and B2 on the default event.
import { buyAnswers, buyInput, purchaseAnswers, purchaseInput } from '../../contract/buying.ts';
import { buyerFor } from '../../sales/access/who.ts';
import { type Bought, buy } from '../../sales/buying/buy.ts';
import { idempotencyOf } from '../../sales/buying/idempotency.ts';
import type { Shop } from '../../sales/shop.ts';
import { defaultEventId } from '../../sales/showing/default-event.ts';
import type { Answer } from '../lane/answer.ts';
import { refuseBuyer } from '../lane/credentials.ts';
import { type Operation, operation } from '../lane/operation.ts';
import { problem } from '../lane/problem.ts';
import { refused } from '../lane/refused.ts';

export function buyOperations(shop: Shop): Operation[] {
  return [
    operation({
      name: 'buy',
      summary: 'Buy tickets of one type in one step',
      tag: 'Buying',
      method: 'POST',
      path: '/buy/:eventId',
      isHot: true,
      input: buyInput,
      answers: buyAnswers,
      async run({ input, requestId, actor }) {
        const { eventId } = input.params;
        const { quantity, ticketType, accessCode } = input.body;
        const buyer = buyerFor(actor, input.body.buyer);
        if (buyer === undefined) return refuseBuyer(requestId);
        const idempotency = idempotencyOf(input.headers['idempotency-key'], 'buy', input.body, actor);
        const command = { eventId, quantity, buyer, ticketType, accessCode, idempotency };
        const bought = await buy(shop, command);
        if ('refusal' in bought) return refused(bought, requestId, eventId);
        const { orderId, secret, tickets, ledgerSeq } = bought;
        return granted(bought, 201, { success: true, eventId, orderId, secret, tickets, ledgerSeq });
      },
    }),
    operation({
      name: 'purchase',
      summary: 'Buy tickets of the default event',
      tag: 'Buying',
      method: 'POST',
      path: '/api/v1/purchase',
      isHot: true,
      input: purchaseInput,
      answers: purchaseAnswers,
      async run({ input, requestId, actor }) {
        const eventId = defaultEventId(shop);
        if (eventId === undefined) {
          return problem('EVENT_NOT_FOUND', requestId, { detail: 'There is no default event.' });
        }
        const { quantity } = input.body;
        const buyer = buyerFor(actor, undefined) ?? null;
        const idempotency = idempotencyOf(input.headers['idempotency-key'], 'purchase', input.body, actor);
        const bought = await buy(shop, {
          eventId,
          quantity,
          buyer,
          idempotency,
          notesRemaining: true,
        });
        if ('refusal' in bought) return refused(bought, requestId, eventId);
        const { remaining: seatsRemaining, orderId, secret, tickets, ledgerSeq } = bought;
        return granted(bought, 200, { success: true, seatsRemaining, orderId, secret, tickets, ledgerSeq });
      },
    }),
  ];
}

function granted(bought: Bought, status: number, body: unknown): Answer {
  const { eventId, orderId, ledgerSeq, tickets } = bought;
  return {
    kind: 'json',
    status,
    body,
    result: 'granted',
    fields: { eventId, orderId, ledgerSeq, tickets: tickets.length },
  };
}
