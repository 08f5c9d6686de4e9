// The part of the ledger contract that is about holds: their one end, and their deadlines.
import assert from 'node:assert/strict';
import type { RefusalCode } from '@floodgate/core/refusal.ts';
import type { Entry, Outcome } from '../ledger.ts';
import { EventEntries, LONG_MS } from './test-entries.ts';
import { assertGranted, assertRefused, type Rule, type Script } from './test-script.ts';

type Ending = 'confirm' | 'release' | 'expire';
type Time = 'before the deadline' | 'when it is due';
type End = 'granted' | 'again' | RefusalCode;

/** What becomes of two commands that would end the same hold, one after the other. */
const ENDS: Record<Time, Record<Ending, Record<Ending, readonly [first: End, second: End]>>> = {
  'before the deadline': {
    confirm: {
      confirm: ['granted', 'again'],
      release: ['granted', 'HOLD_CONFIRMED'],
      expire: ['granted', 'HOLD_CONFIRMED'],
    },
    release: {
      confirm: ['granted', 'HOLD_RELEASED'],
      release: ['granted', 'again'],
      expire: ['granted', 'HOLD_RELEASED'],
    },
    expire: {
      confirm: ['HOLD_NOT_DUE', 'granted'],
      release: ['HOLD_NOT_DUE', 'granted'],
      expire: ['HOLD_NOT_DUE', 'HOLD_NOT_DUE'],
    },
  },
  'when it is due': {
    confirm: {
      confirm: ['HOLD_EXPIRED', 'HOLD_EXPIRED'],
      release: ['HOLD_EXPIRED', 'granted'],
      expire: ['HOLD_EXPIRED', 'granted'],
    },
    release: {
      confirm: ['granted', 'HOLD_RELEASED'],
      release: ['granted', 'again'],
      expire: ['granted', 'HOLD_RELEASED'],
    },
    expire: {
      confirm: ['granted', 'HOLD_EXPIRED'],
      release: ['granted', 'HOLD_EXPIRED'],
      expire: ['granted', 'again'],
    },
  },
};
const TIMES = Object.keys(ENDS) as Time[];
const ENDINGS = Object.keys(ENDS['when it is due']) as Ending[];
const FACTS = { confirm: 'confirmed', release: 'released', expire: 'expired' } as const;

function assertEnd(outcome: Outcome, expected: End): void {
  if (expected === 'granted') assertGranted(outcome);
  else if (expected !== 'again') assertRefused(outcome, expected);
  else assert.deepEqual([outcome.status, outcome.replayed], ['committed', true]);
}

export function endingHolds(rule: Rule): void {
  for (const time of TIMES) {
    rule(`[S6] a hold ends once whatever two commands end it ${time}`, async (script) => {
      for (const first of ENDINGS) {
        for (const second of ENDINGS) await assertPair(script, time, first, second, false);
      }
    });

    rule(`[S6] a hold ends once whatever two commands end it in one batch ${time}`, async (script) => {
      for (const first of ENDINGS) {
        for (const second of ENDINGS) await assertPair(script, time, first, second, true);
      }
    });
  }

  rule('[S6] a hold may be made and ended in one batch, and its tickets claimed again', async (script) => {
    const { entries } = script;
    const [kept, given, lapsed] = [
      entries.hold([0]),
      entries.hold([1]),
      entries.hold([2], { ttlMs: 0 }),
    ] as const;
    const outcomes = await script.post(
      ...[kept, given, lapsed],
      ...[entries.confirm(kept.holdId), entries.release(given.holdId), entries.expire(lapsed.holdId)],
      ...[entries.hold([1]), entries.buy([2])],
    );
    for (const outcome of outcomes) assertGranted(outcome);
    assert.deepEqual(await script.claims(), { held: [1], sold: [0, 2] });
    const statuses = await Promise.all([kept, given, lapsed].map((h) => script.ledger.hold(h.holdId)));
    assert.deepEqual(
      statuses.map((hold) => hold?.status),
      ['confirmed', 'released', 'expired'],
    );
  });

  rule('[S6] confirming again answers the same order, under whatever new order id', async (script) => {
    const { entries } = script;
    const { holdId } = await script.grant(entries.hold([3, 4]));
    const order = await script.grant(entries.confirm(holdId!));
    const again = await script.post(entries.confirm(holdId!), entries.confirm(holdId!));
    assert.deepEqual(again, Array(2).fill({ ...order, replayed: true }));
    assert.equal((await script.ledger.orders(entries.eventId, 0, 10)).length, 1);
  });

  rule('[S6] releasing or expiring again answers the same end', async (script) => {
    const { entries } = script;
    const given = await script.grant(entries.hold([3]));
    const lapsed = await script.grant(entries.hold([4], { ttlMs: 0 }));
    const ends = [entries.release(given.holdId!), entries.expire(lapsed.holdId!)];
    const first = await script.post(...ends);
    await script.grant(entries.buy([3, 4]));
    const again = first.map((outcome) => ({ ...outcome, replayed: true }));
    assert.deepEqual(await script.post(...ends), again);
    assert.deepEqual(await script.claims(), { held: [], sold: [3, 4] });
  });

  rule('[S9] a ticket that returns is sold again once', async (script) => {
    const { entries } = script;
    const { holdId } = await script.grant(entries.hold([0, 1, 2]));
    const [end, first, second] = await script.post(
      entries.release(holdId!),
      entries.buy([0]),
      entries.hold([0, 1]),
    );
    assertGranted(end!);
    assertGranted(first!);
    assertRefused(second!, 'TICKET_TAKEN');
    await script.grant(entries.hold([1, 2]));
    await script.refuse(entries.buy([1]), 'TICKET_TAKEN');
    assert.deepEqual(await script.claims(), { held: [1, 2], sold: [0] });
  });

  rule('[S6] a hold is not ended by way of another event', async (script) => {
    const { entries } = script;
    const other = new EventEntries(1);
    await script.post(other.create());
    const { holdId } = await script.grant(entries.hold([0]));
    for (const end of [other.confirm(holdId!), other.release(holdId!), other.expire(holdId!)]) {
      await script.refuse(end, 'HOLD_NOT_FOUND');
    }
    await script.grant(entries.confirm(holdId!));
  });
}

