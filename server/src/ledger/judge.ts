// Judges a batch of entries against what the ledger already holds, and says what to write. Pure: the dialects
// read a working set under the events' locks, call `judge`, and write the changes in the same transaction;
// the memory twin does the same on maps. So the rules stand in one place for every store, and the unique keys
// of the tables are the second line that holds even if this file were wrong.
import type { EventDefinition } from '@floodgate/core/event.ts';
import { stepHold } from '@floodgate/core/hold.ts';
import type { AllocationId, EventId, HoldId, OrderId, Ticket } from '@floodgate/core/ids.ts';
import { invariant, type RefusalCode, unreachable } from '@floodgate/core/refusal.ts';
import type {
  Buy,
  ClaimKind,
  Committed,
  Confirm,
  Entry,
  Expire,
  Hold,
  HoldRecord,
  Idempotency,
  JournalEntry,
  JournalKind,
  OrderRecord,
  Outcome,
  Refuse,
  Refused,
  Release,
} from './ledger.ts';

/** A live claim on a ticket. */
export interface TicketClaim {
  readonly as: ClaimKind;
  readonly by: HoldId | OrderId | AllocationId;
}

/** A claim before the batch and now: the difference is what is written. */
export interface ClaimCell {
  readonly before: TicketClaim | undefined;
  now: TicketClaim | undefined;
}

/** What is kept under an idempotency key. */
export interface Kept {
  readonly hash: string;
  readonly outcome: Committed | Refused;
}

/** A hold's row with what its end left behind. */
export interface HoldState extends HoldRecord {
  readonly endedSeq: number | null;
  readonly endedAtMs: number | null;
  /** The order it was confirmed to. */
  readonly order: OrderRecord | undefined;
}

/** What one buyer has of an event: the tickets of orders and active holds, and those holds. */
export interface Belongings {
  readonly tickets: Set<Ticket>;
  readonly holds: Set<HoldId>;
}

/** One event as its batch sees it: read before judging, advanced while judging. */
export interface EventState {
  readonly eventNo: number;
  readonly eventId: EventId;
  capacity: number;
  seq: number;
  /** The sequence number of the last change by staff. */
  version: number;
  /** How many of its tickets are claimed: kept with every claim that moves. */
  held: number;
  sold: number;
  aside: number;
  /** Of every buyer that an entry with limits names. */
  readonly buyers: Map<string, Belongings>;
  /** Of every ticket that an entry proposes or a referenced hold has: its claim. */
  readonly claims: Map<Ticket, ClaimCell>;
  /** By {@link keptAddress}. */
  readonly kept: Map<string, Kept>;
  readonly holds: Map<HoldId, HoldState>;
}

export interface WorkingSet {
  readonly events: Map<EventId, EventState>;
  /** The number the next new event gets. */
  nextEventNo: number;
}

/** What the batch writes, besides the claims that differ from before and the sequences. */
export interface Changes {
  readonly events: { eventNo: number; event: EventDefinition; capacity: number }[];
  /** Events that staff changed: each once, as it is after the batch. Not those that are new in it. */
  readonly changedEvents: Map<number, { event: EventDefinition; capacity: number; version: number }>;
  /** To be written unless they are there. */
  readonly manifests: { manifestId: string; content: string }[];
  readonly orders: OrderRecord[];
  readonly holds: Map<HoldId, { readonly isNew: boolean; readonly state: HoldState }>;
  readonly journal: { eventNo: number; entry: JournalEntry }[];
  readonly kept: { eventNo: number; key: Idempotency; outcome: Committed | Refused }[];
}

/** An entry that could never be right: our bug. It fails alone, its neighbours are judged. */
export interface Broken {
  readonly status: 'broken';
  readonly message: string;
}

export type Verdict = Outcome | Broken;

/** The key's place in {@link EventState.kept}. Scope and key are text without line feeds. */
export function keptAddress(key: Pick<Idempotency, 'scope' | 'key'>): string {
  return `${key.scope}\n${key.key}`;
}

/**
 * Judges the entries in their order, each alone, at ledger time `nowMs`. The working set is advanced in place,
 * so an entry sees what its predecessors did.
 */
export function judge(
  set: WorkingSet,
  entries: readonly Entry[],
  nowMs: number,
): { verdicts: Verdict[]; changes: Changes } {
  const changes: Changes = { events: [], orders: [], holds: new Map(), journal: [], kept: [] };
  const judgement = new Judgement(set, changes, nowMs);
  return { verdicts: entries.map((entry) => judgement.of(entry)), changes };
}

/** The holds an entry refers to, for the dialects to read. */
export function holdOf(entry: Entry): HoldId | undefined {
  return entry.kind === 'confirm' || entry.kind === 'release' || entry.kind === 'expire'
    ? entry.holdId
    : undefined;
}

/** The buyer whose belongings an entry's limits are judged against, for the dialects to read. */
export function limitedBuyerOf(entry: Entry): string | undefined {
  return 'limits' in entry && entry.limits && entry.buyer !== null ? entry.buyer : undefined;
}

