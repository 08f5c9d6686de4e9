// Sells from the shared store while that can be had, and from this process's memory when it cannot (rows A5, F2). How an
// event passes from the one to the other is the table in mode.ts; here is what is done on the way.
//
// Alone is safe because nothing is promised here: the memory inventory is loaded from the ledger, follows its journal,
// begins at a place of its own, and whatever it proposes the ledger may refuse, because another process was faster.
import { unreachable } from '@floodgate/core/assert.ts';
import type { EventId, Ticket } from '@floodgate/core/ids.ts';
import {
  applyChanges,
  applyClaims,
  changesBelow,
  FollowingInventory,
  type LedgerFeed,
} from '../following/following-inventory.ts';
import {
  hasGrown,
  type Inventory,
  type InventoryEvent,
  type InventorySnapshot,
  type Repair,
  type TakeResult,
  type TypeCounts,
  type Want,
} from '../inventory.ts';
import { InventoryUnavailable, type SharedInventory, StaleInventory } from '../shared-inventory.ts';
import { isShared, type Mode, SHARED, type Step, stepMode } from './mode.ts';

export interface FailoverOptions {
  /** The first event went alone. Loud: from now on nothing that is available here is shared with others. */
  readonly onFallback?: (reason: string) => void;
  /** Every event is shared again, after this time. */
  readonly onReturn?: (aloneMs: number) => void;
  /** Something failed that is tried again by itself. */
  readonly onFault?: (message: string, error: unknown) => void;
  /** How often it tries to return. */
  readonly returnEveryMs?: number;
  /** Where the memory inventory begins to give tickets; see MemoryInventory. */
  readonly from?: number;
}

interface Opened {
  /** With the longest layout that is known here: whatever is loaded is loaded with it. */
  event: InventoryEvent;
  readonly read: () => Promise<InventorySnapshot>;
  mode: Mode;
  /** Tickets of a growth that the shared store knew before this process. */
  readonly early: Set<Ticket>;
  /** Up to here the shared store was told of the claims of processes that are alone. */
  toldSeq: number;
}

const RETURN_EVERY_MS = 500;
/** Events that return at the same time: a thousand of them must not flood the ledger with reads. */
const RETURN_AT_ONCE = 8;
const CHANGES_AT_ONCE = 2_000;
/**
 * How many entries of an event's journal are read to learn what a process that is alone has sold: some seconds of an
 * on-sale. The reconciliation has repaired what is older.
 */
const LOOK_BACK = 20_000;

function unopened(event: InventoryEvent, read: Opened['read']): Opened {
  return { event, read, mode: SHARED, early: new Set(), toldSeq: 0 };
}

function step(opened: Opened, by: Step): void {
  opened.mode = stepMode(opened.mode, by);
}

