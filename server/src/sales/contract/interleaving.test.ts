// Sales at once, in every order that a scheduler of fast-check can think of: when a buyer comes, when the inventory
// answers, when a batch commits or fails, and when those who wait are woken. No ticket may be sold twice, no
// refusal be a guess, nothing leak, and nobody wait for a timer.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Busy } from '@floodgate/core/faults.ts';
import type { EventId, HoldId, Ticket } from '@floodgate/core/ids.ts';
import type { Refusal } from '@floodgate/core/refusal.ts';
import fc, { type Scheduler } from 'fast-check';
import {
  FaultyLedger,
  HOLD_TTL_MS,
  HOLDER,
  type MemoryShop,
  oversellsStopped,
  type Parts,
} from '../../../test/kit/memory-shop.ts';
import { openScheduledShop, SCHEDULER } from '../../../test/kit/scheduled-shop.ts';
import { MemoryInventory } from '../../inventory/memory/memory-inventory.ts';
import type { Verdict } from '../../ledger/judge/state.ts';
import { type Entry, LedgerUnavailable } from '../../ledger/ledger.ts';
import { type Bought, buy } from '../buying/buy.ts';
import { confirm, type OrderView } from '../buying/confirm.ts';
import { type HoldView, hold, release } from '../buying/hold.ts';
import { expireDue } from '../keeping/expire.ts';
import { audit } from '../organizing/create-event.ts';

const CAPACITY = 4;

/** What one buyer does, or, with `expire`, the clock. */
const visit = fc.record({
  act: fc.constantFrom('buy', 'hold', 'hold', 'expire'),
  quantity: fc.integer({ min: 1, max: 3 }),
  key: fc.option(fc.constantFrom('a', 'b'), { nil: undefined }),
  /** How many turns of others pass before it begins. */
  turns: fc.nat(8),
  /** How a hold ends: both at once, so that one must lose, or not at all. */
  ends: fc.subarray(['confirm', 'release'] as const),
});
type Visit = typeof visit extends fc.Arbitrary<infer T> ? T : never;

type Answer = Bought | HoldView | OrderView | Refusal;
/** An answer with what was asked: a number of tickets, or the end of a hold. */
interface Told {
  readonly act: string;
  readonly quantity: number;
  readonly key?: string | undefined;
  readonly holdId?: HoldId;
  readonly answer: Answer;
}

/** A buyer comes, asks, and perhaps ends what was held. What was answered is added to `told`. */
async function come(s: Scheduler, shop: MemoryShop, visit: Visit, told: Told[]): Promise<void> {
  const { act, quantity, key } = visit;
  const { inside, clock, event } = shop;
  const ask = async (asked: Omit<Told, 'answer'>, send: () => Promise<Answer>) => {
    await s.schedule(Promise.resolve(), asked.act);
    const answer = await send().catch(unlessUnavailable);
    if (answer) told.push({ ...asked, answer });
    return answer;
  };
  for (let turn = 0; turn < visit.turns; turn++) await s.schedule(Promise.resolve(), 'wait');
  if (act === 'expire') {
    clock.pass(HOLD_TTL_MS);
    await expireDue(inside, 100).catch(unlessUnavailable);
    return;
  }
  const idempotency = key ? { digest: key, hash: `${act} ${quantity}` } : undefined;
  const command = { eventId: event.eventId, buyer: null, idempotency };
  const lines = [{ ticketType: 'ga', quantity }];
  const answer = await ask({ act, quantity, key }, () =>
    act === 'buy' ? buy(inside, { ...command, quantity }) : hold(inside, { ...command, lines }),
  );
  if (!answer || !('holdId' in answer)) return;
  const { holdId } = answer;
  const ends = {
    confirm: () => confirm(inside, { holdId, caller: HOLDER }),
    release: () => release(inside, holdId, HOLDER),
  };
  await Promise.all(visit.ends.map((end) => ask({ act: end, quantity, holdId }, ends[end])));
}

function unlessUnavailable(error: unknown): undefined {
  if (!(error instanceof LedgerUnavailable || error instanceof Busy)) throw error;
}

function refusalOf({ answer }: Told): string | undefined {
  return 'refusal' in answer ? answer.refusal : undefined;
}

/** Every order was answered and every answered order is there, with tickets that no other order has. */
async function assertSoldOnce(shop: MemoryShop, told: readonly Told[]): Promise<number> {
  const orders = await shop.ledger.orders(shop.event.eventId, 0, 1_000);
  const tickets = orders.flatMap((order) => order.tickets);
  assert.equal(new Set(tickets).size, tickets.length, `sold: ${tickets}`);
  const answered = told.flatMap(({ answer }) =>
    'secret' in answer && !('holdId' in answer) ? [answer] : [],
  );
  const byId = new Map(
    answered.map(({ orderId, tickets }) => [orderId, tickets.map((t) => Number(t.ticketId))]),
  );
  assert.deepEqual(byId, new Map(orders.map((order) => [order.orderId, [...order.tickets]])));
  return tickets.length;
}

/** One key has one request, and all who sent that have the same answer. */
function assertKeysKept(told: readonly Told[]): void {
  for (const key of ['a', 'b']) {
    const keyed = told.filter((one) => one.key === key);
    const heard = keyed.filter((one) => refusalOf(one) !== 'IDEMPOTENCY_KEY_REUSED');
    for (const one of heard) assert.deepEqual(one, heard[0]);
    for (const { act, quantity } of keyed.filter((one) => !heard.includes(one))) {
      assert.notDeepEqual([act, quantity], [heard[0]?.act, heard[0]?.quantity]);
    }
  }
}

