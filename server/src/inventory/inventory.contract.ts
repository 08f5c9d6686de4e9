// What every inventory must do, as one suite of tests that each implementation runs. It is written against the
// asynchronous interface, and it does not say which of the equal tickets a take must choose.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type EventDefinition, TicketLayout } from '@floodgate/core/event.ts';
import { eventId, type Ticket, ticketTypeId } from '@floodgate/core/ids.ts';
import fc from 'fast-check';
import {
  AVAILABLE,
  HELD,
  type Inventory,
  type InventorySnapshot,
  PENDING,
  SOLD,
  type TakeRefusal,
  type TakeResult,
  type Want,
} from './inventory.ts';

type State = 'available' | 'pending' | 'held' | 'sold';
type Command = 'settle as held' | 'settle as sold' | 'give back';

/** What a command does to a ticket. Nothing moves a sold ticket, and nothing but a take holds an available one. */
const STEPS: Record<State, Record<Command, State>> = {
  available: { 'settle as held': 'available', 'settle as sold': 'sold', 'give back': 'available' },
  pending: { 'settle as held': 'held', 'settle as sold': 'sold', 'give back': 'available' },
  held: { 'settle as held': 'held', 'settle as sold': 'sold', 'give back': 'available' },
  sold: { 'settle as held': 'sold', 'settle as sold': 'sold', 'give back': 'sold' },
};
const STATES = Object.keys(STEPS) as State[];
const NUMBERS = { available: AVAILABLE, pending: PENDING, held: HELD, sold: SOLD } as const;
const COMMANDS = Object.keys(STEPS.available) as Command[];

export const EVENT = eventId('rock-night')!;
export const VIP = ticketTypeId('vip')!;
export const GA = ticketTypeId('ga')!;
export const NOTHING: InventorySnapshot = claims([], []);
const BROKEN = /broken invariant/;
const LONG_MS = 60_000;

/** An event of one general-admission type, or of `vip` before `ga`. */
export function eventOf(capacities: { vip?: number; ga?: number }, id = EVENT): EventDefinition {
  const ticketTypes = Object.entries(capacities).map(([name, capacity]) => {
    return { ticketTypeId: ticketTypeId(name)!, name, price: 0, currency: 'EUR', capacity };
  });
  const when = { startsAt: '2027-06-01T20:00:00Z', timeZone: 'Europe/Berlin' };
  return { eventId: id, name: id, venue: { name: 'Hall' }, ...when, status: 'open', ticketTypes };
}

/** A snapshot of the ledger's claims. */
export function claims(held: readonly number[], sold: readonly number[]): InventorySnapshot {
  return { seq: 0, held: Uint32Array.from(held), sold: Uint32Array.from(sold) };
}

/** The tickets of a take that must not be refused. */
export function granted(result: TakeResult): readonly Ticket[] {
  if ('refusal' in result) assert.fail(`refused: ${result.refusal}`);
  return result.tickets;
}

/** The promise, or a failure when it takes too long. Keeps the process alive meanwhile, as a waiting buyer does not. */
export async function inTime<T>(promise: Promise<T>, limitMs = 5_000): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`not within ${limitMs} ms`)), limitMs);
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Any tickets of a type. */
export const want = (quantity: number, ticketType = GA): Want => ({ ticketType, quantity });

const inOrder = (tickets: readonly Ticket[]) => tickets.toSorted((a, b) => a - b);

/** `ga` of the given numbers by state; the tickets that are pending are the answer. */
async function arrange(inventory: Inventory, state: Record<State, number>): Promise<readonly Ticket[]> {
  const { available, pending, held, sold } = state;
  const numbers = Array.from({ length: available + pending + held + sold }, (_, ticket) => ticket);
  const snapshot = claims(numbers.slice(0, held), numbers.slice(held, held + sold));
  await inventory.load(eventOf({ ga: numbers.length }), snapshot);
  return pending === 0 ? [] : granted(await inventory.take(EVENT, [want(pending)]));
}

async function command(inventory: Inventory, name: Command, tickets: readonly number[]): Promise<void> {
  if (name === 'give back') return inventory.giveBack(EVENT, tickets as Ticket[]);
  return inventory.settle(EVENT, tickets as Ticket[], name === 'settle as held' ? 'held' : 'sold');
}

