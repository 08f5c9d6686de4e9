// Random batches in so small a world that entries often meet, for comparing one ledger with another.
import type { EventDefinition } from '@floodgate/core/event/event.ts';
import type { EventId, HoldId, OrderId, Ticket } from '@floodgate/core/ids.ts';
import fc from 'fast-check';
import type { Verdict } from '../judge/state.ts';
import type {
  BuyerLimits,
  ChangeEvent,
  Confirm,
  Entry,
  Hold,
  Ledger,
  RefusalWithDetail,
  ReturnTickets,
} from '../ledger.ts';
import type { SqliteReader } from '../sqlite/reader.ts';
import {
  EventEntries,
  freshId,
  keepManifest,
  openShop,
  recordOfShop,
  ticketsOf,
  underKey,
} from './test-entries.ts';
import { plain } from './test-script.ts';

const CAPACITY = 16;
/** Of every ticket: what staff make of it later says nothing of what entries ask. */
const PRICE = 250;
/** The most that an event grows by. */
const GROWTH = 6;
const BUYERS = ['ann', 'bob'] as const;

/** What an entry is made from, in so small a world that entries often meet. */
const recipe = fc.record({
  kind: fc.constantFrom(
    ...(['hold', 'hold', 'hold', 'hold', 'buy', 'buy', 'confirm', 'confirm', 'release', 'release'] as const),
    ...(['expire', 'expire', 'extend', 'extend', 'refuse', 'create', 'shop', 'record', 'keep'] as const),
    ...(['set aside', 'restore', 'grow', 'reprice', 'return', 'return', 'return'] as const),
  ),
  event: fc.constantFrom(0, 0, 0, 1),
  // The last ticket is outside, unless the event has grown: such entries are broken.
  tickets: fc.uniqueArray(fc.nat(CAPACITY), { minLength: 1, maxLength: 3 }),
  key: fc.option(fc.record({ key: fc.constantFrom('a', 'b', 'c'), hash: fc.constantFrom('x', 'y') }), {
    freq: 3,
  }),
  buyer: fc.constantFrom(...BUYERS, null),
  limits: fc.option(fc.record({ max: fc.nat(4), half: fc.boolean(), holds: fc.nat(3) }), { freq: 2 }),
  /** Which version a request was checked against; a change is never made from none. */
  version: fc.constantFrom('none', 'none', 'current', 'current', 'stale'),
  /** Which of the event's holds or orders proposed so far, counted from the last; it may be one of the same batch. */
  ago: fc.nat(2),
  /** Who confirms may not act on the hold. */
  isThief: fc.constantFrom(false, false, false, true),
  ttlMs: fc.constantFrom(0, 20, 100),
  note: fc.option(fc.nat(9), { nil: undefined }),
});
export type Recipe = typeof recipe extends fc.Arbitrary<infer T> ? T : never;

export const MOST_BATCHES = 16;

export const batches = fc.array(
  fc.record({ passMs: fc.constantFrom(0, 5, 10), recipes: fc.array(recipe, { minLength: 1, maxLength: 8 }) }),
  { minLength: 4, maxLength: MOST_BATCHES },
);

/** What the batches must have met, all together, for the property to mean something. */
export const EVERY_VERDICT = [
  ...['committed', 'committed again', 'broken', 'EVENT_NOT_FOUND', 'EVENT_EXISTS', 'IDEMPOTENCY_KEY_REUSED'],
  ...['EVENT_CHANGED', 'LIMIT_REACHED', 'TICKET_TAKEN', 'SOLD_OUT', 'HOLD_NOT_FOUND', 'HOLD_EXPIRED'],
  ...['HOLD_RELEASED', 'HOLD_CONFIRMED', 'HOLD_NOT_DUE', 'HOLD_AT_CAP'],
  ...['ORDER_NOT_FOUND', 'TICKET_NOT_FOUND', 'TICKET_VOID', 'REFUND_TOO_MUCH'],
];

