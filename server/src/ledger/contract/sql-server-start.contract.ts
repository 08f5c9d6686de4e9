// Starting on a database server: migrators that race, servers that are not what they should be; and the reads that
// only a large event, a replica or a real clock shows.

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { SHOP } from '@floodgate/core/ids.ts';
import { patienceMs, SLOWNESS } from '@floodgate/core/testing/patience.ts';
import type { SqlConnection } from '../../drivers/sql/sql.ts';
import { SCHEMA_VERSION } from '../migrations/migrations.ts';
import { SqlLedger } from '../servers/sql-ledger.ts';
import { EventEntries, openShop, recordOfShop } from './test-entries.ts';
import { assertAudited, OPTIONS, withLedgers } from './test-ledgers.ts';
import { assertGranted, assertRefused } from './test-script.ts';
import type { ServerKind, StartedServer } from './test-server.ts';

export function starting(kind: ServerKind): void {
  let started: Promise<StartedServer> | undefined;
  const start = () => {
    started ??= kind.start();
    return started;
  };
  after(async () => (await started)?.stop());

  describe(`${kind.name}: starting and reading`, { timeout: patienceMs(24_000) }, () => {
    migrating(kind, start);
    refusingToStart(kind, start);
    readingMuch(kind, start);
  });
}

/** How far the clock of a server may seem to be off. */
const CLOCK_MS = 1_000;

type Start = () => Promise<StartedServer>;

function migrating(kind: ServerKind, start: Start): void {
  test('eight that start at once on an empty database make its tables once, and all of them sell', async () => {
    const url = await (await start()).createDatabase();
    const open = () => SqlLedger.open(kind.make(url), OPTIONS);
    const ledgers = await Promise.all(Array.from({ length: 8 }, open));
    try {
      const entries = new EventEntries(8);
      assertGranted(await ledgers[7]!.post(entries.create()));
      const sales = ledgers.map((ledger, ticket) => ledger.post(entries.buy([ticket])));
      for (const outcome of await Promise.all(sales)) assertGranted(outcome);
      await assertAudited(ledgers[0]!, entries);
    } finally {
      await Promise.all(ledgers.map((ledger) => ledger.close()));
    }
    const connection = await kind.make(url).connect();
    const versions = await connection.query('SELECT version FROM schema_versions ORDER BY version');
    const due = Array.from({ length: SCHEMA_VERSION }, (_, index) => `${index + 1}`);
    assert.deepEqual(versions.map(({ version }) => version), due); // biome-ignore format: short
    assert.equal((await connection.query('SELECT seq FROM event_heads WHERE event_no = 0'))[0]!.seq, '1');
    await connection.close();
  });

  test('a ledger of schema 2 gets versions, indexes and manifests, wherever an attempt stopped, and goes on', async () => {
    const url = await (await start()).createDatabase();
    const entries = new EventEntries(10);
    const hold = entries.hold([1, 2]);
    await withLedgers([kind.make(url)], async (ledger) => {
      for (const entry of [entries.create(), entries.buy([0]), hold])
        assertGranted(await ledger!.post(entry));
    });
    const connection = await kind.make(url).connect();
    // As if the attempt had stopped after each of its statements; the first is what the release before wrote.
    for (let done = 0; done <= OF_SCHEMA_3.length; done++) {
      for (const undo of OF_SCHEMA_3.slice(0, OF_SCHEMA_3.length - done)) await undo(connection);
      await connection.query('ALTER TABLE claims RENAME COLUMN kind TO sold');
      await connection.query('DELETE FROM schema_versions WHERE version >= 3');
      await withLedgers([kind.make(url)], async (ledger) => {
        const { eventId } = entries;
        const [head] = await ledger!.heads();
        assert.deepEqual(head, { eventId, seq: 3, held: 2, sold: 1, aside: 0, version: 1 });
        assert.equal((await ledger!.ordersOf('ann@example.org', undefined, 10)).length, 1);
        assert.equal(await ledger!.manifest('none'), undefined);
      });
    }
    await connection.close();
    await withLedgers([kind.make(url)], async (ledger) => {
      assertGranted(await ledger!.post(entries.buy([3], { version: 1 })));
      assertGranted(await ledger!.post(entries.confirm(hold.holdId)));
      await assertAudited(ledger!, entries);
    });
  });

  test('[S4] a database of a newer schema is not opened, and the error says what to do', async () => {
    const url = await (await start()).createDatabase();
    await withLedgers([kind.make(url)], async () => {});
    const connection = await kind.make(url).connect();
    await connection.query(`INSERT INTO schema_versions (version, name) VALUES (99, 'of tomorrow')`);
    await connection.close();
    await assert.rejects(SqlLedger.open(kind.make(url), OPTIONS), {
      name: 'SchemaTooNew',
      message: /the ledger has schema 99, this Floodgate knows up to \d+: start the newer version/,
    });
  });
}

