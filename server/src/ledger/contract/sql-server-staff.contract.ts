// Staff and limits with several processes on one database: no process sells by a definition that another has replaced,
// limits hold for purchases that two make at once, and a manifest of megabytes is kept.

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { SHOP, type StreamId } from '@floodgate/core/ids.ts';
import { patienceMs } from '@floodgate/core/testing/patience.ts';
import type { BuyerLimits, Outcome } from '../ledger.ts';
import {
  type BatchConnection,
  type BatchWrite,
  type ForeseenHead,
  type KnownHead,
  NOTHING_ASKED,
} from '../servers/shared/sql-server.ts';
import type { SqlLedger } from '../servers/sql-ledger.ts';
import { EventEntries, keepManifest, openShop, recordOfShop, ticketsOf } from './test-entries.ts';
import { assertAudited, withLedgers } from './test-ledgers.ts';
import { assertGranted, assertRefused } from './test-script.ts';
import { HookedServer, type ServerKind, type StartedServer } from './test-server.ts';

type NewDatabase = () => Promise<string>;

export function staffing(kind: ServerKind): void {
  let started: Promise<StartedServer> | undefined;
  const database = async () => {
    started ??= kind.start();
    return (await started).createDatabase();
  };
  after(async () => (await started)?.stop());

  describe(`${kind.name}: what staff change`, { timeout: patienceMs(24_000) }, () => {
    changingWhileSelling(kind, database);
    growing(kind, database);
    limiting(kind, database);
    keeping(kind, database);
    losingAnswers(kind, database);
  });
}

const ROUNDS = 30;

/**
 * One process sells by the version that it last heard of, batch after batch, while the other changes the event again
 * and again. Returns how many tickets were sold by a version that the journal says was no longer the event's.
 */
async function sellWhileChanging(one: SqlLedger, two: SqlLedger, isChecked = true): Promise<number> {
  const entries = new EventEntries(10_000);
  let version = assertGranted(await one.post(entries.create())).seq;
  const boughtBy = new Map<string, number>();
  let ticket = 0;
  const sell = async (by: number) => {
    const buys = Array.from({ length: 3 }, () => entries.buy([ticket++], isChecked ? { version: by } : {}));
    for (const { orderId } of buys) boughtBy.set(orderId, by);
    return Promise.all(buys.map((buy) => one.post(buy)));
  };
  for (let round = 0; round < ROUNDS; round++) {
    const known = version;
    const selling = (async () => {
      for (let i = 0; i < 4; i++) await sell(known);
    })();
    const change = assertGranted(await two.post(entries.change(known)));
    version = change.seq;
    await selling;
    // It has learned of it and sells alone, until it dares to foresee: the next change is a surprise again.
    for (let i = 0; i < 12; i++) for (const outcome of await sell(version)) assertGranted(outcome);
  }
  return countStale(await two.journal(entries.eventId, 0, 10_000), boughtBy);
}

function countStale(
  journal: Awaited<ReturnType<SqlLedger['journal']>>,
  boughtBy: ReadonlyMap<string, number>,
): number {
  let [version, stale, sold] = [1, 0, 0];
  for (const { kind, seq, fact } of journal) {
    if (kind === 'event-changed') version = seq;
    if (kind !== 'bought') continue;
    sold++;
    if (boughtBy.get(fact.orderId as string) !== version) stale++;
  }
  assert.ok(version > ROUNDS && sold > ROUNDS, `${sold} sales, the last version is ${version}`);
  return stale;
}

