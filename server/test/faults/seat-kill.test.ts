// The kill, for houses with seats: crowds want the same seats by name, the best for their parties, several types at
// once, within limits per buyer, and SIGKILL comes at a random instant, again and again. See kill.test.ts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { patienceMs } from '@floodgate/core/testing/patience.ts';
import { callsOf } from '../kit/checker/history.ts';
import { SeatShop } from '../kit/seat-shop.ts';

const ROUNDS = 12;
/** A house is shopped for some rounds, until little is left of it; then the next. */
const ROUNDS_PER_HOUSE = 4;

test(`[S1–S6, S8, S9] ${ROUNDS} kills of a shop that sells seats lose nothing answered and sell no seat twice`, {
  timeout: patienceMs(24_000),
}, async (t) => {
  const shop = await SeatShop.start(t, { processes: 1, staleMs: 250 });
  const [server] = shop.processes;
  for (let round = 0; round < ROUNDS; round++) {
    if (round % ROUNDS_PER_HOUSE === 0) await shop.open();
    await shop.play(async () => {
      await server!.kill();
      await server!.start();
    });
  }
  await shop.assertWhole(t);
  await server!.stop();
  assertEventful(shop, (words) => t.diagnostic(words));
});

/** A test in which nothing happened proves nothing. */
function assertEventful({ log }: SeatShop, say: (words: string) => void): void {
  const calls = callsOf(log.records);
  const tally = new Map<string, number>();
  for (const { kind, status, said } of calls) {
    const name = `${kind} ${said.error ?? status ?? 'lost'}`;
    tally.set(name, (tally.get(name) ?? 0) + 1);
  }
  const counts = [...tally].map(([name, count]) => `${count} ${name}`);
  say(counts.join(', '));
  for (const name of [
    'hold 201',
    'flash 200',
    'buy 201',
    'confirm 201',
    'release 200',
    'extend 200',
    'hold SEAT_TAKEN',
  ]) {
    assert.ok((tally.get(name) ?? 0) > 5 * ROUNDS, `too few of ${name}: ${counts.join(', ')}`);
  }
  for (const code of ['LIMIT_REACHED', 'HOLD_EXPIRED', 'IDEMPOTENCY_KEY_REUSED', 'ALL_HELD', 'SOLD_OUT']) {
    assert.ok(
      calls.some(({ said }) => said.error === code),
      `nobody was refused with ${code}`,
    );
  }
  const lost = calls.filter(({ outcome, answer }) => outcome === 'info' && !/ECONNREFUSED/.test(answer));
  assert.ok(lost.length > ROUNDS, 'kills met too few requests');
}
