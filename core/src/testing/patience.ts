// How long a test waits for a state before it says that the state never comes. No test asserts such a time: it only
// ends what hangs, so it is an order above what is needed and grows with the slowness of the machine, which the
// runner (scripts/test.ts) measures at its start and hands on.

/** Where no runner has measured, as when a file is run by hand. Patience costs only those whose test hangs. */
const UNMEASURED = 4;
const MARGIN = 10;

/** How many times as slow as the README's machine this one is; at least 1. */
export const SLOWNESS = Math.max(1, Number(process.env.FLOODGATE_TEST_SLOWNESS) || UNMEASURED);

/** The longest wait, in milliseconds, for what takes that long on the README's machine. */
export function patienceMs(neededMs: number): number {
  return Math.ceil(neededMs * MARGIN * SLOWNESS);
}