/** A refusal for want of tickets was true at some moment; a hold had one end. */
async function assertRefusalsLegal(shop: MemoryShop, told: readonly Told[], sold: number): Promise<void> {
  const least = await leastAvailable(shop);
  const ends = new Map<HoldId, string>();
  for (const one of told) {
    const { act, quantity, holdId, answer } = one;
    if (refusalOf(one) === 'SOLD_OUT')
      assert.ok(quantity > CAPACITY - sold, `${quantity} sold out, sold ${sold}`);
    if (refusalOf(one) === 'ALL_HELD') assert.ok(quantity > least, `${quantity} all held, least ${least}`);
    if (holdId === undefined || 'refusal' in answer) continue;
    assert.equal(act, ends.get(holdId) ?? act, `hold ${holdId} had two ends`);
    ends.set(holdId, act);
  }
}

/** The fewest tickets that were free after any of the ledger's facts. */
async function leastAvailable(shop: MemoryShop): Promise<number> {
  const CHANGES: Record<string, number> = { bought: -1, held: -1, released: 1, expired: 1 };
  let available = CAPACITY;
  let least = CAPACITY;
  for (const { kind, fact } of await shop.ledger.journal(shop.event.eventId, 0, 1_000)) {
    available += (CHANGES[kind] ?? 0) * ('tickets' in fact ? fact.tickets.length : 0);
    least = Math.min(least, available);
  }
  return least;
}

/** When all holds have lapsed, everything is sold or available, for inventory and ledger alike. */
async function assertNothingLeaked({ inside, event }: MemoryShop, sold: number): Promise<void> {
  const counts = {
    ticketType: 'ga',
    capacity: CAPACITY,
    available: CAPACITY - sold,
    pending: 0,
    held: 0,
    sold,
  };
  assert.deepEqual(await inside.inventory.counts(event.eventId), [counts]);
  const audited = await audit(inside, event.eventId);
  assert.ok('ok' in audited && audited.ok, JSON.stringify(audited));
}

/** All visits at once on a new shop of these parts. Refusals that were answered are added to `met`. */
function visits(parts: Partial<Parts> = {}, met = new Set<string>()) {
  const crowd = fc.array(visit, { minLength: 2, maxLength: 8, size: 'max' });
  const faults = fc.array(fc.constantFrom(false, false, false, true), { maxLength: 6 });
  return fc.asyncProperty(SCHEDULER, crowd, faults, async (s, crowd, faults) => {
    const failing = [false, ...faults]; // The first commit makes the event.
    const shop = await openScheduledShop(s, CAPACITY, failing, parts);
    const oversells = await oversellsStopped();
    const told: Told[] = [];
    await s.waitFor(Promise.all(crowd.map((visit) => come(s, shop, visit, told))));
    failing.length = 0;
    shop.clock.pass(HOLD_TTL_MS);
    await s.waitFor(expireDue(shop.inside, 100));
    assert.equal(await oversellsStopped(), oversells, 'the inventory proposed what was taken');
    const sold = await assertSoldOnce(shop, told);
    await assertRefusalsLegal(shop, told, sold);
    assertKeysKept(told);
    await assertNothingLeaked(shop, sold);
    for (const one of told) met.add(refusalOf(one) ?? 'granted');
  });
}

const EVERY_ANSWER = [
  ...['granted', 'SOLD_OUT', 'ALL_HELD', 'IDEMPOTENCY_KEY_REUSED'],
  ...['HOLD_EXPIRED', 'HOLD_RELEASED', 'HOLD_CONFIRMED'],
];

/** Seeded bugs. */
const BUGS: Record<string, Partial<Parts>> = {
  'a replay is taken for a new sale': {
    Ledger: class extends FaultyLedger {
      override commit(entries: readonly Entry[]): Verdict[] {
        return super.commit(entries).map((verdict) => ({ ...verdict, replayed: undefined }) as Verdict);
      }
    },
  },
  'keys are forgotten': {
    Ledger: class extends FaultyLedger {
      override commit(entries: readonly Entry[]): Verdict[] {
        return super.commit(entries.map((entry) => ({ ...entry, idempotency: undefined }) as Entry));
      }
    },
  },
  'tickets are given back again when somebody else may have them': {
    Inventory: class extends MemoryInventory {
      #last: readonly Ticket[] = [];

      override giveBack(eventId: EventId, tickets: readonly Ticket[]): void {
        super.giveBack(eventId, this.#last);
        super.giveBack(eventId, tickets);
        this.#last = tickets;
      }
    },
  },
  'nobody is woken': {
    Inventory: class extends MemoryInventory {
      override nextChange(): Promise<void> {
        return new Promise(() => {});
      }
    },
  },
};

describe('sales at once', () => {
  test('[S1] in every order no ticket is sold twice, refusals are legal, nothing leaks and all settle', async () => {
    const met = new Set<string>();
    await fc.assert(visits({}, met), { numRuns: 400 });
    assert.deepEqual([...met].sort(), EVERY_ANSWER.sort());
  });

  for (const [bug, parts] of Object.entries(BUGS)) {
    test(`[S1] control: some order finds that ${bug}`, async () => {
      const { failed, numRuns } = await fc.check(visits(parts), { numRuns: 400, endOnFailure: true });
      assert.ok(failed, `not in ${numRuns} runs`);
    });
  }
});
