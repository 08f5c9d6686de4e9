// Random sales against a model of ten lines: inventory, ledger and model must agree after every step, whatever
// fails, crashes or arrives twice. The controls seed bugs that the same steps must find.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Unavailable } from '@floodgate/core/faults.ts';
import type { EventId, HoldId, Ticket } from '@floodgate/core/ids.ts';
import type { Refusal, RefusalCode } from '@floodgate/core/refusal.ts';
import fc from 'fast-check';
import {
  type Fault,
  FaultyLedger,
  HOLD_TTL_MS,
  HOLDER,
  MemoryShop,
  oversellsStopped,
  type Parts,
} from '../../../test/kit/memory-shop.ts';
import type { InventoryEvent, InventorySnapshot } from '../../inventory/inventory.ts';
import { MemoryInventory } from '../../inventory/memory/memory-inventory.ts';
import { MemoryLedger } from '../../ledger/contract/memory-ledger.ts';
import type { Verdict } from '../../ledger/judge/state.ts';
import { type Entry, LedgerOutcomeUnknown, LedgerUnavailable } from '../../ledger/ledger.ts';
import { type Bought, buy } from '../buying/buy.ts';
import { confirm, type OrderView } from '../buying/confirm.ts';
import { type HoldView, hold, release } from '../buying/hold.ts';
import { expireDue } from '../keeping/expire.ts';
import { audit } from '../organizing/create-event.ts';

const CAPACITY = 6;
type Answer = Bought | HoldView | OrderView | Refusal;

interface ModelHold {
  readonly quantity: number;
  readonly dueMs: number;
  status: 'active' | 'confirmed' | 'released' | 'expired';
  /** Unknown while nobody was told. */
  id?: HoldId | undefined;
  /** What its end was answered. */
  end?: Answer | undefined;
}

interface KeptAnswer {
  readonly request: string;
  readonly refusal: RefusalCode | undefined;
  /** Unknown while nobody was told. */
  answer: Answer | undefined;
  readonly tell: (answer: Answer) => void;
}

/** The model. */
class Model {
  sold = 0;
  readonly holds: ModelHold[] = [];
  readonly kept = new Map<string, KeptAnswer>();

  get held(): number {
    return this.holds.reduce((sum, { status, quantity }) => sum + (status === 'active' ? quantity : 0), 0);
  }

  get available(): number {
    return CAPACITY - this.sold - this.held;
  }
}

