// The ledger's memory twin: the same judge on maps. It keeps nothing beyond the process, so it serves the tests
// (which interleave sales on it and crash it at will), never a shop.
import type { EventDefinition } from '@floodgate/core/event/event.ts';
import { isLive } from '@floodgate/core/hold.ts';
import type { AllocationId, EventId, HoldId, OrderId, StreamId, Ticket } from '@floodgate/core/ids.ts';
import { isLiveOrder, ticketsLeft } from '@floodgate/core/order.ts';
import { EventAudit } from '../audit.ts';
import { GroupCommit } from '../group-commit.ts';
import { holdOf, judge, keyOf, limitedBuyerOf, orderOf, ticketsNamedBy } from '../judge/judge.ts';
import type {
  Belongings,
  Changes,
  EventState,
  HoldState,
  TicketClaim,
  Verdict,
  WorkingSet,
} from '../judge/state.ts';
import type { Kept } from '../kept-outcome.ts';
import {
  type AuditCheck,
  type ClaimKind,
  type ClaimSnapshot,
  type Entry,
  type EventHead,
  type EventRecord,
  type EventsPage,
  type HoldRecord,
  type JournalEntry,
  type Ledger,
  LedgerUnavailable,
  type OrderRecord,
  type OutcomeOf,
  type StreamHead,
} from '../ledger.ts';
import { eventHeads, eventsPage, streamHeads } from '../streams.ts';

interface StoredEvent {
  readonly eventNo: number;
  definition: EventDefinition;
  capacity: number;
  seq: number;
  version: number;
  held: number;
  sold: number;
  aside: number;
  readonly claims: Map<Ticket, TicketClaim>;
  readonly kept: Map<string, Kept>;
  readonly holds: Map<HoldId, HoldState>;
  readonly orders: Map<OrderId, OrderRecord>;
  readonly journal: JournalEntry[];
}

export class MemoryLedger implements Ledger {
  readonly #clock: { nowMs(): number };
  readonly #commits: GroupCommit;
  readonly #stored = new Map<StreamId, StoredEvent>();
  readonly #manifests = new Map<string, string>();

  /** `beforeCommit` lets tests delay or fail a batch: what it throws, the batch is refused with. */
  constructor(clock: { nowMs(): number }, beforeCommit: () => Promise<void> = async () => {}) {
    this.#clock = clock;
    const commit = async (entries: Entry[]): Promise<Verdict[]> => {
      await beforeCommit();
      return this.commit(entries);
    };
    this.#commits = new GroupCommit(commit, { maxBatch: 1_000, maxWaiting: 10_000 });
  }

  post<E extends Entry>(entry: E): Promise<OutcomeOf<E>> {
    return this.#commits.post(entry);
  }

  /** One batch, at once. Entries and outcomes cross as copies, as they would to a real store. */
  commit(entries: readonly Entry[]): Verdict[] {
    const set: WorkingSet = { events: new Map(), nextEventNo: this.#stored.size + 1 };
    for (const entry of entries) this.#read(set, entry);
    const { verdicts, changes } = judge(set, structuredClone(entries), this.#clock.nowMs());
    this.#refuseKnownIds(changes);
    this.#write(set, changes);
    return structuredClone(verdicts);
  }

  /** What the primary keys of orders and holds do in a real store: an id used twice fails its whole batch. */
  #refuseKnownIds(changes: Changes): void {
    const orderIds = changes.orders.map((order) => order.orderId);
    const holdIds = [...changes.holds.values()].filter(({ isNew }) => isNew).map(({ state }) => state.holdId);
    for (const stored of this.#stored.values()) {
      const known =
        orderIds.find((id) => stored.orders.has(id)) ?? holdIds.find((id) => stored.holds.has(id));
      if (known) throw new LedgerUnavailable(`id ${known} is taken`);
    }
    if (new Set(orderIds).size !== orderIds.length) throw new LedgerUnavailable('an order id is used twice');
  }

  #read(set: WorkingSet, entry: Entry): void {
    const stored = this.#stored.get(entry.eventId);
    if (!stored) return;
    let event = set.events.get(entry.eventId);
    if (!event) {
      event = stateOf(entry.eventId, stored);
      set.events.set(entry.eventId, event);
    }
    readClaims(event, stored, ticketsNamedBy(entry));
    const buyer = limitedBuyerOf(entry);
    if (buyer !== undefined && !event.buyers.has(buyer)) {
      event.buyers.set(buyer, this.belongingsOf(entry.eventId as EventId, buyer));
    }
    const holdId = holdOf(entry);
    const hold = holdId && stored.holds.get(holdId);
    if (hold && !event.holds.has(hold.holdId)) {
      event.holds.set(hold.holdId, hold);
      readClaims(event, stored, hold.tickets);
    }
    const orderId = orderOf(entry);
    const order = orderId && stored.orders.get(orderId);
    if (order) event.orders.set(order.orderId, order);
    const key = keyOf(entry);
    const kept = key && stored.kept.get(key.digest);
    if (key && kept) event.kept.set(key.digest, kept);
  }

