// The inventory in Redis, shared by all processes that sell. What is asked in one turn of the event loop travels as
// one Lua call per event; Redis says which tickets, the ledger decides. How Redis keeps an event: `lua/book.lua`.
import { setTimeout as sleep } from 'node:timers/promises';
import type { EventId, Ticket } from '@floodgate/core/ids.ts';
import { UnsuitableRedis } from '../../drivers/redis/faults.ts';
import { RedisConnection } from '../../drivers/redis/redis-connection.ts';
import { ChangeWaits } from '../change-waits.ts';
import type {
  InventoryEvent,
  InventorySnapshot,
  Repair,
  TakeResult,
  TypeCounts,
  Want,
} from '../inventory.ts';
import {
  InventoryUnavailable,
  type LossListener,
  type SharedInventory,
  StaleInventory,
} from '../shared-inventory.ts';
import { checkWants } from '../take-plan.ts';
import { asUnavailable } from './faults.ts';
import { LoadLock } from './load-lock.ts';
import { RemoteEvent } from './remote-event.ts';
import { SCRIPTS, type Scripts } from './scripts.ts';
import { SharedEvent } from './shared-event.ts';

export interface RedisInventoryOptions {
  /** The wall clock, for the epochs of loads. */
  readonly nowMs?: () => number;
  /** How long Redis may take for an answer before its connection is given up. Default: 400. */
  readonly deadlineMs?: number;
  /** Default: 2,000. */
  readonly connectTimeoutMs?: number;
  /** Do not reject when Redis cannot be reached at the start, but go on trying. */
  readonly mayWait?: boolean;
  /** One line for the operator. */
  readonly warn?: (line: string) => void;
  readonly onConnected?: () => void;
  /** Race tests take the guard of rule S1 out, as their control. */
  readonly scripts?: Partial<Scripts>;
}

type Read = () => Promise<InventorySnapshot>;

interface LoadHow {
  /** What another process has loaded does as well. */
  readonly mayBeAnothers?: boolean;
  /** Also a longer layout. */
  readonly replacesAll?: boolean;
}

const DEADLINE_MS = 400;
const CONNECT_TIMEOUT_MS = 2_000;
/** How long another process may take to load an event. */
const LOAD_WAIT_MS = 10_000;
const LOAD_POLL_MS = 50;
/** Changes by other processes are not announced, so a request that still needs tickets asks again after this. */
const LONGEST_WAIT_MS = 50;

export class RedisInventory implements SharedInventory {
  readonly #connection: RedisConnection;
  readonly #options: RedisInventoryOptions;
  readonly #scripts: Scripts;
  readonly #events = new Map<EventId, SharedEvent>();
  readonly #waits = new ChangeWaits();
  readonly #lossListeners: LossListener[];

  private constructor(
    connection: RedisConnection,
    options: RedisInventoryOptions,
    lossListeners: LossListener[],
  ) {
    this.#connection = connection;
    this.#lossListeners = lossListeners;
    this.#options = options;
    this.#scripts = { ...SCRIPTS, ...options.scripts };
  }

  /**
   * `redis[s]://[user:password@]host[:port][/db]`; a server that is part of a cluster leads to the others. Rejects with
   * UnsuitableRedis when this Redis never will do, with InventoryUnavailable when it cannot be used now.
   */
  static async connect(url: string, options: RedisInventoryOptions = {}): Promise<RedisInventory> {
    const lossListeners: LossListener[] = [];
    const connection = await RedisConnection.connect(
      url,
      {
        deadlineMs: options.deadlineMs ?? DEADLINE_MS,
        connectTimeoutMs: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
        warn: options.warn ?? (() => {}),
        onConnected: options.onConnected ?? (() => {}),
        onDisconnected: (fault) => {
          const lost = asUnavailable(fault);
          for (const tell of lossListeners) tell(lost);
        },
        scripts: Object.values(SCRIPTS),
      },
      options.mayWait ?? false,
    ).catch((fault: unknown) => {
      throw fault instanceof UnsuitableRedis ? fault : asUnavailable(fault);
    });
    return new RedisInventory(connection, options, lossListeners);
  }

  get isConnected(): boolean {
    return this.#connection.isConnected;
  }

  onLost(listener: LossListener): void {
    this.#lossListeners.push(listener);
  }

  async open(definition: InventoryEvent, read: Read): Promise<void> {
    const event = this.#eventOf(definition);
    try {
      await event.remote.verify();
    } catch (fault) {
      if (!(fault instanceof StaleInventory)) throw fault;
      await this.#loadUnderLock(event, read, { mayBeAnothers: true });
    }
    this.#events.set(definition.eventId, event);
  }

  /**
   * Reads and loads the event whether Redis has it or not. Rejects with StaleInventory when others have loaded it longer
   * than this process knows it: that may be tried again when it has learned of the growth.
   */
  async reload(definition: InventoryEvent, read: Read): Promise<void> {
    const event = this.#eventOf(definition);
    await this.#loadUnderLock(event, read, {});
    this.#events.set(definition.eventId, event);
  }