/** Ends the hold of a new event twice, and compares with the table. */
async function assertPair(script: Script, time: Time, first: Ending, second: Ending, inOneBatch: boolean) {
  const entries = new EventEntries(2);
  const hold = entries.hold([0, 1], { ttlMs: time === 'when it is due' ? 0 : LONG_MS });
  const { eventId } = entries;
  const { holdId } = hold;
  await script.post(entries.create(), hold);
  const commands: Record<Ending, () => Entry> = {
    confirm: () => entries.confirm(holdId),
    release: () => entries.release(holdId),
    expire: () => entries.expire(holdId),
  };
  const pair = [commands[first](), commands[second]()] as const;
  const outcomes = inOneBatch
    ? await script.post(...pair)
    : [...(await script.post(pair[0])), ...(await script.post(pair[1]))];
  const expected = ENDS[time][first][second];
  for (const index of [0, 1] as const) assertEnd(outcomes[index]!, expected[index]);

  const ended = [first, second].filter((_, index) => expected[index] === 'granted').map((end) => FACTS[end]);
  assert.deepEqual(await script.journalKinds(eventId), ['event-created', 'held', ...ended]);
  const status = ended[0] ?? 'active';
  assert.equal((await script.ledger.hold(holdId))?.status, status);
  const all = [0, 1];
  const claims = { held: status === 'active' ? all : [], sold: status === 'confirmed' ? all : [] };
  assert.deepEqual(await script.claims(eventId), claims);
  await script.assertAudited(eventId);
}

export function meetingDeadlines(rule: Rule): void {
  rule('[S7] a hold is due from its deadline on, and not before', async (script) => {
    const { entries, clock } = script;
    const ttlMs = 300_000;
    const [kept, lapsed] = await script.post(entries.hold([0], { ttlMs }), entries.hold([1], { ttlMs }));
    const { atMs, expiresAtMs, holdId } = assertGranted(lapsed!);
    assert.deepEqual([atMs, expiresAtMs], [clock.nowMs(), clock.nowMs() + ttlMs]);
    clock.pass(ttlMs - 1);
    assert.deepEqual(await script.ledger.dueHolds(clock.nowMs(), 10), []);
    await script.refuse(entries.expire(holdId!), 'HOLD_NOT_DUE');
    await script.grant(entries.confirm(assertGranted(kept!).holdId!));
    clock.pass(1);
    const due = { eventId: entries.eventId, holdId: holdId! };
    assert.deepEqual(await script.ledger.dueHolds(clock.nowMs(), 10), [due]);
    await script.refuse(entries.confirm(holdId!), 'HOLD_EXPIRED');
    const expired = await script.grant(entries.expire(holdId!));
    assert.equal(expired.atMs, expiresAtMs);
    assert.deepEqual(await script.ledger.dueHolds(clock.nowMs(), 10), []);
  });

  rule('[S7] a deadline is counted from the commit, on the clock of the ledger', async (script) => {
    const { entries, clock } = script;
    const posted = script.post(entries.hold([0], { ttlMs: 1_000 }));
    clock.pass(60_000);
    const [held] = await posted;
    assert.equal(assertGranted(held!).expiresAtMs, clock.nowMs() + 1_000);
    assert.equal(script.ledger.nowMs(), clock.nowMs());
  });

  rule('[S7] of the due holds of all events the longest due come first', async (script) => {
    const { entries, clock, ledger } = script;
    const other = new EventEntries(3);
    await script.post(other.create());
    const ttls = [30, 10, 50, 20, 40];
    const holds = ttls.map((ttlMs, index) => (index % 2 ? other : entries).hold([index >> 1], { ttlMs }));
    await script.post(...holds);
    clock.pass(40);
    const due = [1, 3, 0, 4]
      .map((index) => holds[index]!)
      .map(({ eventId, holdId }) => ({ eventId, holdId }));
    assert.deepEqual(await ledger.dueHolds(clock.nowMs(), 10), due);
    assert.deepEqual(await ledger.dueHolds(clock.nowMs(), 2), due.slice(0, 2));
    await script.assertAudited(other.eventId);
  });
}
