// Requests that wait for an event's tickets to change. Those that wait for one event until one millisecond share a promise
// and a timer: 5,000 waits in 1 ms. A change wakes them at the end of the turn, once for all that a ledger batch
// settled in it: 8,000 that wait for the last tickets of a stampede would otherwise look again after each of its 500 sales.
import { invariant } from '@floodgate/core/assert.ts';
import type { EventId } from '@floodgate/core/ids.ts';

/** The longest wait a Node timer can hold, 24 days. */
const MAX_WAIT_MS = 2 ** 31 - 1;

interface Wait {
  readonly promise: Promise<void>;
  readonly wake: () => void;
  readonly timer: NodeJS.Timeout;
}

type WaitsByDueMs = Map<number, Wait>;

export class ChangeWaits {
  /** By event, then by due time in whole milliseconds. */
  readonly #waits = new Map<EventId, WaitsByDueMs>();
  /** Events whose waits end with this turn. */
  readonly #waking = new Set<EventId>();

  /** Resolves when the event is woken, at the latest after `maxWaitMs`. */
  wait(eventId: EventId, maxWaitMs: number): Promise<void> {
    invariant(maxWaitMs >= 0 && maxWaitMs <= MAX_WAIT_MS, 'a wait is from 0 to 2^31-1 ms');
    const byDueMs = this.#waits.get(eventId) ?? new Map<number, Wait>();
    this.#waits.set(eventId, byDueMs);
    const dueMs = Math.ceil(performance.now() + maxWaitMs);
    const wait = byDueMs.get(dueMs) ?? this.#start(eventId, dueMs, maxWaitMs);
    byDueMs.set(dueMs, wait);
    return wait.promise;
  }

  /** Wakes those that wait now: for a store that answers at once, where a wait that begins later has seen the change. */
  wakeWaiting(eventId: EventId): void {
    const woken = this.#end(eventId);
    if (woken !== undefined) setImmediate(wakeEach, woken);
  }

  /**
   * Wakes also those that begin to wait before the turn ends: for a store that answers later, where the answer PENDING
   * may have come just before the change, and its request has not begun to wait yet.
   */
  wakeByTurnsEnd(eventId: EventId): void {
    if (this.#waking.has(eventId)) return;
    this.#waking.add(eventId);
    setImmediate(() => {
      this.#waking.delete(eventId);
      const woken = this.#end(eventId);
      if (woken !== undefined) wakeEach(woken);
    });
  }

  /** The event's waits, which no timer ends any more. */
  #end(eventId: EventId): WaitsByDueMs | undefined {
    const byDueMs = this.#waits.get(eventId);
    if (byDueMs === undefined) return undefined;
    this.#waits.delete(eventId);
    for (const { timer } of byDueMs.values()) clearTimeout(timer);
    return byDueMs;
  }

  #start(eventId: EventId, dueMs: number, maxWaitMs: number): Wait {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(() => this.#wakeDue(eventId, dueMs), maxWaitMs).unref();
    return { promise, wake: resolve, timer };
  }

  #wakeDue(eventId: EventId, dueMs: number): void {
    const byDueMs = this.#waits.get(eventId)!;
    byDueMs.get(dueMs)!.wake();
    byDueMs.delete(dueMs);
    if (byDueMs.size === 0) this.#waits.delete(eventId);
  }
}

function wakeEach(waits: WaitsByDueMs): void {
  for (const { wake } of waits.values()) wake();
}
