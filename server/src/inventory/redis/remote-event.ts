// An event in Redis, as far as this process may trust it. Every call carries the epoch of the load that this process
// knows and the last version it saw. When Redis answers STALE, or after a new connection, the event is verified before
// it is used again: a newer load of the same server process is adopted, anything else is a fault.
//
// Layouts only ever grow. What Redis has may be behind this process, then it is grown; or ahead of it, which is as
// good: the tickets that both know have the same numbers, and the ledger refuses who does not know the others yet.
import type { EventId } from '@floodgate/core/ids.ts';
import type { TicketLayout } from '@floodgate/core/seating/layout.ts';
import { tellsOfDamage } from '../../drivers/redis/faults.ts';
import type { RedisConnection } from '../../drivers/redis/redis-connection.ts';
import type { InventoryEvent, InventorySnapshot } from '../inventory.ts';
import { StaleInventory } from '../shared-inventory.ts';
import { imageOf, tallyFrom, typesOfPools, unpackStates } from './event-image.ts';
import { asUnavailable } from './faults.ts';
import { beginsWith, describeLayout, type LayoutText, readLayout } from './layout-text.ts';
import type { LoadLock } from './load-lock.ts';
import type { ScriptName, Scripts } from './scripts.ts';

export interface Answer {
  /** What the script says after version and counts. */
  readonly text: string;
  /** Of each ticket type: available, pending, held, sold. Undefined when something newer is known. */
  readonly counts: string | undefined;
}

export interface LoadHow {
  /** The wall clock. */
  readonly nowMs: number;
  /** Also a longer layout. */
  readonly replacesAll: boolean;
}

/** What Redis says it has. */
interface Found {
  readonly epoch: number;
  readonly version: number;
  readonly layout: string;
}

/** After a fault every process that returns loads the event, one after another: each load is one more attempt. */
const MAX_ATTEMPTS = 5;
/** An event may grow again while it is grown. */
const MAX_GROWTHS = 100;
/** What a load may take longer than other calls: 10 MB in a second. */
const LOAD_BYTES_PER_MS = 10_000;

export class RemoteEvent {
  readonly eventId: EventId;
  readonly lockKey: string;
  readonly connection: RedisConnection;
  readonly #scripts: Scripts;
  readonly #keys: readonly string[];
  /** Without those of seats. */
  readonly #generalKeys: readonly string[];
  #layout: TicketLayout;
  #text: LayoutText;
  /** As many tickets as Redis or this process is known to have of the event. */
  #tickets: number;
  /** 0: nothing is known yet. */
  #epoch = 0;
  #seen = 0;
  #trustedIn = -1;
  #verifying: Promise<void> | undefined;

  constructor({ eventId, layout }: InventoryEvent, connection: RedisConnection, scripts: Scripts) {
    const key = (name: string) => `event:{${eventId}}:${name}`;
    this.eventId = eventId;
    this.lockKey = key('lock');
    this.connection = connection;
    this.#scripts = scripts;
    this.#generalKeys = ['meta', 'free', 'states'].map(key);
    this.#keys = [...this.#generalKeys, ...['runs', 'positions', 'gaps'].map(key)];
    this.#layout = layout;
    this.#text = describeLayout(layout);
    this.#tickets = layout.capacity;
  }

  get layout(): TicketLayout {
    return this.#layout;
  }

  /** A number for each load that this process has known. */
  get epoch(): number {
    return this.#epoch;
  }

  get isTrusted(): boolean {
    return this.#trustedIn === this.connection.generation;
  }

  /** Whether the number can be a ticket: a process that is behind is given tickets outside its layout. */
  mayHave(ticket: number): boolean {
    return Number.isInteger(ticket) && ticket >= 0 && ticket < this.#tickets;
  }

