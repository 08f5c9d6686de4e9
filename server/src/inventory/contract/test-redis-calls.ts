// Whether no call keeps Redis, and with it everybody else, busy for long. The slow log's clock also runs while another
// program has the processor, so calls are compared with a loop in the same Redis, in turns: busy neighbours hold up both.
import assert from 'node:assert/strict';
import type { Redis } from 'ioredis';

/** Some ten milliseconds on the README's machine: what no call of ours may take. */
const LOOP = 'local sum = 0; for i = 1, 1000000 do sum = sum + i % 7 end; return sum';
/** Each is the shortest of its rounds, since neighbours only ever add. */
const MAX_ROUNDS = 25;
const EVERYTHING = { slowerThanUs: '0', length: '10000' };

/** Fails when the longest of the calls that the work makes takes as long as the loop, in the best round of each. */
export async function assertCallsShort(admin: Redis, work: () => Promise<void>): Promise<void> {
  await admin.config('SET', 'slowlog-log-slower-than', EVERYTHING.slowerThanUs);
  await admin.config('SET', 'slowlog-max-len', EVERYTHING.length);
  let [loopUs, callUs] = [Infinity, Infinity];
  for (let round = 0; round < MAX_ROUNDS; round++) {
    loopUs = Math.min(loopUs, await longestCallUs(admin, () => admin.eval(LOOP, 0)));
    callUs = Math.min(callUs, await longestCallUs(admin, work));
    if (callUs < loopUs) return;
  }
  assert.fail(`a call kept Redis busy for ${callUs} µs, a loop of a million steps for ${loopUs} µs`);
}

async function longestCallUs(admin: Redis, work: () => Promise<unknown>): Promise<number> {
  await admin.slowlog('RESET');
  await work();
  const calls = (await admin.slowlog('GET', EVERYTHING.length)) as [id: number, at: number, us: number][];
  assert.ok(calls.length > 0, 'Redis was asked nothing');
  return Math.max(...calls.map(([, , us]) => us));
}
