// What every ledger must do, as one suite that each implementation runs. Each rule gets an event of its own, so
// that a ledger may be shared by all of them, and ends with an audit of that event.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { HoldId } from '@floodgate/core/ids.ts';
import { readingForBuyers } from './ledger-buyers.contract.ts';
import { extendingByTheClock, extendingHolds } from './ledger-extend.contract.ts';
import { endingHolds, meetingDeadlines } from './ledger-holds.contract.ts';
import { keepingKeys } from './ledger-keys.contract.ts';
import { limitingBuyers } from './ledger-limits.contract.ts';
import { guardingHolds, pricing, returningTickets } from './ledger-orders.contract.ts';
import { journaling, reading, reopening } from './ledger-reads.contract.ts';
import { changingEvents, keepingShop, settingAside } from './ledger-staff.contract.ts';
import { EventEntries, freshId, TestClock, ticketsOf } from './test-entries.ts';
import {
  assertGranted,
  assertRefused,
  CAPACITY,
  type LedgerUnderTest,
  type Rule,
  Script,
} from './test-script.ts';

/** Differences that the suite knows of. */
export interface Abilities {
  /** The ledger's time is the test's clock: the rules about deadlines run, and need no sleep. */
  readonly followsTestClock: boolean;
  /** It keeps what it has when it is closed and opened again. */
  readonly reopens: boolean;
}

/** Registers the suite. */
export function ledgerContract(
  name: string,
  make: (clock: TestClock) => Promise<LedgerUnderTest>,
  abilities: Abilities,
): void {
  const rule: Rule = (title, check) => {
    test(title, async () => {
      const clock = new TestClock();
      const made = await make(clock);
      try {
        const script = new Script(made, clock);
        await script.grant(script.entries.create());
        await check(script);
        await script.assertAudited();
      } finally {
        await made.close();
      }
    });
  };
  describe(`${name} keeps the ledger contract`, () => {
    claiming(rule);
    judgingAlone(rule);
    keepingKeys(rule);
    endingHolds(rule);
    extendingHolds(rule);
    if (abilities.followsTestClock) {
      meetingDeadlines(rule);
      extendingByTheClock(rule);
    }
    limitingBuyers(rule);
    pricing(rule);
    guardingHolds(rule);
    returningTickets(rule);
    changingEvents(rule);
    settingAside(rule);
    keepingShop(rule);
    journaling(rule);
    reading(rule);
    readingForBuyers(rule);
    if (abilities.reopens) reopening(rule);
  });
}

