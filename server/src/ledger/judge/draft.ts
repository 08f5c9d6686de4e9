// What a batch will write, drawn up fact by fact while its entries are judged. Every step moves the working set and
// the changes together, so that the next entry sees what this one did.
import type { EventDefinition } from '@floodgate/core/event/event.ts';
import type { FactBody, FactKind } from '@floodgate/core/facts.ts';
import type { EventId, HoldId, OrderId, Ticket } from '@floodgate/core/ids.ts';
import type { Price } from '@floodgate/core/price.ts';
import type { JournalEntry, OrderRecord } from '../ledger.ts';
import type { Belongings, Changes, EventState, HoldState, TicketClaim, WorkingSet } from './state.ts';

type NewEvent = Changes['events'][number];

const NOTHING_RETURNED: readonly Ticket[] = Object.freeze([]);

export class BatchDraft {
  readonly set: WorkingSet;
  readonly nowMs: number;
  readonly changes: Changes = {
    events: [],
    changedEvents: new Map(),
    manifests: [],
    orders: [],
    changedOrders: new Map(),
    holds: new Map(),
    journal: [],
    kept: [],
  };
  readonly #newEvents = new Map<EventState, NewEvent>();

  constructor(set: WorkingSet, nowMs: number) {
    this.set = set;
    this.nowMs = nowMs;
  }

  /** A new event; its first fact is still to be recorded. */
  addEvent(event: EventDefinition, capacity: number): EventState {
    const eventNo = this.set.nextEventNo++;
    const state: EventState = {
      eventNo,
      eventId: event.eventId,
      capacity,
      seq: 0,
      version: 0,
      held: 0,
      sold: 0,
      aside: 0,
      buyers: new Map(),
      claims: new Map(),
      kept: new Map(),
      holds: new Map(),
      orders: new Map(),
    };
    const row = { eventNo, event, capacity };
    this.set.events.set(event.eventId, state);
    this.changes.events.push(row);
    this.#newEvents.set(state, row);
    return state;
  }

  /** The event as it is from its latest fact on. */
  changeEvent(state: EventState, event: EventDefinition, capacity: number): void {
    state.capacity = capacity;
    state.version = state.seq;
    const row = this.#newEvents.get(state);
    if (row) Object.assign(row, { event, capacity });
    else this.changes.changedEvents.set(state.eventNo, { event, capacity, version: state.version });
  }

  /** Moves the tickets' claims, and the counts with them. */
  claim(event: EventState, tickets: readonly Ticket[], now: TicketClaim | undefined): void {
    for (const ticket of tickets) {
      const cell = event.claims.get(ticket);
      if (cell?.now) event[cell.now.as]--;
      if (now) event[now.as]++;
      if (cell) cell.now = now;
      else event.claims.set(ticket, { before: undefined, now });
    }
  }

  /** The next fact. Returns its sequence number. */
  record<Kind extends FactKind>(event: EventState, kind: Kind, fact: FactBody<Kind>): number {
    const seq = ++event.seq;
    const entry = { seq, kind, atMs: this.nowMs, fact } as JournalEntry;
    this.changes.journal.push({ eventNo: event.eventNo, entry });
    return seq;
  }

  order(
    eventId: EventId,
    seq: number,
    order: Pick<OrderRecord, 'orderId' | 'secret' | 'tickets' | 'buyer' | 'holdId'>,
    { lines, total, currency }: Price,
  ): OrderRecord {
    const record: OrderRecord = {
      orderId: order.orderId,
      eventId,
      seq,
      status: 'confirmed',
      buyer: order.buyer,
      secret: order.secret,
      tickets: order.tickets,
      createdAtMs: this.nowMs,
      holdId: order.holdId,
      lines,
      total,
      currency,
      returned: NOTHING_RETURNED,
      refundedAmount: 0,
    };
    this.changes.orders.push(record);
    return record;
  }

  /** The order as it is now, also one of this batch. */
  orderOf(event: EventState, orderId: OrderId): OrderRecord | undefined {
    const ofEvent = (order: OrderRecord) => order.orderId === orderId && order.eventId === event.eventId;
    return event.orders.get(orderId) ?? this.changes.orders.find(ofEvent);
  }

  changeOrder(event: EventState, order: OrderRecord): void {
    const { orders, changedOrders } = this.changes;
    const index = orders.findIndex(({ orderId }) => orderId === order.orderId);
    if (index >= 0) orders[index] = order;
    else changedOrders.set(order.orderId, order);
    if (event.orders.has(order.orderId)) event.orders.set(order.orderId, order);
  }

  putHold(event: EventState, state: HoldState, isNew: boolean): void {
    event.holds.set(state.holdId, state);
    const bornInBatch = isNew || this.changes.holds.get(state.holdId)?.isNew === true;
    this.changes.holds.set(state.holdId, { isNew: bornInBatch, state });
  }

  endHold(event: EventState, hold: HoldState, seq: number): void {
    this.putHold(event, { ...hold, endedSeq: seq, endedAtMs: this.nowMs }, false);
  }

  /**
   * What the buyer has of the event, by reference: a change of a buyer's tickets must be made here. Undefined when
   * nobody's limits ask for it.
   */
  belongingsOf(event: EventState, buyer: string | null): Belongings | undefined {
    // Where nobody has limits, no name is hashed: 0.3 µs of every sale.
    if (buyer === null || event.buyers.size + this.#newEvents.size === 0) return undefined;
    const known = event.buyers.get(buyer);
    // Of a new event nothing can have been read, so everybody's belongings are kept from its first sale on.
    if (known || !this.#newEvents.has(event)) return known;
    const none: Belongings = { tickets: new Set<Ticket>(), holds: new Set<HoldId>() };
    event.buyers.set(buyer, none);
    return none;
  }

  keepManifest(manifestId: string, content: string): void {
    const { manifests } = this.changes;
    if (!manifests.some((kept) => kept.manifestId === manifestId)) manifests.push({ manifestId, content });
  }
}
