// Compares the inventory with the ledger and puts it right (row C4): the takes of processes that died, messages that
// were lost, tickets that were sold while this inventory was away. The ledger is right.
//
// While sales go on the two always differ by what is under way, so a difference counts only when it is seen twice, a
// look apart, and the ledger confirms it for those very tickets. A correction is made only if the ticket is still as
// it was seen; a correction that comes too late all the same costs a proposal that the ledger refuses, no more.
import type { EventId, Ticket } from '@floodgate/core/ids.ts';
import { AVAILABLE, HELD, PENDING, type Repair, SOLD, type State } from '../../inventory/inventory.ts';
import type { EventHead } from '../../ledger/ledger.ts';
import { sumCounts } from '../catalogue/counts.ts';
import type { Shop } from '../shop.ts';
import { STATE_OF, ticketStates } from '../ticket-states.ts';

/** Reading all claims of an event may take at most this share of the time. */
const MAX_SHARE = 0.05;
/** An event whose counts agree is compared ticket by ticket once in this many looks, if it was sold from since. */
const COMPARE_ALL_EVERY = 12;
/** Claims looked up at once. */
const LOOKED_UP_AT_ONCE = 1_000;

/** Tickets that looked wrong, with the state they were seen in. */
type Suspects = Map<Ticket, State>;

export interface Drift {
  readonly eventId: EventId;
  /** What was corrected, by kind: `pending → available`. */
  readonly repaired: Readonly<Record<string, number>>;
  readonly tickets: readonly Ticket[];
}

export class Reconciliation {
  readonly #shop: Pick<Shop, 'catalogue' | 'inventory' | 'ledger'>;
  readonly #suspects = new Map<EventId, Suspects>();
  /** When the claims of an event may be read again, on the monotonic clock. */
  readonly #nextReadMs = new Map<EventId, number>();

  /** Of each event: where it stood when it was last compared ticket by ticket, and at which look. */
  readonly #compared = new Map<EventId, { readonly seq: number; readonly look: number }>();
  readonly #compareAllEvery: number;
  #looks = 0;

  constructor(shop: Pick<Shop, 'catalogue' | 'inventory' | 'ledger'>, compareAllEvery = COMPARE_ALL_EVERY) {
    this.#shop = shop;
    this.#compareAllEvery = compareAllEvery;
  }

  /** One look at every event. Returns what was repaired. A fault of a store ends the look. */
  async look(): Promise<Drift[]> {
    const drifts: Drift[] = [];
    this.#looks++;
    for (const head of await this.#shop.ledger.heads()) {
      if (!this.#shop.catalogue.known(head.eventId)) continue;
      const drift = await this.#lookAt(head);
      if (drift) drifts.push(drift);
    }
    return drifts;
  }

  async #lookAt(head: EventHead): Promise<Drift | undefined> {
    const { eventId } = head;
    const counts = await this.#shop.inventory.counts(eventId);
    if (!counts) return undefined;
    const { pending, held, sold } = sumCounts(counts);
    const gone = head.sold + head.aside;
    const comparesAll = held !== head.held || sold !== gone || this.#isDue(head);
    const before = this.#suspects.get(eventId);
    if (!comparesAll && pending === 0 && !before) return undefined;
    const states = await this.#shop.inventory.states(eventId);
    if (!states) return undefined;
    const seen = comparesAll ? await this.#unlike(head, states) : this.#stillSuspect(eventId, states);
    if (seen.size > 0) this.#suspects.set(eventId, seen);
    else this.#suspects.delete(eventId);
    const twice = [...seen].filter(([ticket, state]) => before?.get(ticket) === state);
    return twice.length > 0 ? this.#repair(eventId, twice) : undefined;
  }

  /** Equal counts may hide tickets that changed places: now and then an event that moved is compared ticket by ticket. */
  #isDue({ eventId, seq }: EventHead): boolean {
    const last = this.#compared.get(eventId) ?? { seq: 0, look: 0 };
    return seq !== last.seq && this.#looks - last.look >= this.#compareAllEvery;
  }

  /** Tickets of which the inventory does not say what the ledger says. */
  async #unlike({ eventId, seq }: EventHead, states: Uint8Array): Promise<Suspects> {
    const startMs = performance.now();
    if (startMs < (this.#nextReadMs.get(eventId) ?? 0)) return this.#stillSuspect(eventId, states);
    const suspects = pendingOf(states);
    this.#compared.set(eventId, { seq, look: this.#looks });
    const claims = ticketStates(await this.#shop.ledger.claims(eventId));
    const endMs = performance.now();
    this.#nextReadMs.set(eventId, endMs + (endMs - startMs) / MAX_SHARE);
    const claimed = new Uint8Array(states.length);
    for (const ticket of claims.held) claimed[ticket] = HELD;
    for (const ticket of claims.sold) claimed[ticket] = SOLD;
    // By index: an iterator over ten million tickets stops everything for 0.2 s, this for 10 ms.
    for (let ticket = 0; ticket < states.length; ticket++) {
      if (states[ticket] !== claimed[ticket]) suspects.set(ticket as Ticket, states[ticket] as State);
    }
    return suspects;
  }

  /** The claims are not read at this look: a ticket that was suspect before and has not moved still is. */
  #stillSuspect(eventId: EventId, states: Uint8Array): Suspects {
    const suspects = pendingOf(states);
    for (const [ticket, state] of this.#suspects.get(eventId) ?? []) {
      if (states[ticket] === state) suspects.set(ticket, state);
    }
    return suspects;
  }

  async #repair(eventId: EventId, twice: readonly [Ticket, State][]): Promise<Drift | undefined> {
    const { inventory, ledger } = this.#shop;
    const repaired: Record<string, number> = {};
    const tickets: Ticket[] = [];
    for (let first = 0; first < twice.length; first += LOOKED_UP_AT_ONCE) {
      const some = twice.slice(first, first + LOOKED_UP_AT_ONCE);
      const claims = await ledger.claimsOf(
        eventId,
        some.map(([ticket]) => ticket),
      );
      const claimed = new Map<Ticket, State>(
        claims.map(({ ticket, as }) => [ticket, STATE_OF[as] === 'held' ? HELD : SOLD]),
      );
      const repairs = some
        .map(([ticket, from]): Repair => ({ ticket, from, to: claimed.get(ticket) ?? AVAILABLE }))
        .filter(({ from, to }) => from !== to);
      for (const [kind, ofKind] of Map.groupBy(repairs, nameOf)) {
        const count = await inventory.repair(eventId, ofKind);
        if (count > 0) repaired[kind] = (repaired[kind] ?? 0) + count;
        tickets.push(...ofKind.map(({ ticket }) => ticket));
      }
    }
    return Object.keys(repaired).length > 0 ? { eventId, repaired, tickets } : undefined;
  }
}

const NAMES = ['available', 'pending', 'held', 'sold'] as const;

function nameOf({ from, to }: Repair): string {
  return `${NAMES[from]} → ${NAMES[to]}`;
}

function pendingOf(states: Uint8Array): Suspects {
  const suspects: Suspects = new Map();
  for (let ticket = states.indexOf(PENDING); ticket !== -1; ticket = states.indexOf(PENDING, ticket + 1)) {
    suspects.set(ticket as Ticket, PENDING);
  }
  return suspects;
}
