// Several processes on one database: who gets a ticket, in which order facts appear, who makes an event or an id.

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { patienceMs } from '@floodgate/core/testing/patience.ts';
import type { BatchConnection, BatchWrite } from '../servers/shared/sql-server.ts';
import { EventEntries, underKey } from './test-entries.ts';
import { assertAudited, tryPost, watchJournal, withLedgers } from './test-ledgers.ts';
import { assertGranted, assertRefused } from './test-script.ts';
import { HookedServer, type ServerKind, type StartedServer } from './test-server.ts';

export function racing(kind: ServerKind): void {
  let started: Promise<StartedServer> | undefined;
  const database = async () => {
    started ??= kind.start();
    return (await started).createDatabase();
  };
  after(async () => (await started)?.stop());

  describe(`${kind.name}: several processes`, { timeout: patienceMs(24_000) }, () => {
    sellingAtOnce(kind, database);
    sharing(kind, database);
  });
}

type NewDatabase = () => Promise<string>;

/** Holds the first batch of its server that sells for a second, between reading and writing. */
function holdFirstSale() {
  let held: Promise<void> | undefined;
  return async (write: BatchWrite, real: BatchConnection) => {
    if (!held && write.orders.length > 0) {
      held = sleep(1_000);
      await held;
    }
    await real.writeBatch(write);
  };
}

function sellingAtOnce(kind: ServerKind, database: NewDatabase): void {
  test('[S1, S11] of four that sell the same tickets each ticket has one buyer, and no gap is ever seen', async () => {
    const url = await database();
    const slow = new HookedServer(kind.make(url), { writeBatch: holdFirstSale() });
    const servers = [slow, kind.make(url), kind.make(url), kind.make(url), kind.make(url)];
    await withLedgers(servers, async (...ledgers) => {
      const watcher = ledgers.pop()!;
      const [entries, other] = [new EventEntries(400), new EventEntries(400)];
      await ledgers[0]!.post(entries.create());
      await ledgers[1]!.post(other.create());
      const watched = [watchJournal(watcher, entries), watchJournal(watcher, other)];
      const outcomes = await Promise.all(
        ledgers.map(async (ledger, who) => {
          const mine = [];
          for (let i = 0; i < 400; i += 20) {
            // Everybody wants nearly the same, each in another order and of both events.
            const wanted = Array.from({ length: 20 }, (_, n) => (i + n * 7 + who * 3) % 400);
            const batch = wanted.map((ticket, n) => ledger.post((n % 2 ? entries : other).buy([ticket])));
            mine.push(...(await Promise.all(batch)));
          }
          return mine;
        }),
      );
      const won = outcomes.flat().filter(({ status }) => status === 'committed').length;
      const seen = await Promise.all(watched.map((watch) => watch.stop()));
      assert.equal(won + 2, seen[0]! + seen[1]!);
      const heads = await watcher.heads();
      assert.equal(
        heads.reduce((sum, { sold }) => sum + sold, 0),
        won,
      );
      for (const event of [entries, other]) await assertAudited(watcher, event);
    });
  });

  test('[S11] control: without the lock on the head, sales take the same numbers and fail', async () => {
    const url = await database();
    const unlocked = () =>
      new HookedServer(kind.make(url), {
        async readBatch(query, real) {
          const rows = await real.readBatch(query);
          if (query.eventNos.length > 0) {
            await real.rollback();
            await sleep(20);
          }
          return rows;
        },
      });
    await withLedgers([unlocked(), unlocked()], async (...ledgers) => {
      const entries = new EventEntries(100);
      await ledgers[0]!.post(entries.create());
      const posts = ledgers.flatMap((ledger, who) =>
        Array.from({ length: 10 }, async (_, n) => {
          await sleep(n * 15);
          return tryPost(ledger, entries.buy([who * 50 + n]));
        }),
      );
      const outcomes = await Promise.all(posts);
      assert.ok(outcomes.includes('unavailable'), 'two batches had the same number, and one was refused');
    });
  });
}

