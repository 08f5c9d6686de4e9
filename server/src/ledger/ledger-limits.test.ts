// Controls of the contract's property on limits: where what a buyer has is not read, or not kept up to date inside a
// batch, somebody gets past them, and the property says so.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { EventId } from '@floodgate/core/ids.ts';
import fc from 'fast-check';
import type { Belongings } from './judge.ts';
import type { Outcome } from './ledger.ts';
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

async function violations(make: () => MemoryLedger): Promise<string[]> {
  const found: string[] = [];
  const property = fc.asyncProperty(buyersBatches, async (batches) => {
    const ledger = make();
    const entries = new EventEntries(12);
    ledger.commit([entries.create()]);
    const post = async (batch: Parameters<MemoryLedger['commit']>[0]) => ledger.commit(batch) as Outcome[];
    found.push(...(await overLimits(entries, batches, post)));
  });
  await fc.assert(property, { numRuns: 200, seed: 1 });
  return found;
}

describe('limits of a buyer', () => {
  test('[S8] no interleaving in one batch or over several gets past them', async () => {
    assert.deepEqual(await violations(() => new MemoryLedger(new TestClock())), []);
  });

  test('[S8] control: unread belongings let a buyer past them', async () => {
    assert.notDeepEqual(await violations(() => new Unread(new TestClock())), []);
  });

  test('[S8] control: belongings as they were before the batch let a buyer past them', async () => {
    assert.notDeepEqual(await violations(() => new AsBeforeTheBatch(new TestClock())), []);
  });
});
