// The audit: folds an event's journal from its first fact on, checks every step against the rules, and compares
// the result with the tables. Rows are pushed in, so that every dialect can stream them.
import type { HoldStatus } from '@floodgate/core/hold.ts';
import type { AuditCheck, EventHead, HoldRecord, JournalEntry, OrderRecord } from './ledger.ts';

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

/** Push the whole journal in order, then all claims, holds and orders; then ask for the checks. */
export class EventAudit {
  readonly #capacity: number;
  /** By ticket, the journal entry that claimed it: its seq when sold, minus its seq when held, 0 when available. */
  readonly #claimedAt: Int32Array;
  readonly #holds = new Map<string, { readonly seq: number; status: HoldStatus }>();
  /** By order, the seq of its journal entry. */
  readonly #orders = new Map<string, number>();
  readonly #uniqueness = new Finding();
  readonly #conservation = new Finding();
  readonly #allOrNothing = new Finding();
  readonly #endings = new Finding();
  readonly #sequence = new Finding();
  #seq = 0;
  #claims = { held: 0, sold: 0 };
  #claimed = { held: 0, sold: 0 };
  #rows = { holds: 0, orders: 0 };

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
    const holdId = entry.fact.holdId as string;
    switch (entry.kind) {
      case 'event-created':
        if (entry.fact.capacity !== this.#capacity)
          this.#conservation.add(`created with ${entry.fact.capacity} tickets, has ${this.#capacity}`);
        break;
      case 'bought':
        this.#move(entry, 0, entry.seq);
        this.#orders.set(entry.fact.orderId as string, entry.seq);
        break;
      case 'held':
        this.#move(entry, 0, -entry.seq);
        this.#holds.set(holdId, { seq: entry.seq, status: 'active' });
        break;
      case 'confirmed':
        this.#move(entry, this.#heldAt(holdId), entry.seq);
        this.#end(entry, holdId, 'confirmed');
        this.#orders.set(entry.fact.orderId as string, entry.seq);
        break;
      case 'released':
      case 'expired':
        this.#move(entry, this.#heldAt(holdId), 0);
        this.#end(entry, holdId, entry.kind);
        break;
    }
  }

  /** What {@link #claimedAt} says of a ticket that this hold has; NaN, which no ticket says, for an unknown one. */
  #heldAt(holdId: string): number {
    return -(this.#holds.get(holdId)?.seq ?? Number.NaN);
  }

  #move(entry: JournalEntry, from: number, to: number): void {
    const tickets = entry.fact.tickets as readonly number[];
    for (const ticket of tickets) {
      if (!(ticket >= 0 && ticket < this.#capacity)) {
        this.#conservation.add(`entry ${entry.seq} names ticket ${ticket} of ${this.#capacity}`);
      } else if (this.#claimedAt[ticket] !== from) {
        this.#uniqueness.add(`entry ${entry.seq} (${entry.kind}) found ticket ${ticket} otherwise claimed`);
      }
      this.#claimedAt[ticket] = to;
    }
    const delta = tickets.length;
    if (from !== 0) this.#claimed.held -= delta;
    if (to < 0) this.#claimed.held += delta;
    if (to > 0) this.#claimed.sold += delta;
    if (this.#claimed.held + this.#claimed.sold > this.#capacity) {
      this.#conservation.add(`after entry ${entry.seq} more is claimed than the ${this.#capacity} there are`);
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
  claim(ticket: number, as: 'held' | 'sold', by: string): void {
    this.#claims[as]++;
    const due = as === 'held' ? this.#heldAt(by) : this.#orders.get(by);
    if (this.#claimedAt[ticket] !== due) {
      this.#uniqueness.add(`ticket ${ticket} is ${as} by ${by} without a journal entry that says so`);
    }
  }

  /** A hold row, with how many claims are by it now. */
  hold({ holdId, status, seq, tickets }: HoldRecord, claims: number): void {
    this.#rows.holds++;
    const hold = this.#holds.get(holdId);
    if (hold?.status !== status) {
      this.#endings.add(`hold ${holdId} is ${status}, its journal says ${hold?.status ?? 'nothing'}`);
    }
    if (hold?.seq !== seq)
      this.#sequence.add(`hold ${holdId} is of ${seq}, its journal entry of ${hold?.seq}`);
    if (status === 'active') this.#checkTickets(`hold ${holdId}`, tickets, -seq);
    const due = status === 'active' ? tickets.length : 0;
    if (claims !== due) this.#allOrNothing.add(`hold ${holdId} (${status}) has ${claims} of ${due} claims`);
  }

  /** An order row, with how many claims are by it now. */
  order({ orderId, seq, tickets }: OrderRecord, claims: number): void {
    this.#rows.orders++;
    const due = this.#orders.get(orderId);
    if (due !== seq) this.#sequence.add(`order ${orderId} is of ${seq}, its journal entry of ${due}`);
    this.#checkTickets(`order ${orderId}`, tickets, seq);
    if (claims !== tickets.length) {
      this.#allOrNothing.add(`order ${orderId} has ${claims} of ${tickets.length} claims`);
    }
  }

  #checkTickets(owner: string, tickets: readonly number[], claimedAt: number): void {
    for (const ticket of tickets) {
      if (this.#claimedAt[ticket] !== claimedAt) {
        this.#allOrNothing.add(`${owner} lists ticket ${ticket}, which its journal does not give it`);
      }
    }
  }

  /** The findings. `head` is where the event stands. */
  checks(head: Pick<EventHead, 'seq' | 'held' | 'sold'>): AuditCheck[] {
    const lastSeq = head.seq;
    const { held, sold } = this.#claims;
    const available = this.#capacity - held - sold;
    if (this.#seq !== lastSeq)
      this.#sequence.add(`the journal ends at ${this.#seq}, the event at ${lastSeq}`);
    if (available < 0) this.#conservation.add(`${held} held + ${sold} sold of ${this.#capacity}`);
    if (held !== this.#claimed.held || sold !== this.#claimed.sold) {
      this.#conservation.add(
        `${held} held + ${sold} sold, the journal says ${this.#claimed.held} + ${this.#claimed.sold}`,
      );
    }
    if (held !== head.held || sold !== head.sold) {
      this.#conservation.add(
        `${held} held + ${sold} sold, the event's head says ${head.held} + ${head.sold}`,
      );
    }
    if (this.#rows.orders !== this.#orders.size) {
      this.#sequence.add(`${this.#rows.orders} orders, the journal has ${this.#orders.size}`);
    }
    if (this.#rows.holds !== this.#holds.size) {
      this.#endings.add(`${this.#rows.holds} holds, the journal has ${this.#holds.size}`);
    }
    const { capacity, rows } = { capacity: this.#capacity, rows: this.#rows };
    return [
      this.#uniqueness.check('S1', `no ticket was claimed twice in ${lastSeq} journal entries`),
      this.#conservation.check('S2', `${available} available + ${held} held + ${sold} sold = ${capacity}`),
      this.#allOrNothing.check('S3', `${rows.orders} orders and ${rows.holds} holds have all their tickets`),
      this.#endings.check('S6', `${rows.holds} holds ended at most once`),
      this.#sequence.check('S11', `journal entries 1 to ${lastSeq} without a gap`),
    ];
  }
}
