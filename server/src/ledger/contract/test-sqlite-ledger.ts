// The SQLite ledger without its threads: writer and reader in this one, so that tests can give it their clock.
import type { EventId, HoldId, OrderId, Ticket } from '@floodgate/core/ids.ts';
import { GroupCommit } from '../group-commit.ts';
import type { Entry, Ledger, OutcomeOf } from '../ledger.ts';
import { SqliteReader } from '../sqlite/reader.ts';
import { SqliteWriter } from '../sqlite/writer.ts';

export class TestSqliteLedger implements Ledger {
  readonly #writer: SqliteWriter;
  readonly #reader: SqliteReader;
  readonly #commits: GroupCommit;

  constructor(file: string, clock: { nowMs(): number }) {
    this.#writer = new SqliteWriter(file, clock);
    this.#reader = new SqliteReader(file);
    const commit = async (entries: Entry[]) => this.#writer.commit(entries);
    this.#commits = new GroupCommit(commit, { maxBatch: 1_000, maxWaiting: 10_000 });
  }

  post<E extends Entry>(entry: E): Promise<OutcomeOf<E>> {
    return this.#commits.post(entry);
  }

  nowMs(): number {
    return this.#writer.nowMs();
  }

  isWritable(): boolean {
    return this.#commits.isWritable;
  }

  async events(skip = 0) {
    return this.#reader.events(skip);
  }

  async event(eventId: EventId) {
    return this.#reader.event(eventId);
  }

  async heads() {
    return this.#reader.heads();
  }

  async order(orderId: OrderId) {
    return this.#reader.order(orderId);
  }

  async hold(holdId: HoldId) {
    return this.#reader.hold(holdId);
  }

  async orders(eventId: EventId, afterSeq: number, limit: number) {
    return this.#reader.orders(eventId, afterSeq, limit);
  }

  async ordersOf(buyer: string, beforeId: OrderId | undefined, limit: number) {
    return this.#reader.ordersOf(buyer, beforeId, limit);
  }

  async nextDeadline(eventId: EventId) {
    return this.#reader.nextDeadline(eventId);
  }

  async manifest(manifestId: string) {
    return this.#reader.manifest(manifestId);
  }

  async dueHolds(nowMs: number, limit: number) {
    return this.#reader.dueHolds(nowMs, limit);
  }

  async journal(eventId: EventId, afterSeq: number, limit: number) {
    return this.#reader.journal(eventId, afterSeq, limit);
  }

  async claims(eventId: EventId) {
    return this.#reader.claims(eventId);
  }

  async claimsOf(eventId: EventId, tickets: readonly Ticket[]) {
    return this.#reader.claimsOf(eventId, tickets);
  }

  async keptKeys() {
    return this.#reader.keptKeys();
  }

  async audit(eventId: EventId) {
    return this.#reader.audit(eventId);
  }

  async close(): Promise<void> {
    await this.#commits.close();
    this.#reader.close();
    this.#writer.close();
  }
}