const step = fc.record({
  act: fc.constantFrom(
    ...(['buy', 'hold', 'hold', 'hold', 'confirm', 'confirm', 'release', 'expire', 'pass', 'crash'] as const),
  ),
  quantity: fc.integer({ min: 1, max: 4 }),
  key: fc.option(fc.constantFrom('a', 'b', 'c', 'd'), { nil: undefined, freq: 3 }),
  /** Which of the holds that the buyer knows of, counted from the last. */
  holdsAgo: fc.nat(2),
  /** Whether the request is delivered twice at once. */
  twice: fc.boolean(),
  fault: fc.constantFrom<Fault>('none', 'none', 'none', 'none', 'refused', 'lost', 'kept'),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** What a request must come to if it is judged now. */
interface Due {
  /** What the request is, for its key; without effect when it has none. */
  readonly request: string;
  readonly key: string | undefined;
  /** Whether the ledger takes part. */
  readonly commits: boolean;
  readonly refusal?: RefusalCode | undefined;
  /** The answer, when the request had its effect before. */
  readonly again?: Answer | undefined;
  /** The effect, which may be there already; and what the buyer learns when told. */
  readonly apply: () => void;
  readonly tell: (answer: Answer) => void;
}

/** Compares an answer with what was due, and moves the model on. */
function judge(model: Model, fault: Fault, due: Due, answer: Answer | Error): string {
  const { key, request, refusal } = due;
  const kept = key === undefined ? undefined : model.kept.get(key);
  const isTold = fault === 'none' || !due.commits;
  if (!isTold) {
    assert.ok(
      answer instanceof (fault === 'refused' ? LedgerUnavailable : LedgerOutcomeUnknown),
      `${answer}`,
    );
    if (fault !== 'kept' || kept) return fault;
  } else if (answer instanceof Error) {
    throw answer;
  } else if (kept && kept.request !== request) {
    assert.deepEqual(refusalOf(answer), 'IDEMPOTENCY_KEY_REUSED');
    return 'IDEMPOTENCY_KEY_REUSED';
  } else if (kept) {
    assert.equal(refusalOf(answer), kept.refusal);
    assert.deepEqual(answer, kept.answer ?? answer);
    kept.answer = answer;
    kept.tell(answer);
    return 'replayed';
  } else {
    assert.equal(refusalOf(answer), refusal);
    if (due.again) assert.deepEqual(answer, due.again);
  }
  if (refusal === undefined) due.apply();
  const told = answer instanceof Error ? undefined : answer;
  if (told) due.tell(told);
  if (key !== undefined) model.kept.set(key, { request, refusal, answer: told, tell: due.tell });
  return isTold ? (refusal ?? 'granted') : fault;
}

function refusalOf(answer: Answer): RefusalCode | undefined {
  return 'refusal' in answer ? answer.refusal : undefined;
}

/** A claim of that many tickets. */
function dueClaim(model: Model, step: Step, request: string, nowMs: number): Due {
  const { act, key, quantity } = step;
  const { available, held } = model;
  const shortage = quantity > available + held ? 'SOLD_OUT' : 'ALL_HELD';
  const refusal = quantity > available ? shortage : undefined;
  const hold: ModelHold = { quantity, dueMs: nowMs + HOLD_TTL_MS, status: 'active' };
  return {
    request,
    key,
    refusal,
    commits: refusal === undefined || key !== undefined,
    apply: () => {
      if (act === 'buy') model.sold += quantity;
      else model.holds.push(hold);
    },
    tell: (answer) => {
      if ('holdId' in answer) hold.id = answer.holdId;
    },
  };
}

const ENDS = { confirm: 'confirmed', release: 'released' } as const;
const ENDED = { confirmed: 'HOLD_CONFIRMED', released: 'HOLD_RELEASED', expired: 'HOLD_EXPIRED' } as const;

/** A hold's end by its buyer. */
function dueEnd(model: Model, hold: ModelHold, step: Step, request: string, nowMs: number): Due {
  const end = ENDS[step.act as keyof typeof ENDS];
  const isLate = end === 'confirmed' && nowMs >= hold.dueMs;
  const shortage = hold.status === 'active' ? 'HOLD_EXPIRED' : ENDED[hold.status];
  const refusal = hold.status === end || (hold.status === 'active' && !isLate) ? undefined : shortage;
  return {
    request,
    key: end === 'confirmed' ? step.key : undefined,
    refusal,
    commits: true,
    again: refusal === undefined ? hold.end : undefined,
    apply: () => {
      if (hold.status !== 'active') return;
      hold.status = end;
      if (end === 'confirmed') model.sold += hold.quantity;
    },
    tell: (answer) => {
      if (refusal === undefined) hold.end = answer;
    },
  };
}

/** Sends a request as the step says. Faults are answers here. */
async function deliver<T>(
  shop: MemoryShop,
  { twice, fault }: Step,
  send: () => Promise<T>,
): Promise<(T | Error)[]> {
  // While an outcome is unknown its tickets are pending, and a twin would wait for them.
  const times = twice && (fault === 'none' || fault === 'refused') ? 2 : 1;
  shop.ledger.fault = fault;
  const sent = Array.from({ length: times }, () => send().catch((error: Error) => error));
  const answers = await Promise.all(sent);
  shop.ledger.fault = 'none';
  return answers;
}

/** Runs one step on shop and model. Returns what it came to. */
async function take(shop: MemoryShop, model: Model, step: Step): Promise<string[]> {
  switch (step.act) {
    case 'buy':
    case 'hold':
      return takeClaim(shop, model, step);
    case 'confirm':
    case 'release':
      return takeEnd(shop, model, step);
    case 'expire':
      return takeExpiry(shop, model, step);
    case 'pass':
      shop.clock.pass(step.quantity * 25);
      return [];
    case 'crash':
      await shop.crash();
      return [];
  }
}

async function takeClaim(shop: MemoryShop, model: Model, step: Step): Promise<string[]> {
  const { act, quantity, key } = step;
  const request = `${act} ${quantity}`;
  const { eventId } = shop.event;
  const command = { eventId, buyer: 'ann', idempotency: key ? { digest: key, hash: request } : undefined };
  const lines = [{ ticketType: 'ga', quantity }];
  const send = (): Promise<Answer> =>
    act === 'buy' ? buy(shop.inside, { ...command, quantity }) : hold(shop.inside, { ...command, lines });
  const answers = await deliver(shop, step, send);
  await shop.inside.inDoubt.resolve();
  const now = shop.clock.nowMs();
  return answers.map((answer) => judge(model, step.fault, dueClaim(model, step, request, now), answer));
}

async function takeEnd(shop: MemoryShop, model: Model, step: Step): Promise<string[]> {
  const { act, key, fault } = step;
  const ended = model.holds.filter(({ id }) => id !== undefined).at(-1 - step.holdsAgo);
  if (!ended) return [];
  const holdId = ended.id!;
  const request = `${act} ${holdId}`;
  const idempotency = key ? { digest: key, hash: request } : undefined;
  const send = (): Promise<Answer> =>
    act === 'confirm'
      ? confirm(shop.inside, { holdId, caller: HOLDER, idempotency })
      : release(shop.inside, holdId, HOLDER);
  const answers = await deliver(shop, step, send);
  await shop.inside.inDoubt.resolve();
  const now = shop.clock.nowMs();
  return answers.map((answer) => judge(model, fault, dueEnd(model, ended, step, request, now), answer));
}

async function takeExpiry(shop: MemoryShop, model: Model, step: Step): Promise<string[]> {
  const { fault } = step;
  const due = model.holds.filter(({ status, dueMs }) => status === 'active' && dueMs <= shop.clock.nowMs());
  const answers = await deliver(shop, step, () => expireDue(shop.inside, 100));
  await shop.inside.inDoubt.resolve();
  const isFault = fault !== 'none' && due.length > 0;
  for (const answer of answers) {
    if (!isFault) assert.equal(answer, due.length);
    else assert.ok(answer instanceof Error && answer instanceof Unavailable, `${answer}`);
  }
  if (fault === 'none' || fault === 'kept') for (const hold of due) hold.status = 'expired';
  return due.length > 0 ? ['expired'] : [];
}

/** Inventory, ledger and model say the same, and the rules hold. */
async function assertAgreement({ inside, event }: MemoryShop, model: Model): Promise<void> {
  const { eventId } = event;
  const { sold, held, available } = model;
  const counts = { ticketType: 'ga', capacity: CAPACITY, available, pending: 0, held, sold };
  assert.deepEqual(await inside.inventory.counts(eventId), [counts]);
  const claims = await inside.ledger.claims(eventId);
  assert.deepEqual({ held: claims.held.length, sold: claims.sold.length }, { held, sold });
  const audited = await audit(inside, eventId);
  assert.ok('ok' in audited && audited.ok, JSON.stringify(audited));
}

/** All steps on a new shop made of these parts; what they came to is added to `met`. */
function sales(parts: Partial<Parts> = {}, met = new Set<string>(), one: fc.Arbitrary<Step> = step) {
  return fc.asyncProperty(fc.array(one, { minLength: 5, maxLength: 25, size: 'max' }), async (steps) => {
    const [shop, model] = [await MemoryShop.open(CAPACITY, parts), new Model()];
    for (const step of steps) {
      for (const end of await take(shop, model, step)) met.add(end);
      await assertAgreement(shop, model);
    }
  });
}

const EVERY_END = [
  ...['granted', 'replayed', 'refused', 'lost', 'kept', 'expired'],
  ...['SOLD_OUT', 'ALL_HELD', 'IDEMPOTENCY_KEY_REUSED', 'HOLD_EXPIRED', 'HOLD_RELEASED', 'HOLD_CONFIRMED'],
];

/** Seeded bugs. */
const BUGS: Record<string, Partial<Parts>> = {
  'settling is forgotten': {
    Inventory: class extends MemoryInventory {
      override settle(): void {}
    },
  },
  'giving back is forgotten': {
    Inventory: class extends MemoryInventory {
      override giveBack(): void {}
    },
  },
  'tickets are given back twice, the second time when somebody else may have them': {
    Inventory: class extends MemoryInventory {
      #last: readonly Ticket[] = [];

      override giveBack(eventId: EventId, tickets: readonly Ticket[]): void {
        super.giveBack(eventId, this.#last);
        super.giveBack(eventId, tickets);
        this.#last = tickets;
      }
    },
  },
  'a crash forgets the holds': {
    Inventory: class extends MemoryInventory {
      override load(event: InventoryEvent, snapshot: InventorySnapshot): Promise<void> {
        return super.load(event, { ...snapshot, held: new Uint32Array(0) });
      }
    },
  },
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
  'a commit that failed is kept': {
    Ledger: class extends FaultyLedger {
      override commit(entries: readonly Entry[]): Verdict[] {
        if (this.fault === 'refused') MemoryLedger.prototype.commit.call(this, entries);
        return super.commit(entries);
      }
    },
  },
};

describe('sales', () => {
  test('[S2] inventory, ledger and model agree after every step', async () => {
    const met = new Set<string>();
    const before = await oversellsStopped();
    await fc.assert(sales({}, met), { numRuns: 300 });
    assert.equal(await oversellsStopped(), before, 'the inventory proposed what was taken');
    assert.deepEqual([...met].sort(), EVERY_END.sort());
  });

  test('[S1] with an inventory that proposes tickets twice, nothing changes but the work', async () => {
    class Unguarded extends MemoryInventory {
      protected override markTaken(): void {}
    }
    const before = await oversellsStopped();
    // A replay gives back the tickets that were proposed for it, which this inventory had given to others as well;
    // and it does not keep a ticket for a hold, because it does not know who took it.
    const act = (step: Step) => (step.act === 'hold' ? 'buy' : step.act);
    const unkeyed = step.map((step) => ({ ...step, key: undefined, act: act(step) }));
    await fc.assert(sales({ Inventory: Unguarded }, new Set(), unkeyed), { numRuns: 100 });
    assert.ok((await oversellsStopped()) > before);
  });

  test('[S9] a sweep that finds a hold which another has ended gives nothing back', async () => {
    class Stale extends FaultyLedger {
      #due: ReturnType<FaultyLedger['dueHolds']> | undefined;

      override dueHolds(nowMs: number, limit: number) {
        this.#due ??= super.dueHolds(nowMs, limit);
        return this.#due;
      }
    }
    const shop = await MemoryShop.open(1, { Ledger: Stale });
    const command = { eventId: shop.event.eventId, buyer: 'ann', lines: [{ ticketType: 'ga', quantity: 1 }] };
    await hold(shop.inside, command);
    shop.clock.pass(HOLD_TTL_MS);
    assert.equal(await expireDue(shop.inside, 100), 1);
    await hold(shop.inside, command);
    assert.equal(await expireDue(shop.inside, 100), 1);
    const [counts] = (await shop.inside.inventory.counts(shop.event.eventId))!;
    assert.deepEqual([counts?.available, counts?.held], [0, 1]);
  });

  for (const [bug, parts] of Object.entries(BUGS)) {
    test(`[S2] control: the model finds that ${bug}`, async () => {
      const { failed, numRuns } = await fc.check(sales(parts), { numRuns: 300, endOnFailure: true });
      assert.ok(failed, `not in ${numRuns} runs`);
    });
  }
});
