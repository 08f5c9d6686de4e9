// The contract on the memory twin; and the proof that it is a twin: random batches have the same outcomes and
// leave the same records on it as on SQLite, whose verdicts cross between its threads unchanged.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { SqliteReader } from '../sqlite/reader.ts';
import { decodeVerdicts, encodeVerdicts } from '../sqlite/wire.ts';
import { SqliteWriter } from '../sqlite/writer.ts';
import { ledgerContract } from './ledger.contract.ts';
import { MemoryLedger } from './memory-ledger.ts';
import { batches, EVERY_VERDICT, kindOf, recordsOf, World } from './test-batches.ts';
import { TestClock } from './test-entries.ts';
import { plain } from './test-script.ts';

ledgerContract(
  'memory ledger',
  async (clock) => {
    const ledger = new MemoryLedger(clock);
    return { ledger, close: () => ledger.close() };
  },
  { followsTestClock: true, reopens: false },
);

describe('memory ledger and SQLite', () => {
  test('[S1] random batches have the same verdicts on both, and leave the same records', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'floodgate-'));
    const clock = new TestClock();
    const writer = new SqliteWriter(join(folder, 'ledger.db'), clock);
    const reader = new SqliteReader(join(folder, 'ledger.db'));
    const memory = new MemoryLedger(clock);
    const met = new Set<string>();
    const property = fc.asyncProperty(batches, async (batches) => {
      const world = new World();
      const { events, holds } = world;
      // The first event is there from the beginning, the second from its first `create` on.
      assert.deepEqual(memory.commit([events[0].create()]), writer.commit([events[0].create()]));
      for (const { passMs, recipes } of batches) {
        clock.pass(passMs);
        const entries = recipes.map((recipe) => world.entryOf(recipe));
        const verdicts = memory.commit(entries);
        assert.deepEqual(plain(writer.commit(entries)), plain(verdicts));
        const crossed = decodeVerdicts(entries, encodeVerdicts(entries, verdicts));
        assert.deepEqual(plain(crossed), plain(verdicts));
        world.learn(entries, verdicts);
        for (const verdict of verdicts) met.add(kindOf(verdict));
      }
      assert.deepEqual(reader.events(), await memory.events());
      assert.deepEqual(reader.streams(), await memory.streams());
      assert.equal(reader.keptKeys(), await memory.keptKeys());
      const known = new Set(reader.events().events.map(({ event }) => event.eventId));
      for (const { eventId } of events.filter((event) => known.has(event.eventId))) {
        const records = await recordsOf(memory, eventId, holds);
        assert.deepEqual(await recordsOf(reader, eventId, holds), records);
        for (const { rule, ok, detail } of records.audit) assert.ok(ok, `${rule}: ${detail}`);
      }
    });
    try {
      // Some verdicts are rare: more rounds until each was met.
      for (let round = 0; round < 6 && met.size < EVERY_VERDICT.length; round++) {
        await fc.assert(property, { numRuns: 150 });
      }
      assert.deepEqual([...met].sort(), EVERY_VERDICT.sort());
    } finally {
      reader.close();
      writer.close();
      rmSync(folder, { recursive: true });
    }
  });
});