/** Refused with the code given, and nothing taken (rule S3). */
async function assertRefused(inventory: Inventory, wants: readonly Want[], refusal: TakeRefusal) {
  const before = await inventory.counts(EVENT);
  assert.deepEqual(await inventory.take(EVENT, wants), { refusal });
  assert.deepEqual(await inventory.counts(EVENT), before);
}

/** Registers one test, with a fresh inventory of its own. */
type Rule = (title: string, check: (inventory: Inventory) => Promise<void>) => void;

type Make = () => Promise<{ inventory: Inventory; close(): Promise<void> }>;

/** Registers the suite. `make` gives a fresh inventory with no events. */
export function inventoryContract(name: string, make: Make): void {
  const rule: Rule = (title, check) => {
    test(title, async (context) => {
      const { inventory, close } = await make();
      context.after(close);
      await check(inventory);
    });
  };
  describe(`${name} keeps the inventory contract`, () => {
    loading(rule);
    taking(rule);
    refusing(rule);
    settlingAndGivingBack(rule);
    comparingAndRepairing(rule);
    waiting(rule);
    agreeingWithTheModel(rule);
  });
}

function loading(rule: Rule): void {
  rule('[S2] a loaded event counts its tickets by type, in the order of its types', async (inventory) => {
    await inventory.load(eventOf({ vip: 3, ga: 5 }), claims([0, 7], [2, 3, 4]));
    assert.deepEqual(await inventory.counts(EVENT), [
      { ticketType: VIP, capacity: 3, available: 1, pending: 0, held: 1, sold: 1 },
      { ticketType: GA, capacity: 5, available: 2, pending: 0, held: 1, sold: 2 },
    ]);
    assert.equal(await inventory.counts(eventId('jazz-night')!), undefined);
  });

  rule('[S2] a load replaces everything that was known of its event, and of no other', async (inventory) => {
    const other = eventId('jazz-night')!;
    await inventory.load(eventOf({ ga: 4 }, other), claims([], [1]));
    await inventory.load(eventOf({ ga: 4 }), claims([0], [1]));
    granted(await inventory.take(EVENT, [want(2)]));
    const otherBefore = await inventory.counts(other);
    await inventory.load(eventOf({ vip: 1, ga: 4 }), claims([], [3, 4]));
    assert.deepEqual(await inventory.counts(EVENT), [
      { ticketType: VIP, capacity: 1, available: 1, pending: 0, held: 0, sold: 0 },
      { ticketType: GA, capacity: 4, available: 2, pending: 0, held: 0, sold: 2 },
    ]);
    assert.deepEqual(inOrder(granted(await inventory.take(EVENT, [want(2)]))), [1, 2]);
    assert.deepEqual(await inventory.counts(other), otherBefore);
  });

  const wrong: Record<string, InventorySnapshot> = {
    'a held ticket outside the layout': claims([1, 4], []),
    'a sold ticket outside the layout': claims([], [1, 4]),
    'a ticket held twice': claims([1, 2, 1], []),
    'a ticket sold twice': claims([], [1, 2, 1]),
    'a ticket both held and sold': claims([1, 2], [2]),
  };
  for (const [what, snapshot] of Object.entries(wrong)) {
    rule(`[S1] loading ${what} throws and leaves the event as it was`, async (inventory) => {
      await inventory.load(eventOf({ ga: 4 }), claims([0], [2]));
      const before = await inventory.counts(EVENT);
      await assert.rejects(inventory.load(eventOf({ ga: 4 }), snapshot), BROKEN);
      assert.deepEqual(await inventory.counts(EVENT), before);
      assert.deepEqual(inOrder(granted(await inventory.take(EVENT, [want(2)]))), [1, 3]);
    });
  }
}

