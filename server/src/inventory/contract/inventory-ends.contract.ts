// The part of the inventory's contract that says how taken tickets end (rules S1, S9).
import assert from 'node:assert/strict';
import type { Ticket } from '@floodgate/core/ids.ts';
import type { Inventory } from '../inventory.ts';
import {
  arrange,
  assertRefused,
  BROKEN,
  EVENT,
  eventOf,
  GA,
  granted,
  inOrder,
  NOTHING,
  type Rule,
  type StateName,
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