type Undo = (connection: SqlConnection) => Promise<unknown>;
const run =
  (sql: string): Undo =>
  (connection) =>
    connection.query(sql);
const drop =
  (index: string, table: string): Undo =>
  (connection) =>
    connection.query(`DROP INDEX ${index}`).catch(() => connection.query(`DROP INDEX ${index} ON ${table}`));

/** What the migration made, the last first. */
const OF_SCHEMA_3: readonly Undo[] = [
  drop('holds_by_event', 'holds'),
  drop('holds_by_buyer', 'holds'),
  drop('orders_by_buyer', 'orders'),
  run('DROP TABLE manifests'),
  run('ALTER TABLE event_heads DROP COLUMN aside'),
  run('ALTER TABLE event_heads DROP COLUMN version'),
];

function refusingToStart(kind: ServerKind, start: Start): void {
  test('what is wrong with the database is said in one line, without the password', async () => {
    const { url, port } = await start();
    const wrong = {
      'a wrong password': url.replace('secret', 'wrong-secret'),
      'an unknown user': url.replace('floodgate:', 'nobody:'),
      'an unknown database': url.replace(/\/[^/]*$/, '/nowhere'),
      'a port where nobody listens': url.replace(`:${port}/`, ':1/'),
      'a host that is not there': url.replace('127.0.0.1', 'no-such-host.invalid'),
    };
    for (const [what, url] of Object.entries(wrong)) {
      await assert.rejects(SqlLedger.open(kind.make(url), OPTIONS), (error: Error) => {
        assert.equal(error.name, 'CannotReachDatabase', `${what}: ${error.message}`);
        assert.doesNotMatch(error.message, /secret|\n/, what);
        assert.match(error.message, /^cannot (use|reach) .+: .{10,}/, what);
        return true;
      });
    }
  });

  test('[S4] settings that could lose a sale stop it in production, and are warned about elsewhere', async () => {
    const { settings, warnings } = kind.weak;
    const server = await kind.start(settings);
    try {
      await assert.rejects(SqlLedger.open(kind.make(server.url), OPTIONS), (error: Error) => {
        assert.equal(error.name, 'WeakDurability');
        for (const warning of warnings) assert.match(error.message, warning);
        return true;
      });
      const said: string[] = [];
      const options = { ...OPTIONS, isProduction: false, warn: (line: string) => said.push(line) };
      await (await SqlLedger.open(kind.make(server.url), options)).close();
      assert.equal(said.length, warnings.length, said.join('\n'));
    } finally {
      await server.stop();
    }
    const { url } = await start();
    assert.deepEqual(await kind.make(url).weakDurability(), []);
  });

  test('[S4] when all connections are taken: no start, and those that sell already go on', async () => {
    const server = await kind.start(kind.fewConnections);
    const taken: SqlConnection[] = [];
    try {
      await withLedgers([kind.make(server.url)], async (ledger) => {
        const entries = new EventEntries(100);
        assertGranted(await ledger!.post(entries.create()));
        const flood = async () => {
          for (;;) taken.push(await kind.make(server.url).connect());
        };
        await assert.rejects(flood, { name: 'CannotReachDatabase', message: /connection/ });
        await assert.rejects(SqlLedger.open(kind.make(server.url), OPTIONS), { name: 'CannotReachDatabase' });
        const sales = Array.from({ length: 50 }, (_, n) => ledger!.post(entries.buy([n])));
        for (const outcome of await Promise.all(sales)) assertGranted(outcome);
        for (const connection of taken.splice(0)) await connection.close();
        await assertAudited(ledger!, entries);
      });
    } finally {
      for (const connection of taken) connection.destroy();
      await server.stop();
    }
  });
}

