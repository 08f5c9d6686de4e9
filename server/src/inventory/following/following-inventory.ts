// A memory inventory beside others that sell the same events: it follows the ledger's journal, so it learns within a
// fraction of a second what other processes sold, held and gave back. It is what a process sells from while Redis is
// away, and where there is no Redis but a ledger that others may use too.
//
// It may be behind, which is safe: the ledger refuses a ticket that another process has sold meanwhile.
import { Follower } from '@floodgate/core/follower.ts';
import type { EventId, Ticket } from '@floodgate/core/ids.ts';
import {
  AVAILABLE,
  HELD,
  type Inventory,
  type InventoryEvent,
  type InventorySnapshot,
  type Repair,
  SOLD,
} from '../inventory.ts';
import { MemoryInventory } from '../memory/memory-inventory.ts';

/** What the ledger's journal says of an event's tickets. `restored`: back on sale from sold, or from staff. */
export interface TicketChange {
  readonly seq: number;
  readonly tickets: readonly Ticket[];
  readonly to: 'available' | 'held' | 'sold' | 'restored';
}

/** The ledger, as far as an inventory may know it. */
export interface LedgerFeed {
  /** Where every event stands. */
  heads(): Promise<readonly { readonly eventId: EventId; readonly seq: number }[]>;
  /**
   * What the next `limit` entries after `afterSeq` change, in order. Each entry brings at least one change, if need be
   * of no tickets, so fewer changes than `limit` are the last ones.
   */
  changes(eventId: EventId, afterSeq: number, limit: number): Promise<readonly TicketChange[]>;
}

export interface FollowingOptions {
  /** Where in an event it begins to give tickets; see MemoryInventory. */
  readonly from?: number;
  /** How often the ledger is asked for news. */
  readonly everyMs?: number;
  /** The ledger did not answer; it is asked again. */
  readonly onFault?: (error: unknown) => void;
}

const EVERY_MS = 200;
const CHANGES_AT_ONCE = 2_000;

export class FollowingInventory extends MemoryInventory {
  readonly #feed: LedgerFeed;
  readonly #onFault: (error: unknown) => void;
  readonly #timer: NodeJS.Timeout;
  /** Of each event: its journal, up to where it is known here. */
  readonly #followers = new Map<EventId, Follower<TicketChange>>();
  /** Changes of tickets that are not known here yet, because the event has grown elsewhere: for when it grows here. */
  readonly #early = new Map<EventId, TicketChange[]>();
  /** Tickets that this process gave back while the ledger is read: news that they were held is older than that. */
  readonly #returned = new Map<EventId, Set<Ticket>>();
  #isLooking = false;

  constructor(feed: LedgerFeed, options: FollowingOptions = {}) {
    super(options.from);
    this.#feed = feed;
    this.#onFault = options.onFault ?? (() => {});
    this.#timer = setInterval(() => void this.#look(), options.everyMs ?? EVERY_MS).unref();
  }

  override async load(event: InventoryEvent, snapshot: InventorySnapshot): Promise<void> {
    await super.load(event, snapshot);
    const { eventId } = event;
    this.#early.delete(eventId);
    const follower = this.#followers.get(eventId);
    if (follower) follower.moveTo(snapshot.seq);
    else this.#followers.set(eventId, this.#follow(eventId, snapshot.seq));
  }