function changingWhileSelling(kind: ServerKind, database: NewDatabase): void {
  test('[S1] nobody sells by a definition that another process has replaced, in foreseen batches neither', async (t) => {
    const url = await database();
    const server = new HookedServer(kind.make(url));
    await withLedgers([server, kind.make(url)], async (one, two) => {
      assert.equal(await sellWhileChanging(one!, two!), 0);
      const { tried, refused } = server.foreseen;
      t.diagnostic(`${tried} batches were foreseen, ${refused} of them wrongly`);
      assert.ok(tried > ROUNDS && refused > ROUNDS / 4);
    });
  });

  test('[S1] control: sales that name no version are sold after the change', async () => {
    const url = await database();
    await withLedgers([kind.make(url), kind.make(url)], async (one, two) => {
      assert.ok((await sellWhileChanging(one!, two!, false)) > 0);
    });
  });

  test('[S1] control: where the server does not look at the head, a foreseen batch sells by the old version', async () => {
    const url = await database();
    const blind = new HookedServer(kind.make(url), { writeForeseen: writeWhereverItStands });
    await withLedgers([blind, kind.make(url)], async (one, two) => {
      assert.ok((await sellWhileChanging(one!, two!)) > 0);
    });
  });

  test('[S1] of two changes made from the same version one is refused, wherever they are made', async () => {
    const url = await database();
    await withLedgers([kind.make(url), kind.make(url)], async (one, two) => {
      const entries = new EventEntries(10);
      let version = assertGranted(await one!.post(entries.create())).seq;
      for (let round = 0; round < 20; round++) {
        const outcomes = await Promise.all(
          [one!, two!].map((ledger) => ledger.post(entries.change(version))),
        );
        const [granted, refused] = outcomes.sort((a, b) => a.status.localeCompare(b.status));
        assertRefused(refused!, 'EVENT_CHANGED');
        version = assertGranted(granted!).seq;
        assert.equal((await one!.event(entries.eventId))!.version, version);
      }
      await assertAudited(two!, entries);
    });
  });
}

/** Locks the heads and writes the foreseen batch behind where they are, as if the guess had been right. */
async function writeWhereverItStands(
  foreseen: readonly ForeseenHead[],
  write: BatchWrite,
  real: BatchConnection,
): Promise<void> {
  const eventNos = foreseen.map(({ eventNo }) => eventNo);
  const { heads } = await real.readBatch({ ...NOTHING_ASKED, eventNos });
  const [head] = heads;
  const by = Number(head!.seq) - foreseen[0]!.seq;
  const move = (each: KnownHead) => ({ ...each, seq: each.seq + by, version: Number(head!.version) });
  await real.writeBatch({
    ...write,
    heads: write.heads.map(move),
    orders: write.orders.map((order) => ({ ...order, seq: order.seq + by })),
    journal: write.journal.map(({ eventNo, entry }) => ({
      eventNo,
      entry: { ...entry, seq: entry.seq + by },
    })),
  });
}

function growing(kind: ServerKind, database: NewDatabase): void {
  test('[S2] tickets that another process added, took out of sale or put back are known at once', async () => {
    const url = await database();
    await withLedgers([kind.make(url), kind.make(url)], async (one, two) => {
      const entries = new EventEntries(10);
      assertGranted(await one!.post(entries.create()));
      assertGranted(await one!.post(entries.buy([0])));
      await assert.rejects(one!.post(entries.buy([15])), /broken invariant/);

      const more = entries.grown(10);
      const growth = assertGranted(await two!.post(entries.change(1, { event: more })));
      assertGranted(await one!.post(entries.buy([15], { version: growth.seq })));
      assertGranted(await one!.post(entries.buy([16])));
      await assert.rejects(one!.post(entries.buy([20])), /broken invariant/);

      const kill = entries.change(growth.seq, { event: more, setAside: ticketsOf(17, 18, 19) });
      const killed = assertGranted(await two!.post(kill));
      const { taken } = assertRefused(await one!.post(entries.buy([18, 15])), 'TICKET_TAKEN');
      assert.deepEqual(
        taken!.map(({ ticket, as }) => `${ticket} ${as}`),
        ['18 aside', '15 sold'],
      );
      const drop = entries.change(killed.seq, { event: more, restored: ticketsOf(18) });
      assertGranted(await two!.post(drop));
      assertGranted(await one!.post(entries.buy([18])));

      const { held, sold, aside } = await two!.claims(entries.eventId);
      assert.deepEqual([[...held], [...sold].sort(byNumber), [...aside].sort(byNumber)], [[], [0, 15, 16, 18], [17, 19]]); // biome-ignore format: a table
      const [head] = await one!.heads();
      assert.deepEqual([head!.held, head!.sold, head!.aside], [0, 4, 2]);
      const of17 = await one!.claimsOf(entries.eventId, ticketsOf(17));
      assert.deepEqual(of17, [{ ticket: 17, as: 'aside', by: kill.allocationId }]);
      for (const ledger of [one!, two!]) await assertAudited(ledger, entries);
    });
  });

  test('[S1] of 50,000 tickets that staff takes out of sale while they sell, each is sold or aside', async (t) => {
    const url = await database();
    await withLedgers([kind.make(url), kind.make(url)], async (one, two) => {
      const entries = new EventEntries(100_000);
      assertGranted(await one!.post(entries.create()));
      const sales = Array.from({ length: 30 }, (_, n) => one!.post(entries.buy([60_000 + n * 1_000])));
      const free = Array.from({ length: 50_000 }, (_, n) => n);
      const setAside = ticketsOf(...free);
      const sinceMs = performance.now();
      const change = assertGranted(await two!.post(entries.change(1, { setAside })));
      t.diagnostic(`50,000 tickets were set aside in ${Math.round(performance.now() - sinceMs)} ms`);
      for (const sale of await Promise.all(sales)) assertGranted(sale);
      const again = entries.change(change.seq, { restored: setAside });
      const restoringMs = performance.now();
      assertGranted(await two!.post(again));
      t.diagnostic(`and put back in ${Math.round(performance.now() - restoringMs)} ms`);
      await assertAudited(one!, entries);
    });
  });
}