  /** Redis has given a ticket, so there is one. */
  saw(ticket: number): void {
    if (ticket >= this.#tickets) this.#tickets = ticket + 1;
  }

  hasLayout(layout: TicketLayout): boolean {
    return layout === this.#layout || describeLayout(layout).text === this.#text.text;
  }

  /** False when the layout is neither this one, nor a shorter or a longer form of it. A longer one is taken on. */
  learnLayout(layout: TicketLayout): boolean {
    if (layout === this.#layout) return true;
    const text = describeLayout(layout);
    if (beginsWith(this.#text, text)) return true;
    if (!beginsWith(text, this.#text)) return false;
    this.#layout = layout;
    this.#text = text;
    this.#tickets = Math.max(this.#tickets, layout.capacity);
    this.#trustedIn = -1; // Redis is grown when it is verified.
    return true;
  }

  /** STALE is verified, and then asked again. */
  async call(name: ScriptName, args: readonly string[]): Promise<Answer> {
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const epoch = this.#epoch;
      const answer = await this.#run(name, [`${epoch}`, `${this.#seen}`, ...args]);
      if (answer.startsWith('=')) return this.#learn(answer, epoch);
      if (epoch === this.#epoch) this.#trustedIn = -1;
      await this.verify();
    }
    throw this.#stale('it changes faster than it can be verified');
  }

  /** Resolves when what Redis has of the event can be trusted; rejects with the fault when not. */
  verify(): Promise<void> {
    if (this.isTrusted) return Promise.resolve();
    this.#verifying ??= this.#verifyNow().finally(() => {
      this.#verifying = undefined;
    });
    return this.#verifying;
  }

  async states(): Promise<Uint8Array> {
    await this.verify();
    const { capacity } = this.#layout;
    const length = Math.ceil(capacity / 4);
    const packed = await this.connection
      .callBuffer('GETRANGE', [this.#keys[2]!, '0', `${length - 1}`])
      .catch((error: unknown) => this.#fail(error));
    if (!Buffer.isBuffer(packed) || (length > 0 && packed.length !== length)) throw this.#stale('it is gone');
    return unpackStates(packed, capacity);
  }

  /** Throws StaleInventory when Redis knows a longer layout: this process has to learn it before it may load. */
  async refuseIfAhead(): Promise<void> {
    await this.#lookToLoad();
  }

  /**
   * False when the lock is no longer ours. Throws when the snapshot names a ticket outside the layout or twice, and as
   * `refuseIfAhead`, unless whatever is there may be replaced.
   */
  async load(snapshot: InventorySnapshot, lock: LoadLock, how: LoadHow): Promise<boolean> {
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const found = how.replacesAll ? undefined : await this.#lookToLoad();
      // Made only now: this process may have learned of growth while it looked.
      const { text, capacity, blocks } = this.#text;
      const { tally, ...strings } = imageOf(this.#layout, snapshot);
      const { free, states, runs, positions, gaps } = strings;
      const head = [lock.token, found?.layout ?? '', `${Math.floor(how.nowMs)}`, `${snapshot.seq}`];
      const lists = [tally, blocks.flat(), typesOfPools(this.#layout)].map((list) => JSON.stringify(list));
      const args = [...head, text, `${capacity}`, ...lists, free, states, runs, positions, gaps];
      const bytes = Object.values(strings).reduce((sum, { length }) => sum + length, 0);
      const { generation } = this.connection;
      const answer = await this.#run('load', args, [lock.key], bytes / LOAD_BYTES_PER_MS);
      if (answer === '!') return false;
      if (answer === '?') continue; // Another process has grown it meanwhile.
      const [epoch, version] = answer.slice(1).split('|');
      this.#adopt(Number(epoch), Number(version), generation);
      // What this process has learned since, Redis learns when it is verified.
      if (text !== this.#text.text) this.#trustedIn = -1;
      return true;
    }
    throw this.#stale('it grows faster than it can be loaded');
  }

  async #run(
    name: ScriptName,
    args: readonly (string | Buffer)[],
    keys: readonly string[] = [],
    extraMs = 0,
  ) {
    const isOfSeats = name === 'open' || name === 'load' || name.endsWith('-seats');
    const own = isOfSeats ? this.#keys : this.#generalKeys;
    return this.connection
      .run(this.#scripts[name], [...own, ...keys], args, extraMs)
      .catch((error: unknown) => this.#fail(error));
  }

  #learn(answer: string, epoch: number): Answer {
    const bar = answer.indexOf('|');
    const end = answer.indexOf('|', bar + 1);
    const version = Number(answer.slice(1, bar));
    const isNews = epoch === this.#epoch && version >= this.#seen;
    if (isNews) this.#seen = version;
    const counts = isNews ? answer.slice(bar + 1, end) : undefined;
    return { text: answer.slice(end + 1), counts };
  }

  async #verifyNow(): Promise<void> {
    for (let growth = 0; growth < MAX_GROWTHS; growth++) {
      const { generation } = this.connection;
      const found = await this.#look();
      if (found === undefined) throw this.#stale('it is not what was loaded into this server');
      const layout = readLayout(found.layout);
      if (layout === undefined) throw this.#stale('it has no layout');
      if (beginsWith(layout, this.#text)) {
        const isBack =
          found.epoch < this.#epoch || (found.epoch === this.#epoch && found.version < this.#seen);
        if (isBack) throw this.#stale('it went back in time');
        this.#tickets = Math.max(this.#tickets, layout.capacity);
        this.#adopt(found.epoch, found.version, generation);
        return;
      }
      if (!beginsWith(this.#text, layout)) throw this.#stale('it has other ticket types or capacities');
      await this.#growFrom(layout);
    }
    throw this.#stale('it grows faster than it can be verified');
  }

  /** Nothing happens when another process has grown it meanwhile. */
  async #growFrom({ text: before, capacity: from }: LayoutText): Promise<void> {
    const { text, capacity, blocks } = this.#text;
    const lists = [tallyFrom(this.#layout, from), blocks.flat(), typesOfPools(this.#layout)];
    const args = [before, text, `${from}`, `${capacity}`, ...lists.map((list) => JSON.stringify(list))];
    const bytes = (capacity - from) / 2;
    await this.#run('grow', args, [], bytes / LOAD_BYTES_PER_MS);
  }

  async #look(): Promise<Found | undefined> {
    const answer = await this.#run('open', []);
    if (answer === '!') return undefined;
    const [epoch, version] = answer.slice(1).split('|', 2);
    const layout = answer.slice(answer.indexOf('|', answer.indexOf('|') + 1) + 1);
    return { epoch: Number(epoch), version: Number(version), layout };
  }

  /** What a load may replace. Damage counts as nothing: a load ends it. */
  async #lookToLoad(): Promise<Found | undefined> {
    const found = await this.#look().catch((fault: unknown) => {
      if (fault instanceof StaleInventory) return undefined;
      throw fault;
    });
    const layout = found && readLayout(found.layout);
    if (layout && layout.text !== this.#text.text && beginsWith(layout, this.#text)) {
      throw this.#stale('it has tickets that this process does not know yet');
    }
    return found;
  }

  #adopt(epoch: number, version: number, generation: number): void {
    this.#epoch = epoch;
    this.#seen = version;
    this.#trustedIn = generation;
  }

  /** Damaged keys are the event's fault, all else is the connection's. */
  #fail(error: unknown): never {
    if (!tellsOfDamage(error)) throw asUnavailable(error);
    this.#trustedIn = -1;
    throw this.#stale(error.message.split('\n', 1)[0]!, error);
  }

  #stale(why: string, cause?: Error): StaleInventory {
    return new StaleInventory(`what Redis has of event ${this.eventId} cannot be trusted: ${why}`, { cause });
  }
}
