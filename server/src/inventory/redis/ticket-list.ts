// Tickets for Redis, in lists of bounded length: a call must not keep it busy for long.
import type { Ticket } from '@floodgate/core/ids.ts';
import { RunWriter } from '@floodgate/core/seating/ticket-runs.ts';

export class TicketList {
  /** Complete lists of `maxTickets` each. */
  readonly #lists: string[] = [];
  readonly #maxTickets: number;
  readonly #runs = new RunWriter();
  #count = 0;

  constructor(maxTickets: number) {
    this.#maxTickets = maxTickets;
  }

  add(tickets: readonly Ticket[]): void {
    for (const ticket of tickets) {
      if (this.#count === this.#maxTickets) this.#endList();
      this.#runs.add(ticket);
      this.#count++;
    }
  }

  get isEmpty(): boolean {
    return this.#count === 0 && this.#lists.length === 0;
  }

  /** All that was added. */
  finish(): readonly string[] {
    if (this.#count > 0) this.#endList();
    return this.#lists;
  }

  #endList(): void {
    this.#lists.push(this.#runs.take());
    this.#count = 0;
  }
}