export function kindOf(verdict: Verdict): string {
  if (verdict.status === 'refused') return verdict.refusal;
  return verdict.status === 'committed' && verdict.replayed ? 'committed again' : verdict.status;
}

/** What staff know of an event: from it they make the next change. */
interface Known {
  version: number;
  event: EventDefinition;
  readonly asides: Set<Ticket>;
}

/** Two events, and what the batches so far have made of them. */
export class World {
  readonly events = [
    new EventEntries(CAPACITY, undefined, PRICE),
    new EventEntries(CAPACITY, undefined, PRICE),
  ] as const;
  readonly holds: Hold[] = [];
  /** Proposed so far. */
  readonly #orders: {
    readonly eventId: EventId;
    readonly orderId: OrderId;
    readonly tickets: readonly Ticket[];
  }[] = [];
  readonly #known: ReadonlyMap<EventId, Known>;

  constructor() {
    this.#known = new Map(
      this.events.map(({ eventId, event }) => [eventId, { version: 1, event, asides: new Set<Ticket>() }]),
    );
  }

  entryOf(recipe: Recipe): Entry {
    const entries = this.events[recipe.event]!;
    const { tickets, ttlMs, note, buyer } = recipe;
    const key = recipe.key ? underKey(recipe.key.key, recipe.key.hash) : {};
    const hold = this.#ago(this.holds, entries.eventId, recipe);
    const holdId = hold?.holdId ?? freshId<HoldId>();
    const version = this.#versionOf(entries, recipe);
    const claim = { ...key, version, buyer, limits: limitsOf(recipe) };
    switch (recipe.kind) {
      case 'buy': {
        const buy = entries.buy(tickets, { ...claim, remaining: note });
        this.#orders.push(buy);
        return buy;
      }
      case 'hold': {
        const hold = entries.hold(tickets, { ...claim, ttlMs });
        this.holds.push(hold);
        return hold;
      }
      case 'confirm':
        return this.#confirm(entries, hold, { ...key, version, isAllowed: !recipe.isThief });
      case 'release':
        return entries.release(holdId);
      case 'expire':
        return entries.expire(holdId);
      case 'extend':
        return entries.extend(holdId, ttlMs, 90);
      case 'refuse':
        return entries.refuse(soldOut(note), { ...underKey('a'), ...key });
      case 'create':
        return entries.create();
      case 'shop':
        return openShop();
      case 'record':
        return recordOfShop({ keyId: `${note}` });
      case 'keep':
        return keepManifest(`manifest-${note}`, `the content of ${note}`);
      case 'return':
        return this.#return(entries, recipe);
      case 'set aside':
      case 'restore':
      case 'grow':
      case 'reprice':
        return this.#change(entries, recipe);
    }
  }

  #ago<T extends { readonly eventId: EventId }>(
    all: readonly T[],
    eventId: EventId,
    { ago }: Recipe,
  ): T | undefined {
    return all.filter((one) => one.eventId === eventId).at(-1 - ago);
  }

  #confirm(entries: EventEntries, hold: Hold | undefined, rest: Partial<Confirm>): Confirm {
    const confirm = entries.confirm(hold?.holdId ?? freshId<HoldId>(), rest);
    if (hold) this.#orders.push({ ...confirm, tickets: hold.tickets });
    return confirm;
  }

  /** Mostly of tickets that the order has, if it was made. */
  #return(entries: EventEntries, recipe: Recipe): ReturnTickets {
    const order = this.#ago(this.#orders, entries.eventId, recipe);
    const { note = 0, tickets } = recipe;
    const some = order && note > 0 ? order.tickets.slice(0, 1 + (note % 2)) : tickets;
    return entries.returnTickets(order?.orderId ?? freshId<OrderId>(), some, { refundedAmount: note * 100 });
  }

  #versionOf({ eventId }: EventEntries, { version }: Recipe): number | undefined {
    if (version === 'none') return undefined;
    return this.#known.get(eventId)!.version + (version === 'stale' ? 1 : 0);
  }

  #change(entries: EventEntries, recipe: Recipe): ChangeEvent {
    const { version, event, asides } = this.#known.get(entries.eventId)!;
    const from = this.#versionOf(entries, recipe) ?? version;
    const tickets = ticketsOf(...recipe.tickets);
    if (recipe.kind === 'set aside') return entries.change(from, { event, setAside: tickets });
    if (recipe.kind === 'reprice') return entries.change(from, { event: repriced(event, recipe) });
    if (recipe.kind === 'grow') return entries.change(from, { event: this.#grown(entries, recipe) });
    const restored = asides.size > 0 ? [...asides].slice(0, tickets.length) : tickets;
    return entries.change(from, { event, restored });
  }

  #grown(entries: EventEntries, { tickets }: Recipe): EventDefinition {
    const { event } = this.#known.get(entries.eventId)!;
    const grownBy = event.ticketTypes[0]!.capacity - CAPACITY;
    return entries.grown(Math.min(GROWTH, grownBy + tickets.length - 1));
  }

  /** What staff learn of a batch's outcomes. */
  learn(batch: readonly Entry[], verdicts: readonly Verdict[]): void {
    for (const [index, verdict] of verdicts.entries()) {
      const entry = batch[index]!;
      if (entry.kind !== 'change-event' || verdict.status !== 'committed') continue;
      const known = this.#known.get(entry.eventId)!;
      Object.assign(known, { version: verdict.seq, event: entry.event });
      for (const ticket of entry.setAside) known.asides.add(ticket);
      for (const ticket of entry.restored) known.asides.delete(ticket);
    }
  }
}