/** The idempotency key of an entry, for the dialects to read. */
export function keyOf(entry: Entry): Idempotency | undefined {
  return 'idempotency' in entry ? entry.idempotency : undefined;
}

const refused = (refusal: RefusalCode): Refused => ({ status: 'refused', refusal });
const broken = (message: string): Broken => ({ status: 'broken', message });

class Judgement {
  readonly #set: WorkingSet;
  readonly #changes: Changes;
  readonly #nowMs: number;

  constructor(set: WorkingSet, changes: Changes, nowMs: number) {
    this.#set = set;
    this.#changes = changes;
    this.#nowMs = nowMs;
  }

  of(entry: Entry): Verdict {
    const event = this.#set.events.get(entry.eventId);
    if (entry.kind === 'create-event')
      return event ? refused('EVENT_EXISTS') : this.#createEvent(entry.event);
    if (!event) return refused('EVENT_NOT_FOUND');

    const key = keyOf(entry);
    const kept = key && event.kept.get(keptAddress(key));
    if (key && kept) {
      return kept.hash === key.hash ? { ...kept.outcome, replayed: true } : refused('IDEMPOTENCY_KEY_REUSED');
    }
    const verdict = this.#judge(event, entry);
    // A ticket the inventory wrongly proposed is no answer to the buyer: sales proposes others under the same key.
    const isAnswer =
      verdict.status === 'committed' || (verdict.status === 'refused' && verdict.refusal !== 'TICKET_TAKEN');
    if (key && isAnswer) this.#keep(event, key, verdict);
    return verdict;
  }

