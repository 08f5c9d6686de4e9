// The controls of the tests of seats: the same crowd, judged by the same checks, on a shop of which one guard was
// removed; and what was told of a sound shop, altered. Each must be found, or those tests would prove nothing.

import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { patienceMs } from '@floodgate/core/testing/patience.ts';
import { check } from '../kit/checker/check.ts';
import type { FinalEvent } from '../kit/checker/final-ledger.ts';
import { formatViolations, type Violation } from '../kit/checker/findings.ts';
import { callsOf, type HistoryRecord } from '../kit/checker/history.ts';
import { checkSeats } from '../kit/seat-checks.ts';
import type { SeatLook } from '../kit/seat-house.ts';
import { SeatShop } from '../kit/seat-shop.ts';
import { checkDone } from '../kit/seat-staff.ts';

const UNGUARDED = fileURLToPath(new URL('../kit/unguarded-main.ts', import.meta.url));
const STALE_MS = 250;

interface Control {
  readonly without: string;
  /** What must be found. */
  readonly found: RegExp;
  readonly title: string;
}

const CONTROLS: readonly Control[] = [
  {
    without: 'inventory,ledger',
    found: /^\[uniqueness\] .* is claimed while it is/,
    title: '[S1] with nothing that marks what is taken, a seat is sold twice',
  },
  {
    without: 'limits',
    found: /^\[bound\] .*(tickets|holds), \d are allowed/,
    title: '[S8] with a ledger that does not know what a buyer has, somebody has too much',
  },
  {
    without: 'versions',
    found: /^\[order\] (held|bought) while the event was paused/,
    title: '[E1] with a ledger that does not ask for versions, something is sold in a pause',
  },
  {
    without: 'returns',
    found: /^\[(conservation|order)\] .*(are shown as available|was free from)/,
    title: '[S9] with an inventory to which not all returns, seats leak',
  },
];

describe('a shop without', { timeout: patienceMs(12_000) }, () => {
  for (const { without, found, title } of CONTROLS) {
    test(title, async (t) => {
      const violations = await violationsOf(t, without);
      const words = violations.map(({ rule, what }) => `[${rule}] ${what}`);
      assert.ok(
        words.some((each) => found.test(each)),
        formatViolations(violations),
      );
    });
  }

  test("[S1] the inventory's guard sells no seat twice: the ledger has its own", async (t) => {
    const violations = await violationsOf(t, 'inventory');
    // It refuses too often.
    const others = violations.filter(({ rule }) => rule !== 'order' && rule !== 'conservation');
    assert.equal(others.length, 0, formatViolations(others));
  });
});

async function violationsOf(t: TestContext, without: string): Promise<readonly Violation[]> {
  const harm = without === 'versions' ? pauseOften : undefined;
  const shop = await shopOnce(t, { WITHOUT: without }, harm);
  return shop.violations(shop.clients[0]!, { isResolved: false });
}

const pauseOften = async (shop: SeatShop): Promise<void> => {
  for (let times = 0; times < 20; times++) {
    await shop.pause(20, 60);
    await shop.staff.pauseForAMoment(shop.house);
  }
};

/** Two seconds of sales, with staff at work. */
async function shopOnce(
  t: TestContext,
  env: Readonly<Record<string, string>>,
  harm = (shop: SeatShop) => shop.pause(1_200, 1_200),
): Promise<SeatShop> {
  const program = 'WITHOUT' in env ? { program: UNGUARDED } : {};
  const shop = await SeatShop.start(t, { processes: 1, staleMs: STALE_MS, env, ...program });
  await shop.open();
  await shop.shop(() => harm(shop), true);
  return shop;
}

test('a sound shop of whose answers one was altered does not pass', async (t) => {
  const shop = await shopOnce(t, {});
  const { house, log } = shop;
  const { event, looks } = await shop.evidence();
  const judge = (
    records: readonly HistoryRecord[],
    seen: readonly SeatLook[] = looks,
    is: FinalEvent = event,
  ) => checkSeats(records, is, house, seen, { staleMs: STALE_MS }).map(({ what }) => what);
  assert.deepEqual(judge(log.records), []);
  assert.deepEqual(checkDone(log.records, event, shop.staff.done), []);

  const last = looks.at(-1)!;
  const codes = last.codes.map((code, seat) => (seat === 17 ? 3 - code : code));
  const [map] = judge(log.records, [...looks, { ...last, codes }]);
  assert.match(map!, /the seat map of version \d+ showed \w+\/\w+\/\d+ as/);

  const given = altered(log.records, /^\{"holdId".*"section":"Stalls"/, (body) =>
    body.replace(/"ticketId":"\d+"/, '"ticketId":"599"'),
  );
  assert.match(judge(given)[0]!, /was (not )?given/);
  const taken = altered(log.records, /SEAT_TAKEN/, (body) =>
    body.replace(/"seats":\[\{[^}]*\}/, '"seats":[{"section":"Balcony","row":"K","seat":"20"}'),
  );
  assert.match(judge(taken)[0]!, /SEAT_TAKEN names Balcony\/K\/20, which nobody asked for/);
  const soldOut = altered(log.records, /SEAT_TAKEN/, (body) => body.replace('SEAT_TAKEN', 'SOLD_OUT'));
  assert.match(judge(soldOut)[0]!, /SOLD_OUT between \d+ and \d+, while there was enough/);

  const promised = confirmedFlash(log.records, event);
  const orders = altered(log.records, new RegExp(`"reservationId":"${promised}"`), (body) =>
    body.replace(/"orderId":"\d+"/, '"orderId":"7"'),
  );
  assert.deepEqual(check(log.records, [event]), []);
  const [other] = check(orders, [event]);
  assert.match(other!.what, /its grant was answered, and lost: seq \d+ is order \d+/);

  for (const action of ['pause', 'kill', 'release'] as const) {
    const done = shop.staff.done.find((each) => each.action === action)!;
    const [lost] = checkDone(log.records, event, [{ ...done, version: done.version + 1 }]);
    assert.match(lost!.what, new RegExp(`${action} was answered: `));
  }
});

/** A hold that was made by a flash purchase and became an order. */
function confirmedFlash(records: readonly HistoryRecord[], { journal }: FinalEvent): string {
  const flashes = callsOf(records).filter(({ kind, outcome }) => kind === 'flash' && outcome === 'ok');
  const made = new Set(flashes.map(({ said }) => said.holdId));
  const fact = journal.find(({ kind, holdId }) => kind === 'confirmed' && made.has(holdId));
  assert.ok(fact?.holdId !== undefined, 'no flash purchase was confirmed');
  return fact.holdId;
}

/** The history with the first answer that matches told otherwise. */
function altered(
  records: readonly HistoryRecord[],
  wanted: RegExp,
  tell: (body: string) => string,
): HistoryRecord[] {
  const index = records.findIndex((record) => record.type !== 'invoke' && wanted.test(record.body));
  const record = records[index];
  assert.ok(record !== undefined && tell(record.body) !== record.body, `there is no answer like ${wanted}`);
  return records.with(index, { ...record, body: tell(record.body) });
}
