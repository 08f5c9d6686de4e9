// What is asked of an event in one turn of the event loop, until it is sent.
import type { PendingTake } from './take-batch.ts';
import { TicketList } from './ticket-list.ts';

/** The most tickets of one settle, give-back or repair: half a millisecond of Redis. */
export const SLICE = 500;

export class Gathered {
  readonly held = new TicketList(SLICE);
  readonly sold = new TicketList(SLICE);
  readonly back = new TicketList(SLICE);
  takes: PendingTake[] = [];
  /** Those who want to know the counts. */
  asking: PromiseWithResolvers<void> | undefined;

  get hasChanges(): boolean {
    return !(this.held.isEmpty && this.sold.isEmpty && this.back.isEmpty);
  }

  get isEmpty(): boolean {
    return this.takes.length === 0 && this.asking === undefined && !this.hasChanges;
  }
}
