// The kill, for houses with seats: crowds want the same seats by name, the best for their parties, several types at
// once, within limits per buyer, and SIGKILL comes at a random instant, again and again. See kill.test.ts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { patienceMs } from '@floodgate/core/testing/patience.ts';
import { callsOf } from '../kit/checker/history.ts';
import { SeatShop } from '../kit/seat-shop.ts';

const ROUNDS = 12;
/** Of a slow machine, where each round meets less. */
const MOST_ROUNDS = 4 * ROUNDS;
/** A house is shopped for some rounds, until little is left of it; then the next. */
const ROUNDS_PER_HOUSE = 4;

test(`[S1–S6, S8, S9] ${ROUNDS} kills of a shop that sells seats lose nothing answered and sell no seat twice`, {
  timeout: patienceMs(24_000),
}, async (t) => {
  const shop = await SeatShop.start(t, { processes: 1, staleMs: 250 });
  const [server] = shop.processes;
  for (let round = 0; round < ROUNDS || (round < MOST_ROUNDS && missing(shop)); round++) {
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
function assertEventful(shop: SeatShop, say: (words: string) => void): void {
  const counts = [...tallyOf(shop)].map(([name, count]) => `${count} ${name}`).join(', ');
  say(counts);
  const what = missing(shop);
  assert.ok(what === undefined, `${what}: ${counts}`);
}

function tallyOf({ log }: SeatShop): Map<string, number> {
  const tally = new Map<string, number>();
  for (const { kind, status, said } of callsOf(log.records)) {
    const name = `${kind} ${said.error ?? status ?? 'lost'}`;
    tally.set(name, (tally.get(name) ?? 0) + 1);
  }
  return tally;
}

/** What has not happened often enough; undefined when all has. */
function missing(shop: SeatShop): string | undefined {
  const calls = callsOf(shop.log.records);
  const tally = tallyOf(shop);
  for (const name of [
    'hold 201',
    'flash 200',
    'buy 201',
    'confirm 201',
    'release 200',
    'extend 200',
    'hold SEAT_TAKEN',
  ]) {
    if ((tally.get(name) ?? 0) <= 5 * ROUNDS) return `too few of ${name}`;
  }
  for (const code of ['LIMIT_REACHED', 'HOLD_EXPIRED', 'IDEMPOTENCY_KEY_REUSED', 'ALL_HELD', 'SOLD_OUT']) {
    if (!calls.some(({ said }) => said.error === code)) return `nobody was refused with ${code}`;
  }
  const lost = calls.filter(({ outcome, answer }) => outcome === 'info' && !/ECONNREFUSED/.test(answer));
  return lost.length > ROUNDS ? undefined : 'kills met too few requests';
}
