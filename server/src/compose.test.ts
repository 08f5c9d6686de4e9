// The ledger as inventories see it: a follower of its journal knows after every entry what the ledger has claimed.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TicketLayout } from '@floodgate/core/seating/layout.ts';
import { feedOf } from './compose.ts';
import { FollowingInventory } from './inventory/following/following-inventory.ts';
import { AVAILABLE, HELD, SOLD } from './inventory/inventory.ts';
import { MemoryLedger } from './ledger/contract/memory-ledger.ts';
import { EventEntries, LONG_MS, TestClock, ticketsOf } from './ledger/contract/test-entries.ts';
import type { Entry } from './ledger/ledger.ts';

const CAPACITY = 8;

describe('the feed of the ledger', () => {
  test('[S11] who follows the journal knows every claim, also those of staff, after each entry', async (t) => {
    const clock = new TestClock();
    const ledger = new MemoryLedger(clock);
    const inventory = new FollowingInventory(feedOf(ledger), { everyMs: 60_000 });
    t.after(() => inventory.close());
    const entries = new EventEntries(CAPACITY);
    const { eventId, event } = entries;
    let version = 1;
    const states: number[] = Array(CAPACITY).fill(AVAILABLE);
    const post = async (entry: Entry, to: number, ...tickets: number[]) => {
      const outcome = await ledger.post(entry);
      assert.ok(outcome.status === 'committed', JSON.stringify(outcome));
      if (entry.kind === 'change-event') version = outcome.seq;
      for (const ticket of tickets) states[ticket] = to;
      await inventory.catchUp(eventId);
      assert.deepEqual([...(await inventory.states(eventId))!], states, entry.kind);
    };
    await ledger.post(entries.create());
    const nothing = { seq: 0, held: new Uint32Array(0), sold: new Uint32Array(0) };
    await inventory.open({ eventId, layout: new TicketLayout(event) }, async () => nothing);
    const [hold, short] = [entries.hold([1, 2]), entries.hold([3], { ttlMs: 1_000 })];
    await post(entries.buy([0]), SOLD, 0);
    await post(hold, HELD, 1, 2);
    await post(short, HELD, 3);
    await post(entries.extend(hold.holdId, LONG_MS, 2 * LONG_MS), HELD);
    await post(entries.change(version, { setAside: ticketsOf(5, 6, 7) }), SOLD, 5, 6, 7);
    await post(entries.change(version, { action: 'renamed' }), SOLD);
    clock.pass(2_000);
    await post(entries.expire(short.holdId), AVAILABLE, 3);
    await post(entries.confirm(hold.holdId), SOLD, 1, 2);
    states[4] = SOLD;
    await post(
      entries.change(version, { setAside: ticketsOf(4), restored: ticketsOf(5, 7) }),
      AVAILABLE,
      5,
      7,
    );
    const last = entries.hold([7]);
    await post(last, HELD, 7);
    await post(entries.release(last.holdId), AVAILABLE, 7);
  });
});
