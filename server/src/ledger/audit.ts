// The audit: folds an event's journal from its first fact on, checks every step against the rules, and compares
// the result with the tables. Rows are pushed in, so that every dialect can stream them.
//
// Rule S8 is not among them: which limits stood when a buyer bought is not in the journal.

import { unreachable } from '@floodgate/core/assert.ts';
import { type Extended, type FactOf, type Returned, ticketMoves } from '@floodgate/core/facts.ts';
import type { HoldStatus } from '@floodgate/core/hold.ts';
import type { Ticket } from '@floodgate/core/ids.ts';
import { type OrderStatus, ticketsLeft } from '@floodgate/core/order.ts';
import { type Price, priceOf } from '@floodgate/core/price.ts';
import type { AuditCheck, ClaimKind, EventHead, HoldRecord, JournalEntry, OrderRecord } from './ledger.ts';

interface Owned {
  readonly tickets: readonly Ticket[];
}

/** One rule's findings: how many, and the first one in words. */
class Finding {
  count = 0;
  first = '';

  add(text: string): void {
    if (this.count++ === 0) this.first = text;
  }

  check(rule: string, what: string): AuditCheck {
    const ok = this.count === 0;
    return { rule, ok, detail: ok ? what : `${this.count} violation(s), the first: ${this.first}` };
  }
}

interface ToldHold {
  readonly seq: number;
  status: HoldStatus;
  expiresAtMs: number;
  /** Unknown of facts of before schema 5; so with orders. */
  readonly total: number | undefined;
}

/** An order, as its journal says it stands. */
interface ToldOrder {
  readonly seq: number;
  readonly total: number | undefined;
  status: OrderStatus;
  left: number;
  readonly returned: Ticket[];
  refundedAmount: number;
}

