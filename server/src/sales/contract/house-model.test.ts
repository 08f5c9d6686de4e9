// Random sales of a house with seats, against a model of what the rules say word by word: holds of several lines, chosen
// and best seats, limits per buyer, extensions, and staff who change the event from another process. The controls seed
// bugs that the same steps must find.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type EventId, type Ticket, ticketTypeId } from '@floodgate/core/ids.ts';
import type { Refusal, RefusalCode } from '@floodgate/core/refusal.ts';
import fc from 'fast-check';
import { EVENT, GA, Model, putHouseOnSale } from '../../../test/kit/house-model.ts';
import { FaultyLedger, HOLDER, MemoryShop, type Parts } from '../../../test/kit/memory-shop.ts';
import type { TakeResult, Want } from '../../inventory/inventory.ts';
import { MemoryInventory } from '../../inventory/memory/memory-inventory.ts';
import type { Verdict } from '../../ledger/judge/state.ts';
import type { Entry } from '../../ledger/ledger.ts';
import { type Bought, buy } from '../buying/buy.ts';
import { confirm, type OrderView } from '../buying/confirm.ts';
import { extend, type HoldView, hold, release } from '../buying/hold.ts';
import type { Line } from '../buying/wants.ts';
import { expireDue } from '../keeping/expire.ts';
import { audit } from '../organizing/create-event.ts';
import { commandEvent, patchEvent } from '../organizing/organize.ts';
import type { Shop } from '../shop.ts';

type Answer = Bought | HoldView | OrderView | Refusal;

const seat = fc
  .constantFrom('Low/A/1', 'Low/A/2', 'Low/A/5', 'Low/B/1', 'Low/B/4', 'High/A/2', 'High/A/3')
  .map((text) => {
    const [section, row, name] = text.split('/') as [string, string, string];
    return { section, row, seat: name };
  });
