// One event in Redis as one process sees it. What is asked of it in a turn of the event loop is gathered and sent
// together: settles, give-backs, takes, in this order. (Settles and give-backs of one turn may change places: whatever
// their order, a sold ticket ends as sold, another that was given back as available.)
//
// Every call carries the epoch of the load this process knows and the last version it saw. When Redis answers STALE,
// or after a new connection, the event is verified before it is used again: a newer load of the same server process
// is adopted, anything else is a fault.
import type { EventId, Ticket, TicketTypeId } from '@floodgate/core/ids.ts';
import type { TicketLayout } from '@floodgate/core/layout.ts';
import { invariant } from '@floodgate/core/refusal.ts';
import type {
  InventoryEvent,
  InventorySnapshot,
  Repair,
  TakeResult,
  TypeCounts,
  Want,
} from '../inventory.ts';
import { StaleInventory } from '../shared-inventory.ts';
import { describeLayout, imageOf, unpackStates } from './event-image.ts';
import { asUnavailable, tellsOfDamage } from './faults.ts';
import { Gathered, SLICE } from './gathered.ts';
import type { LoadLock } from './load-lock.ts';
import type { RedisConnection } from './redis-connection.ts';
import type { ScriptName, Scripts } from './scripts.ts';
import { answerTakes, encodeTakes, type PendingTake, slices } from './take-batch.ts';

export interface SharedEventOptions {
  readonly connection: RedisConnection;
  readonly scripts: Scripts;
  readonly onLost: (fault: Error) => void;
  /** Some ticket of the event changed by what this process sent, other than by a take. */
  readonly onChange: () => void;
}

/** So many takes are worth a call before the turn ends, when Redis has none of them to do. */
const START_AT = 64;
/** So many calls with takes may be under way; what comes meanwhile gathers. */
const MAX_TAKE_CALLS = 4;
/** After a fault every process that returns loads the event, one after another: each load is one more attempt. */
const MAX_ATTEMPTS = 5;
/** How old counts may be that no change of this process has touched since. */
const COUNTS_MS = 100;
/** What a load may take longer than other calls: 10 MB in a second. */
const LOAD_BYTES_PER_MS = 10_000;

export class SharedEvent {
  readonly layout: TicketLayout;
  readonly lockKey: string;
  readonly #definition: InventoryEvent;
  readonly #layoutText: string;
  /** By type its index, in the event's order. */
  readonly #types: ReadonlyMap<TicketTypeId, number>;
  readonly #keys: readonly string[];
  readonly #options: SharedEventOptions;
  /** 0: nothing is known yet. */
  #epoch = 0;
  #seen = 0;
  #trustedIn = -1;
  #verifying: Promise<void> | undefined;

  #gathered = new Gathered();
  #isScheduled = false;
  #takeCalls = 0;
  readonly #underWay = new Set<Promise<unknown>>();
  /** The last settle or give-back that was sent. */
  #lastChange: Promise<void> | undefined;

  #countsText = '';
  #countsAtMs = Number.NEGATIVE_INFINITY;
  /** Calls that change tickets, other than takes: asked for here, and contained in the counts. */
  #changes = 0;
  #changesCounted = 0;

  constructor(definition: InventoryEvent, options: SharedEventOptions) {
    const { eventId, layout } = definition;
    const key = (name: string) => `event:{${eventId}}:${name}`;
    this.#definition = definition;
    this.#options = options;
    this.layout = layout;
    this.#types = new Map(layout.pools.map(({ ticketType }, at) => [ticketType, at]));
    this.#layoutText = describeLayout(layout, (name) => name)
      .map(([end, name]) => `${end}:${name}`)
      .join(',');
    this.#keys = [key('meta'), key('free'), key('states')];
    this.lockKey = key('lock');
  }

  get eventId(): EventId {
    return this.#definition.eventId;
  }

  hasLayoutOf(other: SharedEvent): boolean {
    return this.#layoutText === other.#layoutText;
  }

  hasType(ticketType: TicketTypeId): boolean {
    return this.#types.has(ticketType);
  }