function taking(rule: Rule): void {
  rule('[S1] no ticket is given twice while takes race for more than there is', async (inventory) => {
    await inventory.load(eventOf({ ga: 100 }), NOTHING);
    const take = async () => inventory.take(EVENT, [want(1)]);
    const results = await Promise.all(Array.from({ length: 250 }, take));
    const tickets = results.flatMap((result) => ('refusal' in result ? [] : result.tickets));
    assert.deepEqual(inOrder(tickets), [...Array(100).keys()]);
    const refused = results.filter((result) => 'refusal' in result);
    assert.deepEqual(refused, Array(150).fill({ refusal: 'PENDING' }));
  });

  rule('[S3] a take of several wants gives what each of them asked for', async (inventory) => {
    await inventory.load(eventOf({ vip: 3, ga: 5 }), claims([1], [4]));
    const tickets = granted(await inventory.take(EVENT, [want(3), want(2, VIP), want(1)]));
    assert.deepEqual(inOrder(tickets), [0, 2, 3, 5, 6, 7]);
    const pending = (await inventory.counts(EVENT))!.map((counts) => counts.pending);
    assert.deepEqual(pending, [2, 4]);
  });

  rule('[S3] wants of one type add up to what must be left', async (inventory) => {
    await inventory.load(eventOf({ ga: 5 }), NOTHING);
    await assertRefused(inventory, [want(3), want(3)], 'SOLD_OUT');
    assert.equal(granted(await inventory.take(EVENT, [want(3), want(2)])).length, 5);
  });

  rule('[S3] a want that is no whole number from 1, or no want, is a broken invariant', async (inventory) => {
    await inventory.load(eventOf({ vip: 2, ga: 5 }), NOTHING);
    const before = await inventory.counts(EVENT);
    for (const quantity of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '2' as unknown as number]) {
      await assert.rejects(async () => inventory.take(EVENT, [want(1, VIP), want(quantity)]), BROKEN);
    }
    await assert.rejects(async () => inventory.take(EVENT, []), BROKEN);
    assert.deepEqual(await inventory.counts(EVENT), before);
  });
}

function refusing(rule: Rule): void {
  // available, pending, held, sold; how many are wanted; the answer. Rows sit on both sides of each limit.
  const table: readonly [number, number, number, number, number, TakeRefusal | 'granted'][] = [
    [3, 2, 2, 2, 3, 'granted'],
    [3, 2, 2, 2, 4, 'PENDING'],
    [3, 2, 2, 2, 5, 'PENDING'],
    [3, 2, 2, 2, 6, 'ALL_HELD'],
    [3, 2, 2, 2, 7, 'ALL_HELD'],
    [3, 2, 2, 2, 8, 'SOLD_OUT'],
    [3, 2, 2, 2, Number.MAX_SAFE_INTEGER, 'SOLD_OUT'],
    [0, 1, 3, 5, 1, 'PENDING'],
    [0, 0, 1, 5, 1, 'ALL_HELD'],
    [0, 0, 0, 5, 1, 'SOLD_OUT'],
    [0, 0, 0, 0, 1, 'SOLD_OUT'],
  ];
  rule('[S3] a refusal tells apart what is undecided, what is held and what is gone', async (inventory) => {
    for (const [available, pending, held, sold, wanted, answer] of table) {
      await arrange(inventory, { available, pending, held, sold });
      if (answer !== 'granted') await assertRefused(inventory, [want(wanted)], answer);
      else assert.equal(granted(await inventory.take(EVENT, [want(wanted)])).length, wanted);
    }
  });

  rule('[S3] what is not there is refused before what is not left', async (inventory) => {
    const unknown = want(1, ticketTypeId('balcony'));
    assert.deepEqual(await inventory.take(EVENT, [unknown]), { refusal: 'EVENT_NOT_FOUND' });
    await inventory.load(eventOf({ ga: 1 }), claims([], [0]));
    await assertRefused(inventory, [want(1), unknown], 'TICKET_TYPE_NOT_FOUND');
    await assertRefused(inventory, [unknown, want(1)], 'TICKET_TYPE_NOT_FOUND');
  });

  rule('[S3] over several wants the most final refusal is answered, in any order', async (inventory) => {
    // vip: 1 pending, 1 held, 1 sold. ga: 2 available, 1 pending, 1 held.
    await inventory.load(eventOf({ vip: 3, ga: 4 }), claims([0, 3], [1]));
    granted(await inventory.take(EVENT, [want(1, VIP), want(1)]));
    const cases: readonly [vip: number, ga: number, TakeRefusal][] = [
      [1, 2, 'PENDING'],
      [1, 3, 'PENDING'],
      [1, 4, 'ALL_HELD'],
      [2, 2, 'ALL_HELD'],
      [2, 5, 'SOLD_OUT'],
      [3, 2, 'SOLD_OUT'],
    ];
    for (const [vip, ga, refusal] of cases) {
      await assertRefused(inventory, [want(vip, VIP), want(ga)], refusal);
      await assertRefused(inventory, [want(ga), want(vip, VIP)], refusal);
    }
  });
}