function claiming(rule: Rule): void {
  rule('[S1] a second claim of a ticket is refused, naming which are claimed and how', async (script) => {
    const { entries } = script;
    await script.grant(entries.buy([0, 1]));
    await script.grant(entries.hold([2]));
    for (const claim of [entries.buy([1, 2, 3]), entries.hold([1, 2, 3])]) {
      const { taken } = await script.refuse(claim, 'TICKET_TAKEN');
      assert.deepEqual(taken, [
        { ticket: 1, as: 'sold' },
        { ticket: 2, as: 'held' },
      ]);
    }
    assert.deepEqual(await script.claims(), { held: [2], sold: [0, 1] });
  });

  rule('[S1] of several claims of a ticket in one batch the first has it', async (script) => {
    const { entries } = script;
    const [first, second, third] = await script.post(
      entries.hold([4, 5]),
      entries.buy([5]),
      entries.buy([6, 4]),
    );
    assertGranted(first!);
    assert.deepEqual(assertRefused(second!, 'TICKET_TAKEN').taken, [{ ticket: 5, as: 'held' }]);
    assert.deepEqual(assertRefused(third!, 'TICKET_TAKEN').taken, [{ ticket: 4, as: 'held' }]);
    assert.deepEqual(await script.claims(), { held: [4, 5], sold: [] });
  });

  rule('[S3] a claim that finds one of its three tickets taken claims none of them', async (script) => {
    const { entries } = script;
    await script.grant(entries.buy([7]));
    await script.refuse(entries.buy([6, 7, 8]), 'TICKET_TAKEN');
    await script.refuse(entries.hold([8, 6, 7]), 'TICKET_TAKEN');
    assert.deepEqual(await script.ledger.claimsOf(entries.eventId, ticketsOf(6, 8)), []);
    await script.grant(entries.hold([8, 6]));
  });

  rule('[S1] the same ticket number of another event is another ticket', async (script) => {
    const other = new EventEntries(3);
    await script.grant(script.entries.buy([0]));
    await script.post(other.create());
    await script.grant(other.buy([0]));
    assert.deepEqual(await script.claims(other.eventId), { held: [], sold: [0] });
  });

  rule('[S1] an id that is taken fails its batch, and nothing of the batch is kept', async (script) => {
    const { entries } = script;
    const { orderId } = await script.grant(entries.buy([0]));
    const { holdId } = await script.grant(entries.hold([1]));
    for (const twin of [entries.buy([2], { orderId: orderId! }), entries.hold([2], { holdId: holdId! })]) {
      const posts = [entries.buy([3]), twin].map((entry) => script.ledger.post(entry));
      for (const post of posts) await assert.rejects(post, { name: 'LedgerUnavailable' });
    }
    assert.deepEqual(await script.claims(), { held: [1], sold: [0] });
    await script.grant(entries.buy([2, 3]));
  });
}

function judgingAlone(rule: Rule): void {
  rule('[S3] an entry that could never be right fails alone', async (script) => {
    const { entries } = script;
    const twice = freshId<HoldId>();
    const flawed = [[CAPACITY], [-1], [0.5], [Number.NaN], [9, 9], []];
    const neighbours = [entries.buy([0]), entries.hold([1], { holdId: twice })];
    const broken = [...flawed.map((tickets) => entries.buy(tickets)), entries.hold([9], { holdId: twice })];
    const posted = [...neighbours, ...broken, entries.buy([2])].map((entry) => script.ledger.post(entry));
    const settled = await Promise.allSettled(posted);
    assert.deepEqual(
      settled.map(({ status }) => status === 'fulfilled'),
      [true, true, ...broken.map(() => false), true],
    );
    for (const result of settled) {
      if (result.status === 'rejected') assert.match(result.reason.message, /broken invariant/);
    }
    assert.deepEqual(await script.claims(), { held: [1], sold: [0, 2] });
  });

  rule('[S3] refusals in a batch leave their neighbours alone', async (script) => {
    const { entries } = script;
    const nobody = freshId<HoldId>();
    const unknown = new EventEntries(1);
    const outcomes = await script.post(
      entries.buy([0]),
      unknown.buy([0]),
      entries.create(),
      entries.confirm(nobody),
      entries.release(nobody),
      entries.expire(nobody),
      entries.buy([0]),
      entries.buy([1]),
    );
    const refusals = ['EVENT_NOT_FOUND', 'EVENT_EXISTS', ...Array(3).fill('HOLD_NOT_FOUND'), 'TICKET_TAKEN'];
    assert.deepEqual(
      outcomes.map((outcome) => (outcome.status === 'refused' ? outcome.refusal : 'granted')),
      ['granted', ...refusals, 'granted'],
    );
    assert.deepEqual(await script.journalKinds(), ['event-created', 'bought', 'bought']);
  });

  rule('[S1] an event that is made twice in one batch is made once', async (script) => {
    const entries = new EventEntries(2);
    const again = new EventEntries(99, entries.eventId);
    const [first, second, sale] = await script.post(entries.create(), again.create(), entries.buy([1]));
    assert.equal(assertGranted(first!).seq, 1);
    assertRefused(second!, 'EVENT_EXISTS');
    assert.equal(assertGranted(sale!).seq, 2);
    await script.assertAudited(entries.eventId);
  });
}
