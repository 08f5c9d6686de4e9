// Proves the checker before it may judge the shop: it is silent about a correct shop, and it catches every seeded
// defect by the pass that is meant for it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { check } from './check.ts';
import { formatViolations, type Rule } from './findings.ts';
import { callsOf } from './history.ts';
import { BUGS, type Bug } from './sim-bugs.ts';
import { type Run, simulate } from './simulate.ts';

const CLEAN_SEEDS = 40;
const BUG_SEEDS = 8;
/** A bug that needs a crash at the wrong moment shows in some runs only, but in no fewer than this. */
const MIN_CAUGHT = 2;

const judge = (run: Run) => check(run.history, run.ledger, run.options);

describe('the checker and a correct shop', () => {
  test(`[S1–S9] ${CLEAN_SEEDS} runs with crashes, retries and expiries have no violation`, async () => {
    for (let seed = 1; seed <= CLEAN_SEEDS; seed++) {
      const violations = judge(await simulate(seed));
      assert.equal(violations.length, 0, `seed ${seed}: ${formatViolations(violations)}`);
    }
  });

  test('every run exercises what the passes are about', async () => {
    const run = await simulate(1);
    const calls = callsOf(run.history);
    const errors = Object.groupBy(calls, (call) => call.said.error ?? call.outcome);
    for (const kind of ['ok', 'info', 'SOLD_OUT', 'ALL_HELD', 'HOLD_EXPIRED', 'IDEMPOTENCY_KEY_REUSED']) {
      assert.ok((errors[kind]?.length ?? 0) > 0, `no ${kind} in ${Object.keys(errors)}`);
    }
    const facts = Object.groupBy(
      run.ledger.flatMap((event) => event.journal),
      (fact) => fact.kind,
    );
    for (const kind of ['bought', 'held', 'extended', 'confirmed', 'released', 'expired'] as const) {
      assert.ok((facts[kind]?.length ?? 0) > 5, `few ${kind} facts`);
    }
    const attempts = Map.groupBy(
      calls.filter((call) => call.keyed && call.outcome === 'ok'),
      (call) => call.opId,
    );
    assert.ok(
      [...attempts.values()].some((again) => again.length > 2),
      'no grant was replayed',
    );
  });

  test('the same seed gives the same run', async () => {
    assert.deepEqual(await simulate(7, 'lost-update'), await simulate(7, 'lost-update'));
  });
});

/** The pass that must catch a bug, the promise it breaks, and the words to expect. */
const CAUGHT_BY: Record<Bug, { readonly rule: Rule; readonly promise: string; readonly says: RegExp }> = {
  'double-pop': { rule: 'uniqueness', promise: 'S1', says: /is claimed while it is/ },
  'one-too-many': { rule: 'bound', promise: 'S2', says: /ticket 120 does not exist/ },
  'partial-grant': { rule: 'resolve', promise: 'S3', says: /asked for 3 tickets and was given/ },
  'false-sold-out': { rule: 'order', promise: 'S2', says: /SOLD_OUT for \d, while at least \d+ were left/ },
  'lost-update': { rule: 'conservation', promise: 'S2', says: /are shown as/ },
  leak: { rule: 'conservation', promise: 'S9', says: /are shown as available/ },
  'early-expire': { rule: 'hold-time', promise: 'S6', says: /expired \d+ ms before its deadline/ },
  'forgotten-extension': {
    rule: 'hold-time',
    promise: 'S7',
    says: /expired \d+ ms before its deadline/,
  },
  'early-give-back': { rule: 'uniqueness', promise: 'S9', says: /is claimed while it is held/ },
  'double-release': { rule: 'hold-time', promise: 'S6', says: /ended twice: expired, expired/ },
  'late-confirm': { rule: 'hold-time', promise: 'S6', says: /confirmed \d+ ms after its deadline/ },
  'ack-before-fsync': { rule: 'durability', promise: 'S4', says: /was answered, and lost/ },
  'lost-ack': { rule: 'durability', promise: 'S4', says: /was answered, and lost/ },
  'refused-grant': { rule: 'resolve', promise: 'S4', says: /refused with SOLD_OUT, and yet granted/ },
  'check-then-act': { rule: 'idempotency', promise: 'S5', says: /one key had \d effects/ },
  'keys-in-memory': { rule: 'idempotency', promise: 'S5', says: /one key had \d effects/ },
  'other-body': { rule: 'idempotency', promise: 'S5', says: /accepted with \d bodies/ },
  'fresh-replay': { rule: 'idempotency', promise: 'S5', says: /one key had \d answers/ },
  'seq-gap': { rule: 'order', promise: 'S11', says: /the journal has a gap/ },
  'seq-disorder': { rule: 'order', promise: 'S11', says: /before seq \d+ was even asked for/ },
  'reused-ids': { rule: 'uniqueness', promise: 'S1', says: /is missing or was given twice/ },
};

describe('the checker and a shop with a seeded bug', () => {
  for (const [bug, { rule, promise, says }] of Object.entries(CAUGHT_BY) as [
    Bug,
    (typeof CAUGHT_BY)[Bug],
  ][]) {
    test(`[${promise}] ${rule} catches ${bug}: ${BUGS[bug]}`, async () => {
      let caught = 0;
      for (let seed = 1; seed <= BUG_SEEDS; seed++) {
        const violations = judge(await simulate(seed, bug));
        if (violations.some((violation) => violation.rule === rule && says.test(violation.what))) caught++;
      }
      assert.ok(caught >= MIN_CAUGHT, `caught in ${caught} of ${BUG_SEEDS} runs`);
    });
  }
});
