// Controls of the contract's property on limits: where what a buyer has is not read, or not kept up to date inside a
// batch, somebody gets past them, and the property says so.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { EventId } from '@floodgate/core/ids.ts';
import fc from 'fast-check';
import type { Belongings, EventState } from '../judge/state.ts';
import type { Entry, Outcome } from '../ledger.ts';
import { SqliteWriter } from '../sqlite/writer.ts';
import { buyersBatches, overLimits } from './ledger-limits.contract.ts';
import { MemoryLedger } from './memory-ledger.ts';
import { EventEntries, TestClock } from './test-entries.ts';

class Unread extends MemoryLedger {
  protected override belongingsOf(): Belongings {
    return { tickets: new Set(), holds: new Set() };
  }
}

class AsBeforeTheBatch extends MemoryLedger {
  protected override belongingsOf(eventId: EventId, buyer: string): Belongings {
    const { tickets, holds } = super.belongingsOf(eventId, buyer);
    tickets.add = () => tickets;
    holds.add = () => holds;
    return { tickets, holds };
  }
}

class UnreadOnDisk extends SqliteWriter {
  protected override readBelongings(event: EventState, buyer: string): void {
    event.buyers.set(buyer, { tickets: new Set(), holds: new Set() });
  }
}

async function violations(ledger: Pick<MemoryLedger, 'commit'>, numRuns = 200): Promise<string[]> {
  const found: string[] = [];
  const property = fc.asyncProperty(buyersBatches, async (batches) => {
    const entries = new EventEntries(12);
    ledger.commit([entries.create()]);
    const post = async (batch: readonly Entry[]) => ledger.commit(batch) as Outcome[];
    found.push(...(await overLimits(entries, batches, post)));
  });
  await fc.assert(property, { numRuns, seed: 1 });
  return found;
}

describe('limits of a buyer', () => {
  test('[S8] no interleaving in one batch or over several gets past them', async () => {
    assert.deepEqual(await violations(new MemoryLedger(new TestClock())), []);
  });

  test('[S8] control: unread belongings let a buyer past them', async () => {
    assert.notDeepEqual(await violations(new Unread(new TestClock())), []);
  });

  test('[S8] control: belongings as they were before the batch let a buyer past them', async () => {
    assert.notDeepEqual(await violations(new AsBeforeTheBatch(new TestClock())), []);
  });

  test('[S8] SQLite keeps to them, and control: not when it does not read what a buyer has', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'floodgate-'));
    const writers = [SqliteWriter, UnreadOnDisk].map((Writer) => {
      return new Writer(join(folder, `${Writer.name}.db`), new TestClock());
    });
    try {
      const [sound, unsound] = writers;
      assert.deepEqual(await violations(sound!, 40), []);
      assert.notDeepEqual(await violations(unsound!, 40), []);
    } finally {
      for (const writer of writers) writer.close();
      rmSync(folder, { recursive: true });
    }
  });
});