function limiting(kind: ServerKind, database: NewDatabase): void {
  const atMost = (max: number): BuyerLimits => ({ tickets: [{ ranges: [[0, 1_000]], max }], holds: 2 });

  /** Eight at each of two processes buy concurrently; the result is how many got a ticket. */
  const rush = async (limits: BuyerLimits | undefined): Promise<{ won: number; outcomes: Outcome[] }> => {
    const url = await database();
    let outcomes: Outcome[] = [];
    await withLedgers([kind.make(url), kind.make(url)], async (...ledgers) => {
      const entries = new EventEntries(1_000);
      assertGranted(await ledgers[0]!.post(entries.create()));
      const buyer = 'user:ann';
      const posts = Array.from({ length: 16 }, (_, n) => {
        const rest = { buyer, limits };
        return ledgers[n % 2]!.post(n % 4 < 2 ? entries.buy([n], rest) : entries.hold([n], rest));
      });
      outcomes = await Promise.all(posts);
      await assertAudited(ledgers[0]!, entries);
    });
    return { won: outcomes.filter(({ status }) => status === 'committed').length, outcomes };
  };

  test('[S8] a buyer who buys and holds at two processes at once gets no more than the limit', async () => {
    const { won, outcomes } = await rush(atMost(3));
    assert.equal(won, 3);
    for (const outcome of outcomes) if (outcome.status === 'refused') assertRefused(outcome, 'LIMIT_REACHED');
    assert.equal((await rush(undefined)).won, 16, 'control: without limits everything is granted');
  });

  test('[S8] limits count what the buyer has, of this event, and only while it is held or sold', async () => {
    const url = await database();
    await withLedgers([kind.make(url), kind.make(url)], async (one, two) => {
      const [entries, other] = [new EventEntries(1_000), new EventEntries(1_000)];
      for (const each of [entries, other]) assertGranted(await one!.post(each.create()));
      const rest = { buyer: 'session:ann', limits: atMost(4) };
      assertGranted(await two!.post(other.buy([1, 2, 3, 4], rest)));
      assertGranted(await two!.post(entries.buy([5, 6], { buyer: 'session:bob', limits: atMost(4) })));
      assertGranted(await one!.post(entries.buy([1, 2], { ...rest, limits: undefined })));
      const [first, second] = [entries.hold([3], rest), entries.hold([4], rest)];
      assertGranted(await two!.post(first));
      assertGranted(await one!.post(second));
      assertRefused(await two!.post(entries.buy([7], rest)), 'LIMIT_REACHED');
      assertGranted(await one!.post(entries.confirm(second.holdId)));
      assertRefused(await two!.post(entries.hold([7], rest)), 'LIMIT_REACHED');
      assertGranted(await one!.post(entries.release(first.holdId)));
      assertGranted(await two!.post(entries.hold([7], rest)));
      // A name that the server cannot keep as it is is limited by what it is kept as.
      const odd = { buyer: 'half \ud800', limits: atMost(1) };
      assertGranted(await one!.post(entries.buy([8], odd)));
      assertRefused(await two!.post(entries.buy([9], odd)), 'LIMIT_REACHED');
      await assertAudited(two!, entries);
    });
  });
}