function readingMuch(kind: ServerKind, start: Start): void {
  test('[S2] the claims of a large event are read in pages, all of them once', async () => {
    const url = await (await start()).createDatabase();
    await withLedgers([kind.make(url)], async (ledger) => {
      const entries = new EventEntries(450_000);
      assertGranted(await ledger!.post(entries.create()));
      const expected = { held: [] as number[], sold: [] as number[] };
      for (let from = 0; from < 450_000; from += 15_000) {
        const some = Array.from({ length: 300 }, (_, n) => from + n * 49);
        const isHeld = from % 4 === 0;
        const posts = [isHeld ? entries.hold(some) : entries.buy(some)];
        for (const outcome of await Promise.all(posts.map((post) => ledger!.post(post)))) {
          assertGranted(outcome);
        }
        expected[isHeld ? 'held' : 'sold'].push(...some);
      }
      const { seq, held, sold } = await ledger!.claims(entries.eventId);
      assert.equal(seq, 31);
      assert.deepEqual({ held: [...held].sort(byNumber), sold: [...sold].sort(byNumber) }, expected);
      const many = await ledger!.claimsOf(entries.eventId, expected.sold as never);
      assert.equal(many.length, expected.sold.length);
      await assertAudited(ledger!, entries);
    });
  });

  test('[S7] a hold lapses on the clock of the server, which a restart does not turn back', async () => {
    const url = await (await start()).createDatabase();
    await withLedgers([kind.make(url)], async (ledger) => {
      const entries = new EventEntries(2);
      assertGranted(await ledger!.post(entries.create()));
      // Long enough to be refused before it is due.
      const ttlMs = Math.ceil(60 * SLOWNESS);
      const hold = entries.hold([0], { ttlMs });
      const askedMs = Date.now();
      const { expiresAtMs } = assertGranted(await ledger!.post(hold));
      const madeMs = expiresAtMs! - ttlMs;
      // Its clock is known to within a trip to the server.
      assert.ok(madeMs > askedMs - CLOCK_MS && madeMs < Date.now() + CLOCK_MS, `${madeMs - askedMs} ms`);
      assertRefused(await ledger!.post(entries.expire(hold.holdId)), 'HOLD_NOT_DUE');
      while (ledger!.nowMs() < expiresAtMs!) await sleep(5);
      const due = { eventId: entries.eventId, holdId: hold.holdId };
      assert.deepEqual(await ledger!.dueHolds(ledger!.nowMs(), 10), [due]);
      assertGranted(await ledger!.post(entries.expire(hold.holdId)));
    });
    const connection = await kind.make(url).connect();
    const aheadMs = Date.now() + 3_600_000;
    await connection.query('UPDATE event_heads SET at_ms = ? WHERE event_no = 1', [aheadMs]);
    await connection.close();
    await withLedgers([kind.make(url)], async (ledger) => {
      assert.ok(ledger!.nowMs() >= aheadMs && ledger!.nowMs() < aheadMs + 60_000);
    });
  });

  test('reads that may lag go to the replica, and to the primary while there is none', async () => {
    const server = await start();
    const [url, replica] = [await server.createDatabase(), await server.createDatabase()];
    const entries = new EventEntries(4);
    const readReplica = kind.make(replica);
    await withLedgers([readReplica], async () => {});
    await withLedgers(
      [kind.make(url)],
      async (ledger) => {
        assertGranted(await ledger!.post(entries.create()));
        assertGranted(await ledger!.post(entries.buy([0])));
        // This replica lags for ever: it has nothing of it. The audit needs the event, and goes where it is.
        assert.deepEqual(await ledger!.orders(entries.eventId, 0, 10), []);
        await assertAudited(ledger!, entries);
        assert.equal((await ledger!.heads())[0]!.sold, 1);
        // Of keys and buyers nothing may lag.
        for (const fact of [openShop(), recordOfShop({ keyId: 'k1' })])
          assertGranted(await ledger!.post(fact));
        assert.equal((await ledger!.journal(SHOP, 0, 10)).length, 2);
        assert.equal((await ledger!.ordersOf('ann@example.org', undefined, 10)).length, 1);
      },
      { readReplica },
    );
    const away = kind.make(url.replace(`:${server.port}/`, ':1/'));
    await withLedgers(
      [kind.make(url)],
      async (ledger) => {
        assert.equal((await ledger!.orders(entries.eventId, 0, 10)).length, 1);
        await assertAudited(ledger!, entries);
        assert.ok(ledger!.isWritable());
      },
      { readReplica: away },
    );
  });

  test('[S4] a text with a NUL or half a character is kept as far as the server can, and hurts nobody', async () => {
    const url = await (await start()).createDatabase();
    await withLedgers([kind.make(url)], async (ledger) => {
      const entries = new EventEntries(4);
      assertGranted(await ledger!.post(entries.create()));
      const [odd, other] = [entries.buy([0], { buyer: 'a\0b\ud800' }), entries.buy([1])];
      for (const outcome of await Promise.all([ledger!.post(odd), ledger!.post(other)])) {
        assertGranted(outcome);
      }
      const order = await ledger!.order(odd.orderId);
      assert.match(order!.buyer!, /^a[\0\ufffd]b[?\ufffd]+$/);
      await assertAudited(ledger!, entries);
    });
  });
}

function byNumber(a: number, b: number): number {
  return a - b;
}