  /** What the buyer has of the event. Overridden by the tests' negative control. */
  protected belongingsOf(eventId: EventId, buyer: string): Belongings {
    const { orders, holds } = this.#event(eventId);
    const active = [...holds.values()].filter((hold) => hold.buyer === buyer && isLive(hold));
    const bought = [...orders.values()].filter((order) => order.buyer === buyer && isLiveOrder(order));
    return {
      tickets: new Set([...active.flatMap(({ tickets }) => tickets), ...bought.flatMap(ticketsLeft)]),
      holds: new Set(active.map(({ holdId }) => holdId)),
    };
  }

  #write(set: WorkingSet, changes: Changes): void {
    for (const { eventNo, event: definition, capacity } of changes.events) {
      this.#stored.set(definition.eventId, {
        eventNo,
        definition,
        capacity,
        seq: 0,
        version: 0,
        held: 0,
        sold: 0,
        aside: 0,
        claims: new Map(),
        kept: new Map(),
        holds: new Map(),
        orders: new Map(),
        journal: [],
      });
    }
    const byNo = new Map([...this.#stored.values()].map((stored) => [stored.eventNo, stored]));
    for (const event of set.events.values()) {
      const stored = byNo.get(event.eventNo)!;
      const { seq, version, held, sold, aside } = event;
      Object.assign(stored, { seq, version, held, sold, aside });
      for (const [ticket, { before, now }] of event.claims) {
        if (before === now) continue;
        if (now) stored.claims.set(ticket, now);
        else stored.claims.delete(ticket);
      }
    }
    for (const [eventNo, { event: definition, capacity }] of changes.changedEvents) {
      Object.assign(byNo.get(eventNo)!, { definition, capacity });
    }
    for (const { manifestId, content } of changes.manifests) this.#manifests.set(manifestId, content);
    for (const { state } of changes.holds.values()) {
      this.#stored.get(state.eventId)!.holds.set(state.holdId, state);
    }
    for (const order of [...changes.orders, ...changes.changedOrders.values()])
      this.#stored.get(order.eventId)!.orders.set(order.orderId, order);
    for (const { eventNo, entry } of changes.journal) byNo.get(eventNo)!.journal.push(entry);
    for (const { eventNo, key, outcome } of changes.kept) {
      byNo.get(eventNo)!.kept.set(key.digest, { hash: key.hash, outcome });
    }
  }

  isWritable(): boolean {
    return this.#commits.isWritable;
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  async events(from = 0): Promise<EventsPage> {
    return eventsPage(structuredClone([...this.#stored.values()].slice(from).map(recordOf)), from);
  }

  async event(eventId: EventId): Promise<EventRecord | undefined> {
    const stored = this.#stored.get(eventId);
    return stored && structuredClone(recordOf(stored));
  }

  async heads(): Promise<EventHead[]> {
    return eventHeads(this.#heads());
  }

  async streams(): Promise<StreamHead[]> {
    return streamHeads(this.#heads());
  }

  #heads(): EventHead[] {
    return [...this.#stored].map(([stream, { seq, version, held, sold, aside }]) => {
      return { eventId: stream as EventId, seq, version, held, sold, aside };
    });
  }

  async order(orderId: OrderId): Promise<OrderRecord | undefined> {
    return [...this.#stored.values()].map((stored) => stored.orders.get(orderId)).find((found) => found);
  }

  async hold(holdId: HoldId): Promise<HoldRecord | undefined> {
    const state = [...this.#stored.values()].map((stored) => stored.holds.get(holdId)).find((found) => found);
    if (!state) return undefined;
    const { endedSeq: _seq, endedAtMs: _at, order: _order, ...record } = state;
    return record;
  }

  async orders(eventId: EventId, afterSeq: number, limit: number): Promise<OrderRecord[]> {
    const orders = [...(this.#stored.get(eventId)?.orders.values() ?? [])];
    return orders
      .filter((order) => order.seq > afterSeq)
      .sort((a, b) => a.seq - b.seq)
      .slice(0, limit);
  }

  async ordersOf(buyer: string, beforeId: OrderId | undefined, limit: number): Promise<OrderRecord[]> {
    return [...this.#stored.values()]
      .flatMap((stored) => [...stored.orders.values()])
      .filter((order) => order.buyer === buyer && (!beforeId || BigInt(order.orderId) < BigInt(beforeId)))
      .sort((a, b) => (BigInt(a.orderId) < BigInt(b.orderId) ? 1 : -1))
      .slice(0, limit);
  }

  async nextDeadline(eventId: EventId): Promise<number | undefined> {
    const holds = [...(this.#stored.get(eventId)?.holds.values() ?? [])];
    const active = holds.filter(isLive);
    return active.map(({ expiresAtMs }) => expiresAtMs).sort((a, b) => a - b)[0];
  }

  async manifest(manifestId: string): Promise<string | undefined> {
    return this.#manifests.get(manifestId);
  }

  async dueHolds(nowMs: number, limit: number): Promise<{ eventId: EventId; holdId: HoldId }[]> {
    return [...this.#stored.values()]
      .flatMap((stored) => [...stored.holds.values()])
      .filter((hold) => isLive(hold) && hold.expiresAtMs <= nowMs)
      .sort((a, b) => a.expiresAtMs - b.expiresAtMs)
      .slice(0, limit)
      .map(({ eventId, holdId }) => ({ eventId, holdId }));
  }

  async journal(stream: StreamId, afterSeq: number, limit: number): Promise<JournalEntry[]> {
    return structuredClone(this.#stored.get(stream)?.journal.slice(afterSeq, afterSeq + limit) ?? []);
  }

  async claims(eventId: EventId): Promise<ClaimSnapshot> {
    const stored = this.#event(eventId);
    const of = (as: TicketClaim['as']) =>
      Uint32Array.from([...stored.claims].filter(([, claim]) => claim.as === as).map(([ticket]) => ticket));
    return { seq: stored.seq, held: of('held'), sold: of('sold'), aside: of('aside') };
  }

  async claimsOf(
    eventId: EventId,
    tickets: readonly Ticket[],
  ): Promise<{ ticket: Ticket; as: ClaimKind; by: HoldId | OrderId | AllocationId }[]> {
    const claims = this.#stored.get(eventId)?.claims;
    return tickets.flatMap((ticket) => {
      const claim = claims?.get(ticket);
      return claim ? [{ ticket, ...claim }] : [];
    });
  }

  async keptKeys(): Promise<number> {
    return [...this.#stored.values()].reduce((sum, stored) => sum + stored.kept.size, 0);
  }

  async audit(stream: StreamId): Promise<AuditCheck[]> {
    const stored = this.#event(stream);
    const audit = new EventAudit(stored.capacity);
    for (const entry of stored.journal) audit.journal(entry);
    const claimsBy = new Map<string, number>();
    for (const [ticket, { as, by }] of stored.claims) {
      claimsBy.set(by, (claimsBy.get(by) ?? 0) + 1);
      audit.claim(ticket, as, by);
    }
    for (const hold of stored.holds.values()) audit.hold(hold, claimsBy.get(hold.holdId) ?? 0);
    for (const order of stored.orders.values()) audit.order(order, claimsBy.get(order.orderId) ?? 0);
    return audit.checks(stored);
  }

  close(): Promise<void> {
    return this.#commits.close();
  }

  #event(eventId: StreamId): StoredEvent {
    const stored = this.#stored.get(eventId);
    if (!stored) throw new Error(`the ledger has no event ${eventId}`);
    return stored;
  }
}

function recordOf({ definition, version }: StoredEvent): EventRecord {
  return { event: definition, version };
}

function stateOf(eventId: StreamId, stored: StoredEvent): EventState {
  const { eventNo, capacity, seq, version, held, sold, aside } = stored;
  const counts = { eventNo, eventId, capacity, seq, version, held, sold, aside };
  return {
    ...counts,
    buyers: new Map(),
    claims: new Map(),
    kept: new Map(),
    holds: new Map(),
    orders: new Map(),
  };
}

function readClaims(event: EventState, stored: StoredEvent, tickets: readonly Ticket[]): void {
  for (const ticket of tickets) {
    const claim = stored.claims.get(ticket);
    if (claim && !event.claims.has(ticket)) event.claims.set(ticket, { before: claim, now: claim });
  }
}
