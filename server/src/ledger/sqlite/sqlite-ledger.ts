// The SQLite ledger: a writer thread that commits in groups, and a reader thread beside it.
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { AllocationId, EventId, HoldId, OrderId, Ticket } from '@floodgate/core/ids.ts';
import { GroupCommit, type GroupCommitOptions } from '../group-commit.ts';
import type {
  AuditCheck,
  ClaimKind,
  ClaimSnapshot,
  Entry,
  EventHead,
  EventRecord,
  HoldRecord,
  JournalEntry,
  Ledger,
  OrderRecord,
  OutcomeOf,
} from '../ledger.ts';
import { LedgerClock } from '../ledger-clock.ts';
import { lockLedger } from './lock.ts';
import { LedgerThread } from './thread.ts';
import { decodeVerdicts } from './wire.ts';

export class SqliteLedger implements Ledger {
  readonly #writer: LedgerThread;
  readonly #reader: LedgerThread;
  readonly #commits: GroupCommit;
  readonly #clock: LedgerClock;
  readonly #unlock: () => void;
  #closed: Promise<void> | undefined;

  private constructor(
    writer: LedgerThread,
    reader: LedgerThread,
    clock: LedgerClock,
    unlock: () => void,
    options: GroupCommitOptions,
  ) {
    this.#writer = writer;
    this.#reader = reader;
    this.#clock = clock;
    this.#unlock = unlock;
    this.#commits = new GroupCommit(async (entries: Entry[]) => {
      return decodeVerdicts(entries, await writer.call<string>('commit', JSON.stringify(entries)));
    }, options);
  }

  /**
   * Opens the ledger file, made with its folder when it is not there. Throws LedgerInUse, an error named
   * SchemaTooNew, or what the operating system said.
   */
  static async open(file: string, options: GroupCommitOptions): Promise<SqliteLedger> {
    mkdirSync(dirname(file), { recursive: true });
    const unlock = lockLedger(file);
    let writer: LedgerThread | undefined;
    try {
      writer = await LedgerThread.open({ role: 'writer', file });
      const reader = await LedgerThread.open({ role: 'reader', file });
      const clock = new LedgerClock(0, await writer.call<number>('clock'));
      return new SqliteLedger(writer, reader, clock, unlock, options);
    } catch (error) {
      await writer?.close();
      unlock();
      throw error;
    }
  }

  post<E extends Entry>(entry: E): Promise<OutcomeOf<E>> {
    return this.#commits.post(entry);
  }

  /** How many entries wait for the next batch. */
  get waiting(): number {
    return this.#commits.waiting;
  }

  isWritable(): boolean {
    return this.#commits.isWritable;
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  events(skip = 0): Promise<EventRecord[]> {
    return this.#reader.call('events', skip);
  }

  event(eventId: EventId): Promise<EventRecord | undefined> {
    return this.#reader.call('event', eventId);
  }

  heads(): Promise<EventHead[]> {
    return this.#reader.call('heads');
  }

  order(orderId: OrderId): Promise<OrderRecord | undefined> {
    return this.#reader.call('order', orderId);
  }

  hold(holdId: HoldId): Promise<HoldRecord | undefined> {
    return this.#reader.call('hold', holdId);
  }

  orders(eventId: EventId, afterSeq: number, limit: number): Promise<OrderRecord[]> {
    return this.#reader.call('orders', eventId, afterSeq, limit);
  }

  ordersOf(buyer: string, beforeId: OrderId | undefined, limit: number): Promise<OrderRecord[]> {
    return this.#reader.call('ordersOf', buyer, beforeId, limit);
  }

  nextDeadline(eventId: EventId): Promise<number | undefined> {
    return this.#reader.call('nextDeadline', eventId);
  }

  manifest(manifestId: string): Promise<string | undefined> {
    return this.#reader.call('manifest', manifestId);
  }

  dueHolds(nowMs: number, limit: number): Promise<{ eventId: EventId; holdId: HoldId }[]> {
    return this.#reader.call('dueHolds', nowMs, limit);
  }

  journal(eventId: EventId, afterSeq: number, limit: number): Promise<JournalEntry[]> {
    return this.#reader.call('journal', eventId, afterSeq, limit);
  }

  claims(eventId: EventId): Promise<ClaimSnapshot> {
    return this.#reader.call('claims', eventId);
  }

  claimsOf(
    eventId: EventId,
    tickets: readonly Ticket[],
  ): Promise<{ ticket: Ticket; as: ClaimKind; by: HoldId | OrderId | AllocationId }[]> {
    return this.#reader.call('claimsOf', eventId, tickets);
  }

  keptKeys(): Promise<number> {
    return this.#reader.call('keptKeys');
  }

  audit(eventId: EventId): Promise<AuditCheck[]> {
    return this.#reader.call('audit', eventId);
  }

  /** Closing again waits for the first. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await this.#commits.close();
    await this.#reader.close();
    await this.#writer.close();
    this.#unlock();
  }
}
