// The controls of all tests that use assertLinear: it must find the quadratic, and let alone what is not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertLinear } from './cpu.ts';

/** Spends that many steps, which no compiler can leave out. */
function spend(steps: number): number {
  let hash = 1;
  for (let i = 0; i < steps; i++) hash = Math.imul(hash ^ i, 16_777_619);
  return hash;
}

for (const [cost, steps] of Object.entries({
  'the same': () => 3_000_000,
  'in proportion': (size: number) => 300_000 * size,
  'n log n': (size: number) => 30_000 * size * Math.log2(1_000 * size),
})) {
  test(`control: what costs ${cost} is let alone`, async () => {
    await assertLinear((size) => () => spend(steps(size)));
  });
}

test('control: what costs the square is found', async () => {
  const square = (size: number) => () => spend(50_000 * size * size);
  await assert.rejects(assertLinear(square), /16 times as much/);
});
