// A database server that dies, stops, loses answers or rolls back, while sales go on.

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { patienceMs } from '@floodgate/core/testing/patience.ts';
import { startTcpProxy, type TcpProxy } from '../../../test/kit/servers/tcp-proxy.ts';
import { EventEntries, underKey } from './test-entries.ts';
import { assertAudited, Load, numbers, tryPost, until, withLedgers } from './test-ledgers.ts';
import { assertGranted } from './test-script.ts';
import { HookedServer, type ServerKind, type StartedServer } from './test-server.ts';

type Start = () => Promise<StartedServer>;

export function breaking(kind: ServerKind): void {
  let started: Promise<StartedServer> | undefined;
  const start: Start = () => {
    started ??= kind.start();
    return started;
  };
  after(async () => (await started)?.stop());

  describe(`${kind.name}: what can break`, { timeout: patienceMs(48_000) }, () => {
    losingAnswers(kind, start);
    rollingBack(kind, start);
    dying(kind, start);
  });
}

/** The database seen through a proxy. */
async function proxied(server: StartedServer): Promise<{ url: string; direct: string; proxy: TcpProxy }> {
  const direct = await server.createDatabase();
  const proxy = await startTcpProxy(server.port);
  return { direct, proxy, url: direct.replace(`:${server.port}/`, `:${proxy.port}/`) };
}

function losingAnswers(kind: ServerKind, start: Start): void {
  /** What happens to the connection while the COMMIT of a sale is under way. */
  const losses: Record<string, (proxy: TcpProxy, send: () => Promise<void>) => Promise<void>> = {
    'whose answer is lost': async (proxy, send) => {
      proxy.dropReplies();
      const sent = send();
      await sleep(100);
      proxy.heal();
      await sent;
    },
    'that never arrives': async (proxy, send) => {
      proxy.stall();
      const sent = send();
      await sleep(30);
      proxy.heal();
      await sent;
    },
    'that is cut in the middle': async (proxy, send) => {
      const sent = send();
      await sleep(Math.random() * 3);
      proxy.cut();
      setTimeout(() => proxy.heal(), 50);
      await sent;
    },
  };
  for (const [what, lose] of Object.entries(losses)) {
    test(`[S4] a COMMIT ${what} is looked up: one effect, the right answer, no orphan`, async () => {
      const { url, direct, proxy } = await proxied(await start());
      let isArmed = false;
      const hooked = new HookedServer(kind.make(url), {
        async writeBatch(write, real) {
          if (!isArmed) return real.writeBatch(write);
          isArmed = false;
          const sent = () => real.writeBatch(write);
          await lose(proxy, sent);
        },
      });
      try {
        await withLedgers([hooked, kind.make(direct)], async (ledger, watcher) => {
          const entries = new EventEntries(200);
          assertGranted(await ledger!.post(entries.create()));
          for (let round = 0; round < 10; round++) {
            const first = round * 10;
            const hold = entries.hold([first]);
            assertGranted(await ledger!.post(hold));
            isArmed = true;
            const outcomes = await Promise.all([
              ledger!.post(entries.buy([first + 1, first + 2])),
              ledger!.post(entries.buy([first + 3], underKey(`key ${round}`))),
              ledger!.post(entries.release(hold.holdId)),
              ledger!.post(entries.refuse('SOLD_OUT', underKey(`refused ${round}`))),
            ]);
            for (const outcome of outcomes) assert.equal(outcome.replayed, undefined);
            for (const outcome of outcomes.slice(0, 3)) assertGranted(outcome);
          }
          const [head] = await watcher!.heads();
          assert.deepEqual([head!.held, head!.sold, head!.seq], [0, 30, 41]);
          assert.equal(await watcher!.keptKeys(), 20);
          await assertAudited(watcher!, entries);
          assert.ok(ledger!.isWritable());
        });
      } finally {
        await proxy.stop();
      }
    });
  }

  test('[S5] a COMMIT that never arrives is not taken for another under the same key that says the same', async () => {
    let isArmed = false;
    const hooked = new HookedServer(kind.make(await (await start()).createDatabase()), {
      async writeBatch(write, real) {
        if (isArmed) real.destroy();
        isArmed = false;
        await real.writeBatch(write);
      },
    });
    await withLedgers([hooked], async (ledger) => {
      const entries = new EventEntries(10);
      assertGranted(await ledger!.post(entries.create()));
      const refuse = (hash: string) => ledger!.post(entries.refuse('SOLD_OUT', underKey('key', hash)));
      await refuse('one request');
      isArmed = true;
      const outcome = await refuse('another request');
      assert.equal(outcome.status === 'refused' && outcome.refusal, 'IDEMPOTENCY_KEY_REUSED');
    });
  });

  test('[S4] a cable that is pulled: 503 in bounded time, and selling goes on when it is back', async () => {
    const { url, proxy } = await proxied(await start());
    const lines: string[] = [];
    const say = {
      onFault: (line: string) => lines.push(line),
      onRecovered: (line: string) => lines.push(line),
    };
    try {
      await withLedgers(
        [kind.make(url)],
        async (ledger) => {
          const entries = new EventEntries(100_000);
          assertGranted(await ledger!.post(entries.create()));
          await Load.on([ledger!], entries, async (load) => {
            await sleep(200);
            proxy.stall();
            // Five seconds for the answer, six and a half to find out what became of a COMMIT.
            await until(() => load!.failed >= 16, 'sales are refused', 12_000);
            assert.equal(ledger!.isWritable(), false);
            await assert.rejects(ledger!.heads(), { name: 'LedgerUnavailable' });
            proxy.heal();
            await assertGoesOn(load!);
            assert.ok(ledger!.isWritable());
            await load!.stop();
            await load!.assertKept();
          });
          assert.equal(lines.length, 2, lines.join());
        },
        say,
      );
    } finally {
      await proxy.stop();
    }
  });
}