/** Push the whole journal in order, then all claims, holds and orders; then ask for the checks. */
export class EventAudit {
  readonly #capacity: number;
  /**
   * By ticket, the journal entry that claimed it: its seq when sold or set aside, minus its seq when held, 0 when
   * available.
   */
  readonly #claimedAt: Int32Array;
  readonly #holds = new Map<string, ToldHold>();
  /** By the seq of an event's change, the allocation that its tickets were set aside for. */
  readonly #asides = new Map<number, string | undefined>();
  readonly #orders = new Map<string, ToldOrder>();
  readonly #uniqueness = new Finding();
  readonly #conservation = new Finding();
  readonly #allOrNothing = new Finding();
  readonly #endings = new Finding();
  readonly #money = new Finding();
  readonly #sequence = new Finding();
  #seq = 0;
  /** What the journal has said so far of how many tickets there are, and of the last change by staff. */
  #capacityNow: number | undefined;
  #version = 0;
  #claims = { held: 0, sold: 0, aside: 0 };
  #claimed = { held: 0, sold: 0, aside: 0 };
  #rows = { holds: 0, orders: 0 };
  #totals = { orders: 0, refunded: 0 };

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#claimedAt = new Int32Array(capacity);
  }

  /** The next fact. */
  journal(entry: JournalEntry): void {
    if (entry.seq !== ++this.#seq) {
      this.#sequence.add(`entry ${entry.seq} where ${this.#seq} was due`);
      this.#seq = entry.seq;
    }
    switch (entry.kind) {
      case 'event-created':
        this.#grow(entry.seq, entry.fact.capacity, 0);
        break;
      case 'event-changed':
        this.#grow(entry.seq, entry.fact.capacity, entry.fact.previous);
        this.#move(entry);
        this.#asides.set(entry.seq, entry.fact.allocationId);
        break;
      case 'bought':
        this.#move(entry);
        this.#order(entry);
        break;
      case 'held': {
        const { holdId, expiresAtMs, total } = entry.fact;
        this.#move(entry);
        this.#holds.set(holdId, { seq: entry.seq, status: 'active', expiresAtMs, total });
        break;
      }
      case 'extended':
        this.#extend(entry, entry.fact);
        break;
      case 'confirmed':
        this.#move(entry, this.#heldAt(entry.fact.holdId));
        this.#end(entry, entry.fact.holdId, 'confirmed');
        this.#order(entry);
        break;
      case 'released':
      case 'expired':
        this.#move(entry, this.#heldAt(entry.fact.holdId));
        this.#end(entry, entry.fact.holdId, entry.kind);
        break;
      case 'returned':
        this.#move(entry, this.#orders.get(entry.fact.orderId)?.seq ?? Number.NaN);
        this.#return(entry.seq, entry.fact);
        break;
      case 'key-made':
      case 'key-revoked':
      case 'manifest-kept':
        break;
      default:
        unreachable(entry);
    }
  }

  /** Capacity never shrinks, and every change by staff names the one before it. */
  #grow(seq: number, capacity: number, previous: number): void {
    const before = this.#capacityNow ?? 0;
    if (capacity < before || capacity > this.#capacity) {
      this.#conservation.add(`entry ${seq} makes ${before} tickets ${capacity}, of ${this.#capacity}`);
    }
    this.#capacityNow = capacity;
    if (previous !== this.#version) {
      this.#sequence.add(`entry ${seq} changes version ${previous}, where it was ${this.#version}`);
    }
    this.#version = seq;
  }

  /** Bought, or confirmed: then at the price of its hold. */
  #order({ seq, kind, fact }: FactOf<'bought' | 'confirmed'> & { readonly seq: number }): void {
    const { orderId, tickets, total } = fact;
    const held = kind === 'confirmed' ? this.#holds.get(fact.holdId)?.total : undefined;
    if (held !== undefined && held !== total) {
      this.#money.add(`entry ${seq} makes an order of ${total} from a hold of ${held}`);
    }
    const told = { seq, total, left: tickets.length, returned: [], refundedAmount: 0 };
    this.#orders.set(orderId, { ...told, status: 'confirmed' });
  }

  #return(seq: number, { orderId, tickets, refundedAmount }: Returned): void {
    const order = this.#orders.get(orderId);
    if (!order) {
      this.#sequence.add(`entry ${seq} returns tickets of order ${orderId}, which is not there`);
      return;
    }
    order.returned.push(...tickets);
    order.left -= tickets.length;
    order.refundedAmount += refundedAmount;
    if (order.left <= 0) order.status = 'void';
    if (order.total !== undefined && order.refundedAmount > order.total) {
      this.#money.add(`entry ${seq} pays back ${order.refundedAmount} of ${order.total}`);
    }
  }

  #extend({ seq, atMs }: JournalEntry, { holdId, expiresAtMs }: Extended): void {
    const hold = this.#holds.get(holdId);
    if (hold?.status !== 'active') {
      this.#endings.add(`entry ${seq} extends hold ${holdId}, which is not active`);
    } else if (expiresAtMs < hold.expiresAtMs || atMs >= hold.expiresAtMs) {
      this.#endings.add(`entry ${seq} moves the deadline of hold ${holdId} back, or after it has passed`);
    }
    if (hold) hold.expiresAtMs = expiresAtMs;
  }

  /** What {@link #claimedAt} says of a ticket that this hold has; NaN, which no ticket says, for an unknown one. */
  #heldAt(holdId: string): number {
    return -(this.#holds.get(holdId)?.seq ?? Number.NaN);
  }

  /** `claimedAt`: what {@link #claimedAt} says of tickets that were held or sold. */
  #move(entry: JournalEntry, claimedAt = 0): void {
    for (const { tickets, from, to } of ticketMoves(entry)) {
      const expected = from === 'free' ? 0 : from === 'aside' ? undefined : claimedAt;
      const now = to === 'free' ? 0 : to === 'held' ? -entry.seq : entry.seq;
      for (const ticket of tickets) this.#moveOne(entry, ticket, expected, now);
      if (from !== 'free') this.#claimed[from] -= tickets.length;
      if (to !== 'free') this.#claimed[to] += tickets.length;
    }
    this.#checkBound(entry.seq);
  }

  /** `expected`: how the ticket stood; undefined: as set aside by any change. */
  #moveOne({ seq, kind }: JournalEntry, ticket: number, expected: number | undefined, now: number): void {
    const capacity = this.#capacityNow ?? this.#capacity;
    const at = this.#claimedAt[ticket] ?? 0;
    if (!(ticket >= 0 && ticket < capacity)) {
      this.#conservation.add(`entry ${seq} names ticket ${ticket} of ${capacity}`);
    } else if (expected === undefined ? !this.#asides.has(at) : at !== expected) {
      this.#uniqueness.add(`entry ${seq} (${kind}) found ticket ${ticket} otherwise claimed`);
    }
    this.#claimedAt[ticket] = now;
  }

  #checkBound(seq: number): void {
    const { held, sold, aside } = this.#claimed;
    const capacity = this.#capacityNow ?? this.#capacity;
    if (held + sold + aside > capacity) {
      this.#conservation.add(`after entry ${seq} more is claimed than the ${capacity} there are`);
    }
  }

  #end(entry: JournalEntry, holdId: string, status: HoldStatus): void {
    const hold = this.#holds.get(holdId);
    if (hold?.status !== 'active') {
      this.#endings.add(`entry ${entry.seq} ends hold ${holdId}, which is not active`);
    }
    if (hold) hold.status = status;
  }

  /** A live claim row. */
  claim(ticket: number, as: ClaimKind, by: string): void {
    this.#claims[as]++;
    const at = this.#claimedAt[ticket] ?? 0;
    const isDue =
      as === 'aside'
        ? this.#asides.get(at) === by
        : at === (as === 'held' ? this.#heldAt(by) : this.#orders.get(by)?.seq);
    if (!isDue) {
      this.#uniqueness.add(`ticket ${ticket} is ${as} by ${by} without a journal entry that says so`);
    }
  }

  /** A hold row, with how many claims are by it now. */
  hold(row: HoldRecord, claims: number): void {
    const { holdId, status, seq, tickets, expiresAtMs } = row;
    this.#rows.holds++;
    const hold = this.#holds.get(holdId);
    if (hold?.status !== status) {
      this.#endings.add(`hold ${holdId} is ${status}, its journal says ${hold?.status ?? 'nothing'}`);
    }
    if (hold?.expiresAtMs !== expiresAtMs) {
      this.#endings.add(`hold ${holdId} is due at ${expiresAtMs}, by its journal at ${hold?.expiresAtMs}`);
    }
    if (hold?.seq !== seq)
      this.#sequence.add(`hold ${holdId} is of ${seq}, its journal entry of ${hold?.seq}`);
    this.#checkPrice(`hold ${holdId}`, row, hold?.total);
    if (status === 'active') this.#checkTickets(`hold ${holdId}`, tickets, -seq);
    const due = status === 'active' ? tickets.length : 0;
    if (claims !== due) this.#allOrNothing.add(`hold ${holdId} (${status}) has ${claims} of ${due} claims`);
  }

  /** An order row, with how many claims are by it now. */
  order(row: OrderRecord, claims: number): void {
    const { orderId, seq, status, returned, refundedAmount, total } = row;
    this.#rows.orders++;
    this.#totals.orders += total;
    this.#totals.refunded += refundedAmount;
    const told = this.#orders.get(orderId);
    if (told?.seq !== seq)
      this.#sequence.add(`order ${orderId} is of ${seq}, its journal entry of ${told?.seq}`);
    if (told && told.status !== status) {
      this.#endings.add(`order ${orderId} is ${status}, its journal says ${told.status}`);
    }
    if (told && told.returned.join() !== returned.join()) {
      this.#allOrNothing.add(
        `order ${orderId} has [${returned}] returned, by its journal [${told.returned}]`,
      );
    }
    this.#checkPrice(`order ${orderId}`, row, told?.total);
    if (told && told.refundedAmount !== refundedAmount) {
      this.#money.add(
        `order ${orderId} has ${refundedAmount} paid back, by its journal ${told.refundedAmount}`,
      );
    }
    const left = ticketsLeft(row);
    this.#checkTickets(`order ${orderId}`, left, seq);
    if (claims !== left.length) {
      this.#allOrNothing.add(`order ${orderId} has ${claims} of ${left.length} claims`);
    }
  }

  #checkPrice(
    owner: string,
    { lines, total, currency, tickets }: Price & Owned,
    told: number | undefined,
  ): void {
    const summed = priceOf(lines, currency).total;
    if (summed !== total) this.#money.add(`${owner} costs ${total}, its lines ${summed}`);
    const priced = lines.reduce((sum, [, quantity]) => sum + quantity, 0);
    if (priced !== tickets.length)
      this.#money.add(`${owner} has ${tickets.length} tickets, its lines ${priced}`);
    if (told !== undefined && told !== total)
      this.#money.add(`${owner} costs ${total}, by its journal ${told}`);
  }

  #checkTickets(owner: string, tickets: readonly number[], claimedAt: number): void {
    for (const ticket of tickets) {
      if (this.#claimedAt[ticket] !== claimedAt) {
        this.#allOrNothing.add(`${owner} lists ticket ${ticket}, which its journal does not give it`);
      }
    }
  }

  /** The findings. `head` is where the event stands. */
  checks(head: Omit<EventHead, 'eventId'>): AuditCheck[] {
    const rows = this.#rows;
    if (this.#seq !== head.seq) {
      this.#sequence.add(`the journal ends at ${this.#seq}, the event at ${head.seq}`);
    }
    if (this.#version !== head.version) {
      this.#sequence.add(`the journal's last change is ${this.#version}, the event's ${head.version}`);
    }
    const available = this.#checkCounts(head);
    if (this.#rows.orders !== this.#orders.size) {
      this.#sequence.add(`${this.#rows.orders} orders, the journal has ${this.#orders.size}`);
    }
    if (this.#rows.holds !== this.#holds.size) {
      this.#endings.add(`${this.#rows.holds} holds, the journal has ${this.#holds.size}`);
    }
    return [
      this.#uniqueness.check('S1', `no ticket was claimed twice in ${head.seq} journal entries`),
      this.#conservation.check('S2', `${available} available + ${counted(this.#claims)} = ${this.#capacity}`),
      this.#allOrNothing.check('S3', `${rows.orders} orders and ${rows.holds} holds have all their tickets`),
      this.#endings.check('S6', `${rows.holds} holds ended at most once`),
      this.#money.check(
        'S10',
        `${rows.orders} orders cost ${this.#totals.orders}, ${this.#totals.refunded} was paid back`,
      ),
      this.#sequence.check('S11', `journal entries 1 to ${head.seq} without a gap`),
    ];
  }

  /** How many are available. */
  #checkCounts(head: Omit<EventHead, 'eventId'>): number {
    const now = counted(this.#claims);
    const available = this.#capacity - this.#claims.held - this.#claims.sold - this.#claims.aside;
    if (available < 0) this.#conservation.add(`${now} of ${this.#capacity}`);
    if ((this.#capacityNow ?? this.#capacity) !== this.#capacity) {
      this.#conservation.add(`${this.#capacity} tickets, the journal says ${this.#capacityNow}`);
    }
    const [told, headed] = [counted(this.#claimed), counted(head)];
    if (now !== told) this.#conservation.add(`${now}, the journal says ${told}`);
    if (now !== headed) this.#conservation.add(`${now}, the event's head says ${headed}`);
    return available;
  }
}

function counted({ held, sold, aside }: Record<ClaimKind, number>): string {
  return `${held} held + ${sold} sold${aside === 0 ? '' : ` + ${aside} set aside`}`;
}
