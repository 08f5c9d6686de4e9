// The batches of the golden texts: the same ones on every machine and for every dialect. What a batch holds depends on
// the verdicts before it, so the memory ledger judges them once and each dialect is given the result.

import type { EventId, HoldId, OrderId, Ticket } from '@floodgate/core/ids.ts';
import fc from 'fast-check';
import type { Entry, Ledger } from '../../ledger.ts';
import { MemoryLedger } from '../memory-ledger.ts';
import { batches, kindOf, type Recipe, World } from '../test-batches.ts';
import { TestClock } from '../test-entries.ts';

const SEED = 15;
export const BATCHES = 200;

interface GoldenBatch {
  readonly passMs: number;
  readonly entries: readonly Entry[];
}

export interface GoldenScript {
  readonly batches: readonly GoldenBatch[];
  /** By batch: what a ledger must say to each entry, in a word. */
  readonly verdicts: readonly (readonly string[])[];
}

export function goldenScript(): GoldenScript {
  const clock = new TestClock();
  const memory = new MemoryLedger(clock);
  const made: GoldenBatch[] = [];
  const verdicts: string[][] = [];
  const post = (world: World, passMs: number, entries: readonly Entry[]) => {
    if (entries.length === 0 || made.length === BATCHES) return;
    clock.pass(passMs);
    const judged = memory.commit(structuredClone(entries) as Entry[]);
    world.learn(entries, judged);
    made.push({ passMs, entries });
    verdicts.push(judged.map(kindOf));
  };
  for (const sample of fc.sample(batches, { seed: SEED, numRuns: BATCHES })) {
    if (made.length === BATCHES) break;
    const world = new World();
    post(world, 0, [world.events[0].create()]);
    for (const [index, { passMs, recipes }] of sample.entries()) {
      // Every other batch only claims, so that the servers' batches of one round trip are met too.
      const chosen = index % 2 === 0 ? recipes : recipes.flatMap(claimOnly);
      const entries = chosen.map((recipe) => world.entryOf(recipe));
      post(world, passMs, entries);
    }
  }
  return { batches: made, verdicts };
}

function claimOnly(recipe: Recipe): Recipe[] {
  const { kind } = recipe;
  return kind === 'buy' || kind === 'hold' || kind === 'refuse' ? [{ ...recipe, limits: null }] : [];
}

/** Every read of a ledger once, of an event that has some of everything. */
export function goldenReads({ batches }: GoldenScript): Record<string, (ledger: Ledger) => Promise<unknown>> {
  const all = batches.flatMap(({ entries }) => entries);
  const eventId = all[0]!.eventId as EventId;
  const { holdId } = all.find((entry) => entry.kind === 'hold') as { holdId: HoldId };
  const { orderId } = all.find((entry) => entry.kind === 'buy') as { orderId: OrderId };
  const { manifestId } = all.find((entry) => entry.kind === 'keep-manifest') as { manifestId: string };
  return {
    events: (ledger) => ledger.events(),
    'events, skipping one': (ledger) => ledger.events(1),
    event: (ledger) => ledger.event(eventId),
    heads: (ledger) => ledger.heads(),
    order: (ledger) => ledger.order(orderId),
    hold: (ledger) => ledger.hold(holdId),
    orders: (ledger) => ledger.orders(eventId, 0, 100),
    'orders, the second page': (ledger) => ledger.orders(eventId, 5, 2),
    ordersOf: (ledger) => ledger.ordersOf('ann', undefined, 20),
    'ordersOf, the second page': (ledger) => ledger.ordersOf('ann', orderId, 20),
    nextDeadline: (ledger) => ledger.nextDeadline(eventId),
    manifest: (ledger) => ledger.manifest(manifestId),
    dueHolds: (ledger) => ledger.dueHolds(Number.MAX_SAFE_INTEGER, 1_000),
    journal: (ledger) => ledger.journal(eventId, 0, 1_000),
    claims: (ledger) => ledger.claims(eventId),
    claimsOf: (ledger) => ledger.claimsOf(eventId, [0, 1, 2] as Ticket[]),
    keptKeys: (ledger) => ledger.keptKeys(),
    audit: (ledger) => ledger.audit(eventId),
  };
}