function sharing(kind: ServerKind, database: NewDatabase): void {
  test('[S5] a key that is sent to two processes at once has one effect and one answer', async () => {
    const url = await database();
    await withLedgers([kind.make(url), kind.make(url), kind.make(url)], async (...ledgers) => {
      const entries = new EventEntries(300);
      await ledgers[0]!.post(entries.create());
      for (let round = 0; round < 20; round++) {
        const key = underKey(`round ${round}`);
        const twins = ledgers.map((ledger, who) => ledger.post(entries.buy([round * 3 + who], key)));
        const outcomes = await Promise.all(twins);
        assert.equal(outcomes.filter(({ replayed }) => !replayed).length, 1);
        const orders = outcomes.map((outcome) => assertAnswered(outcome));
        assert.equal(new Set(orders).size, 1);
      }
      assert.equal((await ledgers[0]!.orders(entries.eventId, 0, 100)).length, 20);
      await assertAudited(ledgers[0]!, entries);
    });
  });

  test('[S6] a hold that several processes end at once ends once', async () => {
    const url = await database();
    await withLedgers([kind.make(url), kind.make(url)], async (one, two) => {
      const entries = new EventEntries(60);
      await one!.post(entries.create());
      const holds = Array.from({ length: 20 }, (_, n) => entries.hold([n * 3, n * 3 + 1]));
      await Promise.all(holds.map((hold) => one!.post(hold)));
      const ends = await Promise.all(
        holds.map(({ holdId }) =>
          Promise.all([one!.post(entries.confirm(holdId)), two!.post(entries.release(holdId))]),
        ),
      );
      for (const [confirmed, released] of ends) {
        assert.equal([confirmed, released].filter(({ status }) => status === 'committed').length, 1);
      }
      await assertAudited(one!, entries);
    });
  });

  test('[S1] an event that two processes make at once is made once, and both sell it', async () => {
    const url = await database();
    await withLedgers([kind.make(url), kind.make(url), kind.make(url)], async (one, two, three) => {
      const events = Array.from({ length: 10 }, () => new EventEntries(4));
      for (const entries of events) {
        const again = new EventEntries(9, entries.eventId);
        const made = await Promise.all([one!.post(entries.create()), two!.post(again.create())]);
        assert.deepEqual(made.map(({ status }) => status).sort(), ['committed', 'refused']);
      }
      const names = events.map(({ eventId }) => eventId);
      const namesFrom = async (from?: number) =>
        (await three!.events(from)).events.map(({ event }) => event.eventId);
      assert.deepEqual(await namesFrom(), names);
      assert.deepEqual(await namesFrom(7), names.slice(7));
      for (const [ticket, ledger] of [one!, two!, three!].entries()) {
        assertGranted(await ledger.post(events[5]!.buy([ticket])));
        assertRefused(await ledger.post(events[5]!.create()), 'EVENT_EXISTS');
      }
      assertRefused(await three!.post(new EventEntries(1).buy([0])), 'EVENT_NOT_FOUND');
      await assertAudited(three!, events[5]!);
    });
  });

  test('every process has a node number of its own, gets another when it lost it, and gives it back', async () => {
    const url = await database();
    await withLedgers(Array(6).fill(kind.make(url)), async (...ledgers) => {
      const moved: number[] = [];
      const leases = ledgers.map((ledger) => ledger.leaseNodeId((nodeId) => moved.push(nodeId)));
      const nodeIds = await Promise.all(leases);
      assert.equal(new Set(nodeIds).size, 6);
      for (const nodeId of nodeIds) assert.ok(Number.isInteger(nodeId) && nodeId >= 0 && nodeId < 1_024);
      const connection = await kind.make(url).connect();
      await connection.query('UPDATE node_leases SET token = ? WHERE node_id = ?', ['thief', nodeIds[0]!]);
      await ledgers[0]!.renewNodeId();
      assert.equal(moved.length, 1);
      assert.ok(!nodeIds.includes(moved[0]!));
      await ledgers[1]!.close();
      const rows = await connection.query('SELECT node_id FROM node_leases WHERE expires_at_ms = 0');
      assert.deepEqual(rows.map((row) => Number(row.node_id)), [nodeIds[1]]); // biome-ignore format: short
      await connection.close();
    });
  });
}

function assertAnswered(outcome: Awaited<ReturnType<typeof tryPost>>): string {
  assert.ok(typeof outcome === 'object' && outcome.status === 'committed');
  return JSON.stringify({ ...outcome, replayed: undefined });
}
