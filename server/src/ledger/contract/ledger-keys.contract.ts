// The part of the ledger contract that is about idempotency keys.
import assert from 'node:assert/strict';
import { EventEntries, underKey } from './test-entries.ts';
import { assertRefused, CAPACITY, type Rule } from './test-script.ts';

export function keepingKeys(rule: Rule): void {
  rule(
    '[S5] the same key with the same request has the same outcome and no second effect',
    async (script) => {
      const { entries } = script;
      const [buy, hold] = [underKey('a'), underKey('b')];
      const bought = await script.grant(entries.buy([0, 1], { ...buy, remaining: 10 }));
      const held = await script.grant(entries.hold([2], hold));
      const confirmed = await script.grant(entries.confirm(held.holdId, underKey('c')));
      const again = await script.post(
        entries.buy([3, 4], { ...buy, remaining: 1, buyer: 'somebody else' }),
        entries.hold([5], { ...hold, ttlMs: 1 }),
        entries.confirm(held.holdId, underKey('c')),
      );
      const replayed = [bought, held, confirmed].map((outcome) => ({ ...outcome, replayed: true }));
      assert.deepEqual(again, replayed);
      assert.deepEqual(await script.claims(), { held: [], sold: [0, 1, 2] });
      assert.deepEqual(await script.journalKinds(), ['event-created', 'bought', 'held', 'confirmed']);
    },
  );

  rule('[S5] the same key with another request is refused, also in the same batch', async (script) => {
    const { entries } = script;
    const [first, other] = await script.post(
      entries.buy([0], underKey('a', 'one ticket')),
      entries.buy([1, 2], underKey('a', 'two tickets')),
    );
    assertRefused(other!, 'IDEMPOTENCY_KEY_REUSED');
    await script.refuse(entries.hold([1], underKey('a', 'a hold')), 'IDEMPOTENCY_KEY_REUSED');
    await script.refuse(entries.refuse('SOLD_OUT', underKey('a', 'a refusal')), 'IDEMPOTENCY_KEY_REUSED');
    const [again] = await script.post(entries.buy([3], underKey('a', 'one ticket')));
    assert.deepEqual(again, { ...first, replayed: true });
    assert.deepEqual(await script.claims(), { held: [], sold: [0] });
  });

  rule('[S5] a hundred twins at once have one effect and a hundred equal outcomes', async (script) => {
    const { entries } = script;
    const twins = Array.from({ length: 100 }, (_, index) =>
      entries.buy([index % CAPACITY], underKey('twin')),
    );
    const outcomes = await script.post(...twins);
    assert.equal(outcomes.filter((outcome) => outcome.replayed).length, 99);
    const first = outcomes.find((outcome) => !outcome.replayed);
    for (const outcome of outcomes)
      assert.deepEqual({ ...outcome, replayed: true }, { ...first, replayed: true });
    assert.deepEqual(await script.journalKinds(), ['event-created', 'bought']);
  });

  rule('[S5] a refusal is kept under its key, unless the key has an outcome already', async (script) => {
    const { entries } = script;
    const refused = await script.refuse(
      entries.refuse({ refusal: 'SOLD_OUT', detail: { remaining: 0 } }, underKey('a')),
      'SOLD_OUT',
    );
    assert.deepEqual(refused, { status: 'refused', refusal: 'SOLD_OUT', detail: { remaining: 0 } });
    const [buy, refuse] = await script.post(
      entries.buy([0], underKey('a')),
      entries.refuse({ refusal: 'ALL_HELD', detail: { nextExpiryAtMs: 5 } }, underKey('a')),
    );
    assert.deepEqual([buy, refuse], Array(2).fill({ ...refused, replayed: true }));

    const granted = await script.grant(entries.buy([1], underKey('b')));
    const [late] = await script.post(entries.refuse('SOLD_OUT', underKey('b')));
    assert.deepEqual(late, { ...granted, replayed: true });
    assert.deepEqual(await script.claims(), { held: [], sold: [1] });
  });

  rule('[S5] a refused confirm is kept under its key, whatever becomes of the hold', async (script) => {
    const { entries } = script;
    const due = await script.grant(entries.hold([0], { ttlMs: 0 }));
    const live = await script.grant(entries.hold([1]));
    await script.refuse(entries.confirm(due.holdId, underKey('a', due.holdId)), 'HOLD_EXPIRED');
    await script.grant(entries.release(due.holdId));
    const [again] = await script.post(entries.confirm(due.holdId, underKey('a', due.holdId)));
    assert.deepEqual(again, { status: 'refused', refusal: 'HOLD_EXPIRED', replayed: true });
    const other = entries.confirm(live.holdId, underKey('a', live.holdId));
    await script.refuse(other, 'IDEMPOTENCY_KEY_REUSED');
  });

  rule('[S5] neither a taken ticket nor a broken entry is kept under its key', async (script) => {
    const { entries } = script;
    await script.grant(entries.buy([0]));
    await script.refuse(entries.buy([0], underKey('a')), 'TICKET_TAKEN');
    await assert.rejects(script.ledger.post(entries.buy([CAPACITY], underKey('a'))), /broken invariant/);
    await script.grant(entries.buy([1], underKey('a')));
  });

  rule('[S5] keys of other scopes and of other events are other keys', async (script) => {
    const { entries } = script;
    const other = new EventEntries(2);
    await script.post(other.create());
    await script.grant(entries.buy([0], underKey('a', 'x')));
    await script.grant(entries.buy([1], underKey('a', 'y', 'ann')));
    await script.grant(entries.buy([2], underKey('a', 'z', 'bob')));
    await script.grant(other.buy([0], underKey('a', 'x')));
    const [again] = await script.post(entries.buy([3], underKey('a', 'y', 'ann')));
    assert.deepEqual(again!.status === 'committed' && again!.tickets, [1]);
  });

  rule('[S5] the kept keys are counted', async (script) => {
    const { entries, ledger } = script;
    const before = await ledger.keptKeys();
    await script.post(
      entries.buy([0], underKey('a')),
      entries.buy([0], underKey('b')),
      entries.buy([1], underKey('a')),
      entries.refuse('SOLD_OUT', underKey('c')),
      entries.buy([2]),
    );
    assert.equal(await ledger.keptKeys(), before + 2);
  });
}
