// The part of the ledger contract that is about what one buyer may have (rule S8).
import assert from 'node:assert/strict';
import type { OrderId, Ticket } from '@floodgate/core/ids.ts';
import fc from 'fast-check';
import type { BuyerLimits, CommittedBuy, Entry, Outcome } from '../ledger.ts';
import { EventEntries, underKey } from './test-entries.ts';
import { assertGranted, assertRefused, CAPACITY, type Rule } from './test-script.ts';

/** At most that many of all tickets, and that many holds at a time. */
function atMost(max: number, holds?: number): BuyerLimits {
  return { tickets: [{ ranges: [[0, CAPACITY]], max }], holds };
}

export function limitingBuyers(rule: Rule): void {
  rule('[S8] held and bought tickets count together, over all orders of one buyer', async (script) => {
    const { entries } = script;
    const ann = { buyer: 'ann', limits: atMost(4) };
    await script.grant(entries.buy([0], { buyer: 'ann' }));
    await script.grant(entries.buy([1], ann));
    const { holdId } = await script.grant(entries.hold([2], ann));
    await script.refuse(entries.buy([3, 4], ann), 'LIMIT_REACHED');
    await script.refuse(entries.hold([3, 4], ann), 'LIMIT_REACHED');
    await script.grant(entries.buy([3, 4], { buyer: 'bob', limits: atMost(2) }));
    await script.grant(entries.confirm(holdId!));
    await script.refuse(entries.buy([5, 6], ann), 'LIMIT_REACHED');
    await script.grant(entries.buy([5], ann));
    await script.refuse(entries.hold([6], ann), 'LIMIT_REACHED');
    // Who asks without limits (staff, say) is not limited, but what was given so counts.
    await script.grant(entries.buy([6], { buyer: 'ann' }));
    await script.grant(entries.buy([7], { buyer: null }));
    await script.refuse(entries.buy([8], { buyer: 'ann', limits: atMost(5) }), 'LIMIT_REACHED');
  });

  rule('[S8] an entry sees what its neighbours in the batch gave and took', async (script) => {
    const { entries } = script;
    const ann = { buyer: 'ann', limits: atMost(3, 2) };
    const [one, two] = [entries.hold([0, 1], ann), entries.hold([2], ann)];
    const outcomes = await script.post(
      ...[one, entries.buy([2, 3], ann), two, entries.buy([4], ann)],
      ...[entries.release(one.holdId), entries.buy([4, 5, 6], ann), entries.buy([4], { buyer: 'ann' })],
      ...[
        entries.confirm(two.holdId),
        entries.buy([5, 6], ann),
        entries.hold([5], ann),
        entries.buy([7], ann),
      ],
    );
    assert.deepEqual(
      outcomes.map((outcome) => (outcome.status === 'refused' ? outcome.refusal : 'granted')),
      [
        ...['granted', 'LIMIT_REACHED', 'granted', 'LIMIT_REACHED', 'granted', 'LIMIT_REACHED', 'granted'],
        ...['granted', 'LIMIT_REACHED', 'granted', 'LIMIT_REACHED'],
      ],
    );
  });

  rule('[S8] the holds of a buyer are counted until they end, also one that lapsed', async (script) => {
    const { entries } = script;
    const ann = { buyer: 'ann', limits: atMost(9, 2) };
    const first = await script.grant(entries.hold([0], { ...ann, ttlMs: 0 }));
    const second = await script.grant(entries.hold([1], ann));
    await script.refuse(entries.hold([2], ann), 'LIMIT_REACHED');
    await script.grant(entries.hold([2], { ...ann, limits: atMost(9, 3) }));
    await script.grant(entries.buy([3], ann));
    await script.grant(entries.expire(first.holdId!));
    await script.refuse(entries.hold([4], ann), 'LIMIT_REACHED');
    await script.grant(entries.confirm(second.holdId!));
    await script.grant(entries.hold([4], ann));
    await script.refuse(entries.hold([5], { buyer: 'bob', limits: atMost(9, 0) }), 'LIMIT_REACHED');
  });

  rule('[S8] a limit on some tickets counts those only, and several limits hold together', async (script) => {
    const { entries } = script;
    const limits: BuyerLimits = {
      tickets: [
        { ranges: [[0, 2], [8, 10]], max: 2 },
        { ranges: [[2, 8]], max: 3 },
        { ranges: [[0, CAPACITY]], max: 5 },
      ],
    }; // biome-ignore format: a table
    const ann = { buyer: 'ann', limits };
    await script.refuse(entries.buy([0, 1, 8], ann), 'LIMIT_REACHED');
    await script.grant(entries.buy([1, 8], ann));
    await script.refuse(entries.hold([0, 2], ann), 'LIMIT_REACHED');
    await script.refuse(entries.hold([2, 3, 4, 5], ann), 'LIMIT_REACHED');
    await script.grant(entries.hold([2, 3], ann));
    await script.grant(entries.hold([10], ann));
    await script.refuse(entries.hold([11], ann), 'LIMIT_REACHED');
    // A limit that was lowered below what the buyer has is in the way only of more of the same.
    const lowered = {
      tickets: [
        { ranges: [[0, 2] as const], max: 0 },
        { ranges: [[11, 12] as const], max: 1 },
      ],
    };
    await script.refuse(entries.buy([0], { buyer: 'ann', limits: lowered }), 'LIMIT_REACHED');
    await script.grant(entries.buy([11], { buyer: 'ann', limits: lowered }));
  });

  rule('[S8] a limit comes before a taken ticket, and after the version', async (script) => {
    const { entries } = script;
    const ann = { buyer: 'ann', limits: atMost(0) };
    await script.grant(entries.buy([0]));
    await script.refuse(entries.buy([0], ann), 'LIMIT_REACHED');
    await script.refuse(entries.buy([0], { ...ann, version: 9 }), 'EVENT_CHANGED');
    await assert.rejects(script.ledger.post(entries.buy([1], { ...ann, buyer: null })), /broken invariant/);
  });

  rule(
    '[S8] what a buyer has of other events, or another buyer of this one, does not count',
    async (script) => {
      const { entries } = script;
      const other = new EventEntries(3);
      const ann = { buyer: `ann of ${entries.eventId}`, limits: atMost(2, 1) };
      const [, ...outcomes] = await script.post(
        other.create(),
        ...[other.buy([0, 1], ann), other.buy([2], ann), other.hold([2], { buyer: ann.buyer })],
        ...[entries.buy([0], ann), entries.hold([1], ann), entries.buy([2, 3], { ...ann, buyer: 'Ann' })],
      );
      assertRefused(outcomes.splice(1, 1)[0]!, 'LIMIT_REACHED');
      for (const outcome of outcomes) assertGranted(outcome);
      await script.refuse(other.buy([2], ann), 'LIMIT_REACHED');
      await script.assertAudited(other.eventId);
    },
  );

  rule('[S5] that a limit is reached is an answer, kept under its key', async (script) => {
    const { entries } = script;
    const ann = { buyer: 'ann', limits: atMost(1) };
    const { holdId } = await script.grant(entries.hold([0], ann));
    await script.refuse(entries.buy([1], { ...ann, ...underKey('a') }), 'LIMIT_REACHED');
    await script.grant(entries.release(holdId!));
    const [again] = await script.post(entries.buy([1], { ...ann, ...underKey('a') }));
    assert.deepEqual(again, { status: 'refused', refusal: 'LIMIT_REACHED', replayed: true });
    const bought = await script.grant(entries.buy([1], { ...ann, ...underKey('b') }));
    const [twin] = await script.post(entries.buy([2], { ...ann, ...underKey('b') }));
    assert.deepEqual(twin, { ...bought, replayed: true });
  });

  rule('[S8] no interleaving of one buyer’s requests gets past the limits', async (script) => {
    await fc.assert(
      fc.asyncProperty(buyersBatches, async (batches) => {
        const entries = new EventEntries(CAPACITY);
        assertGranted((await script.post(entries.create()))[0]!);
        const found = await overLimits(entries, batches, (batch) => script.post(...batch));
        assert.deepEqual(found, []);
        await script.assertAudited(entries.eventId);
      }),
      { numRuns: 25 },
    );
  });
}

