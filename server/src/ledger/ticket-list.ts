// Many ticket numbers as databases list them.

/** Ticket numbers from comma-separated lists, without a string for each. */
export class TicketList {
  #tickets: Uint32Array;
  #length = 0;

  constructor(expected: number) {
    this.#tickets = new Uint32Array(expected);
  }

  /** How many there were. */
  addAll(list: string): number {
    const before = this.#length;
    let ticket = 0;
    for (let i = 0; i < list.length; i++) {
      const code = list.charCodeAt(i);
      if (code === 44) {
        this.#add(ticket);
        ticket = 0;
      } else {
        ticket = ticket * 10 + code - 48;
      }
    }
    this.#add(ticket);
    return this.#length - before;
  }

  #add(ticket: number): void {
    if (this.#length === this.#tickets.length) {
      const larger = new Uint32Array(this.#length * 2 + 16);
      larger.set(this.#tickets);
      this.#tickets = larger;
    }
    this.#tickets[this.#length++] = ticket;
  }

  all(): Uint32Array {
    return this.#tickets.slice(0, this.#length);
  }
}