const line: fc.Arbitrary<Line> = fc.oneof(
  fc.record({ ticketType: fc.constantFrom('ga', 'std'), quantity: fc.integer({ min: 1, max: 3 }) }),
  fc.record({
    ticketType: fc.constant('std'),
    bestAvailable: fc.integer({ min: 1, max: 5 }),
    section: fc.constantFrom(undefined, 'Low', 'High'),
    together: fc.constantFrom(undefined, true),
  }),
  fc.constant({ ticketType: 'std', bestAvailable: 2, accessible: true }),
);
const chosen = fc.uniqueArray(seat, {
  minLength: 1,
  maxLength: 3,
  selector: (one) => Object.values(one).join('/'),
});
const buyer = fc.constantFrom('ann', 'ann', 'bob', null);
const claim = { lines: fc.array(line, { maxLength: 3 }), seats: fc.option(chosen), buyer };
const staff = fc.constantFrom<readonly [string, object]>(
  ['pause', {}],
  ['resume', {}],
  ['limit', { limitPerBuyer: 4 }],
  ['limit', { limitPerBuyer: 8 }],
  ['limit', { limitPerBuyer: null }],
  ['limit', { holdsPerBuyer: 1 }],
  ['limit', { holdsPerBuyer: null }],
  ['grow', {}],
);
const holdsAgo = fc.nat(2);
const hold$ = fc.record({ act: fc.constant('hold' as const), ...claim });
const end$ = fc.record({
  act: fc.constantFrom('confirm', 'release', 'extend', 'extend', 'extend'),
  holdsAgo,
});
const step = fc.oneof(
  { weight: 15, arbitrary: hold$ },
  {
    weight: 6,
    arbitrary: fc.record({
      act: fc.constant('buy' as const),
      line: fc.constantFrom('ga', 'std'),
      quantity: fc.integer({ min: 1, max: 4 }),
      buyer,
    }),
  },
  { weight: 18, arbitrary: end$ },
  {
    weight: 6,
    arbitrary: fc.record({ act: fc.constant('pass' as const), ms: fc.integer({ min: 10, max: 70 }) }),
  },
  { weight: 3, arbitrary: fc.record({ act: fc.constant('expire' as const) }) },
  {
    weight: 6,
    arbitrary: fc.record({ act: fc.constant('staff' as const), change: staff, isOther: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('crash' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** A shop with the house on sale, and a second process in which staff work. */
async function openHouse(parts: Partial<Parts>): Promise<{ shop: MemoryShop; other: Shop }> {
  const shop = await MemoryShop.open(1, parts);
  await putHouseOnSale(shop.inside);
  return { shop, other: await shop.anotherProcess() };
}

const wantsOf = (model: Model, lines: readonly Line[]): Want[] => {
  const wants = lines.flatMap((line): Want[] => {
    if ('seats' in line) return [];
    const ticketType = ticketTypeId(line.ticketType)!;
    if ('bestAvailable' in line) {
      const { bestAvailable: best, section, accessible, together } = line;
      return [{ ticketType, best, section, accessible, together }];
    }
    return [
      ticketType === 'ga' ? { ticketType, quantity: line.quantity } : { ticketType, best: line.quantity },
    ];
  });
  const { layout } = model.inventory;
  const tickets = lines
    .flatMap((line) => ('seats' in line ? line.seats : []))
    .map((s) => layout.seatNamed(s.section, s.row, s.seat)!);
  return tickets.length > 0 ? [...wants, { tickets }] : wants;
};

const refusalOf = (answer: Answer): RefusalCode | undefined =>
  'refusal' in answer ? answer.refusal : undefined;

/** Runs one step on shop and model, and compares what was answered. Returns what it came to. */
async function take(
  { shop, other }: { shop: MemoryShop; other: Shop },
  model: Model,
  step: Step,
): Promise<string> {
  const { inside, clock } = shop;
  switch (step.act) {
    case 'buy': {
      const lines = [{ ticketType: step.line, quantity: step.quantity }];
      const due = model.claim('buy', wantsOf(model, lines), step.buyer, clock.nowMs());
      return compare(due, await buy(inside, { eventId: EVENT, ...lines[0]!, buyer: step.buyer }));
    }
    case 'hold': {
      const lines = step.seats ? [...step.lines, { seats: step.seats }] : step.lines;
      if (lines.length === 0) return 'nothing';
      const due = model.claim('hold', wantsOf(model, lines), step.buyer, clock.nowMs());
      const answer = await hold(inside, { eventId: EVENT, lines, buyer: step.buyer });
      if ('holdId' in answer) model.holds.at(-1)!.id = answer.holdId;
      return compare(due, answer);
    }
    case 'confirm':
    case 'release':
    case 'extend':
      return takeEnd(shop, model, step);
    case 'pass':
      clock.pass(step.ms);
      return 'passed';
    case 'expire':
      assert.equal(await expireDue(inside, 100), model.expire(clock.nowMs()));
      return 'expired';
    case 'staff':
      await change(step.isOther ? other : inside, model, step.change);
      if (!step.isOther) model.learn();
      return 'changed';
    case 'crash':
      await shop.crash();
      model.crash();
      return 'crashed';
  }
}

function compare(due: RefusalCode | readonly Ticket[], answer: Answer): string {
  if (typeof due === 'string') {
    assert.equal(refusalOf(answer), due);
    return due;
  }
  assert.ok('tickets' in answer, JSON.stringify(answer));
  const got = answer.tickets.map(({ ticketId }) => Number(ticketId));
  assert.deepEqual(
    got.sort((a, b) => a - b),
    [...due].sort((a, b) => a - b),
  );
  return 'granted';
}

async function takeEnd(
  { inside, clock }: MemoryShop,
  model: Model,
  step: Extract<Step, { holdsAgo: number }>,
): Promise<string> {
  const ended = model.holds.at(-1 - step.holdsAgo);
  if (!ended) return 'nothing';
  const id = ended.id!;
  const now = clock.nowMs();
  if (step.act === 'extend') {
    const due = model.extend(ended, now);
    const answer = await extend(inside, id, HOLDER);
    assert.equal(refusalOf(answer), due);
    if ('holdId' in answer) assert.equal(answer.expiresAtMs, ended.dueMs);
    return due ?? 'extended';
  }
  if (step.act === 'confirm') {
    const due = model.confirm(ended, now);
    assert.equal(refusalOf(await confirm(inside, { holdId: id, caller: HOLDER })), due);
    return due ?? 'confirmed';
  }
  const due = model.release(ended);
  assert.equal(refusalOf(await release(inside, id, HOLDER)), due);
  return due ?? 'released';
}

/** Staff do it in one of the processes, which learns what the other did before if it must. */
async function change(inside: Shop, model: Model, [what, patch]: readonly [string, object]): Promise<void> {
  const asked = { by: 'staff' };
  const { terms } = model;
  let done: unknown;
  if (what === 'pause' || what === 'resume') {
    done = await commandEvent(inside, EVENT, what, asked);
    model.terms = { ...terms, status: what === 'pause' ? 'paused' : 'open' };
  } else if (what === 'limit') {
    done = await patchEvent(inside, EVENT, patch, asked);
    const values = Object.entries(patch).map(([name, value]) => [name, value ?? undefined]);
    model.terms = { ...terms, ...Object.fromEntries(values) };
  } else {
    const capacity = GA + 2 * (terms.growth.length + 1);
    done = await patchEvent(
      inside,
      EVENT,
      { ticketTypes: [{ ticketTypeId: 'ga', capacity }] },
      asked as never,
    );
    model.terms = { ...terms, growth: [...terms.growth, 2] };
  }
  assert.ok(!('refusal' in (done as object)) && !('problems' in (done as object)), JSON.stringify(done));
  model.terms = { ...model.terms, version: (await inside.ledger.event(EVENT))!.version };
}

/** Inventory, ledger and model say the same of every ticket, and the rules hold. */
async function assertAgreement({ inside }: MemoryShop, model: Model): Promise<void> {
  assert.deepEqual([...(await inside.inventory.states(EVENT))!], model.inventory.states);
  const { held, sold } = await inside.ledger.claims(EVENT);
  const ofHolds = model.holds.flatMap(({ status, tickets }) => (status === 'active' ? tickets : []));
  assert.deepEqual([...held].sort(), [...ofHolds].sort());
  assert.deepEqual([...sold].sort(), [...model.sold.keys()].sort());
  const audited = await audit(inside, EVENT);
  assert.ok('ok' in audited && audited.ok, JSON.stringify(audited));
}

function sales(parts: Partial<Parts> = {}, met = new Map<string, number>()) {
  return fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40, size: 'max' }), async (steps) => {
    const house = await openHouse(parts);
    const model = new Model();
    model.terms = { ...model.terms, version: (await house.shop.ledger.event(EVENT))!.version };
    model.known = model.terms;
    for (const step of steps) {
      const end = await take(house, model, step);
      met.set(end, (met.get(end) ?? 0) + 1);
      await assertAgreement(house.shop, model);
    }
  });
}

const EVERY_END = [
  ...['granted', 'confirmed', 'released', 'extended', 'expired', 'passed', 'changed', 'crashed', 'nothing'],
  ...[
    'NOT_ON_SALE',
    'BUYER_REQUIRED',
    'LIMIT_REACHED',
    'SEAT_TAKEN',
    'SOLD_OUT',
    'ALL_HELD',
    'NO_SEATS_TOGETHER',
  ],
  ...['HOLD_EXPIRED', 'HOLD_RELEASED', 'HOLD_CONFIRMED', 'HOLD_AT_CAP'],
];

const edited = (edit: (entry: Entry) => Entry): Partial<Parts> => ({
  Ledger: class extends FaultyLedger {
    override commit(entries: readonly Entry[]): Verdict[] {
      return super.commit(entries.map(edit));
    }
  },
});
const taking = (
  take: (inner: (wants: readonly Want[]) => TakeResult, wants: readonly Want[]) => TakeResult,
) => ({
  Inventory: class extends MemoryInventory {
    override take(eventId: EventId, wants: readonly Want[]): TakeResult {
      return take((some) => super.take(eventId, some), wants);
    }
  },
});

const unversioned = (entry: Entry): Entry =>
  entry.kind === 'buy' || entry.kind === 'hold' || entry.kind === 'confirm'
    ? { ...entry, version: undefined }
    : entry;

/** Seeded bugs. */
const BUGS: Record<string, Partial<Parts>> = {
  'what was checked against an old version is sold': edited(unversioned),
  'limits are not judged': edited((entry) => ({ ...entry, limits: undefined }) as Entry),
  'holds are not counted': edited((entry) =>
    'limits' in entry && entry.limits ? { ...entry, limits: { ...entry.limits, holds: undefined } } : entry,
  ),
  'an extension goes beyond the cap': edited((entry) =>
    entry.kind === 'extend' ? { ...entry, maxMs: 2 * entry.maxMs } : entry,
  ),
  'who insists on sitting together is seated apart': taking((inner, wants) =>
    inner(wants.map((want) => ('best' in want ? { ...want, together: undefined } : want))),
  ),
  'lines that were taken stay taken when another fails': taking((inner, wants) => {
    const tickets: Ticket[] = [];
    for (const want of wants) {
      const taken = inner([want]);
      if ('refusal' in taken) return taken;
      tickets.push(...taken.tickets);
    }
    return { tickets };
  }),
};

describe('sales of a house', () => {
  test('[S1] [S2] [S3] [S8] inventory, ledger and model agree on every ticket after every step', async () => {
    const met = new Map<string, number>();
    await fc.assert(sales({}, met), { numRuns: 300 });
    assert.deepEqual([...met.keys()].sort(), EVERY_END.sort());
  });

  for (const [bug, parts] of Object.entries(BUGS)) {
    test(`control: the model finds that ${bug}`, async () => {
      const { failed, numRuns } = await fc.check(sales(parts), { numRuns: 200, endOnFailure: true });
      assert.ok(failed, `not in ${numRuns} runs`);
    });
  }
});