function settlingAndGivingBack(rule: Rule): void {
  for (const from of STATES) {
    for (const name of COMMANDS) {
      const to = STEPS[from][name];
      const id = name === 'give back' ? 'S9' : 'S1';
      rule(`[${id}] ${name}, once, twice or listed twice: ${from} → ${to}`, async (inventory) => {
        const none = { ticketType: GA, capacity: 1, available: 0, pending: 0, held: 0, sold: 0 };
        for (const calls of [[[0]], [[0], [0]], [[0, 0]]]) {
          await arrange(inventory, { ...none, [from]: 1 });
          for (const tickets of calls) {
            await command(inventory, name, tickets);
            assert.deepEqual(await inventory.counts(EVENT), [{ ...none, [to]: 1 }]);
          }
        }
      });
    }
  }

  rule('[S9] tickets that return are given again exactly once', async (inventory) => {
    await inventory.load(eventOf({ ga: 6 }), NOTHING);
    const [a, b, ...rest] = granted(await inventory.take(EVENT, [want(6)]));
    await inventory.settle(EVENT, rest, 'sold');
    await inventory.settle(EVENT, [b!], 'held');
    await inventory.giveBack(EVENT, [a!, b!]);
    await inventory.giveBack(EVENT, [b!, a!]);
    assert.deepEqual(inOrder(granted(await inventory.take(EVENT, [want(2)]))), inOrder([a!, b!]));
    await assertRefused(inventory, [want(1)], 'PENDING');
  });

  rule('[S1] an available ticket that the ledger knows as claimed is not given', async (inventory) => {
    await inventory.load(eventOf({ ga: 3 }), NOTHING);
    await command(inventory, 'settle as sold', [0]);
    assert.deepEqual(inOrder(granted(await inventory.take(EVENT, [want(2)]))), [1, 2]);
    await assertRefused(inventory, [want(1)], 'PENDING');
  });

  rule('[S9] a late word of a hold that has ended does not keep its ticket', async (inventory) => {
    const [ticket] = await arrange(inventory, { available: 0, pending: 1, held: 0, sold: 0 });
    await command(inventory, 'give back', [ticket!]);
    await command(inventory, 'settle as held', [ticket!]);
    assert.deepEqual(granted(await inventory.take(EVENT, [want(1)])), [ticket]);
  });

  rule('[S9] a call with one wrong ticket throws and changes none of the others', async (inventory) => {
    for (const name of COMMANDS) await assert.rejects(command(inventory, name, [0]), BROKEN, 'not loaded');
    const pending = await arrange(inventory, { available: 1, pending: 1, held: 1, sold: 1 });
    const before = await inventory.counts(EVENT);
    for (const name of COMMANDS) {
      for (const wrong of [4, -1, 0.5, Number.NaN, 2 ** 32]) {
        await assert.rejects(command(inventory, name, [...pending, 0, wrong]), BROKEN);
      }
    }
    assert.deepEqual(await inventory.counts(EVENT), before);
  });
}

