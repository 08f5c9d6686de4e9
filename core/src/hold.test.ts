// The hold's table, cell by cell as a reader expects it, and the rule it is there for: a hold ends once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type HoldCommand, type HoldStatus, type HoldStep, stepHold } from './hold.ts';

const DEADLINE_MS = 1_000;
const STATUSES: readonly HoldStatus[] = ['active', 'confirmed', 'released', 'expired'];
const COMMANDS: readonly HoldCommand[] = ['confirm', 'release', 'expire', 'extend'];

/** `=` is "already so"; a lower-case word the next status; else the refusal. Before the deadline | from it on. */
const EXPECTED: Record<HoldStatus, Record<HoldCommand, string>> = {
  active: {
    confirm: 'confirmed | HOLD_EXPIRED',
    release: 'released | released',
    expire: 'HOLD_NOT_DUE | expired',
    extend: 'active | HOLD_EXPIRED',
  },
  confirmed: {
    confirm: '= | =',
    release: 'HOLD_CONFIRMED | HOLD_CONFIRMED',
    expire: 'HOLD_CONFIRMED | HOLD_CONFIRMED',
    extend: 'HOLD_CONFIRMED | HOLD_CONFIRMED',
  },
  released: {
    confirm: 'HOLD_RELEASED | HOLD_RELEASED',
    release: '= | =',
    expire: 'HOLD_RELEASED | HOLD_RELEASED',
    extend: 'HOLD_RELEASED | HOLD_RELEASED',
  },
  expired: {
    confirm: 'HOLD_EXPIRED | HOLD_EXPIRED',
    release: 'HOLD_EXPIRED | HOLD_EXPIRED',
    expire: '= | =',
    extend: 'HOLD_EXPIRED | HOLD_EXPIRED',
  },
};

function describeStep(step: HoldStep): string {
  if ('to' in step) return step.to;
  return 'same' in step ? '=' : step.refusal;
}

for (const status of STATUSES) {
  for (const command of COMMANDS) {
    const expected = EXPECTED[status][command];
    test(`[S6] ${command} of a hold that is ${status}: ${expected}`, () => {
      const step = (nowMs: number) => describeStep(stepHold(status, command, nowMs, DEADLINE_MS));
      assert.equal(`${step(DEADLINE_MS - 1)} | ${step(DEADLINE_MS)}`, expected);
      assert.equal(step(DEADLINE_MS + 1), step(DEADLINE_MS), 'a millisecond later nothing is different');
    });
  }
}

/** Commands in the order of the ledger's clock, each after a pause; an extension moves the deadline. */
const anyHistory = fc.array(
  fc.record({
    command: fc.constantFrom(...COMMANDS),
    pauseMs: fc.nat(400),
    ttlMs: fc.integer({ min: 1, max: 1_000 }),
  }),
  { maxLength: 40 },
);

test('[S6] whatever is commanded, a hold ends at most once, and stays as it ended', () => {
  fc.assert(
    fc.property(anyHistory, (history) => {
      let status: HoldStatus = 'active';
      let nowMs = 0;
      let expiresAtMs = DEADLINE_MS;
      const endings: HoldStatus[] = [];
      for (const { command, pauseMs, ttlMs } of history) {
        nowMs += pauseMs;
        const step = stepHold(status, command, nowMs, expiresAtMs);
        if (!('to' in step)) continue;
        assert.equal(status, 'active', `${command} changed a hold that was ${status}`);
        status = step.to;
        if (status === 'active') expiresAtMs = nowMs + ttlMs;
        else endings.push(status);
      }
      assert.ok(endings.length <= 1, endings.join());
      assert.equal(status, endings[0] ?? 'active');
    }),
  );
});

test('[S6] of confirm and expire at the same instant exactly one wins, in either order', () => {
  fc.assert(
    fc.property(fc.nat(2_000), fc.boolean(), (nowMs, confirmFirst) => {
      let status: HoldStatus = 'active';
      const wins = (
        confirmFirst ? (['confirm', 'expire'] as const) : (['expire', 'confirm'] as const)
      ).filter((command) => {
        const step = stepHold(status, command, nowMs, DEADLINE_MS);
        if ('to' in step) status = step.to;
        return 'to' in step;
      });
      assert.deepEqual(wins, [nowMs < DEADLINE_MS ? 'confirm' : 'expire']);
    }),
  );
});

test('[S7] a hold is due from its deadline on, whether or not it was swept', () => {
  assert.deepEqual(stepHold('active', 'confirm', DEADLINE_MS, DEADLINE_MS), { refusal: 'HOLD_EXPIRED' });
  assert.deepEqual(stepHold('active', 'expire', DEADLINE_MS - 1, DEADLINE_MS), { refusal: 'HOLD_NOT_DUE' });
});