const MAX = { tickets: 3, holds: 2 };
const step = fc.record({
  kind: fc.constantFrom('buy', 'hold', 'hold', 'confirm', 'release', 'expire', 'return' as const),
  buyer: fc.constantFrom('ann', 'ann', 'bob'),
  tickets: fc.uniqueArray(fc.nat(CAPACITY - 1), { minLength: 1, maxLength: 2 }),
  ago: fc.nat(2),
  lapses: fc.boolean(),
});
/** Batches of what two buyers ask for at once. */
export const buyersBatches = fc.array(fc.array(step, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 6 }); // biome-ignore format: short
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Posts the batches under the limits, and says after which batch a buyer had more than allowed. */
export async function overLimits(
  entries: EventEntries,
  batches: readonly (readonly Step[])[],
  post: (batch: readonly Entry[]) => Promise<readonly Outcome[]>,
): Promise<string[]> {
  const has = new Map<string, { buyer: string; tickets: number; isHold: boolean }>();
  const holds: string[] = [];
  const orders: Ordered[] = [];
  const found: string[] = [];
  for (const [index, batch] of batches.entries()) {
    const sent = batch.map((each) => entryOf(each, entries, holds, orders));
    for (const [at, outcome] of (await post(sent)).entries()) {
      if (outcome.status === 'refused') continue;
      const entry = sent[at]!;
      const id = 'holdId' in entry ? entry.holdId : (outcome as CommittedBuy).orderId;
      const { buyer } = outcome;
      const tickets = outcome.tickets.length;
      if (entry.kind === 'release' || entry.kind === 'expire') has.delete(id);
      else if (entry.kind === 'return-tickets') has.get(id)!.tickets -= tickets;
      else has.set(id, { buyer: buyer!, tickets, isHold: entry.kind === 'hold' });
    }
    for (const buyer of ['ann', 'bob']) {
      const his = [...has.values()].filter((each) => each.buyer === buyer);
      const tickets = his.reduce((sum, each) => sum + each.tickets, 0);
      const held = his.filter(({ isHold }) => isHold).length;
      if (tickets > MAX.tickets || held > MAX.holds) found.push(`${buyer} after batch ${index}`);
    }
  }
  return found;
}

/** An order that may have been refused, and those of its tickets that nobody has asked back yet. */
interface Ordered {
  readonly orderId: OrderId;
  readonly left: Ticket[];
}

function entryOf(
  { kind, buyer, tickets, ago, lapses }: Step,
  entries: EventEntries,
  holds: string[],
  orders: Ordered[],
): Entry {
  const limits = atMost(MAX.tickets, MAX.holds);
  if (kind === 'buy') {
    const buy = entries.buy(tickets, { buyer, limits });
    orders.push({ orderId: buy.orderId, left: [...buy.tickets] });
    return buy;
  }
  const order = orders.filter(({ left }) => left.length > 0).at(-1 - ago);
  if (kind === 'return' && order) return entries.returnTickets(order.orderId, [order.left.pop()!]);
  const hold = entries.hold(tickets, { buyer, limits, ...(lapses ? { ttlMs: 0 } : {}) });
  const { holdId } = hold;
  const earlier = (holds.at(-1 - ago) ?? holdId) as typeof holdId;
  if (kind === 'confirm') return entries.confirm(earlier);
  if (kind === 'release') return entries.release(earlier);
  if (kind === 'expire') return entries.expire(earlier);
  holds.push(holdId);
  return hold;
}