function comparingAndRepairing(rule: Rule): void {
  rule('[S2] the states of all tickets can be read, as a copy', async (inventory) => {
    assert.equal(await inventory.states(EVENT), undefined);
    const pending = await arrange(inventory, { available: 1, pending: 1, held: 1, sold: 1 });
    const states = (await inventory.states(EVENT))!;
    const expected = [HELD, SOLD, AVAILABLE, AVAILABLE] as number[];
    expected[pending[0]!] = PENDING;
    assert.deepEqual([...states], expected);
    states.fill(SOLD);
    assert.deepEqual([...(await inventory.states(EVENT))!], expected);
  });

  rule('[S2] a repair moves every ticket that is still as it was seen, and no other', async (inventory) => {
    const names = Object.keys(NUMBERS) as State[];
    for (const seen of names) {
      for (const to of names) {
        const pending = await arrange(inventory, { available: 1, pending: 1, held: 1, sold: 1 });
        const states = [...(await inventory.states(EVENT))!];
        const repairs = states.map((_, ticket) => {
          return { ticket: ticket as Ticket, from: NUMBERS[seen], to: NUMBERS[to] };
        });
        assert.equal(await inventory.repair(EVENT, repairs), 1, `${pending}`);
        const expected = states.map((state) => (state === NUMBERS[seen] ? NUMBERS[to] : state));
        assert.deepEqual([...(await inventory.states(EVENT))!], expected);
        const count = (name: State) => expected.filter((state) => state === NUMBERS[name]).length;
        const [counts] = (await inventory.counts(EVENT))!;
        for (const name of names) assert.equal(counts![name], count(name), name);
      }
    }
  });

  rule('[S9] what a repair makes available is given again, once', async (inventory) => {
    await arrange(inventory, { available: 0, pending: 1, held: 1, sold: 1 });
    const repairs = ([HELD, SOLD, PENDING] as const).map((from, ticket) => {
      return { ticket: ticket as Ticket, from, to: AVAILABLE } as const;
    });
    assert.equal(await inventory.repair(EVENT, repairs), 3);
    assert.equal(await inventory.repair(EVENT, repairs), 0);
    assert.deepEqual(inOrder(granted(await inventory.take(EVENT, [want(3)]))), [0, 1, 2]);
    await assert.rejects(inventory.repair(EVENT, [{ ticket: 3 as Ticket, from: SOLD, to: HELD }]), BROKEN);
  });

  rule('[S2] an event that is opened again stays as it is', async (inventory) => {
    const event = eventOf({ ga: 4 });
    await inventory.open(event, async () => claims([0], [1]));
    granted(await inventory.take(EVENT, [want(1)]));
    const before = await inventory.counts(EVENT);
    assert.equal(before![0]!.available, 1);
    await inventory.open(event, async () => NOTHING);
    assert.deepEqual(await inventory.counts(EVENT), before);
  });
}

function waiting(rule: Rule): void {
  const ends: readonly [Command | 'load', TakeResult][] = [
    ['settle as held', { refusal: 'ALL_HELD' }],
    ['settle as sold', { refusal: 'SOLD_OUT' }],
    ['give back', { tickets: [0 as Ticket] }],
    ['load', { refusal: 'TICKET_TYPE_NOT_FOUND' }],
  ];
  for (const [name, answer] of ends) {
    rule(`[S9] all who wait for a take in flight learn how it ended: ${name}`, async (inventory) => {
      await arrange(inventory, { available: 0, pending: 1, held: 0, sold: 0 });
      await assertRefused(inventory, [want(1)], 'PENDING');
      const waits = Array.from({ length: 1_000 }, () => inventory.nextChange(EVENT, LONG_MS));
      if (name === 'load') await inventory.load(eventOf({ vip: 1 }), NOTHING);
      else await command(inventory, name, [0]);
      await inTime(Promise.all(waits));
      assert.deepEqual(await inventory.take(EVENT, [want(1)]), answer);
    });
  }

  rule('[S9] a wait without a change ends by itself', async (inventory) => {
    await arrange(inventory, { available: 0, pending: 1, held: 0, sold: 0 });
    await inTime(inventory.nextChange(EVENT, 20));
    await inTime(inventory.nextChange(eventId('never-loaded')!, 20));
    await assertRefused(inventory, [want(1)], 'PENDING');
  });
}

/** A step of the model test. The model itself is an array: the state of each ticket, by its number. */
type Step =
  | { readonly kind: 'load'; readonly states: readonly State[] }
  | { readonly kind: 'take'; readonly wants: readonly Want[] }
  | { readonly kind: Command; readonly tickets: readonly number[] };

const MODEL_EVENT = eventOf({ vip: 4, ga: 12 });
const LAYOUT = new TicketLayout(MODEL_EVENT.ticketTypes);

