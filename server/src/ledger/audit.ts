// The audit: folds an event's journal from its first fact on, checks every step against the rules, and compares
// the result with the tables. Rows are pushed in, so that every dialect can stream them.
import type { HoldStatus } from '@floodgate/core/hold.ts';
import type { AuditCheck, JournalEntry } from './ledger.ts';

const AVAILABLE = 0;
const HELD = 1;
const SOLD = 2;

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
  /** State by ticket, as the journal tells it. */
  readonly #state: Uint8Array;
  readonly #holds = new Map<string, HoldStatus>();
  readonly #orders = new Set<string>();
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
    this.#state = new Uint8Array(capacity);
  }

  /** The next fact. */
  journal(entry: JournalEntry): void {
    if (entry.seq !== ++this.#seq) {
      this.#sequence.add(`entry ${entry.seq} where ${this.#seq} was due`);
      this.#seq = entry.seq;
    }
    const tickets = (entry.fact.tickets ?? []) as readonly number[];
    const holdId = entry.fact.holdId as string | undefined;
    switch (entry.kind) {
      case 'bought':
        this.#move(entry, tickets, AVAILABLE, SOLD);
        break;
      case 'held':
        this.#move(entry, tickets, AVAILABLE, HELD);
        this.#holds.set(holdId!, 'active');
        break;
      case 'confirmed':
        this.#move(entry, tickets, HELD, SOLD);
        this.#end(entry, holdId!, 'confirmed');
        break;
      case 'released':
      case 'expired':
        this.#move(entry, tickets, HELD, AVAILABLE);
        this.#end(entry, holdId!, entry.kind);
        break;
      case 'event-created':
        break;
    }
    const orderId = entry.fact.orderId as string | undefined;
    if (orderId !== undefined) this.#orders.add(orderId);
  }

  #move(entry: JournalEntry, tickets: readonly number[], from: number, to: number): void {
    for (const ticket of tickets) {
      if (!(ticket >= 0 && ticket < this.#capacity)) {
        this.#conservation.add(`entry ${entry.seq} names ticket ${ticket} of ${this.#capacity}`);
      } else if (this.#state[ticket] !== from) {
        this.#uniqueness.add(`entry ${entry.seq} (${entry.kind}) found ticket ${ticket} otherwise claimed`);
      }
      this.#state[ticket] = to;
    }
    const delta = tickets.length;
    if (from === HELD) this.#claimed.held -= delta;
    if (to === HELD) this.#claimed.held += delta;
    if (to === SOLD) this.#claimed.sold += delta;
    if (this.#claimed.held + this.#claimed.sold > this.#capacity) {
      this.#conservation.add(`after entry ${entry.seq} more is claimed than the ${this.#capacity} there are`);
    }
  }

  #end(entry: JournalEntry, holdId: string, status: HoldStatus): void {
    if (this.#holds.get(holdId) !== 'active') {
      this.#endings.add(`entry ${entry.seq} ends hold ${holdId}, which is not active`);
    }
    this.#holds.set(holdId, status);
  }

  /** A live claim row. */
  claim(ticket: number, as: 'held' | 'sold', by: string): void {
    this.#claims[as]++;
    if (this.#state[ticket] !== (as === 'held' ? HELD : SOLD)) {
      this.#uniqueness.add(`ticket ${ticket} is ${as} by ${by} without a journal entry that says so`);
    }
  }

  /** A hold row, with how many claims are by it now. */
  hold(holdId: string, status: HoldStatus, tickets: number, claims: number): void {
    this.#rows.holds++;
    if (this.#holds.get(holdId) !== status) {
      this.#endings.add(
        `hold ${holdId} is ${status}, its journal says ${this.#holds.get(holdId) ?? 'nothing'}`,
      );
    }
    const due = status === 'active' ? tickets : 0;
    if (claims !== due) {
      this.#allOrNothing.add(`hold ${holdId} (${status}) has ${claims} of ${due} claims`);
    }
  }

  /** An order row, with how many claims are by it now. */
  order(orderId: string, tickets: number, claims: number): void {
    this.#rows.orders++;
    if (!this.#orders.has(orderId)) this.#sequence.add(`order ${orderId} has no journal entry`);
    if (claims !== tickets) this.#allOrNothing.add(`order ${orderId} has ${claims} of ${tickets} claims`);
  }

  /** The findings. `lastSeq` is the sequence number the event stands at. */
  checks(lastSeq: number): AuditCheck[] {
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
