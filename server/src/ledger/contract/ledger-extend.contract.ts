// The part of the ledger contract that is about holds that get more time.
import assert from 'node:assert/strict';
import type { RefusalCode } from '@floodgate/core/refusal.ts';
import type { Entry } from '../ledger.ts';
import { EventEntries, freshId } from './test-entries.ts';
import { assertGranted, assertRefused, plain, type Rule, type Script } from './test-script.ts';

const MINUTE_MS = 60_000;

/** What becomes of an extension and another command on one hold, one after the other. */
const MEETINGS: Record<
  'live' | 'due',
  Record<'confirm' | 'release' | 'expire', readonly [RefusalCode | 'granted', RefusalCode | 'granted']>
> = {
  live: {
    confirm: ['granted', 'HOLD_CONFIRMED'],
    release: ['granted', 'HOLD_RELEASED'],
    expire: ['HOLD_NOT_DUE', 'granted'],
  },
  due: {
    confirm: ['HOLD_EXPIRED', 'HOLD_EXPIRED'],
    release: ['granted', 'HOLD_RELEASED'],
    expire: ['granted', 'HOLD_EXPIRED'],
  },
};

export function extendingHolds(rule: Rule): void {
  rule('[S7] an extended hold is due at its new deadline, and that is a fact', async (script) => {
    const { entries, ledger } = script;
    const held = await script.grant(entries.hold([0, 1], { ttlMs: MINUTE_MS }));
    const { holdId } = held;
    const extended = await script.grant(entries.extend(holdId!, 5 * MINUTE_MS));
    const { atMs, expiresAtMs, tickets, buyer, seq } = extended;
    assert.deepEqual(
      [expiresAtMs, tickets, buyer, seq],
      [atMs + 5 * MINUTE_MS, [0, 1], held.buyer, held.seq + 1],
    );
    assert.equal((await ledger.hold(holdId!))?.expiresAtMs, expiresAtMs);
    assert.equal(await ledger.nextDeadline(entries.eventId), expiresAtMs);
    const [fact] = await ledger.journal(entries.eventId, held.seq, 10);
    assert.deepEqual(plain(fact), { seq, kind: 'extended', atMs, fact: { holdId, expiresAtMs } });
    await script.grant(entries.confirm(holdId!));
    assert.deepEqual(await script.claims(), { held: [], sold: [0, 1] });
  });

  rule('[S6] a hold that is over, or was never made, is not extended', async (script) => {
    const { entries } = script;
    const [kept, given, lapsed] = [
      entries.hold([0]),
      entries.hold([1]),
      entries.hold([2], { ttlMs: 0 }),
    ] as const;
    await script.post(kept, given, lapsed, entries.confirm(kept.holdId), entries.release(given.holdId));
    const other = new EventEntries(1);
    await script.post(other.create());
    const extend = (holdId: typeof kept.holdId) => entries.extend(holdId, MINUTE_MS);
    await script.refuse(extend(kept.holdId), 'HOLD_CONFIRMED');
    await script.refuse(extend(given.holdId), 'HOLD_RELEASED');
    await script.refuse(extend(lapsed.holdId), 'HOLD_EXPIRED');
    await script.grant(entries.expire(lapsed.holdId));
    await script.refuse(extend(lapsed.holdId), 'HOLD_EXPIRED');
    await script.refuse(extend(freshId()), 'HOLD_NOT_FOUND');
    await script.refuse(other.extend(kept.holdId, MINUTE_MS), 'HOLD_NOT_FOUND');
  });

  rule('[S6] of an extension and an end of a hold in one batch each sees the other', async (script) => {
    for (const time of ['live', 'due'] as const) {
      for (const end of ['confirm', 'release', 'expire'] as const) await assertMeeting(script, time, end);
    }
  });
}

