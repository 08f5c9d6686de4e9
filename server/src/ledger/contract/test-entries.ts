// Entries for the ledger's tests: made for one event, with ids near 2^63 that no other entry of the process has,
// so that every test also shows that 64-bit ids survive the way into the store and back.
import type { EventDefinition } from '@floodgate/core/event/event.ts';
import type { KeyMade } from '@floodgate/core/facts.ts';
import {
  type AllocationId,
  type EventId,
  eventId,
  type HoldId,
  type OrderId,
  SHOP,
  type Ticket,
  ticketTypeId,
} from '@floodgate/core/ids.ts';
import { type Price, priceOf } from '@floodgate/core/price.ts';
import type { RefusalCode } from '@floodgate/core/refusal.ts';
import { layoutCapacity } from '@floodgate/core/seating/layout.ts';
import {
  type Buy,
  type ChangeEvent,
  type Confirm,
  type CreateEvent,
  type Expire,
  type Extend,
  type Hold,
  type Idempotency,
  type KeepManifest,
  keyDigest,
  type OpenShop,
  type RecordFact,
  type RefusalWithDetail,
  type Refuse,
  type Release,
  type ReturnTickets,
} from '../ledger.ts';

/** What a row has, beside its own, of tickets that cost nothing. */
export const FREE: Price = { lines: [], total: 0, currency: 'EUR' };
/** And of an order as it was made. */
export const NOTHING_RETURNED = { returned: [], refundedAmount: 0 } as const;

let lastId = 2n ** 63n - 1n - 10_000_000n;
let events = 0;

/** A fresh id of an order, a hold or an allocation. */
export function freshId<Id extends OrderId | HoldId | AllocationId>(): Id {
  return String(++lastId) as Id;
}

/** The numbers as tickets. */
export function ticketsOf(...numbers: number[]): Ticket[] {
  return numbers as Ticket[];
}

/** The part of an entry that puts it under an idempotency key; the hash stands for the request. */
export function underKey(key: string, hash = 'request', scope = ''): { idempotency: Idempotency } {
  return { idempotency: { digest: keyDigest(scope, key), hash } };
}

/** Long enough that no hold of a test comes due by itself. */
export const LONG_MS = 3_600_000;

/** A clock that tests move. */
export class TestClock {
  #nowMs: number;

  constructor(startMs = Date.parse('2027-01-01T12:00:00Z')) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  pass(ms: number): void {
    this.#nowMs += ms;
  }
}

/** Makes the entries of one event. */
export class EventEntries {
  readonly eventId: EventId;
  readonly event: EventDefinition;

  /** `price` is that of every ticket. */
  constructor(capacity: number, name = `event-${++events}`, price = 0) {
    this.eventId = eventId(name)!;
    const type = { ticketTypeId: ticketTypeId('ga')!, name: 'General', price, currency: 'EUR', capacity };
    const when = { startsAt: '2027-06-01T20:00:00Z', timeZone: 'Europe/Berlin' };
    const venue = { name: 'The "Old" Hall' };
    this.event = { eventId: this.eventId, name, venue, ...when, status: 'open', ticketTypes: [type] };
  }

  create(): CreateEvent {
    return { kind: 'create-event', eventId: this.eventId, event: this.event };
  }

  buy(tickets: readonly number[], rest: Partial<Buy> = {}): Buy {
    const { eventId } = this;
    const order = { orderId: freshId<OrderId>(), secret: 'a secret', buyer: 'ann@example.org' };
    const price = this.#priceOf(tickets);
    return { kind: 'buy', eventId, ...order, tickets: tickets as Ticket[], price, ...rest };
  }

  hold(tickets: readonly number[], rest: Partial<Hold> = {}): Hold {
    const { eventId } = this;
    const hold = { holdId: freshId<HoldId>(), ttlMs: LONG_MS, buyer: 'bob@example.org' };
    const made = { secret: 'a hold secret', price: this.#priceOf(tickets) };
    return { kind: 'hold', eventId, ...hold, ...made, tickets: tickets as Ticket[], ...rest };
  }

  #priceOf(tickets: readonly number[]): Price {
    const [type] = this.event.ticketTypes;
    return priceOf([[type!.ticketTypeId, tickets.length, type!.price]], 'EUR');
  }

  confirm(holdId: HoldId, rest: Partial<Confirm> = {}): Confirm {
    const { eventId } = this;
    const order = { orderId: freshId<OrderId>(), secret: 'its secret' };
    return { kind: 'confirm', eventId, holdId, isAllowed: true, ...order, ...rest };
  }

  release(holdId: HoldId): Release {
    return { kind: 'release', eventId: this.eventId, holdId };
  }

  expire(holdId: HoldId): Expire {
    return { kind: 'expire', eventId: this.eventId, holdId };
  }

  returnTickets(
    orderId: OrderId,
    tickets: readonly number[],
    rest: Partial<ReturnTickets> = {},
  ): ReturnTickets {
    const { eventId } = this;
    const said = { tickets: tickets as Ticket[], refundedAmount: 0, by: 'key-1' };
    return { kind: 'return-tickets', eventId, orderId, ...said, ...rest };
  }

  refuse(refused: RefusalCode | RefusalWithDetail, rest: Pick<Refuse, 'idempotency'>): Refuse<Buy> {
    const withDetail = typeof refused === 'string' ? { refusal: refused } : refused;
    return { kind: 'refuse', of: 'buy', eventId: this.eventId, refused: withDetail, ...rest };
  }

  extend(holdId: HoldId, ttlMs: number, maxMs = LONG_MS): Extend {
    return { kind: 'extend', eventId: this.eventId, holdId, ttlMs, maxMs };
  }

  /** The event with that many tickets more than it was made with. */
  grown(more: number): EventDefinition {
    const [type] = this.event.ticketTypes;
    return { ...this.event, ticketTypes: [{ ...type!, capacity: type!.capacity + more }] };
  }

  /** A change made from `version`; of the event as it was made, unless another is given. */
  change(version: number, rest: Partial<ChangeEvent> = {}): ChangeEvent {
    const { eventId, event } = this;
    const capacity = layoutCapacity(rest.event ?? event);
    const allocationId = rest.setAside ? freshId<AllocationId>() : undefined;
    const words = { by: 'key-1', action: 'change', before: {}, after: {} };
    const none = { setAside: [], restored: [], allocationId };
    return { kind: 'change-event', eventId, event, capacity, version, ...none, ...words, ...rest };
  }
}

/** Makes the shop's own stream, which may be there already. */
export function openShop(): OpenShop {
  return { kind: 'open-shop', eventId: SHOP };
}

/** `fact` need not be whole: a ledger keeps what it is given. */
export function recordOfShop(
  fact: Partial<Record<keyof KeyMade, string | null>>,
  as: RecordFact['as'] = 'key-made',
): RecordFact {
  return { kind: 'record', eventId: SHOP, as, fact } as RecordFact;
}

export function keepManifest(manifestId: string, content: string): KeepManifest {
  return { kind: 'keep-manifest', eventId: SHOP, manifestId, content, by: 'key-1' };
}