async function assertGoesOn(load: Load): Promise<void> {
  const { length } = load.sold;
  await until(() => load.sold.length > length + 10, 'sales go on', 3_000);
}

function rollingBack(kind: ServerKind, start: Start): void {
  test('[S3] what the server rolls back for a deadlock is tried again, and nobody notices', async () => {
    const url = await (await start()).createDatabase();
    const server = new HookedServer(kind.make(url));
    await withLedgers([server], async (ledger) => {
      const entries = new EventEntries(10);
      assertGranted(await ledger!.post(entries.create()));
      const other = await kind.make(url).connect();
      await other.query('BEGIN');
      await other.query('INSERT INTO claims (event_no, ticket, kind, claimed_by) VALUES (1, 5, 1, 1)');
      const sale = ledger!.post(entries.buy([5]));
      await sleep(200);
      // The sale waits for our claim, and we for its head: one of both must give way.
      let weGaveWay = false;
      await other.query('SELECT seq FROM event_heads WHERE event_no = 1 FOR UPDATE').catch(() => {
        weGaveWay = true;
      });
      await other.query('ROLLBACK').catch(() => {});
      assertGranted(await sale);
      assert.ok(weGaveWay || server.faults.includes('try again'), 'there was a deadlock');
      await other.close();
      await assertAudited(ledger!, entries);
    });
  });

  test('[S4] a head that somebody keeps locked makes sales wait, then fail, and is let go', async () => {
    const url = await (await start()).createDatabase();
    await withLedgers([kind.make(url)], async (ledger) => {
      const entries = new EventEntries(10);
      assertGranted(await ledger!.post(entries.create()));
      const other = await kind.make(url).connect();
      await other.query('BEGIN');
      await other.query('SELECT seq FROM event_heads WHERE event_no = 1 FOR UPDATE');
      // The server ends a session that holds locks and does nothing for five seconds; otherwise it would hold them for ever.
      const outcome = await tryPost(ledger!, entries.buy([1]));
      if (typeof outcome === 'object') assertGranted(outcome);
      const giveUpMs = performance.now() + patienceMs(7_000);
      let next = await tryPost(ledger!, entries.buy([2]));
      while (next === 'unavailable' && performance.now() < giveUpMs) {
        next = await tryPost(ledger!, entries.buy([2]));
      }
      assert.ok(typeof next === 'object', `the head is not let go: ${next}`);
      assertGranted(next);
      other.destroy();
      await assertAudited(ledger!, entries);
    });
  });
}

function dying(kind: ServerKind, start: Start): void {
  test('[S4] a server that is killed and comes back loses nothing that was answered', async () => {
    const server = await start();
    const url = await server.createDatabase();
    await withLedgers([kind.make(url), kind.make(url)], async (one, two) => {
      const entries = new EventEntries(10_000_000);
      assertGranted(await one!.post(entries.create()));
      const tickets = numbers();
      for (let round = 0; round < 3; round++) {
        const killing = async (...loads: Load[]) => {
          await sleep(100 + Math.random() * 300);
          await server.kill();
          await until(() => loads.every(({ failed }) => failed > 10), 'sales are refused');
          assert.equal(one!.isWritable(), false);
          await server.restart();
          for (const load of loads) await assertGoesOn(load);
          for (const load of loads) await load.stop();
          assert.ok(one!.isWritable() && two!.isWritable());
          const kept = new Set((await one!.claims(entries.eventId)).sold);
          for (const ticket of loads.flatMap((load) => load.sold)) {
            assert.ok(kept.has(ticket), `ticket ${ticket} was sold and is lost`);
          }
          await assertAudited(two!, entries);
        };
        await Load.on([one!, two!], entries, killing, tickets);
      }
    });
  });

  test('[S4] a shop in which nobody buys notices that its server is gone, and that it is back', async () => {
    const server = await start();
    const url = await server.createDatabase();
    await withLedgers([kind.make(url)], async (ledger) => {
      const entries = new EventEntries(4);
      assertGranted(await ledger!.post(entries.create()));
      await server.kill();
      await assert.rejects(ledger!.heads(), { name: 'LedgerUnavailable' });
      await until(() => !ledger!.isWritable(), 'the ledger says that it cannot be written');
      await server.restart();
      await until(() => ledger!.isWritable(), 'the ledger says that it can be written');
      assertGranted(await ledger!.post(entries.buy([0])));
    });
  });

  test('[S4] a server that stands still: 503 while it does, then all is as before', async () => {
    const server = await start();
    const url = await server.createDatabase();
    await withLedgers([kind.make(url)], async (ledger) => {
      const entries = new EventEntries(10_000_000);
      assertGranted(await ledger!.post(entries.create()));
      await Load.on([ledger!], entries, async (load) => {
        await sleep(200);
        server.pause();
        // It stands still until somebody has been answered: who is never answered is met by the test's own limit.
        const answer = await tryPost(ledger!, entries.hold([9_000_000])).finally(() => server.resume());
        const refused = answer === 'unavailable' ? 1 : 0;
        await assertGoesOn(load!);
        await load!.stop();
        await load!.assertKept();
        // The buyers' own may all have been in one COMMIT that was found to be done.
        assert.ok(load!.unavailable + refused > 0, 'sales were refused meanwhile');
      });
    });
  });
}