function repriced(event: EventDefinition, { note = 0 }: Recipe): EventDefinition {
  return { ...event, ticketTypes: event.ticketTypes.map((type) => ({ ...type, price: PRICE + note })) };
}

function soldOut(remaining: number | undefined): RefusalWithDetail {
  return { refusal: 'SOLD_OUT', ...(remaining === undefined ? {} : { detail: { remaining } }) };
}

/** Sometimes of half the tickets, so that a limit must look at numbers. */
function limitsOf({ limits, buyer, kind }: Recipe): BuyerLimits | undefined {
  if (!limits || buyer === null) return undefined;
  const { max, half, holds } = limits;
  const ranges = [[half ? 8 : 0, CAPACITY] as const];
  return { tickets: [{ ranges, max }], ...(kind === 'hold' ? { holds } : {}) };
}

/** All that can be read of an event and these holds, in an order that no store must keep. */
export async function recordsOf(ledger: Ledger | SqliteReader, eventId: EventId, holds: readonly Hold[]) {
  const all = ticketsOf(...Array.from({ length: CAPACITY + GROWTH }, (_, ticket) => ticket));
  const { seq, held, sold, aside } = await ledger.claims(eventId);
  const due = await ledger.dueHolds(Number.MAX_SAFE_INTEGER, 1_000_000);
  return plain({
    seq,
    event: await ledger.event(eventId),
    head: (await ledger.heads()).find((head) => head.eventId === eventId),
    claims: [
      held.sort(),
      sold.sort(),
      aside.sort(),
      (await ledger.claimsOf(eventId, all)).sort((a, b) => a.ticket - b.ticket),
    ],
    orders: await ledger.orders(eventId, 0, 1_000),
    ofBuyers: await Promise.all(BUYERS.map((buyer) => ledger.ordersOf(buyer, undefined, 20))),
    journal: await ledger.journal(eventId, 0, 1_000),
    holds: await Promise.all(holds.map(({ holdId }) => ledger.hold(holdId))),
    nextDeadline: (await ledger.nextDeadline(eventId)) ?? null,
    active: due
      .filter((hold) => hold.eventId === eventId)
      .map(({ holdId }) => holdId)
      .sort(),
    audit: await ledger.audit(eventId),
  });
}
