// Small events, snapshots and wants for tests of inventories, and what they assert again and again.

import assert from 'node:assert/strict';
import type { Block, TicketType } from '@floodgate/core/event/event.ts';
import { eventId, type Ticket, ticketTypeId } from '@floodgate/core/ids.ts';
import { blocksFor, TicketLayout } from '@floodgate/core/seating/layout.ts';
import type { Manifest } from '@floodgate/core/seating/manifest.ts';
import { seatPlanOf } from '@floodgate/core/seating/seat-plan.ts';
import { sectionOf, sells } from '@floodgate/core/testing/houses.ts';
import { patienceMs } from '@floodgate/core/testing/patience.ts';
import {
  AVAILABLE,
  type BestWant,
  HELD,
  type Inventory,
  type InventoryEvent,
  type InventorySnapshot,
  PENDING,
  SOLD,
  type TakeRefusal,
  type TakeResult,
  type Want,
} from '../inventory.ts';

export const EVENT = eventId('rock-night')!;
export const VIP = ticketTypeId('vip')!;
export const GA = ticketTypeId('ga')!;
export const STD = ticketTypeId('std')!;
export const NOTHING: InventorySnapshot = claims([], []);
export const BROKEN = /broken invariant/;

/** Registers one test, with a fresh inventory of its own. */
export type Rule = (title: string, check: (inventory: Inventory) => Promise<void>) => void;

export type StateName = 'available' | 'pending' | 'held' | 'sold';
export const STATE_NUMBERS = { available: AVAILABLE, pending: PENDING, held: HELD, sold: SOLD } as const;

/**
 * An event of one general-admission type, or of `vip` before `ga`. `more`: blocks of tickets that were added later.
 */
export function eventOf(
  capacities: { vip?: number; ga?: number },
  id = EVENT,
  more: readonly Block[] = [],
): InventoryEvent {
  const ticketTypes = Object.entries(capacities).map(([name, capacity]) => admits(name, capacity));
  return { eventId: id, layout: layoutOf({ ticketTypes }, more) };
}

/** Sections with rows as core/test-manifest.ts writes them, sold as `std` and, capitals, as `vip`; and `ga` tickets. */
export function houseOf(
  rows: Readonly<Record<string, readonly string[]>>,
  { ga = 0, more = [] }: { readonly ga?: number; readonly more?: readonly Block[] } = {},
): InventoryEvent {
  const manifest = { name: 'House', sections: Object.entries(rows).map(([name, of]) => sectionOf(name, of)) };
  const text = Object.values(rows).flat().join('');
  const ticketTypes = [
    ...(/[sac]/.test(text) ? [sells('std')] : []),
    ...(/[SAC]/.test(text) ? [sells('vip')] : []),
    ...(ga > 0 ? [admits('ga', ga)] : []),
  ];
  return { eventId: EVENT, layout: layoutOf({ ticketTypes, manifest }, more) };
}

/** A ticket type without seats. */
function admits(name: string, capacity: number): TicketType {
  return { ...sells(name), capacity, category: undefined };
}

/** `more`: blocks of general admission that were added later. */
export function layoutOf(
  { ticketTypes, manifest }: { readonly ticketTypes: readonly TicketType[]; readonly manifest?: Manifest },
  more: readonly Block[] = [],
): TicketLayout {
  const plan = manifest && seatPlanOf(manifest, ticketTypes);
  return new TicketLayout({ ticketTypes, blocks: [...blocksFor(ticketTypes, plan), ...more] }, plan);
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
export async function inTime<T>(promise: Promise<T>, limitMs = patienceMs(1_000)): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`not within ${limitMs} ms`)), limitMs);
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Any tickets of a type. */
export const want = (quantity: number, ticketType = GA): Want => ({ ticketType, quantity });

/** Named tickets. */
export const these = (...tickets: number[]): Want => ({ tickets: tickets as Ticket[] });

/** The best seats for a party. */
export const best = (party: number, more: Omit<Partial<BestWant>, 'best'> = {}): Want => ({
  ticketType: STD,
  best: party,
  ...more,
});

/** Numbers from 0 to below 1, the same ones for the same seed. */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 8) / 2 ** 24;
  };
}

export const inOrder = (tickets: readonly Ticket[]) => tickets.toSorted((a, b) => a - b);

/** `ga` of the given numbers by state; the tickets that are pending are the answer. */
export async function arrange(
  inventory: Inventory,
  state: Record<StateName, number>,
): Promise<readonly Ticket[]> {
  const { available, pending, held, sold } = state;
  const numbers = Array.from({ length: available + pending + held + sold }, (_, ticket) => ticket);
  const snapshot = claims(numbers.slice(0, held), numbers.slice(held, held + sold));
  await inventory.load(eventOf({ ga: numbers.length }), snapshot);
  return pending === 0 ? [] : granted(await inventory.take(EVENT, [want(pending)]));
}

/** Refused with the code given, and nothing taken (rule S3). `taken`: the tickets that SEAT_TAKEN names. */
export async function assertRefused(
  inventory: Inventory,
  wants: readonly Want[],
  refusal: TakeRefusal,
  taken?: readonly number[],
) {
  const before = await inventory.counts(EVENT);
  const answer = await inventory.take(EVENT, wants);
  assert.ok('refusal' in answer, `not refused with ${refusal}`);
  assert.deepEqual([answer.refusal, answer.taken && inOrder(answer.taken)], [refusal, taken]);
  assert.deepEqual(await inventory.counts(EVENT), before);
}
