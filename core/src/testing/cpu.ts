// Whether what a piece of work costs grows no faster than its input, for tests that guard against the quadratic. Nothing is
// compared with a constant, which would say something about one machine: one size is compared with sixteen times as much,
// in turns and in the same process, and what is too little to compare with a loop of known length.
import assert from 'node:assert/strict';

const TIMES = 16;
/**
 * Twice the input may cost 2.5 times as much, and so on four times over. The span is that wide because caches and garbage
 * cost the larger one up to twice its share where neighbours are busy; the linear is at 16, the quadratic at 256.
 */
const MAX_RATIO = 2.5 ** 4;
/** The first rounds also pay for compiling. */
const MIN_ROUNDS = 3;
/** Each cost is the least of its rounds, since neighbours and garbage only ever add: more rounds come nearer the truth. */
const MAX_ROUNDS = 15;
/** About a millisecond. The square of as many would take a quarter of an hour. */
const LOOP_STEPS = 1_000_000;

export interface LinearOptions {
  /** What stands in the failure. */
  readonly what?: string;
  /** `wall` for work that a server does while this process waits. Default: the CPU time of this process. */
  readonly clock?: () => number;
}

/** Milliseconds of CPU, of all threads. Wall clocks count also what neighbours do. */
export function cpu(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

export function wall(): number {
  return performance.now();
}

/** Prepares work of size 1 and of size 16; fails when the larger costs more than 39 times as much, and more than a loop. */
export async function assertLinear(
  prepare: (size: number) => () => unknown,
  { what = '', clock = cpu }: LinearOptions = {},
): Promise<void> {
  const works = { small: prepare(1), large: prepare(TIMES), loop };
  const least = { small: Infinity, large: Infinity, loop: Infinity };
  for (let round = 1; round <= MAX_ROUNDS; round++) {
    for (const name of ['small', 'large', 'loop'] as const) {
      least[name] = Math.min(least[name], await costOf(works[name], clock));
    }
    const isLinear = least.large < MAX_RATIO * least.small || least.large < least.loop;
    if (round >= MIN_ROUNDS && isLinear) return;
  }
  const ms = (cost: number) => `${cost.toFixed(1)} ms`;
  const told = `${ms(least.small)}, ${TIMES} times as much ${ms(least.large)}, a loop ${ms(least.loop)}`;
  assert.fail(`${told}: ${what}`);
}

async function costOf(work: () => unknown, clock: () => number): Promise<number> {
  const before = clock();
  await work();
  return clock() - before;
}

function loop(): number {
  let hash = 1;
  for (let i = 0; i < LOOP_STEPS; i++) hash = Math.imul(hash ^ i, 16_777_619);
  return hash;
}