/** First the end, then the extension, in one batch; and the other way round. */
async function assertMeeting(script: Script, time: 'live' | 'due', end: 'confirm' | 'release' | 'expire') {
  const entries = new EventEntries(2);
  const ttlMs = time === 'due' ? 0 : MINUTE_MS;
  const [one, two] = [entries.hold([0], { ttlMs }), entries.hold([1], { ttlMs })];
  await script.post(entries.create(), one, two);
  const ending = (holdId: typeof one.holdId): Entry => entries[end](holdId);
  const [ended, late, extended, after] = await script.post(
    ...[ending(one.holdId), entries.extend(one.holdId, MINUTE_MS * 2)],
    ...[entries.extend(two.holdId, MINUTE_MS * 2), ending(two.holdId)],
  );
  const outcomeOf = (outcome: typeof ended) => (outcome!.status === 'refused' ? outcome!.refusal : 'granted');
  assert.deepEqual([outcomeOf(ended), outcomeOf(late)], MEETINGS[time][end]);
  assert.equal(outcomeOf(extended), time === 'due' ? 'HOLD_EXPIRED' : 'granted');
  assert.equal(outcomeOf(after), MEETINGS[time][end][0]);
  await script.assertAudited(entries.eventId);
}

/** What needs the test's clock. */
export function extendingByTheClock(rule: Rule): void {
  rule(
    '[S7] an extension gives at least what the hold has, and at most what is left to its cap',
    async (script) => {
      const { entries, clock } = script;
      const maxMs = 10 * MINUTE_MS;
      const held = await script.grant(entries.hold([0], { ttlMs: 4 * MINUTE_MS }));
      const madeMs = held.atMs;
      const extend = async (ttlMs: number) => {
        const outcome = await script.grant(entries.extend(held.holdId!, ttlMs, maxMs));
        return (outcome.expiresAtMs! - madeMs) / MINUTE_MS;
      };
      assert.equal(await extend(MINUTE_MS), 4);
      clock.pass(2 * MINUTE_MS);
      assert.equal(await extend(4 * MINUTE_MS), 6);
      clock.pass(3 * MINUTE_MS);
      assert.equal(await extend(4 * MINUTE_MS), 9);
      clock.pass(3 * MINUTE_MS);
      assert.equal(await extend(4 * MINUTE_MS), 10);
      await script.refuse(entries.extend(held.holdId!, 4 * MINUTE_MS, maxMs), 'HOLD_AT_CAP');
      await script.refuse(entries.extend(held.holdId!, 4 * MINUTE_MS, MINUTE_MS), 'HOLD_AT_CAP');
      clock.pass(2 * MINUTE_MS);
      await script.refuse(entries.extend(held.holdId!, 4 * MINUTE_MS, 60 * MINUTE_MS), 'HOLD_EXPIRED');
      await script.grant(entries.expire(held.holdId!));
    },
  );

  rule(
    '[S6] who sees a hold due and finds it extended does not end it, and later somebody does',
    async (script) => {
      const { entries, clock, ledger } = script;
      const { holdId } = entries.hold([0]);
      await script.grant(entries.hold([0], { holdId, ttlMs: MINUTE_MS }));
      clock.pass(MINUTE_MS - 1);
      const [extended, expired] = await script.post(
        entries.extend(holdId, MINUTE_MS),
        entries.expire(holdId),
      );
      const { expiresAtMs } = assertGranted(extended!);
      assertRefused(expired!, 'HOLD_NOT_DUE');
      clock.pass(1);
      assert.deepEqual(await ledger.dueHolds(clock.nowMs(), 10), []);
      await script.refuse(entries.expire(holdId), 'HOLD_NOT_DUE');
      clock.pass(expiresAtMs! - clock.nowMs());
      const due = await ledger.dueHolds(clock.nowMs(), 10);
      assert.deepEqual(due, [{ eventId: entries.eventId, holdId }]);
      const [once, tooLate] = await script.post(entries.expire(holdId), entries.extend(holdId, MINUTE_MS));
      assertGranted(once!);
      assertRefused(tooLate!, 'HOLD_EXPIRED');
      await script.grant(entries.buy([0]));
    },
  );
}
