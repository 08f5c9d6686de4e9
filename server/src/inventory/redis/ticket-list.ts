// A list of tickets as Redis reads it.
import type { Ticket } from '@floodgate/core/ids.ts';

/** "12,14-20": consecutive numbers in a row are one item. */
export class TicketList {
  /** Complete lists of at most `maxTickets` each. */
  readonly #lists: string[] = [];
  readonly #maxTickets: number;
  #text = '';
  #count = 0;
  #first = -1;
  #last = -1;

  constructor(maxTickets: number) {
    this.#maxTickets = maxTickets;
  }

  add(tickets: readonly Ticket[]): void {
    for (const ticket of tickets) {
      if (this.#count === this.#maxTickets) this.#endList();
      if (ticket !== this.#last + 1 || this.#count === 0) {
        this.#endRun();
        this.#first = ticket;
      }
      this.#last = ticket;
      this.#count++;
    }
  }

  get isEmpty(): boolean {
    return this.#count === 0 && this.#lists.length === 0;
  }

  /** All that was added, in lists of bounded length. */
  finish(): readonly string[] {
    if (this.#count > 0) this.#endList();
    return this.#lists;
  }

  #endRun(): void {
    if (this.#first < 0) return;
    const run = this.#first === this.#last ? `${this.#first}` : `${this.#first}-${this.#last}`;
    this.#text = this.#text === '' ? run : `${this.#text},${run}`;
  }

  #endList(): void {
    this.#endRun();
    this.#lists.push(this.#text);
    this.#text = '';
    this.#count = 0;
    this.#first = -1;
    this.#last = -1;
  }
}