  take(wants: readonly Want[]): Promise<TakeResult> {
    const { connection } = this.#options;
    if (!connection.isConnected) return Promise.reject(connection.whyNot());
    // More than there is, is as good as infinite; a number that prints as 1e+21 would be read as 1.
    const most = this.layout.capacity + 1;
    let text = '';
    let quantity = 0;
    for (const want of wants) {
      const asked = Math.min(want.quantity, most);
      text += `${text === '' ? '' : ','}${this.#types.get(want.ticketType)}:${asked}`;
      quantity += asked;
    }
    return new Promise((resolve, reject) => {
      const { takes } = this.#gathered;
      takes.push({ wants: text, quantity, resolve, reject });
      if (takes.length >= START_AT && this.#takeCalls === 0) this.flush();
      else this.#schedule();
    });
  }

  settle(tickets: readonly Ticket[], as: 'held' | 'sold'): void {
    this.#check(tickets);
    if (tickets.length === 0) return;
    this.#gathered[as].add(tickets);
    this.#changes++;
    this.#schedule();
  }

  giveBack(tickets: readonly Ticket[]): void {
    this.#check(tickets);
    if (tickets.length === 0) return;
    this.#gathered.back.add(tickets);
    this.#changes++;
    this.#schedule();
  }

  async counts(): Promise<readonly TypeCounts[]> {
    const isFresh = performance.now() - this.#countsAtMs < COUNTS_MS && this.#isTrusted;
    if (!isFresh || this.#changesCounted < this.#changes) {
      this.#gathered.asking ??= Promise.withResolvers();
      const { promise } = this.#gathered.asking;
      this.#schedule();
      await promise;
    }
    return this.#countsByType();
  }

  async states(): Promise<Uint8Array> {
    this.flush();
    await this.verify();
    const packed = await this.#options.connection
      .callBuffer('GET', [this.#keys[2]!])
      .catch((error: unknown) => this.#fail(error));
    const { capacity } = this.layout;
    if (!Buffer.isBuffer(packed) || packed.length !== Math.ceil(capacity / 4))
      throw this.#stale('it is gone');
    return unpackStates(packed, capacity);
  }

  async repair(repairs: readonly Repair[]): Promise<number> {
    this.#check(repairs.map(({ ticket }) => ticket));
    this.flush();
    this.#changes++;
    const atChange = this.#changes;
    let count = 0;
    await this.verify();
    for (let from = 0; from < repairs.length; from += SLICE) {
      const slice = repairs.slice(from, from + SLICE);
      const text = slice.map(({ ticket, from, to }) => `${ticket}:${from}:${to}`).join(',');
      const changed = Number(await this.#call('repair', [text], atChange));
      count += changed;
    }
    if (count > 0) this.#options.onChange();
    return count;
  }

  /** False when the lock is no longer ours. Throws when the snapshot names a ticket outside the layout or twice. */
  async load(snapshot: InventorySnapshot, lock: LoadLock, nowMs: number): Promise<boolean> {
    const { connection, scripts } = this.#options;
    const { free, states, tally } = imageOf(this.layout, this.#types, snapshot);
    const blocks = describeLayout(this.layout, (id) => this.#types.get(id as TicketTypeId)!).flat();
    const texts = [
      `${this.layout.capacity}`,
      this.#layoutText,
      JSON.stringify(tally),
      JSON.stringify(blocks),
    ];
    const args = [lock.token, `${Math.floor(nowMs)}`, ...texts, free, states, `${snapshot.seq}`];
    const { generation } = connection;
    const answer = await connection
      .run(scripts.load, [...this.#keys, lock.key], args, states.length / LOAD_BYTES_PER_MS)
      .catch((error: unknown) => this.#fail(error));
    if (answer === '!') return false;
    const [epoch, version] = answer.slice(1).split('|');
    this.#adopt(Number(epoch), Number(version), generation);
    return true;
  }

  /** Resolves when what Redis has of the event can be trusted; rejects with the fault when not. */
  verify(): Promise<void> {
    if (this.#isTrusted) return Promise.resolve();
    this.#verifying ??= this.#verifyNow().finally(() => {
      this.#verifying = undefined;
    });
    return this.#verifying;
  }

  /** Sends what was gathered, without waiting for the end of the turn. */
  flush(): void {
    if (this.#isTrusted) this.#sendAll();
    else if (!this.#gathered.isEmpty) this.#track(this.#verifyAndSend());
  }

  #verifyAndSend(): Promise<void> {
    return this.verify().then(
      () => this.flush(),
      (fault: Error) => this.#failAll(fault),
    );
  }

  /** Sends what was gathered, and resolves when all answers are here. */
  async drain(): Promise<void> {
    do {
      this.flush();
      await Promise.all(this.#underWay);
    } while (this.#underWay.size > 0 || !this.#gathered.isEmpty);
  }

  get #isTrusted(): boolean {
    return this.#trustedIn === this.#options.connection.generation;
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.flush();
    });
  }

  #sendAll(): void {
    const gathered = this.#gathered;
    this.#gathered = new Gathered();
    if (gathered.hasChanges) this.#sendChanges(gathered);
    if (this.#takeCalls >= MAX_TAKE_CALLS) this.#gathered.takes = gathered.takes;
    else for (const slice of slices(gathered.takes)) this.#track(this.#sendTakes(slice));
    const { asking } = gathered;
    if (asking !== undefined) this.#track(this.#learnCounts().then(asking.resolve, asking.reject));
  }

  /** The answer to a change that is under way tells the counts as well. */
  async #learnCounts(): Promise<void> {
    const wanted = this.#changes;
    if (this.#changesCounted < wanted) {
      await this.#lastChange;
      if (this.#changesCounted >= wanted) return;
    }
    await this.#call('counts', [], wanted);
  }

  #sendChanges(gathered: Gathered): void {
    const [held, sold, back] = [gathered.held.finish(), gathered.sold.finish(), gathered.back.finish()];
    const settles = Array.from({ length: Math.max(held.length, sold.length) }, (_, at) => {
      return ['settle', [held[at] ?? '', sold[at] ?? '']] as const;
    });
    const changes = [...settles, ...back.map((list) => ['give-back', [list]] as const)];
    for (const [at, [name, lists]] of changes.entries()) {
      const isLast = at === changes.length - 1;
      const call = this.#sendChange(name, lists, isLast ? this.#changes : -1);
      this.#track(call);
      if (isLast) this.#lastChange = call;
    }
  }

  async #sendChange(name: 'settle' | 'give-back', lists: readonly string[], change: number): Promise<void> {
    try {
      const changed = await this.#call(name, lists, change);
      if (changed !== '0') this.#options.onChange();
    } catch (fault) {
      this.#options.onLost(fault as Error);
    }
  }

  async #sendTakes(takes: readonly PendingTake[]): Promise<void> {
    this.#takeCalls++;
    try {
      answerTakes(takes, await this.#call('take', [encodeTakes(takes)], -1));
    } catch (fault) {
      for (const { reject } of takes) reject(fault as Error);
    } finally {
      this.#takeCalls--;
      if (this.#gathered.takes.length > 0) this.#schedule();
    }
  }

  #failAll(fault: Error): void {
    const { hasChanges, takes, asking } = this.#gathered;
    this.#gathered = new Gathered();
    if (hasChanges) this.#options.onLost(fault);
    for (const { reject } of takes) reject(fault);
    asking?.reject(fault);
  }

  #track(call: Promise<unknown>): void {
    this.#underWay.add(call);
    void call.finally(() => this.#underWay.delete(call));
  }

  /** What the script answers after version and counts. STALE is verified, and then asked again. */
  async #call(name: ScriptName, args: readonly string[], change: number): Promise<string> {
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const epoch = this.#epoch;
      const { connection, scripts } = this.#options;
      const answer = await connection
        .run(scripts[name], this.#keys, [`${epoch}`, `${this.#seen}`, ...args])
        .catch((error: unknown) => this.#fail(error));
      if (answer.startsWith('=')) return this.#learn(answer, epoch, change);
      if (epoch === this.#epoch) this.#trustedIn = -1;
      await this.verify();
    }
    throw this.#stale('it changes faster than it can be verified');
  }

  #learn(answer: string, epoch: number, change: number): string {
    const bar = answer.indexOf('|');
    const end = answer.indexOf('|', bar + 1);
    const version = Number(answer.slice(1, bar));
    if (epoch === this.#epoch && version >= this.#seen) {
      this.#seen = version;
      this.#countsText = answer.slice(bar + 1, end);
      this.#countsAtMs = performance.now();
      this.#changesCounted = Math.max(this.#changesCounted, change);
    }
    return answer.slice(end + 1);
  }

  async #verifyNow(): Promise<void> {
    const { connection, scripts } = this.#options;
    const { generation } = connection;
    const answer = await connection
      .run(scripts.open, this.#keys, [])
      .catch((error: unknown) => this.#fail(error));
    if (answer === '!') throw this.#stale('it is not what was loaded into this server');
    const [epoch, version, layout] = answer.slice(1).split('|');
    if (layout !== this.#layoutText) throw this.#stale('it has other ticket types or capacities');
    const isBack =
      Number(epoch) < this.#epoch || (Number(epoch) === this.#epoch && Number(version) < this.#seen);
    if (isBack) throw this.#stale('it went back in time');
    this.#adopt(Number(epoch), Number(version), generation);
  }

  #adopt(epoch: number, version: number, generation: number): void {
    this.#epoch = epoch;
    this.#seen = version;
    this.#trustedIn = generation;
    this.#countsAtMs = Number.NEGATIVE_INFINITY;
  }

  /** Damaged keys are the event's fault, all else is the connection's. */
  #fail(error: unknown): never {
    if (!tellsOfDamage(error)) throw asUnavailable(error);
    this.#trustedIn = -1;
    throw this.#stale(error.message.split('\n', 1)[0]!, error);
  }

  #stale(why: string, cause?: Error): StaleInventory {
    const message = `what Redis has of event ${this.#definition.eventId} cannot be trusted: ${why}`;
    return new StaleInventory(message, { cause });
  }

  #countsByType(): TypeCounts[] {
    const numbers = this.#countsText.split(',').map(Number);
    return Array.from(this.#types, ([ticketType, index]) => {
      const [available, pending, held, sold] = numbers.slice(4 * index, 4 * index + 4) as [
        number,
        number,
        number,
        number,
      ];
      return { ticketType, capacity: available + pending + held + sold, available, pending, held, sold };
    });
  }

  // The message is made only when it is needed.
  #check(tickets: readonly Ticket[]): void {
    for (const ticket of tickets) {
      if (!this.layout.has(ticket)) invariant(false, `ticket ${ticket} is outside the event`);
    }
  }
}