  #judge(event: EventState, entry: Exclude<Entry, { kind: 'create-event' }>): Verdict {
    switch (entry.kind) {
      case 'buy':
        return this.#buy(event, entry);
      case 'hold':
        return this.#hold(event, entry);
      case 'confirm':
        return this.#confirm(event, entry);
      case 'release':
        return this.#end(event, entry, 'release', 'released');
      case 'expire':
        return this.#end(event, entry, 'expire', 'expired');
      case 'refuse':
        return this.#refuse(entry);
      default:
        return unreachable(entry);
    }
  }

  #createEvent(event: EventDefinition): Committed {
    const capacity = event.ticketTypes.reduce((sum, type) => sum + type.capacity, 0);
    const eventNo = this.#set.nextEventNo++;
    const state: EventState = {
      eventNo,
      eventId: event.eventId,
      capacity,
      seq: 0,
      held: 0,
      sold: 0,
      claims: new Map(),
      kept: new Map(),
      holds: new Map(),
    };
    this.#set.events.set(event.eventId, state);
    this.#changes.events.push({ eventNo, event, capacity });
    const seq = this.#record(state, 'event-created', { capacity });
    return { status: 'committed', seq, atMs: this.#nowMs, tickets: [], buyer: null };
  }

  #buy(event: EventState, entry: Buy): Verdict {
    const obstacle = this.#obstacle(event, entry.tickets);
    if (obstacle) return obstacle;
    const { orderId, secret, tickets, buyer, note } = entry;
    this.#claim(event, tickets, { as: 'sold', by: orderId });
    const key = entry.idempotency?.key;
    const seq = this.#record(event, 'bought', { orderId, tickets, buyer, key });
    this.#order(event, seq, { orderId, secret, tickets, buyer, holdId: null });
    return { status: 'committed', seq, atMs: this.#nowMs, tickets, buyer, orderId, secret, note };
  }

  #hold(event: EventState, entry: Hold): Verdict {
    const obstacle = this.#obstacle(event, entry.tickets);
    if (obstacle) return obstacle;
    const { holdId, tickets, buyer, note } = entry;
    // Across batches the primary key refuses this; inside one, the second hold would overwrite the first.
    if (this.#changes.holds.has(holdId)) return broken(`hold ${holdId} is made twice`);
    const expiresAtMs = this.#nowMs + entry.ttlMs;
    this.#claim(event, tickets, { as: 'held', by: holdId });
    const key = entry.idempotency?.key;
    const seq = this.#record(event, 'held', { holdId, tickets, buyer, expiresAtMs, key });
    const state: HoldState = {
      holdId,
      eventId: event.eventId,
      seq,
      status: 'active',
      buyer,
      tickets,
      createdAtMs: this.#nowMs,
      expiresAtMs,
      orderId: null,
      endedSeq: null,
      endedAtMs: null,
      order: undefined,
    };
    this.#putHold(event, state, true);
    return { status: 'committed', seq, atMs: this.#nowMs, tickets, buyer, holdId, expiresAtMs, note };
  }

  #confirm(event: EventState, entry: Confirm): Verdict {
    const hold = event.holds.get(entry.holdId);
    if (!hold) return refused('HOLD_NOT_FOUND');
    const step = stepHold(hold.status, 'confirm', this.#nowMs, hold.expiresAtMs);
    if ('refusal' in step) return refused(step.refusal);
    if ('same' in step) return confirmedAlready(hold);
    const { orderId, secret } = entry;
    const { tickets, buyer, holdId } = hold;
    this.#claim(event, tickets, { as: 'sold', by: orderId });
    const key = entry.idempotency?.key;
    const seq = this.#record(event, 'confirmed', { holdId, orderId, tickets, buyer, key });
    const order = this.#order(event, seq, { orderId, secret, tickets, buyer, holdId });
    this.#endHold(event, { ...hold, status: 'confirmed', orderId, order }, seq);
    return { status: 'committed', seq, atMs: this.#nowMs, tickets, buyer, orderId, secret, holdId };
  }

  #end(
    event: EventState,
    entry: Release | Expire,
    command: 'release' | 'expire',
    status: 'released' | 'expired',
  ): Verdict {
    const hold = event.holds.get(entry.holdId);
    if (!hold) return refused('HOLD_NOT_FOUND');
    const step = stepHold(hold.status, command, this.#nowMs, hold.expiresAtMs);
    if ('refusal' in step) return refused(step.refusal);
    const { tickets, buyer, holdId } = hold;
    if ('same' in step) {
      invariant(hold.endedSeq !== null && hold.endedAtMs !== null, `hold ${holdId} ended without a record`);
      const { endedSeq: seq, endedAtMs: atMs } = hold;
      return { status: 'committed', seq, atMs, tickets, buyer, holdId, replayed: true };
    }
    this.#claim(event, tickets, undefined);
    const seq = this.#record(event, status, { holdId, tickets, buyer });
    this.#endHold(event, { ...hold, status }, seq);
    return { status: 'committed', seq, atMs: this.#nowMs, tickets, buyer, holdId };
  }

  #refuse(entry: Refuse): Refused {
    return { status: 'refused', refusal: entry.refusal, note: entry.note };
  }

  /** Why the tickets cannot be claimed, all together (rule S3); undefined when they can. */
  #obstacle(event: EventState, tickets: readonly Ticket[]): Verdict | undefined {
    if (tickets.length === 0) return broken('a claim of no tickets');
    const taken: { ticket: Ticket; as: 'held' | 'sold' }[] = [];
    for (const [index, ticket] of tickets.entries()) {
      if (!(Number.isInteger(ticket) && ticket >= 0 && ticket < event.capacity)) {
        return broken(`event ${event.eventId} has no ticket ${ticket}`);
      }
      if (tickets.indexOf(ticket) !== index) return broken(`ticket ${ticket} is claimed twice at once`);
      const claim = event.claims.get(ticket)?.now;
      if (claim) taken.push({ ticket, as: claim.as });
    }
    return taken.length > 0 ? { status: 'refused', refusal: 'TICKET_TAKEN', taken } : undefined;
  }

  #claim(event: EventState, tickets: readonly Ticket[], now: TicketClaim | undefined): void {
    for (const ticket of tickets) {
      const cell = event.claims.get(ticket);
      if (cell?.now) event[cell.now.as]--;
      if (now) event[now.as]++;
      if (cell) cell.now = now;
      else event.claims.set(ticket, { before: undefined, now });
    }
  }

  #record(event: EventState, kind: JournalKind, fact: JournalEntry['fact']): number {
    const seq = ++event.seq;
    this.#changes.journal.push({ eventNo: event.eventNo, entry: { seq, kind, atMs: this.#nowMs, fact } });
    return seq;
  }

  #order(
    event: EventState,
    seq: number,
    order: Pick<OrderRecord, 'orderId' | 'secret' | 'tickets' | 'buyer' | 'holdId'>,
  ): OrderRecord {
    const record: OrderRecord = {
      orderId: order.orderId,
      eventId: event.eventId,
      seq,
      status: 'confirmed',
      buyer: order.buyer,
      secret: order.secret,
      tickets: order.tickets,
      createdAtMs: this.#nowMs,
      holdId: order.holdId,
    };
    this.#changes.orders.push(record);
    return record;
  }

  #endHold(event: EventState, hold: HoldState, seq: number): void {
    this.#putHold(event, { ...hold, endedSeq: seq, endedAtMs: this.#nowMs }, false);
  }

  #putHold(event: EventState, state: HoldState, isNew: boolean): void {
    event.holds.set(state.holdId, state);
    const bornInBatch = isNew || this.#changes.holds.get(state.holdId)?.isNew === true;
    this.#changes.holds.set(state.holdId, { isNew: bornInBatch, state });
  }

  #keep(event: EventState, key: Idempotency, verdict: Outcome | Broken): void {
    if (verdict.status === 'broken') return;
    const { replayed: _, ...outcome } = verdict;
    event.kept.set(keptAddress(key), { hash: key.hash, outcome });
    this.#changes.kept.push({ eventNo: event.eventNo, key, outcome });
  }
}

/** Confirming again answers the order that the hold became. */
function confirmedAlready(hold: HoldState): Outcome {
  invariant(hold.order !== undefined, `hold ${hold.holdId} was confirmed without an order`);
  const { order, tickets, buyer, holdId } = hold;
  return {
    status: 'committed',
    seq: order.seq,
    atMs: order.createdAtMs,
    tickets,
    buyer,
    orderId: order.orderId,
    secret: order.secret,
    holdId,
    replayed: true,
  };
}