  override async grow(event: InventoryEvent): Promise<void> {
    // It acts at once: news of the new tickets is applied before any that comes later.
    const grown = super.grow(event);
    await Promise.all([grown, this.#apply(event.eventId, [])]);
  }

  override giveBack(eventId: EventId, tickets: readonly Ticket[]): void {
    super.giveBack(eventId, tickets);
    const returned = this.#returned.get(eventId);
    if (returned) for (const ticket of tickets) returned.add(ticket);
  }

  /** Follows the event no more, and forgets it. */
  override forget(eventId: EventId): void {
    this.#followers.get(eventId)?.stop();
    this.#followers.delete(eventId);
    this.#early.delete(eventId);
    super.forget(eventId);
  }

  /** Resolves when everything that was committed before the call is known here. */
  override async catchUp(eventId: EventId): Promise<void> {
    await this.#followers.get(eventId)?.catchUp();
  }

  override async close(): Promise<void> {
    clearInterval(this.#timer);
    const followers = [...this.#followers.values()];
    this.#followers.clear();
    for (const follower of followers) follower.stop();
    await Promise.all(followers.map((follower) => follower.settled()));
  }

  async #look(): Promise<void> {
    if (this.#isLooking || this.#followers.size === 0) return;
    this.#isLooking = true;
    try {
      const behind = (await this.#feed.heads()).filter(
        ({ eventId, seq }) => seq > (this.#followers.get(eventId)?.seq ?? seq),
      );
      for (const { eventId } of behind) await this.#followers.get(eventId)?.read();
    } catch (error) {
      this.#onFault(error);
    } finally {
      this.#isLooking = false;
    }
  }

  #follow(eventId: EventId, afterSeq: number): Follower<TicketChange> {
    return new Follower(afterSeq, {
      read: (seq) => this.#readPage(eventId, seq),
      apply: (changes) => this.#apply(eventId, changes),
      pageSize: CHANGES_AT_ONCE,
    });
  }

  /**
   * The next changes, without the holds of tickets that came back here while they were read. (When another process has
   * held such a ticket again it looks free here, which is the safe side.)
   */
  async #readPage(eventId: EventId, afterSeq: number): Promise<readonly TicketChange[]> {
    const returned = new Set<Ticket>();
    this.#returned.set(eventId, returned);
    try {
      const changes = await this.#feed.changes(eventId, afterSeq, CHANGES_AT_ONCE);
      if (returned.size === 0) return changes;
      return changes.map((change) =>
        change.to === 'held'
          ? { ...change, tickets: change.tickets.filter((ticket) => !returned.has(ticket)) }
          : change,
      );
    } finally {
      this.#returned.delete(eventId);
    }
  }

  /** Whatever came too early goes first. All in one turn, as a memory inventory acts at once: so the order is kept. */
  async #apply(eventId: EventId, changes: readonly TicketChange[]): Promise<void> {
    const capacity = this.capacityOf(eventId);
    const all = [...(this.#early.get(eventId) ?? []), ...changes];
    const early = changesFrom(all, capacity);
    if (early.length > 0) this.#early.set(eventId, early);
    else this.#early.delete(eventId);
    const done = changesBelow(all, capacity).map((change) => applyChange(this, eventId, change));
    await Promise.all(done);
  }
}

/** Without the tickets that a layout of this capacity does not have: the event has grown, which is not known here yet. */
export function changesBelow(changes: readonly TicketChange[], capacity: number): readonly TicketChange[] {
  if (!changes.some(({ tickets }) => tickets.some((ticket) => ticket >= capacity))) return changes;
  return changes.map((change) => ({ ...change, tickets: change.tickets.filter((t) => t < capacity) }));
}

function changesFrom(changes: readonly TicketChange[], capacity: number): TicketChange[] {
  return changes
    .map((change) => ({ ...change, tickets: change.tickets.filter((ticket) => ticket >= capacity) }))
    .filter(({ tickets }) => tickets.length > 0);
}

/**
 * Brings an inventory up to the ledger. A change that this process caused itself may be applied when the ticket has
 * moved on already; later changes then put that right, and until then the ledger does.
 */
export async function applyChanges(
  inventory: Pick<Inventory, 'settle' | 'giveBack' | 'repair'>,
  eventId: EventId,
  changes: readonly TicketChange[],
): Promise<void> {
  for (const change of changes) await applyChange(inventory, eventId, change);
}

function applyChange(
  inventory: Pick<Inventory, 'settle' | 'giveBack' | 'repair'>,
  eventId: EventId,
  { tickets, to }: TicketChange,
): Promise<number> | undefined {
  if (tickets.length === 0) return undefined;
  if (to === 'sold') inventory.settle(eventId, tickets, 'sold');
  else if (to === 'available') inventory.giveBack(eventId, tickets);
  else return inventory.repair(eventId, tickets.map(to === 'held' ? asHeld : asRestored));
  return undefined;
}

/** Of the changes only how they leave tickets out of sale, or let staff put them back: for an inventory that is told of ended holds otherwise. */
export async function applyClaims(
  inventory: Pick<Inventory, 'settle' | 'repair'>,
  eventId: EventId,
  changes: readonly TicketChange[],
): Promise<void> {
  const last = new Map<Ticket, TicketChange['to']>();
  for (const { tickets, to } of changes) for (const ticket of tickets) last.set(ticket, to);
  const left = (as: TicketChange['to']) => [...last].filter(([, to]) => to === as).map(([ticket]) => ticket);
  const sold = left('sold');
  if (sold.length > 0) inventory.settle(eventId, sold, 'sold');
  const repairs = [...left('held').map(asHeld), ...left('restored').map(asRestored)];
  if (repairs.length > 0) await inventory.repair(eventId, repairs);
}

function asHeld(ticket: Ticket): Repair {
  return { ticket, from: AVAILABLE, to: HELD };
}

/** `giveBack` leaves what is sold, on purpose. */
function asRestored(ticket: Ticket): Repair {
  return { ticket, from: SOLD, to: AVAILABLE };
}
