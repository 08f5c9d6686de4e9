// One-step purchase: claim and order in one ledger entry (rows A2, B2).

import type { OrderId } from '@floodgate/core/ids.ts';
import type { Refusal } from '@floodgate/core/refusal.ts';
import type { TicketView } from '@floodgate/core/seating/layout.ts';
import type { Buy, Idempotency } from '../../ledger/ledger.ts';
import type { CatalogueEntry } from '../catalogue/catalogue.ts';
import { newOrderId, type Shop } from '../shop.ts';
import { type Claimed, claim, type Demand } from './claim.ts';
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
  /** Whoever knows it may read the order. */
  readonly secret: string;
  readonly ledgerSeq: number;
  readonly tickets: readonly TicketView[];
  /** Tickets left when these were taken, if asked for. */
  readonly remaining: number | undefined;
}

/**
 * Buys `quantity` tickets of one type at once: of seats, the best. Refusals: EVENT_NOT_FOUND, TICKET_TYPE_NOT_FOUND,
 * SECTION_NOT_FOUND, IDEMPOTENCY_KEY_REUSED, NOT_ON_SALE, ACCESS_CODE_REQUIRED, BUYER_REQUIRED, PAYMENT_REQUIRED,
 * BELOW_MINIMUM, LIMIT_REACHED, SOLD_OUT, ALL_HELD. Throws LedgerUnavailable, LedgerOutcomeUnknown.
 */
export async function buy(shop: Shop, command: BuyCommand): Promise<Bought | Refusal> {
  const found = shop.catalogue.find(command.eventId);
  const entry = found instanceof Promise ? await found : found;
  if (!entry) return { refusal: 'EVENT_NOT_FOUND' };
  const { buyer, idempotency, notesRemaining } = command;
  const claimed = await claim<Buy>(shop, entry, {
    kind: 'buy',
    idempotency,
    notesRemaining: notesRemaining === true,
    demand: (entry) => demandOf(shop, entry, command),
    propose: (proposal, remaining) => ({
      ...proposal,
      kind: 'buy',
      orderId: newOrderId(shop),
      secret: shop.newSecret(),
      buyer,
      remaining,
    }),
  });
  return 'refusal' in claimed ? claimed : boughtOf(claimed);
}

function demandOf(shop: Shop, entry: CatalogueEntry, command: BuyCommand): Demand | Refusal {
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

function boughtOf({ outcome, entry }: Claimed<Buy>): Bought {
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
