// The proof that a database server judges and keeps what the memory twin does: random batches, the same verdicts,
// the same records afterwards.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { patienceMs } from '@floodgate/core/testing/patience.ts';
import fc from 'fast-check';
import type { Verdict } from '../judge/state.ts';
import type { Entry, Hold, Ledger } from '../ledger.ts';
import { MemoryLedger } from './memory-ledger.ts';
import {
  batches,
  EVERY_VERDICT,
  kindOf,
  MOST_BATCHES,
  type Recipe,
  recordsOf,
  World,
} from './test-batches.ts';
import { type EventEntries, TestClock } from './test-entries.ts';
import { withLedgers } from './test-ledgers.ts';
import { plain } from './test-script.ts';
import { HookedServer, type ServerKind } from './test-server.ts';

export function agreeing(kind: ServerKind): void {
  describe(`${kind.name} and the memory ledger`, { timeout: patienceMs(24_000) }, () => {
    test('[S1] random batches have the same verdicts on both, and leave the same records', async () => {
      await compare(kind, 1);
    });

    test('[S1] also when two processes take turns, so that each must learn what the other did', async () => {
      await compare(kind, 2);
    });
  });
}

const MOST_ROUNDS = 6;

/** Each batch is posted to the memory ledger, and to one of several ledgers on one server. */
async function compare(kind: ServerKind, processes: number): Promise<void> {
  const server = await kind.start();
  const clock = new TestClock();
  const memory = new MemoryLedger(clock);
  const met = new Set<string>();
  const forEach = <T>(arbitrary: fc.Arbitrary<T>) => fc.array(arbitrary, { minLength: MOST_BATCHES, maxLength: MOST_BATCHES }); // biome-ignore format: short
  const servers = Array.from({ length: processes }, () => new HookedServer(kind.make(server.url)));
  const [turns, foreseeable] = [forEach(fc.nat(processes - 1)), forEach(fc.boolean())];
  try {
    await withLedgers(
      servers,
      async (...ledgers) => {
        const property = fc.asyncProperty(
          batches,
          turns,
          foreseeable,
          async (batches, turns, foreseeable) => {
            const world = new World();
            const { events, holds } = world;
            for (const twin of [memory, ledgers[0]!]) await twin.post(events[0].create());
            for (const [index, { passMs, recipes }] of batches.entries()) {
              clock.pass(passMs);
              const simple = foreseeable[index] ? recipes.flatMap(simplified) : recipes;
              const entries = simple.map((recipe) => world.entryOf(recipe));
              const ledger = ledgers[turns[index]!]!;
              const [due, verdicts] = [await postAll(memory, entries), await postAll(ledger, entries)];
              assert.deepEqual(verdicts, due);
              world.learn(entries, verdicts);
              for (const verdict of verdicts) met.add(kindOf(verdict));
            }
            for (const { eventId } of events) await assertSame(memory, ledgers[0]!, eventId, holds);
          },
        );
        // Some verdicts are rare: more rounds until each was met.
        for (let round = 0; round < MOST_ROUNDS && met.size < EVERY_VERDICT.length; round++) {
          await fc.assert(property, { numRuns: 150 });
        }
        await assertSameWhole(memory, ledgers.at(-1)!);
      },
      { clock },
    );
    assert.deepEqual([...met].sort(), EVERY_VERDICT.sort());
    for (const { foreseen } of servers) assert.ok(foreseen.tried > 50, `${foreseen.tried} were foreseen`);
  } finally {
    await server.stop();
  }
}

/** Only what a process that alone sells an event judges on the head that it foresees. */
function simplified(recipe: Recipe): Recipe[] {
  const { kind } = recipe;
  return kind === 'buy' || kind === 'hold' || kind === 'refuse' ? [{ ...recipe, limits: null }] : [];
}

async function assertSameWhole(memory: Ledger, ledger: Ledger): Promise<void> {
  assert.deepEqual(plain(await ledger.events()), plain(await memory.events()));
  assert.deepEqual(await ledger.heads(), await memory.heads());
  assert.deepEqual(await ledger.streams(), await memory.streams());
  assert.equal(await ledger.keptKeys(), await memory.keptKeys());
}

/** All in one turn, so that they are one batch. */
async function postAll(ledger: Ledger, entries: readonly Entry[]): Promise<Verdict[]> {
  const settled = await Promise.allSettled(entries.map((entry) => ledger.post(structuredClone(entry))));
  return settled.map((result): Verdict => {
    if (result.status === 'fulfilled') return plain(result.value);
    assert.match(result.reason.message, /^broken invariant/);
    return { status: 'broken', message: result.reason.message };
  });
}

async function assertSame(
  memory: Ledger,
  ledger: Ledger,
  eventId: EventEntries['eventId'],
  holds: readonly Hold[],
): Promise<void> {
  if (!(await memory.heads()).some((head) => head.eventId === eventId)) return;
  const records = await recordsOf(memory, eventId, holds);
  assert.deepEqual(await recordsOf(ledger, eventId, holds), records);
  for (const { rule, ok, detail } of records.audit) assert.ok(ok, `${rule}: ${detail}`);
}
