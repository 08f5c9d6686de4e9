// One-step purchase: claim and order in one ledger entry (rows A2, B2).

import type { EventId, OrderId } from '@floodgate/core/ids.ts';
import type { Refusal } from '@floodgate/core/refusal.ts';
import type { TicketView } from '@floodgate/core/seating/layout.ts';
import type { Buy, Idempotency } from '../../ledger/ledger.ts';
import type { CatalogueEntry } from '../catalogue/catalogue.ts';
import { conduct, type Done } from '../conduct.ts';
import { newOrderId, type Shop } from '../shop.ts';
import { type ClaimDemand, countRemaining, NO_EVENT, withNextExpiry } from './claim.ts';
import { check } from './eligibility.ts';
import { typeNamed } from './wants.ts';

export interface BuyCommand {
  readonly eventId: string;
  /** Of one type; undefined: the event's first. */
  readonly ticketType?: string | undefined;
  readonly quantity: number;
  readonly accessCode?: string | undefined;
  readonly buyer: string | null;
  readonly idempotency?: Idempotency | undefined;
  /** Whether the answer says how many tickets are left. */
  readonly notesRemaining?: boolean;
}

export interface Bought {
  readonly eventId: string;
  readonly orderId: OrderId;
  /** A bearer secret: anyone who has it may read the order. */
  readonly secret: string;
  readonly ledgerSeq: number;
  readonly tickets: readonly TicketView[];
  /** Tickets left when these were taken, if asked for. */
  readonly remaining: number | undefined;
}

/**
 * Buys `quantity` tickets of one type at once: of seats, the best. Refusals: EVENT_NOT_FOUND, TICKET_TYPE_NOT_FOUND,
 * SECTION_NOT_FOUND, IDEMPOTENCY_KEY_REUSED, NOT_ON_SALE, ACCESS_CODE_REQUIRED, BUYER_REQUIRED, PAYMENT_REQUIRED,
 * BELOW_MINIMUM, LIMIT_REACHED, SOLD_OUT, ALL_HELD. Throws Busy, LedgerUnavailable, LedgerOutcomeUnknown.
 */
export async function buy(shop: Shop, command: BuyCommand): Promise<Bought | Refusal> {
  const found = shop.catalogue.find(command.eventId);
  const entry = found instanceof Promise ? await found : found;
  if (!entry) return { refusal: 'EVENT_NOT_FOUND' };
  const { idempotency } = command;
  const done = await conduct<Buy, ClaimDemand>(shop, entry, {
    kind: 'buy',
    idempotency,
    check: (entry) => demandOf(shop, entry, command),
    propose: ({ eventId, version, layout }, { limits }, tickets) => {
      const orderId = newOrderId(shop);
      const secret = shop.newSecret();
      const { buyer } = command;
      const buy: Buy = {
        kind: 'buy',
        eventId,
        version,
        limits,
        tickets,
        price: layout.priceOf(tickets),
        idempotency,
        orderId,
        secret,
        buyer,
      };
      return command.notesRemaining ? withRemaining(shop, buy, eventId) : buy;
    },
    refuse: (refusal, { eventId }) =>
      command.notesRemaining ? withRemaining(shop, refusal, eventId) : withNextExpiry(shop, refusal, eventId),
  });
  return 'refusal' in done ? done : boughtOf(done);
}

function demandOf(shop: Shop, entry: CatalogueEntry, command: BuyCommand): ClaimDemand | Refusal {
  if (entry.event.status === 'draft') return NO_EVENT;
  const { quantity, accessCode, buyer } = command;
  const type =
    command.ticketType === undefined ? entry.event.ticketTypes[0] : typeNamed(entry, command.ticketType);
  if (!type) return { refusal: 'TICKET_TYPE_NOT_FOUND' };
  const { ticketTypeId: ticketType } = type;
  const isSeated = entry.layout.isSeated(ticketType);
  // Of a type whose seats are all accessible ones, none may be chosen for somebody who did not ask for that.
  if (isSeated && entry.layout.poolsFor(ticketType).length === 0) return { refusal: 'SECTION_NOT_FOUND' };
  const checked = check(entry, [{ type, quantity, accessCode }], { buyer, to: 'buy' }, shop.ledger.nowMs());
  if ('refusal' in checked) return checked;
  return {
    wants: [isSeated ? { ticketType, best: quantity } : { ticketType, quantity }],
    limits: checked.limits,
  };
}

/** As it is kept: what the answer says of the moment is the same when it is told again. */
async function withRemaining<T extends Buy | Refusal>(shop: Shop, answer: T, eventId: EventId): Promise<T> {
  return { ...answer, remaining: await countRemaining(shop, eventId) };
}

function boughtOf({ outcome, entry }: Done<Buy>): Bought {
  const { orderId, secret, seq, tickets, remaining } = outcome;
  return {
    eventId: entry.eventId,
    orderId,
    secret,
    ledgerSeq: seq,
    tickets: tickets.map((ticket) => entry.layout.viewOf(ticket)),
    remaining,
  };
}