function modelStep(): fc.Arbitrary<Step> {
  const state = fc.constantFrom<State>('available', 'held', 'sold');
  const states = fc.tuple(...Array.from({ length: LAYOUT.capacity }, () => state));
  const line = fc.record({ ticketType: fc.constantFrom(VIP, GA), quantity: fc.integer({ min: 1, max: 6 }) });
  const wants = fc.array(line, { minLength: 1, maxLength: 3 });
  const tickets = fc.array(fc.nat({ max: LAYOUT.capacity - 1 }), { maxLength: 5 });
  return fc.oneof(
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('load' as const), states }) },
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('take' as const), wants }) },
    { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom(...COMMANDS), tickets }) },
  );
}

function agreeingWithTheModel(rule: Rule): void {
  rule('[S2] after any commands, inventory and model have the same counts', async (inventory) => {
    const property = fc.asyncProperty(fc.array(modelStep(), { maxLength: 40 }), async (steps) => {
      const model: State[] = Array(LAYOUT.capacity).fill('available');
      await inventory.load(MODEL_EVENT, NOTHING);
      for (const step of steps) {
        await playStep(inventory, model, step);
        await assertSameCounts(inventory, model);
      }
    });
    await fc.assert(property, { numRuns: 300 });
  });
}

/** Does the step to both, and compares what the inventory answers. */
async function playStep(inventory: Inventory, model: State[], step: Step): Promise<void> {
  if (step.kind === 'load') {
    model.splice(0, model.length, ...step.states);
    const inState = (state: State) => [...model.keys()].filter((ticket) => model[ticket] === state);
    await inventory.load(MODEL_EVENT, claims(inState('held'), inState('sold')));
  } else if (step.kind === 'take') {
    const result = await inventory.take(EVENT, step.wants);
    const refusal = refusalByModel(model, step.wants);
    if (refusal !== undefined) return assert.deepEqual(result, { refusal });
    const tickets = granted(result);
    for (const ticket of tickets) assert.equal(model.splice(ticket, 1, 'pending')[0], 'available');
    const types = tickets.map((ticket) => LAYOUT.typeOf(ticket).ticketTypeId);
    const wanted = step.wants.flatMap(({ ticketType, quantity }) => Array(quantity).fill(ticketType));
    assert.deepEqual(types.sort(), wanted.sort());
  } else {
    const { kind, tickets } = step;
    await command(inventory, kind, tickets);
    for (const ticket of tickets) model[ticket] = STEPS[model[ticket]!][kind];
  }
}

function countByModel(model: State[], ticketType: string, ...states: State[]): number {
  const isOfType = (ticket: number) => LAYOUT.typeOf(ticket as Ticket).ticketTypeId === ticketType;
  return model.filter((state, ticket) => states.includes(state) && isOfType(ticket)).length;
}

function refusalByModel(model: State[], wants: readonly Want[]): TakeRefusal | undefined {
  const refusals = wants.map(({ ticketType }): TakeRefusal | undefined => {
    const ofType = wants.filter((other) => other.ticketType === ticketType);
    const asked = ofType.reduce((sum, { quantity }) => sum + quantity, 0);
    if (asked <= countByModel(model, ticketType, 'available')) return undefined;
    if (asked <= countByModel(model, ticketType, 'available', 'pending')) return 'PENDING';
    return asked <= countByModel(model, ticketType, 'available', 'pending', 'held') ? 'ALL_HELD' : 'SOLD_OUT';
  });
  return (['SOLD_OUT', 'ALL_HELD', 'PENDING'] as const).find((refusal) => refusals.includes(refusal));
}

async function assertSameCounts(inventory: Inventory, model: State[]) {
  const counts = (await inventory.counts(EVENT))!;
  for (const [index, { ticketTypeId: ticketType, capacity }] of MODEL_EVENT.ticketTypes.entries()) {
    const byState = STATES.map((state) => [state, countByModel(model, ticketType, state)] as const);
    assert.deepEqual(counts[index], { ticketType, capacity, ...Object.fromEntries(byState) });
    const { available, pending, held, sold } = counts[index]!;
    assert.equal(available + pending + held + sold, capacity);
  }
}