  async load(definition: InventoryEvent, snapshot: InventorySnapshot): Promise<void> {
    const known = this.#events.get(definition.eventId);
    known?.flush();
    const event = known?.remote.hasLayout(definition.layout) ? known : this.#newEvent(definition);
    await this.#loadUnderLock(event, async () => snapshot, { replacesAll: true });
    this.#events.set(definition.eventId, event);
  }

  async grow({ eventId, layout }: InventoryEvent): Promise<void> {
    await this.#known(eventId).grow(layout);
  }

  /** What the interface forbids to want is a broken invariant. */
  take(eventId: EventId, wants: readonly Want[]): TakeResult | Promise<TakeResult> {
    const event = this.#events.get(eventId);
    if (event !== undefined) return event.take(wants);
    checkWants(wants);
    return { refusal: 'EVENT_NOT_FOUND' };
  }

  settle(eventId: EventId, tickets: readonly Ticket[], as: 'held' | 'sold'): void {
    this.#known(eventId).settle(tickets, as);
  }

  giveBack(eventId: EventId, tickets: readonly Ticket[]): void {
    this.#known(eventId).giveBack(tickets);
  }

  /** At most 100 ms old, and never older than what this process has settled or given back. */
  async counts(eventId: EventId): Promise<readonly TypeCounts[] | undefined> {
    return this.#events.get(eventId)?.counts();
  }

  /** A wait for a change by another process ends after LONGEST_WAIT_MS. */
  nextChange(eventId: EventId, maxWaitMs: number): Promise<void> {
    return this.#waits.wait(eventId, Math.min(maxWaitMs, LONGEST_WAIT_MS));
  }

  async catchUp(): Promise<void> {}

  async states(eventId: EventId): Promise<Uint8Array | undefined> {
    return this.#events.get(eventId)?.states();
  }

  async repair(eventId: EventId, repairs: readonly Repair[]): Promise<number> {
    return this.#known(eventId).repair(repairs);
  }

  /** Sends what is still to be sent, and waits for the answers. */
  async close(): Promise<void> {
    await Promise.all([...this.#events.values()].map((event) => event.drain()));
    await this.#connection.close();
  }

  /** The event as it is known here, with the longer of both layouts; or, when its layout is another now, as it will be. */
  #eventOf(definition: InventoryEvent): SharedEvent {
    const known = this.#events.get(definition.eventId);
    known?.flush();
    return known?.remote.learnLayout(definition.layout) === true ? known : this.#newEvent(definition);
  }

  #newEvent(definition: InventoryEvent): SharedEvent {
    const { eventId } = definition;
    return new SharedEvent(new RemoteEvent(definition, this.#connection, this.#scripts), {
      onLost: (fault) => {
        for (const tell of this.#lossListeners) tell(fault, eventId);
      },
      onChange: () => this.#waits.wakeByTurnsEnd(eventId),
    });
  }

  /** Reads and loads when this process gets the lock. What another process loads meanwhile may do as well. */
  async #loadUnderLock(event: SharedEvent, read: Read, how: LoadHow): Promise<void> {
    const untilMs = performance.now() + LOAD_WAIT_MS;
    while (performance.now() < untilMs) {
      const lock = new LoadLock(this.#connection, event.remote.lockKey);
      if (await lock.acquire()) {
        if (await this.#loadOnce(event, read, lock, how)) return;
      } else {
        await sleep(LOAD_POLL_MS);
        if (how.mayBeAnothers && (await isTrusted(event))) return;
      }
    }
    throw new InventoryUnavailable('another process takes too long to load the event into Redis');
  }

  /** False when the lock passed to another process meanwhile. */
  async #loadOnce(event: SharedEvent, read: Read, lock: LoadLock, how: LoadHow): Promise<boolean> {
    const { mayBeAnothers = false, replacesAll = false } = how;
    try {
      // Another process may have come between our last look and our lock.
      if (mayBeAnothers && (await isTrusted(event))) return true;
      // The ledger may speak of tickets that this process does not know yet.
      if (!replacesAll) await event.remote.refuseIfAhead();
      const nowMs = (this.#options.nowMs ?? Date.now)();
      const isLoaded = await event.remote.load(await read(), lock, { nowMs, replacesAll });
      if (isLoaded) this.#waits.wakeByTurnsEnd(event.remote.eventId);
      return isLoaded;
    } finally {
      await lock.release();
    }
  }

  #known(eventId: EventId): SharedEvent {
    const event = this.#events.get(eventId);
    if (event === undefined) throw new Error(`broken invariant: event ${eventId} is not loaded`);
    return event;
  }
}

async function isTrusted(event: SharedEvent): Promise<boolean> {
  try {
    await event.remote.verify();
    return true;
  } catch (fault) {
    if (fault instanceof StaleInventory) return false;
    throw fault;
  }
}
