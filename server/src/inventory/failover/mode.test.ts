// The table of modes, cell by cell as a reader expects it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isShared, type Mode, SHARED, type Step, stepMode } from './mode.ts';

const [telling, loading] = [Promise.resolve(), Promise.resolve()];

const MODES: { readonly [M in Mode['is']]: Extract<Mode, { readonly is: M }> } = {
  shared: { is: 'shared' },
  telling: { is: 'telling', telling },
  leaving: { is: 'leaving' },
  loading: { is: 'loading', loading },
  alone: { is: 'alone', fromSeq: 7 },
};
const STEPS: { readonly [B in Step['by']]: Extract<Step, { readonly by: B }> } = {
  lost: { by: 'lost' },
  asked: { by: 'asked', loading },
  loaded: { by: 'loaded', fromSeq: 7 },
  loadFailed: { by: 'loadFailed' },
  returned: { by: 'returned' },
  behind: { by: 'behind', telling },
  told: { by: 'told' },
};

/** `=`: stays as it is; `-`: a broken invariant; else the mode that follows. */
const EXPECTED: Record<Mode['is'], Record<Step['by'], Mode['is'] | '=' | '-'>> = {
  shared: {
    lost: 'leaving',
    asked: '-',
    loaded: '-',
    loadFailed: '-',
    returned: '-',
    behind: 'telling',
    told: '-',
  },
  telling: {
    lost: 'leaving',
    asked: '-',
    loaded: '-',
    loadFailed: '-',
    returned: '-',
    behind: '-',
    told: 'shared',
  },
  leaving: {
    lost: '=',
    asked: 'loading',
    loaded: '-',
    loadFailed: '-',
    returned: 'shared',
    behind: '-',
    told: '-',
  },
  loading: {
    lost: '=',
    asked: '-',
    loaded: 'alone',
    loadFailed: 'leaving',
    returned: '-',
    behind: '-',
    told: '-',
  },
  alone: {
    lost: '=',
    asked: '-',
    loaded: '-',
    loadFailed: '-',
    returned: 'shared',
    behind: '-',
    told: '-',
  },
};

for (const mode of Object.values(MODES)) {
  for (const step of Object.values(STEPS)) {
    const expected = EXPECTED[mode.is][step.by];
    test(`[F2] ${step.by} while ${mode.is}: ${expected}`, () => {
      if (expected === '-') assert.throws(() => stepMode(mode, step), /broken invariant/);
      else if (expected === '=') assert.equal(stepMode(mode, step), mode);
      else assert.deepEqual(stepMode(mode, step), MODES[expected]);
    });
  }
}

test('[F2] an event begins shared, and a loss leads it from any mode to where memory sells', () => {
  assert.deepEqual(SHARED, MODES.shared);
  for (const mode of Object.values(MODES)) assert.equal(isShared(stepMode(mode, STEPS.lost)), false, mode.is);
});
