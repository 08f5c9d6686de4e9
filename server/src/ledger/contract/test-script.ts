// How the ledger's tests speak to a ledger: in batches, with outcomes as a store returns them.
import assert from 'node:assert/strict';
import type { StreamId } from '@floodgate/core/ids.ts';
import type { RefusalCode } from '@floodgate/core/refusal.ts';
import type { CommittedOf, Entry, Ledger, OutcomeOf, Refused } from '../ledger.ts';
import { EventEntries, type TestClock } from './test-entries.ts';

export interface LedgerUnderTest {
  readonly ledger: Ledger;
  /** Closes the ledger and opens it again on what it kept. */
  readonly reopen?: () => Promise<Ledger>;
  readonly close: () => Promise<void>;
}

/** Registers one test, with an event of its own. */
export type Rule = (title: string, check: (script: Script) => Promise<void>) => void;

export const CAPACITY = 12;

/** The value as a store would return it: without what is undefined. */
export function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

/** Each entry's, in their order. */
export type Outcomes<T extends readonly Entry[]> = { [Index in keyof T]: OutcomeOf<T[Index]> };

/** Of every ticket. */
export const TICKET_PRICE = 1_250;

/** A ledger with one event of 12 tickets, and the ways of the tests to speak to it. */
export class Script {
  ledger: Ledger;
  readonly clock: TestClock;
  readonly entries = new EventEntries(CAPACITY, undefined, TICKET_PRICE);
  readonly reopen: () => Promise<void>;

  constructor(made: LedgerUnderTest, clock: TestClock) {
    this.ledger = made.ledger;
    this.clock = clock;
    this.reopen = async () => {
      assert.ok(made.reopen, 'this ledger keeps what it has');
      this.ledger = await made.reopen();
    };
  }

  /** Posts all in one turn, so that they are judged in one batch. */
  async post<T extends readonly Entry[]>(...entries: T): Promise<Outcomes<T>> {
    return plain(await Promise.all(entries.map((entry) => this.ledger.post(entry)))) as Outcomes<T>;
  }

  /** Posts one that must have its effect now. */
  async grant<E extends Entry>(entry: E): Promise<CommittedOf<E>> {
    return assertGranted<E>(plain(await this.ledger.post(entry)));
  }

  /** Posts one that must be refused now. */
  async refuse(entry: Entry, refusal: RefusalCode): Promise<Refused> {
    return assertRefused(plain(await this.ledger.post(entry)), refusal);
  }

  /** Tickets that staff have set aside, in ascending order. */
  async asides(eventId = this.entries.eventId): Promise<number[]> {
    return [...(await this.ledger.claims(eventId)).aside.sort()];
  }

  /** Sold and held tickets, each in ascending order. */
  async claims(eventId = this.entries.eventId): Promise<{ held: number[]; sold: number[] }> {
    const { held, sold } = await this.ledger.claims(eventId);
    return { held: [...held.sort()], sold: [...sold.sort()] };
  }

  /** Kinds of all journal entries, whose numbers must have no gap. */
  async journalKinds(eventId: StreamId = this.entries.eventId): Promise<string[]> {
    const journal = await this.ledger.journal(eventId, 0, 1_000);
    const gapless = journal.map((_, index) => index + 1);
    assert.deepEqual(
      journal.map((entry) => entry.seq),
      gapless,
    );
    return journal.map((entry) => entry.kind);
  }

  async assertAudited(eventId: StreamId = this.entries.eventId): Promise<void> {
    const checks = await this.ledger.audit(eventId);
    assert.deepEqual(
      checks.map(({ rule }) => rule),
      ['S1', 'S2', 'S3', 'S6', 'S10', 'S11'],
    );
    for (const { rule, ok, detail } of checks) assert.ok(ok, `${rule}: ${detail}`);
  }
}

/** The outcome of an entry that had its effect. */
export function assertGranted<E extends Entry>(outcome: OutcomeOf<E>): CommittedOf<E> {
  if (outcome.status === 'refused') assert.fail(`refused: ${outcome.refusal}`);
  assert.equal(outcome.replayed, undefined);
  return outcome;
}

/** The outcome of an entry that was refused now. */
export function assertRefused(outcome: OutcomeOf<Entry>, refusal: RefusalCode): Refused {
  if (outcome.status === 'committed') assert.fail(`committed instead of ${refusal}`);
  assert.equal(outcome.refusal, refusal);
  assert.equal(outcome.replayed, undefined);
  return outcome;
}
