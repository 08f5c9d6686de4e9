// What one process asks of an event in Redis. It is gathered in a turn of the event loop and sent together: settles,
// give-backs, takes, in this order. (Settles and give-backs of one turn may change places: whatever their order, a sold
// ticket ends as sold, another that was given back as available.)

import { invariant } from '@floodgate/core/assert.ts';
import type { Ticket, TicketTypeId } from '@floodgate/core/ids.ts';
import type { TicketLayout } from '@floodgate/core/seating/layout.ts';
import type { Repair, TakeResult, TypeCounts, Want } from '../inventory.ts';
import { ticketTypesOf } from './event-image.ts';
import { asUnavailable } from './faults.ts';
import { Gathered, SLICE } from './gathered.ts';
import type { RemoteEvent } from './remote-event.ts';
import type { ScriptName } from './scripts.ts';
import { answerTakes, encodeTakes, type PendingTake, slices } from './take-batch.ts';
import { WantEncoder } from './want-text.ts';

export interface SharedEventOptions {
  readonly onLost: (fault: Error) => void;
  /** Some ticket of the event changed by what this process sent, other than by a take. */
  readonly onChange: () => void;
}

/** This many takes are worth a call before the turn ends, when Redis has none of them to do. */
const START_AT = 64;
/** The most calls with takes under way; what comes meanwhile gathers. */
const MAX_TAKE_CALLS = 4;
/** How old counts may be that no change of this process has touched since. */
const COUNTS_MS = 100;

export class SharedEvent {
  readonly remote: RemoteEvent;
  readonly #options: SharedEventOptions;
  #encoder: WantEncoder;

  #gathered = new Gathered();
  #isScheduled = false;
  #takeCalls = 0;
  readonly #underWay = new Set<Promise<unknown>>();
  /** The last settle or give-back that was sent. */
  #lastChange: Promise<void> | undefined;

  #countsText = '';
  #countsAtMs = Number.NEGATIVE_INFINITY;
  #countsEpoch = 0;
  /** Calls that change tickets, other than takes: asked for here, and contained in the counts. */
  #changes = 0;
  #changesCounted = 0;

  constructor(remote: RemoteEvent, options: SharedEventOptions) {
    this.remote = remote;
    this.#options = options;
    this.#encoder = new WantEncoder(remote.layout);
  }

  take(wants: readonly Want[]): TakeResult | Promise<TakeResult> {
    const { layout, connection } = this.remote;
    if (this.#encoder.layout !== layout) this.#encoder = new WantEncoder(layout);
    const encoded = this.#encoder.encode(wants);
    if (encoded === undefined) return { refusal: 'TICKET_TYPE_NOT_FOUND' };
    if (!connection.isConnected) return Promise.reject(asUnavailable(connection.whyNot()));
    return new Promise((resolve, reject) => {
      const { takes } = this.#gathered;
      takes.push({ wants: encoded, resolve, reject });
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
    const isNew = performance.now() - this.#countsAtMs < COUNTS_MS && this.#countsEpoch === this.remote.epoch;
    if (!isNew || !this.remote.isTrusted || this.#changesCounted < this.#changes) {
      this.#gathered.asking ??= Promise.withResolvers();
      const { promise } = this.#gathered.asking;
      this.#schedule();
      await promise;
    }
    const types = ticketTypesOf(this.remote.layout);
    const counts = this.#countsText.split(',').map(Number);
    if (counts.length >= 4 * types.length)
      return types.map((type, index) => countsOf(type, counts, 4 * index));
    // They were counted before the event grew.
    this.#countsAtMs = Number.NEGATIVE_INFINITY;
    return this.counts();
  }

  async states(): Promise<Uint8Array> {
    this.flush();
    return this.remote.states();
  }

  async repair(repairs: readonly Repair[]): Promise<number> {
    this.#check(repairs.map(({ ticket }) => ticket));
    this.flush();
    this.#changes++;
    const atChange = this.#changes;
    let count = 0;
    await this.remote.verify();
    for (let from = 0; from < repairs.length; from += SLICE) {
      const slice = repairs.slice(from, from + SLICE);
      const text = slice.map(({ ticket, from, to }) => `${ticket}:${from}:${to}`).join(',');
      const changed = Number(await this.#call(this.#scriptOf('repair'), [text], atChange));
      count += changed;
    }
    if (count > 0) this.#options.onChange();
    return count;
  }

  /** Known here also when Redis cannot be told now: it is grown before it is used again. */
  async grow(layout: TicketLayout): Promise<void> {
    this.flush();
    invariant(this.remote.learnLayout(layout), 'a layout grows, it does not become another one');
    this.#changes++;
    await this.remote.verify();
    this.#options.onChange();
  }

  /** Sends what was gathered, without waiting for the end of the turn. */
  flush(): void {
    if (this.remote.isTrusted) this.#sendAll();
    else if (!this.#gathered.isEmpty) this.#track(this.#verifyAndSend());
  }

  #verifyAndSend(): Promise<void> {
    return this.remote.verify().then(
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
    await this.#call(this.#scriptOf('counts'), [], wanted);
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
      const changed = await this.#call(this.#scriptOf(name), lists, change);
      if (changed !== '0') this.#options.onChange();
    } catch (fault) {
      this.#options.onLost(fault as Error);
    }
  }

  async #sendTakes(takes: readonly PendingTake[]): Promise<void> {
    this.#takeCalls++;
    try {
      const isGeneral = this.remote.layout.plan === undefined && takes.every(({ wants }) => wants.isAny);
      const script = isGeneral ? 'take' : 'take-seats';
      this.remote.saw(answerTakes(takes, await this.#call(script, [encodeTakes(takes)], -1)));
    } catch (fault) {
      for (const { reject } of takes) reject(fault as Error);
    } finally {
      this.#takeCalls--;
      if (this.#gathered.takes.length > 0) this.#schedule();
    }
  }

  #scriptOf(name: 'settle' | 'give-back' | 'repair' | 'counts'): ScriptName {
    return this.remote.layout.plan === undefined ? name : `${name}-seats`;
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

  /** What the script answers after version and counts, which contain the changes up to `change`. */
  async #call(name: ScriptName, args: readonly string[], change: number): Promise<string> {
    const { text, counts } = await this.remote.call(name, args);
    if (counts !== undefined) {
      this.#countsText = counts;
      this.#countsAtMs = performance.now();
      this.#countsEpoch = this.remote.epoch;
      this.#changesCounted = Math.max(this.#changesCounted, change);
    }
    return text;
  }

  // The message is made only when it is needed.
  #check(tickets: readonly Ticket[]): void {
    for (const ticket of tickets) {
      if (!this.remote.mayHave(ticket)) invariant(false, `ticket ${ticket} is outside the event`);
    }
  }
}

function countsOf(ticketType: TicketTypeId, numbers: readonly number[], from: number): TypeCounts {
  const [available, pending, held, sold] = numbers.slice(from, from + 4) as [number, number, number, number];
  return { ticketType, capacity: available + pending + held + sold, available, pending, held, sold };
}
