// The simulated shop: a stock in memory before the ledger, a group commit that takes a few virtual milliseconds,
// a sweeper, and a process that can be killed at any instant. It is built like the real one and correct unless it
// is given a bug; it stays small, because it has to be right by inspection.
import type { Reply } from '../workload.ts';
import type { FinalLedger } from './final-ledger.ts';
import type { Request } from './history.ts';
import type { Bug } from './sim-bugs.ts';
import type { SimClock } from './sim-clock.ts';
import { refusal, type SimDisk, SimLedger } from './sim-ledger.ts';

export interface SimPlan {
  readonly eventIds: readonly string[];
  readonly capacity: number;
  readonly holdTtlMs: number;
  readonly sweepMs: number;
}

export interface Surroundings {
  readonly clock: SimClock;
  readonly random: () => number;
  readonly plan: SimPlan;
  readonly bug: Bug | undefined;
}

const EPOCH_MS = Date.UTC(2026, 5, 1);

/** Which tickets are left, as one process believes. available + pending + held + sold = capacity. */
class SimStock {
  readonly free: number[];
  pending = 0;
  held = 0;
  sold = 0;

  constructor(free: number[], held: number, sold: number) {
    this.free = free;
    this.held = held;
    this.sold = sold;
  }

  /** Why there are not that many tickets to take. */
  refusalOf(quantity: number, bug: Bug | undefined): 'SOLD_OUT' | 'ALL_HELD' | 'PENDING' {
    if (bug === 'false-sold-out') return 'SOLD_OUT';
    if (this.free.length + this.pending + this.held < quantity) return 'SOLD_OUT';
    return this.pending > 0 ? 'PENDING' : 'ALL_HELD';
  }

  giveBack(tickets: readonly number[], from: 'pending' | 'held'): void {
    this[from] -= tickets.length;
    this.free.push(...tickets);
  }
}

/** What dies in a crash. */
class SimProcess {
  readonly #surroundings: Surroundings;
  readonly #disk: SimDisk;
  readonly #ledger: SimLedger;
  readonly #stocks: ReadonlyMap<string, SimStock>;
  readonly #death = Promise.withResolvers<never>();
  #isDead = false;
  #queue: (() => () => void)[] = [];
  #isCommitting = false;
  #ids = 0;
  readonly #givenBackEarly = new Set<string>();

  constructor(surroundings: Surroundings, disk: SimDisk) {
    this.#surroundings = surroundings;
    this.#disk = disk;
    const { clock, plan, bug } = surroundings;
    const prefix = bug === 'reused-ids' ? '' : `${Math.floor(clock.nowMs)}`;
    this.#ledger = new SimLedger(disk, () => `${prefix}${String(++this.#ids).padStart(6, '0')}`, bug);
    if (disk.log.length === 0) {
      for (const eventId of plan.eventIds) this.#ledger.createEvent(eventId, this.#nowMs());
      disk.durable = disk.log.length;
    }
    this.#stocks = new Map(plan.eventIds.map((eventId) => [eventId, this.#loadStock(eventId)]));
    this.#death.promise.catch(() => {}); // A process may die while nobody waits for it.
    void this.#sweepForEver();
  }

