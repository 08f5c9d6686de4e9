// One-step purchase: claim and order in one ledger entry (rows A2, B2).

import type { OrderId, TicketTypeId } from '@floodgate/core/ids.ts';
import type { TicketView } from '@floodgate/core/layout.ts';
import { invariant, type RefusalCode } from '@floodgate/core/refusal.ts';
import type { Idempotency } from '../ledger/ledger.ts';
import type { CatalogueEntry } from './catalogue.ts';
import { claim } from './claim.ts';
import { findEvent } from './discover.ts';
import { newOrderId, type Rooms } from './rooms.ts';

export interface BuyCommand {
  readonly eventId: string;
  /** Of one type; undefined: the event's first. */
  readonly ticketType?: string | undefined;
  readonly quantity: number;
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

/** A use case's "no". */
export interface Refusal {
  readonly refusal: RefusalCode;
  readonly remaining?: number | undefined;
}

/**
 * Buys `quantity` tickets of one type at once. Refusals: EVENT_NOT_FOUND, TICKET_TYPE_NOT_FOUND,
 * IDEMPOTENCY_KEY_REUSED, PAYMENT_REQUIRED, SOLD_OUT, ALL_HELD. Throws LedgerUnavailable, LedgerOutcomeUnknown.
 */
export async function buy(rooms: Rooms, command: BuyCommand): Promise<Bought | Refusal> {
  const entry = rooms.catalogue.find(command.eventId) ?? (await findEvent(rooms, command.eventId));
  if (!entry) return { refusal: 'EVENT_NOT_FOUND' };
  const ticketType = typeOf(entry, command.ticketType);
  if (!ticketType) return { refusal: 'TICKET_TYPE_NOT_FOUND' };
  if (ticketType.price > 0) return { refusal: 'PAYMENT_REQUIRED' };

  const { eventId } = entry.event;
  const { buyer, idempotency, quantity } = command;
  const outcome = await claim(rooms, {
    eventId,
    wants: [{ ticketType: ticketType.ticketTypeId, quantity }],
    idempotency,
    notesRemaining: command.notesRemaining === true,
    propose: (tickets, note) => ({
      kind: 'buy',
      eventId,
      orderId: newOrderId(rooms),
      secret: rooms.newSecret(),
      buyer,
      tickets,
      idempotency,
      note,
    }),
  });
  if (outcome.status === 'refused') return { refusal: outcome.refusal, remaining: outcome.note };
  const { orderId, secret, seq, tickets, note } = outcome;
  invariant(orderId !== undefined && secret !== undefined, 'a purchase has an order');
  return {
    eventId,
    orderId,
    secret,
    ledgerSeq: seq,
    tickets: tickets.map((ticket) => entry.layout.viewOf(ticket)),
    remaining: note,
  };
}

function typeOf(entry: CatalogueEntry, name: string | undefined) {
  const { ticketTypes } = entry.event;
  if (name === undefined) return ticketTypes[0];
  return ticketTypes.find((type) => type.ticketTypeId === (name as TicketTypeId));
}
