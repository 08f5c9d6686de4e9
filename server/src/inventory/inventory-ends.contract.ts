// The part of the inventory's contract that says how taken tickets end (rules S1, S2, S9), and that whatever is done,
// the counts agree with a plain model.
import assert from 'node:assert/strict';
import type { Ticket } from '@floodgate/core/ids.ts';
import fc from 'fast-check';
import type { AnyWant, Inventory, TakeRefusal } from './inventory.ts';
import {
  arrange,
  assertRefused,
  BROKEN,
  claims,
  EVENT,
  eventOf,
  GA,
  granted,
  inOrder,
  NOTHING,
  type Rule,
  type StateName,
  VIP,
  want,
} from './test-events.ts';

export type Command = 'settle as held' | 'settle as sold' | 'give back';

/** What a command does to a ticket. Nothing moves a sold ticket, and nothing but a take holds an available one. */
const STEPS: Record<StateName, Record<Command, StateName>> = {
  available: { 'settle as held': 'available', 'settle as sold': 'sold', 'give back': 'available' },
  pending: { 'settle as held': 'held', 'settle as sold': 'sold', 'give back': 'available' },
  held: { 'settle as held': 'held', 'settle as sold': 'sold', 'give back': 'available' },
  sold: { 'settle as held': 'sold', 'settle as sold': 'sold', 'give back': 'sold' },
};
const STATES = Object.keys(STEPS) as StateName[];
const COMMANDS = Object.keys(STEPS.available) as Command[];

export async function command(
  inventory: Inventory,
  name: Command,
  tickets: readonly number[],
): Promise<void> {
  if (name === 'give back') return inventory.giveBack(EVENT, tickets as Ticket[]);
  return inventory.settle(EVENT, tickets as Ticket[], name === 'settle as held' ? 'held' : 'sold');
}

export function ending(rule: Rule): void {
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

/** A step of the model test. The model itself is an array: the state of each ticket, by its number. */
type Step =
  | { readonly kind: 'load'; readonly states: readonly StateName[] }
  | { readonly kind: 'take'; readonly wants: readonly AnyWant[] }
  | { readonly kind: Command; readonly tickets: readonly number[] };

const MODEL_EVENT = eventOf({ vip: 4, ga: 12 });
const MODEL_TYPES = [[VIP, 4] as const, [GA, 12] as const];
const LAYOUT = MODEL_EVENT.layout;

function modelStep(): fc.Arbitrary<Step> {
  const state = fc.constantFrom<StateName>('available', 'held', 'sold');
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

export function agreeingWithTheModel(rule: Rule): void {
  rule('[S2] after any commands, inventory and model have the same counts', async (inventory) => {
    const property = fc.asyncProperty(fc.array(modelStep(), { maxLength: 40 }), async (steps) => {
      const model: StateName[] = Array(LAYOUT.capacity).fill('available');
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
async function playStep(inventory: Inventory, model: StateName[], step: Step): Promise<void> {
  if (step.kind === 'load') {
    model.splice(0, model.length, ...step.states);
    const inState = (state: StateName) => [...model.keys()].filter((ticket) => model[ticket] === state);
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

function countByModel(model: StateName[], ticketType: string, ...states: StateName[]): number {
  const isOfType = (ticket: number) => LAYOUT.typeOf(ticket as Ticket).ticketTypeId === ticketType;
  return model.filter((state, ticket) => states.includes(state) && isOfType(ticket)).length;
}

function refusalByModel(model: StateName[], wants: readonly AnyWant[]): TakeRefusal | undefined {
  const refusals = wants.map(({ ticketType }): TakeRefusal | undefined => {
    const ofType = wants.filter((other) => other.ticketType === ticketType);
    const asked = ofType.reduce((sum, { quantity }) => sum + quantity, 0);
    if (asked <= countByModel(model, ticketType, 'available')) return undefined;
    if (asked <= countByModel(model, ticketType, 'available', 'pending')) return 'PENDING';
    return asked <= countByModel(model, ticketType, 'available', 'pending', 'held') ? 'ALL_HELD' : 'SOLD_OUT';
  });
  return (['SOLD_OUT', 'ALL_HELD', 'PENDING'] as const).find((refusal) => refusals.includes(refusal));
}

async function assertSameCounts(inventory: Inventory, model: StateName[]) {
  const counts = (await inventory.counts(EVENT))!;
  for (const [index, [ticketType, capacity]] of MODEL_TYPES.entries()) {
    const byState = STATES.map((state) => [state, countByModel(model, ticketType, state)] as const);
    assert.deepEqual(counts[index], { ticketType, capacity, ...Object.fromEntries(byState) });
    const { available, pending, held, sold } = counts[index]!;
    assert.equal(available + pending + held + sold, capacity);
  }
}
