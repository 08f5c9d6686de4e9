// Who waits for an event's tickets to change. Other processes' changes are not announced, so a wait here ends after
// 50 ms at the latest, and who still needs tickets asks again. Waits for one event until one millisecond share a timer.

import { invariant } from '@floodgate/core/assert.ts';
import type { EventId } from '@floodgate/core/ids.ts';

const LONGEST_MS = 50;

interface Wait {
  readonly promise: Promise<void>;
  readonly wake: () => void;
  readonly timer: NodeJS.Timeout;
}

export class ChangeWaits {
  /** By event, then by due time in whole milliseconds. */
  readonly #waits = new Map<EventId, Map<number, Wait>>();
  readonly #waking = new Set<EventId>();

  wait(eventId: EventId, maxWaitMs: number): Promise<void> {
    invariant(maxWaitMs >= 0, 'a wait is from 0 ms');
    const waitMs = Math.min(maxWaitMs, LONGEST_MS);
    const byDueMs = this.#waits.get(eventId) ?? new Map<number, Wait>();
    this.#waits.set(eventId, byDueMs);
    const dueMs = Math.ceil(performance.now() + waitMs);
    const wait = byDueMs.get(dueMs) ?? this.#start(eventId, dueMs, waitMs);
    byDueMs.set(dueMs, wait);
    return wait.promise;
  }

  // At the end of the turn: an answer PENDING that came with the change, and just before it, still has to reach the
  // one who will then wait.
  wakeAll(eventId: EventId): void {
    if (this.#waking.has(eventId)) return;
    this.#waking.add(eventId);
    setImmediate(() => {
      this.#waking.delete(eventId);
      const byDueMs = this.#waits.get(eventId);
      this.#waits.delete(eventId);
      for (const { timer, wake } of byDueMs?.values() ?? []) {
        clearTimeout(timer);
        wake();
      }
    });
  }

  #start(eventId: EventId, dueMs: number, waitMs: number): Wait {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(() => this.#wakeDue(eventId, dueMs), waitMs).unref();
    return { promise, wake: resolve, timer };
  }

  #wakeDue(eventId: EventId, dueMs: number): void {
    const byDueMs = this.#waits.get(eventId)!;
    byDueMs.get(dueMs)!.wake();
    byDueMs.delete(dueMs);
    if (byDueMs.size === 0) this.#waits.delete(eventId);
  }
}
