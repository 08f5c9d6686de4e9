// What a worker may count on that must run in one process: on every store.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Leases, LeaseTimes } from '../sql/lease.ts';

export interface LeaseKind {
  readonly name: string;
  /** A way to open leases as one process has them; all of one call are on one fresh database. */
  fresh(): Promise<(times?: LeaseTimes) => Leases>;
}

const never = () => assert.fail('a lease was lost that nobody took');

/** Of this process alone: for stores that no other process may have. */
export function leaseContract(kind: LeaseKind): void {
  describe(`leases: ${kind.name}`, () => {
    const opened: Leases[] = [];
    after(() => Promise.all(opened.map((leases) => leases.close())));
    const fresh = async () => {
      const open = await kind.fresh();
      return (times?: LeaseTimes) => {
        opened.push(open(times));
        return opened.at(-1)!;
      };
    };

    test('a name is held once until it is released; other names are others', async () => {
      const leases = (await fresh())();
      const lease = await leases.take('captures', never);
      assert.equal(lease?.isHeld, true);
      assert.equal(await leases.take('captures', never), undefined);
      const both = await Promise.all([leases.take('mail', never), leases.take('mail', never)]);
      assert.equal(both.filter((each) => each?.isHeld).length, 1);
      await lease.release();
      assert.equal(lease.isHeld, false);
      await lease.release();
      assert.equal((await leases.take('captures', never))?.isHeld, true);
    });

    test('what is held when the process ends in order is free immediately', async () => {
      const open = await fresh();
      const leases = open();
      await leases.take('captures', never);
      await leases.close();
      assert.equal((await open().take('captures', never))?.isHeld, true);
    });
  });
}

/** Of several processes that share a database server. */
export function sharedLeaseContract(kind: LeaseKind): void {
  leaseContract(kind);
  const SHORT = { leaseMs: 400, renewMs: 100 };
  /** A process that stands still: it does not renew, and does not know. */
  const STOPPED = { leaseMs: 400, renewMs: 600_000 };

  test(`${kind.name}: of many that want a lease at once one has it, and others when it is released`, async () => {
    const open = await kind.fresh();
    const all = Array.from({ length: 6 }, () => open());
    const taken = await Promise.all(all.map((leases) => leases.take('captures', never)));
    const held = taken.filter((lease) => lease !== undefined);
    assert.equal(held.length, 1);
    await held[0]!.release();
    const next = await Promise.all(all.map((leases) => leases.take('captures', never)));
    assert.equal(next.filter((lease) => lease !== undefined).length, 1);
    await Promise.all(all.map((leases) => leases.close()));
  });

  test(`${kind.name}: a lease that is renewed outlives its time, also while others want it`, async () => {
    const open = await kind.fresh();
    const [mine, other] = [open({ leaseMs: 3_000, renewMs: 50 }), open(SHORT)];
    const lease = await mine.take('captures', never);
    const untilMs = performance.now() + 4_000;
    while (performance.now() < untilMs) {
      assert.equal(await other.take('captures', never), undefined);
      await sleep(50);
    }
    assert.equal(lease?.isHeld, true);
    await Promise.all([mine.close(), other.close()]);
  });

  test(`${kind.name}: who does not renew loses it to another, knows it by its own clock, and is told once`, async () => {
    const open = await kind.fresh();
    const [mine, other] = [open(STOPPED), open(SHORT)];
    let lost = 0;
    const lease = await mine.take('captures', () => lost++);
    let taken = await other.take('captures', () => {});
    assert.equal(taken, undefined);
    while (taken === undefined) taken = await other.take('captures', () => {});
    // Never do both hold it: the first counts from before it asked, the server from when it was asked.
    assert.equal(lease?.isHeld, false);
    await sleep(20);
    assert.equal(lost, 1);
    await Promise.all([mine.close(), other.close()]);
    assert.equal(lost, 1);
  });
}