export class FailoverInventory implements Inventory {
  readonly #shared: SharedInventory;
  readonly #memory: FollowingInventory;
  readonly #feed: LedgerFeed;
  readonly #options: FailoverOptions;
  readonly #events = new Map<EventId, Opened>();
  #aloneSinceMs: number | undefined;
  #returning: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(shared: SharedInventory, feed: LedgerFeed, options: FailoverOptions = {}) {
    this.#shared = shared;
    this.#feed = feed;
    this.#options = options;
    this.#memory = new FollowingInventory(feed, {
      from: options.from ?? Math.random(),
      onFault: (error) => options.onFault?.('following the ledger failed', error),
    });
    shared.onLost((error, eventId) => this.#lost(error, eventId));
  }

  /** Whether any event is sold from this process's memory alone. */
  get isDegraded(): boolean {
    return this.#aloneSinceMs !== undefined;
  }

  async open(event: InventoryEvent, read: () => Promise<InventorySnapshot>): Promise<void> {
    if (this.#events.has(event.eventId)) return;
    const opened = unopened(event, read);
    try {
      await this.#shared.open(event, read);
    } catch (error) {
      this.#failed(opened, error);
    }
    // Another request may have opened it meanwhile, and it may be alone since.
    if (!this.#events.has(event.eventId)) this.#events.set(event.eventId, opened);
  }

  load(event: InventoryEvent, snapshot: InventorySnapshot): Promise<void> {
    const opened = this.#events.get(event.eventId);
    if (opened && !isShared(opened.mode)) {
      opened.event = event;
      return this.#memory.load(event, snapshot);
    }
    this.#events.set(
      event.eventId,
      unopened(event, async () => snapshot),
    );
    return this.#shared.load(event, snapshot);
  }

  /**
   * Processes learn one after the other that an event has grown. One that knows the longer layout makes the shared store
   * longer; one that still has the shorter layout leaves the store as long as it is, and proposes only what it knows.
   */
  async grow(event: InventoryEvent): Promise<void> {
    const opened = this.#known(event.eventId);
    if (hasGrown(event.layout, opened.event.layout)) opened.event = event;
    const { is } = opened.mode;
    if (is === 'leaving' || is === 'loading') return; // It will be loaded as long as it is then.
    await this.#with(opened, (inventory) => inventory.grow(opened.event));
  }

  take(eventId: EventId, wants: readonly Want[]): TakeResult | Promise<TakeResult> {
    const opened = this.#events.get(eventId);
    if (!opened) return { refusal: 'EVENT_NOT_FOUND' };
    if (opened.mode.is === 'alone') return this.#memory.take(eventId, wants);
    return this.#with(opened, async (inventory) => {
      const taken = await inventory.take(eventId, wants);
      if ('tickets' in taken)
        for (const ticket of taken.tickets) if (!opened.event.layout.has(ticket)) opened.early.add(ticket);
      return taken;
    });
  }

  settle(eventId: EventId, tickets: readonly Ticket[], as: 'held' | 'sold'): void {
    this.#toldOne(eventId)?.settle(eventId, this.#tellable(eventId, tickets), as);
  }

  giveBack(eventId: EventId, tickets: readonly Ticket[]): void {
    this.#toldOne(eventId)?.giveBack(eventId, this.#tellable(eventId, tickets));
  }

  counts(eventId: EventId): undefined | Promise<readonly TypeCounts[] | undefined> {
    const opened = this.#events.get(eventId);
    return opened && this.#with(opened, (inventory) => inventory.counts(eventId));
  }

  nextChange(eventId: EventId, maxWaitMs: number): Promise<void> {
    const opened = this.#events.get(eventId);
    const isAlone = opened !== undefined && !isShared(opened.mode);
    return (isAlone ? this.#memory : this.#shared).nextChange(eventId, maxWaitMs);
  }

  /** Alone: what others have claimed is known here afterwards. Shared: the store knows what processes that are alone have claimed. */
  async catchUp(eventId: EventId): Promise<void> {
    const opened = this.#known(eventId);
    const { mode } = opened;
    switch (mode.is) {
      case 'shared':
        return this.#startTelling(opened);
      case 'telling':
        return mode.telling;
      case 'leaving':
      case 'loading':
        return; // What is loaded will be up to date.
      case 'alone':
        return this.#memory.catchUp(eventId);
      default:
        unreachable(mode);
    }
  }

  async states(eventId: EventId): Promise<Uint8Array | undefined> {
    const opened = this.#events.get(eventId);
    return opened && this.#with(opened, (inventory) => inventory.states(eventId));
  }

  repair(eventId: EventId, repairs: readonly Repair[]): Promise<number> {
    return this.#with(this.#known(eventId), (inventory) => inventory.repair(eventId, repairs));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#returning;
    await this.#memory.close();
    await this.#shared.close();
  }

  /** The shared store lost a message about an event, or the whole connection: nobody waits for an answer to be told. */
  #lost(error: unknown, eventId: EventId | undefined): void {
    if (this.#isClosed) return;
    const opened = eventId === undefined ? undefined : this.#events.get(eventId);
    if (opened && !isShared(opened.mode)) return;
    this.#failed(opened, error);
  }

  /** Asks the inventory that sells the event; when the shared store fails in this, the memory inventory. */
  async #with<T>(opened: Opened, ask: (inventory: Inventory) => T | Promise<T>): Promise<T> {
    // Round again after each step: the event may have returned while the ledger was read.
    for (;;) {
      const { mode } = opened;
      switch (mode.is) {
        case 'shared':
        case 'telling':
          try {
            return await ask(this.#shared);
          } catch (error) {
            this.#failed(opened, error);
          }
          break;
        case 'leaving':
          await this.#startLoading(opened);
          break;
        case 'loading':
          await mode.loading;
          break;
        case 'alone':
          return ask(this.#memory);
        default:
          unreachable(mode);
      }
    }
  }

  /** Where a settled or returned ticket is told: nowhere until the memory inventory has read the ledger, which knows it. */
  #toldOne(eventId: EventId): Inventory | undefined {
    const { mode } = this.#known(eventId);
    switch (mode.is) {
      case 'shared':
      case 'telling':
        return this.#shared;
      case 'leaving':
      case 'loading':
        return undefined;
      case 'alone':
        return this.#memory;
      default:
        return unreachable(mode);
    }
  }

  /** Of tickets that the shared store gave too early, the memory inventory hears only when it knows them. */
  #tellable(eventId: EventId, tickets: readonly Ticket[]): readonly Ticket[] {
    const { mode, event, early } = this.#known(eventId);
    if (isShared(mode) || early.size === 0) return tickets;
    return tickets.filter((ticket) => event.layout.has(ticket) || !early.has(ticket));
  }

  #known(eventId: EventId): Opened {
    const opened = this.#events.get(eventId);
    if (!opened) throw new Error(`broken invariant: event ${eventId} is not loaded`);
    return opened;
  }

  /** The memory inventory has the event when this resolves; all requests that come meanwhile wait for this one read. */
  #startLoading(opened: Opened): Promise<void> {
    const loading = this.#load(opened).then(
      async (fromSeq) => {
        step(opened, { by: 'loaded', fromSeq });
        // It may have grown meanwhile.
        await this.#memory.grow(opened.event);
      },
      (fault: unknown) => {
        step(opened, { by: 'loadFailed' });
        throw fault;
      },
    );
    step(opened, { by: 'asked', loading });
    return loading;
  }

  async #load(opened: Opened): Promise<number> {
    const snapshot = await opened.read();
    await this.#memory.load(opened.event, snapshot);
    return snapshot.seq;
  }

  /** What is away is away for all events; what has forgotten one event may have the others. */
  #failed(opened: Opened | undefined, error: unknown): void {
    if (error instanceof InventoryUnavailable) {
      for (const each of this.#events.values()) step(each, { by: 'lost' });
    } else if (!(error instanceof StaleInventory)) throw error;
    if (opened) step(opened, { by: 'lost' });
    if (this.#aloneSinceMs === undefined) {
      this.#aloneSinceMs = performance.now();
      this.#options.onFallback?.(error.message);
    }
    this.#tryLater();
  }

  #tryLater(): void {
    if (this.#timer || this.#isClosed) return;
    const everyMs = this.#options.returnEveryMs ?? RETURN_EVERY_MS;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#returning = this.#return().finally(() => {
          this.#returning = undefined;
          if (this.#aloneSinceMs !== undefined) this.#tryLater();
        });
      },
      everyMs * (0.75 + Math.random() / 2),
    ).unref();
  }

  async #return(): Promise<void> {
    if (!this.#shared.isConnected) return;
    const alone = this.#alone();
    try {
      while (alone.length > 0 && !this.#isClosed) {
        await Promise.all(alone.splice(0, RETURN_AT_ONCE).map((opened) => this.#returnOne(opened)));
      }
    } catch (error) {
      this.#options.onFault?.('the inventory is not shared again yet', error);
      return;
    }
    if (this.#alone().length > 0 || this.#aloneSinceMs === undefined) return;
    const aloneMs = performance.now() - this.#aloneSinceMs;
    this.#aloneSinceMs = undefined;
    this.#options.onReturn?.(aloneMs);
  }

  #alone(): Opened[] {
    return [...this.#events.values()].filter(({ mode }) => !isShared(mode));
  }

  /** Everybody who asks meanwhile waits for this one. */
  #startTelling(opened: Opened): Promise<void> {
    const telling = this.#tellShared(opened).finally(() => {
      const { mode } = opened;
      // The event may have gone alone meanwhile, and may even be shared again and told anew.
      if (mode.is === 'telling' && mode.telling === telling) step(opened, { by: 'told' });
    });
    step(opened, { by: 'behind', telling });
    return telling;
  }

  /**
   * A process that cannot reach the store may sell alone for hours, while others still share. What it sells lies
   * together, as each proposes tickets in order: without this, a buyer who is offered them one by one is refused.
   */
  async #tellShared(opened: Opened): Promise<void> {
    const { eventId } = opened.event;
    const head = (await this.#feed.heads()).find((each) => each.eventId === eventId);
    opened.toldSeq = Math.max(opened.toldSeq, (head?.seq ?? 0) - LOOK_BACK);
    for (;;) {
      const changes = await this.#feed.changes(eventId, opened.toldSeq, CHANGES_AT_ONCE);
      await applyClaims(this, eventId, changesBelow(changes, opened.event.layout.capacity));
      // An older telling, from before the event went alone and returned, may still be under way.
      opened.toldSeq = Math.max(opened.toldSeq, changes.at(-1)?.seq ?? 0);
      if (changes.length < CHANGES_AT_ONCE) return;
    }
  }

  async #returnOne(opened: Opened): Promise<void> {
    const { eventId } = opened.event;
    let readSeq: number | undefined;
    await this.#shared.reload(opened.event, async () => {
      const snapshot = await opened.read();
      readSeq = snapshot.seq;
      return snapshot;
    });
    // It may have grown during the reload, or another process has loaded it that knows a shorter layout.
    let event: InventoryEvent | undefined;
    while (event !== opened.event || opened.mode.is === 'loading') {
      if (opened.mode.is === 'loading') await opened.mode.loading.catch(() => {});
      event = opened.event;
      await this.#shared.grow(event);
    }
    // Another process may have loaded it instead: then what was sold here since must be told, if anything was.
    const { mode } = opened;
    const seq = readSeq ?? (mode.is === 'alone' ? mode.fromSeq : undefined);
    step(opened, { by: 'returned' });
    this.#memory.forget(eventId);
    if (seq !== undefined) await this.#bringUp(opened, seq);
  }

  /** What was sold here and elsewhere between the read of the ledger and the return. */
  async #bringUp(opened: Opened, afterSeq: number): Promise<void> {
    const { eventId, layout } = opened.event;
    const changes = await this.#feed.changes(eventId, afterSeq, CHANGES_AT_ONCE);
    await applyChanges(this.#shared, eventId, changesBelow(changes, layout.capacity));
    const last = changes.at(-1);
    if (changes.length >= CHANGES_AT_ONCE && last) await this.#bringUp(opened, last.seq);
  }
}