function manifestOf(bytes: number): string {
  const seat = '"Ünï \\\'\'seat\\n";';
  return seat.repeat(Math.ceil(bytes / Buffer.byteLength(seat)));
}

function keeping(kind: ServerKind, database: NewDatabase): void {
  test('a manifest of 5 MB is kept to the last character, once, and sales go on beside it', async (t) => {
    const url = await database();
    await withLedgers([kind.make(url), kind.make(url)], async (one, two) => {
      const entries = new EventEntries(1_000);
      assertGranted(await one!.post(entries.create()));
      const content = manifestOf(5_000_000);
      assertGranted(await one!.post(openShop()));
      const timed = async <T>(what: string, doing: () => Promise<T>): Promise<T> => {
        const sinceMs = performance.now();
        return doing().finally(() =>
          t.diagnostic(`${what} took ${Math.round(performance.now() - sinceMs)} ms`),
        );
      };
      const sales = Array.from({ length: 50 }, (_, n) => one!.post(entries.buy([n])));
      assertGranted(await timed('keeping it', () => one!.post(keepManifest('large', content))));
      for (const sale of await Promise.all(sales)) assertGranted(sale);
      assert.ok((await timed('reading it', () => two!.manifest('large'))) === content, 'it is the same');
      assertGranted(await timed('keeping it again', () => two!.post(keepManifest('large', content))));
      assert.ok((await one!.manifest('large')) === content, 'it is still the same');
      assertGranted(await two!.post(keepManifest('small', '')));
      assert.equal(await one!.manifest('small'), '');
      assert.equal(await one!.manifest('none'), undefined);
      assert.deepEqual((await one!.journal(SHOP, 1, 10)).map((each) => each.kind), Array(3).fill('manifest-kept')); // biome-ignore format: short
      await assertAudited(two!, entries);
    });
  });
}

function losingAnswers(kind: ServerKind, database: NewDatabase): void {
  const losses: Record<string, (write: BatchWrite, real: BatchConnection) => Promise<void>> = {
    'whose answer is lost': async (write, real) => {
      await real.writeBatch(write);
      real.destroy();
      await real.query('SELECT 1');
    },
    'that never arrives': async (write, real) => {
      real.destroy();
      await real.writeBatch(write);
    },
  };
  for (const [what, lose] of Object.entries(losses)) {
    test(`[S4] a change by staff, a COMMIT ${what}, has its effect once`, async () => {
      const url = await database();
      let [isArmed, lost] = [false, 0];
      const hooked = new HookedServer(kind.make(url), {
        async writeBatch(write, real) {
          if (!isArmed) return real.writeBatch(write);
          isArmed = false;
          lost++;
          await lose(write, real);
        },
      });
      await withLedgers([hooked, kind.make(url)], async (ledger, watcher) => {
        const entries = new EventEntries(10);
        const hold = entries.hold([1], { ttlMs: 60_000 });
        for (const entry of [openShop(), entries.create(), hold]) assertGranted(await ledger!.post(entry));
        const facts = [
          entries.change(1, { event: entries.grown(5), setAside: ticketsOf(2) }),
          entries.extend(hold.holdId, 120_000),
          recordOfShop({ keyId: 'k1' }),
          keepManifest('map', manifestOf(1_000)),
        ];
        for (const fact of facts) {
          isArmed = true;
          assertGranted(await ledger!.post(fact));
        }
        assert.equal(lost, facts.length);
        const kinds = async (id: StreamId) => (await watcher!.journal(id, 1, 10)).map((each) => each.kind);
        assert.deepEqual(await kinds(entries.eventId), ['held', 'event-changed', 'extended']);
        assert.deepEqual(await kinds(SHOP), ['key-made', 'manifest-kept']);
        // Capacity and version are known again.
        assertGranted(await ledger!.post(entries.buy([14], { version: 3 })));
        await assertAudited(watcher!, entries);
      });
    });
  }
}

function byNumber(a: number, b: number): number {
  return a - b;
}
