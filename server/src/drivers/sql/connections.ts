// A few connections to one database, lent to one user at a time. Opened when they are needed; waiting is bounded, in
// number and in time.

/** What can be lent. */
export interface Lendable {
  readonly isOpen: boolean;
  close(): Promise<void>;
  destroy(): void;
}

interface Waiting<C> {
  readonly lend: (connection: C) => void;
  readonly refuse: (error: Error) => void;
}

/** Everybody waits for a connection: nothing was done. */
export class NoConnectionFree extends Error {
  override readonly name = 'NoConnectionFree';
}

export interface ConnectionLimits {
  /** The most connections that are open at once. */
  readonly size: number;
  /** The most users that wait for one. */
  readonly maxWaiting: number;
  readonly maxWaitMs: number;
}

export class Connections<C extends Lendable> {
  readonly #database: { connect(): Promise<C> };
  readonly #limits: ConnectionLimits;
  readonly #idle: C[] = [];
  readonly #lent = new Set<C>();
  readonly #waiting: Waiting<C>[] = [];
  readonly #closings: Promise<void>[] = [];
  #allBack: (() => void) | undefined;
  #opening = 0;
  #isClosed = false;

  constructor(database: { connect(): Promise<C> }, limits: ConnectionLimits) {
    this.#database = database;
    this.#limits = limits;
  }

  /** Lends a connection to `act`. Rejects with what `act` does, with CannotReachDatabase or NoConnectionFree. */
  async use<T>(act: (connection: C) => Promise<T>): Promise<T> {
    const connection = await this.#borrow();
    try {
      return await act(connection);
    } finally {
      this.#giveBack(connection);
    }
  }

  async #borrow(): Promise<C> {
    if (this.#isClosed) throw new NoConnectionFree('the connections to the database are being closed');
    for (let idle = this.#idle.pop(); idle; idle = this.#idle.pop()) {
      if (!idle.isOpen) continue;
      this.#lent.add(idle);
      return idle;
    }
    if (this.#lent.size + this.#opening >= this.#limits.size) return this.#wait();
    return this.#open();
  }

  async #open(): Promise<C> {
    this.#opening++;
    try {
      const connection = await this.#database.connect();
      this.#lent.add(connection);
      return connection;
    } catch (error) {
      // The server may have none left for us while others of ours work: then one of those is waited for.
      if (this.#lent.size > 0) return this.#wait();
      this.#refuseWaiting(error as Error);
      throw error;
    } finally {
      this.#opening--;
    }
  }

  #wait(): Promise<C> {
    const { maxWaiting, maxWaitMs } = this.#limits;
    if (this.#waiting.length >= maxWaiting) throw new NoConnectionFree('too many wait for the database');
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const index = this.#waiting.indexOf(waiting);
        if (index >= 0) this.#waiting.splice(index, 1);
        reject(new NoConnectionFree(`no connection to the database was free for ${maxWaitMs} ms`));
      }, maxWaitMs);
      const ended =
        <T>(then: (value: T) => void) =>
        (value: T) => {
          clearTimeout(timer);
          then(value);
        };
      const waiting: Waiting<C> = { lend: ended(resolve), refuse: ended(reject) };
      this.#waiting.push(waiting);
    });
  }

  #giveBack(connection: C): void {
    this.#lent.delete(connection);
    if (!connection.isOpen) {
      connection.destroy();
      this.#openForWaiting();
    } else if (this.#isClosed) {
      this.#closings.push(connection.close());
    } else {
      const next = this.#waiting.shift();
      if (next) this.#lent.add(connection);
      else this.#idle.push(connection);
      next?.lend(connection);
    }
    if (this.#lent.size === 0) this.#allBack?.();
  }

  #openForWaiting(): void {
    const next = this.#waiting.shift();
    if (next) this.#open().then(next.lend, next.refuse);
  }

  #refuseWaiting(error: Error): void {
    for (const { refuse } of this.#waiting.splice(0)) refuse(error);
  }

  /** Waits for what is lent, then closes all. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#refuseWaiting(new NoConnectionFree('the connections to the database are being closed'));
    const idle = this.#idle.splice(0).map((connection) => connection.close());
    if (this.#lent.size > 0) {
      await new Promise<void>((resolve) => {
        this.#allBack = resolve;
      });
    }
    await Promise.all([...idle, ...this.#closings]);
  }
}