  /** Answers, or rejects when the process dies first. */
  call(request: Request): Promise<Reply> {
    return Promise.race([this.#serve(request), this.#death.promise]);
  }

  die(): void {
    this.#isDead = true;
    this.#death.reject(new Error('connection reset'));
  }

  view(): FinalLedger {
    return [...this.#stocks].map(([eventId, stock]) => {
      const { journal, orders, claims } = this.#ledger.rows(eventId);
      const counts = { available: stock.free.length, held: stock.held, sold: stock.sold };
      return {
        eventId,
        types: [{ ticketType: 'ga', capacity: this.#surroundings.plan.capacity, counts }],
        journal: journal.toSorted((a, b) => a.seq - b.seq),
        orders: [...orders],
        claims: [...claims.values()],
      };
    });
  }

  #loadStock(eventId: string): SimStock {
    const { plan, bug } = this.#surroundings;
    const { claims } = this.#ledger.rows(eventId);
    const count = plan.capacity + (bug === 'one-too-many' ? 1 : 0);
    const free = Array.from({ length: count }, (_, ticket) => ticket).filter((ticket) => !claims.has(ticket));
    const held = [...claims.values()].filter((claim) => claim.as === 'held').length;
    return new SimStock(free, held, claims.size - held);
  }

  async #serve(request: Request): Promise<Reply> {
    await this.#pause(0.1, 1);
    const reply = request.holdId === null ? await this.#claim(request) : await this.#end(request);
    await this.#pause(0.1, 1);
    const isLie = this.#surroundings.bug === 'refused-grant' && this.#surroundings.random() < 0.02;
    return isLie ? refusal(409, 'SOLD_OUT') : reply;
  }

  async #claim(request: Request): Promise<Reply> {
    const { bug, plan } = this.#surroundings;
    const stock = this.#stocks.get(request.eventId)!;
    const early = bug === 'check-then-act' ? this.#ledger.kept(request, this.#nowMs()) : undefined;
    if (early !== undefined) return early;
    const taken = await this.#take(stock, request.quantity);
    const { reply, tickets } = await this.#post(() =>
      this.#ledger.judgeClaim(request, taken, this.#nowMs(), plan.holdTtlMs),
    );
    if (typeof taken === 'string') return reply;
    if (tickets.length === 0) stock.giveBack(taken, 'pending');
    else await this.#settle(stock, taken.length, request.kind === 'hold' ? 'held' : 'sold');
    return reply;
  }

  async #take(stock: SimStock, quantity: number): Promise<readonly number[] | 'SOLD_OUT' | 'ALL_HELD'> {
    const { bug } = this.#surroundings;
    for (;;) {
      const isShort = stock.free.length < quantity;
      if (!isShort || (bug === 'partial-grant' && stock.free.length > 0)) {
        const tickets = stock.free.slice(0, quantity);
        if (bug === 'double-pop') await this.#pause(0, 0.3);
        stock.free.splice(0, tickets.length);
        stock.pending += tickets.length;
        return tickets;
      }
      const reason = stock.refusalOf(quantity, bug);
      if (reason !== 'PENDING') return reason;
      await this.#pause(1, 2);
    }
  }

  async #settle(stock: SimStock, count: number, as: 'held' | 'sold'): Promise<void> {
    stock.pending -= count;
    const before = stock[as];
    // What `n += await f()` does: it has read n before it waits.
    if (this.#surroundings.bug === 'lost-update') await this.#pause(0, 3);
    stock[as] = before + count;
  }

  async #end(request: Request): Promise<Reply> {
    const stock = this.#stocks.get(request.eventId)!;
    const { plan } = this.#surroundings;
    if (request.kind === 'extend') {
      const judge = () => this.#ledger.judgeExtend(request, this.#nowMs(), plan.holdTtlMs);
      return (await this.#post(judge)).reply;
    }
    const { reply, tickets } = await this.#post(() => this.#ledger.judgeEnd(request, this.#nowMs()));
    if (request.kind === 'release') {
      if (tickets.length > 0) stock.giveBack(tickets, 'held');
      return reply;
    }
    stock.held -= tickets.length;
    stock.sold += tickets.length;
    return reply;
  }

  async #sweepForEver(): Promise<void> {
    const { plan, bug } = this.#surroundings;
    for (;;) {
      await this.#pause(plan.sweepMs, plan.sweepMs);
      if (bug === 'double-release') void this.#sweep();
      if (bug === 'early-give-back') this.#giveBackEarly();
      await this.#sweep();
    }
  }

  async #sweep(): Promise<void> {
    const { bug, random } = this.#surroundings;
    for (const hold of this.#ledger.due(this.#nowMs())) {
      const tickets = await this.#post(() => this.#ledger.judgeExpire(hold, this.#nowMs()));
      if (this.#givenBackEarly.has(hold.held.holdId!) || (bug === 'leak' && random() < 0.3)) continue;
      if (tickets.length > 0) this.#stocks.get(hold.eventId)!.giveBack(tickets, 'held');
    }
  }

  #giveBackEarly(): void {
    for (const { held, eventId } of this.#ledger.due(this.#nowMs() + 60)) {
      if (this.#givenBackEarly.has(held.holdId!)) continue;
      this.#givenBackEarly.add(held.holdId!);
      this.#stocks.get(eventId)!.giveBack(held.tickets!, 'held');
    }
  }

  // Group commit: what is posted while the last batch is made durable forms the next.
  #post<T>(judge: () => T): Promise<T> {
    const { promise, resolve } = Promise.withResolvers<T>();
    this.#queue.push(() => {
      const verdict = judge();
      return () => resolve(verdict);
    });
    if (!this.#isCommitting) void this.#commit();
    return promise;
  }

  async #commit(): Promise<void> {
    this.#isCommitting = true;
    while (this.#queue.length > 0) {
      const answers = this.#queue.splice(0).map((judge) => judge());
      const isHasty = this.#surroundings.bug === 'ack-before-fsync';
      if (isHasty) for (const answer of answers) answer();
      await this.#pause(1, 5); // The fsync.
      this.#disk.durable = this.#disk.log.length;
      if (!isHasty) for (const answer of answers) answer();
    }
    this.#isCommitting = false;
  }

  // A dead process never wakes.
  async #pause(minMs: number, maxMs: number): Promise<void> {
    const { clock, random } = this.#surroundings;
    await clock.sleep(minMs + random() * (maxMs - minMs));
    if (this.#isDead) await this.#death.promise.catch(() => new Promise<never>(() => {}));
  }

  #nowMs(): number {
    return EPOCH_MS + Math.floor(this.#surroundings.clock.nowMs);
  }
}

/** The shop as clients see it, with a disk that outlives its processes. */
export class SimShop {
  readonly #surroundings: Surroundings;
  readonly #disk: SimDisk = { log: [], durable: 0 };
  #process: SimProcess | undefined;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
    this.start();
  }

  start(): void {
    this.#process = new SimProcess(this.#surroundings, this.#disk);
  }

  /** Power is cut: of what was not yet durable, the disk has all or nothing. */
  crash(): void {
    this.#process?.die();
    this.#process = undefined;
    const { log, durable } = this.#disk;
    if (this.#surroundings.random() < 0.5) log.length = durable;
    if (this.#surroundings.bug === 'lost-ack' && log.length > this.#surroundings.plan.eventIds.length)
      log.pop();
    this.#disk.durable = log.length;
  }

  async send(request: Request): Promise<Reply> {
    if (this.#process === undefined) throw new Error('connection refused');
    return this.#process.call(request);
  }

  view(): FinalLedger {
    return this.#process?.view() ?? [];
  }
}
