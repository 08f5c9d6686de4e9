// One connection on a real server: what is written comes back as it was, conditions hold before anything is
// committed, nobody is locked out who has nothing to do with a batch, and what fails is named for what it is.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { HoldId, OrderId, Ticket, TicketTypeId } from '@floodgate/core/ids.ts';
import { needsServer } from '../../../../test/kit/servers/binaries.ts';
import { type MariadbServer, startMariadb } from '../../../../test/kit/servers/mariadb.ts';
import { TcpProxy } from '../../../../test/kit/servers/tcp-proxy.ts';
import { faultOf } from '../../../drivers/sql/mysql/faults.ts';
import type { SqlRow } from '../../../drivers/sql/sql.ts';
import { FREE, NOTHING_RETURNED } from '../../contract/test-entries.ts';
import { withSmallPackets } from '../../contract/test-packets.ts';
import { CLAIM_KINDS, type HoldRow, type KeptRow, type OfEvent } from '../../tables.ts';
import {
  type BatchConnection,
  type BatchQuery,
  type BatchWrite,
  NOTHING_ASKED,
} from '../shared/sql-server.ts';
import { MysqlServer } from './mysql-server.ts';

const NOTHING_READ: BatchQuery = NOTHING_ASKED;
const NOTHING: BatchWrite = {
  newEvents: [],
  changedEvents: [],
  manifests: [],
  heads: [],
  newClaims: [],
  movedClaims: [],
  endedClaims: [],
  newHolds: [],
  changedHolds: [],
  orders: [],
  changedOrders: [],
  journal: [],
  kept: [],
};
const ORDER = '9223372036854775807' as OrderId;
const HOLD = '9007199254740993' as HoldId;
const ticket = (number: number) => number as Ticket;
const head = (eventNo: number, seq = 1) => ({
  ...{ eventNo, seq, held: 0, sold: 1, atMs: 1_767_225_600_000, version: 1, aside: 0 },
});
const claim = (eventNo: number, number: number, by: string = ORDER) => ({
  ...{ eventNo, ticket: ticket(number), as: 'sold' as const, by },
});

let mariadb: MariadbServer;
const opened: BatchConnection[] = [];

/** A fresh database with events 1 … `events`, and a way to open connections to it that end with the tests. */
async function newDatabase(events = 3) {
  const url = await mariadb.createDatabase();
  const server = new MysqlServer(url);
  await server.migrate();
  const connect = async () => {
    const connection = await server.connect();
    opened.push(connection);
    return connection;
  };
  const connection = await connect();
  for (let eventNo = 1; eventNo <= events; eventNo++) {
    const event = { eventId: `event-${eventNo}`, ticketTypes: [] } as never;
    await connection.writeBatch({
      ...NOTHING,
      newEvents: [{ eventNo, event, capacity: 1_000 }],
      heads: [head(0, eventNo), head(eventNo)],
    });
  }
  return { url, server, connect, connection };
}

const options = needsServer('mariadb');

describe('a connection to MariaDB', options, () => {
  before(async () => {
    mariadb = await startMariadb();
  });
  after(async () => {
    for (const connection of opened) connection.destroy();
    await mariadb.stop();
  });

  describe('what is written', () => {
    test('[S5] texts of every kind come back as they were, and are different keys', async () => {
      const { connection } = await newDatabase();
      const texts = [
        ...[`'; DROP TABLE claims; -- `, '\\', "\\' OR 1=1", '\0\x1a\n\r', '"', '`', '?', '🎟️ Ünïcödé', ''],
        ...['key', 'Key', 'KEY', 'key ', 'key  ', 'kéy', 'k', 'k'.repeat(255), '🎟'.repeat(255)],
      ];
      const kept = texts.map((key, index) => keptRow(key, `${index}`));
      await connection.writeBatch({ ...NOTHING, heads: [head(1)], kept });
      const keys = texts.map((digest) => ({ eventNo: 1, digest }));
      const { kept: rows } = await connection.readBatch({ ...NOTHING_READ, eventNos: [1], keys });
      await connection.rollback();
      const found = rows.map(withoutSubject).sort((a, b) => Number(a.hash) - Number(b.hash));
      assert.deepEqual(
        found,
        texts.map((key, index) => ({
          ...{ event_no: '1', digest: key, hash: `${index}`, answer: 'SOLD_OUT', subject: null },
          detail: `{"asked":${JSON.stringify(key)}}`,
        })),
      );
    });

    test('[S5] a key with a trailing blank is not the key without', async () => {
      const { connection } = await newDatabase();
      const kept = [keptRow('a', 'h')];
      await connection.writeBatch({ ...NOTHING, heads: [head(1)], kept });
      const keys = ['a ', 'A', 'á'].map((digest) => ({ eventNo: 1, digest }));
      assert.deepEqual((await connection.readBatch({ ...NOTHING_READ, eventNos: [1], keys })).kept, []);
      await connection.rollback();
    });

    test('[S6] a hold, its change and its order keep their 64-bit ids to the last digit', async () => {
      const { connection } = await newDatabase();
      const hold: OfEvent<HoldRow> = {
        ...{
          eventNo: 1,
          eventId: 'event-1' as never,
          holdId: HOLD,
          seq: 2,
          status: 'active',
          buyer: 'O’Brien',
          tickets: [ticket(7)],
        },
        ...{ createdAtMs: 1, expiresAtMs: 2, orderId: null, endedSeq: null, endedAtMs: null },
        ...{ lines: [['ga' as TicketTypeId, 1, 900]], total: 900, currency: 'EUR', secret: 'its' },
      };
      await connection.writeBatch({ ...NOTHING, heads: [head(1, 2)], newHolds: [hold] });
      const confirmed = { ...hold, status: 'confirmed', orderId: ORDER, endedSeq: 3, endedAtMs: 5 } as const;
      const order = {
        ...{ eventNo: 1, orderId: ORDER, eventId: 'event-1' as never, seq: 3, status: 'confirmed' as const },
        ...{ buyer: null, secret: 's', tickets: [ticket(7)], createdAtMs: 5, holdId: HOLD },
        ...{ ...FREE, ...NOTHING_RETURNED },
      };
      await connection.writeBatch({
        ...NOTHING,
        heads: [head(1, 3)],
        changedHolds: [confirmed],
        orders: [order],
      });
      const holds = [{ eventNo: 1, holdId: HOLD }];
      const { holds: rows } = await connection.readBatch({ ...NOTHING_READ, eventNos: [1], holds });
      await connection.rollback();
      assert.deepEqual(
        rows.map((row) => ({ ...row })),
        [
          {
            ...{
              event_no: '1',
              hold_id: HOLD,
              seq: '2',
              status: 'confirmed',
              buyer: 'O’Brien',
              tickets: '[7]',
            },
            ...{ created_at_ms: '1', expires_at_ms: '2', order_id: ORDER, ended_seq: '3', ended_at_ms: '5' },
            ...{ price_lines: '[["ga",1,900]]', total: '900', currency: 'EUR', secret: 'its' },
            ...{ order_seq: '3', order_secret: 's', order_created_at_ms: '5', order_status: 'confirmed' },
            ...{ order_returned: '[]', order_refunded_amount: '0' },
          },
        ],
      );
      assert.deepEqual(await rowsOf(connection, 'SELECT seq FROM orders WHERE order_id = ?', [ORDER]), [
        { seq: '3' },
      ]);
      const near = (BigInt(ORDER) - 1n).toString();
      assert.deepEqual(await rowsOf(connection, 'SELECT seq FROM orders WHERE order_id = ?', [near]), []);
    });

    test('[S1] a batch of 1,000 sales of ten tickets, with long keys, fits', async () => {
      const { connection } = await newDatabase();
      const write = bigBatch(1_000, 10);
      await connection.writeBatch(write);
      const [counts] = await rowsOf(
        connection,
        `SELECT (SELECT count(*) FROM claims) AS claims, (SELECT count(*) FROM journal) AS journal,
           (SELECT count(*) FROM orders) AS orders, (SELECT count(*) FROM kept_keys) AS kept`,
      );
      assert.deepEqual(counts, { claims: '10000', journal: '1000', orders: '1000', kept: '1000' });
      const claims = write.newClaims.map(({ eventNo, ticket }) => ({ eventNo, ticket }));
      const keys = write.kept.map(({ eventNo, key: { digest } }) => ({ eventNo, digest }));
      const rows = await connection.readBatch({ ...NOTHING_READ, eventNos: [1], claims, keys });
      await connection.rollback();
      assert.equal(rows.claims.length, 10_000);
      assert.equal(rows.kept.length, 1_000);
    });

    test('[S4] a number that is no whole number, or an id that is no number, is never written', async () => {
      const { connection } = await newDatabase();
      for (const number of [Number.NaN, 1.5, 2 ** 60, Number.POSITIVE_INFINITY]) {
        const query = { ...NOTHING_READ, eventNos: [1], claims: [{ eventNo: 1, ticket: ticket(number) }] };
        await assert.rejects(connection.readBatch(query), /not an integer/);
      }
      const newClaims = [claim(1, 1, '1) OR (1=1')];
      await assert.rejects(connection.writeBatch({ ...NOTHING, newClaims }), /decimal number/);
      assert.deepEqual(await rowsOf(connection, 'SELECT * FROM claims'), []);
    });

    test('[S1] the same batch goes in several packets where packets are small', async () => {
      const { url } = await newDatabase();
      await withSmallPackets(mariadb.adminUrl, async () => {
        const connection = await new MysqlServer(url).connect();
        opened.push(connection);
        await connection.writeBatch(bigBatch(1_000, 10));
        const [row] = await connection.query('SELECT count(*) AS n FROM claims');
        assert.equal(row!.n, '10000');
      });
    });
  });

  describe('conditions', () => {
    test('[S1] a unique key that is there already rejects the whole write', async () => {
      const { connection } = await newDatabase();
      await connection.writeBatch({ ...NOTHING, newClaims: [claim(1, 5)], heads: [head(1, 2)] });
      await connection.readBatch({ ...NOTHING_READ, eventNos: [1] });
      const newClaims = [claim(1, 4), claim(1, 5)];
      const written = connection.writeBatch({ ...NOTHING, newClaims, heads: [head(1, 3)] });
      await assert.rejects(written, (error) => faultOf(error) === 'other');
      assert.equal(connection.isOpen, true);
      assert.deepEqual(await rowsOf(connection, 'SELECT ticket FROM claims'), [{ ticket: '5' }]);
      assert.deepEqual(await rowsOf(connection, 'SELECT seq FROM event_heads WHERE event_no = 1'), [
        { seq: '2' },
      ]);
    });

    test('[S6] claims move and end only as they were read, all of a batch or none', async () => {
      const { connection } = await newDatabase();
      const newClaims = [1, 2, 3, 4].map((number) => claim(1, number, HOLD));
      await connection.writeBatch({ ...NOTHING, newClaims, heads: [head(1, 2)] });
      const moved = (number: number, was: string = HOLD) => ({ ...claim(1, number), was });
      const ended = (number: number, was: string = HOLD) => ({ eventNo: 1, ticket: ticket(number), was });
      const wrong: Partial<BatchWrite>[] = [
        { movedClaims: [moved(1), moved(2, '77')] },
        { movedClaims: [moved(1), moved(9)] },
        { endedClaims: [ended(1), ended(2, '77')] },
        { movedClaims: [moved(1)], endedClaims: [ended(9)] },
        { changedHolds: [{ ...SOME_HOLD, holdId: '123' as HoldId }] },
      ];
      for (const part of wrong) {
        await connection.readBatch({ ...NOTHING_READ, eventNos: [1] });
        const written = connection.writeBatch({ ...NOTHING, heads: [head(1, 3)], ...part });
        await assert.rejects(written, /a row of the batch is missing, or is not as it was read/);
        assert.equal(connection.isOpen, true);
      }
      const all = 'SELECT ticket, claimed_by FROM claims ORDER BY ticket';
      const held = (number: number) => ({ ticket: `${number}`, claimed_by: HOLD });
      assert.deepEqual(await rowsOf(connection, all), [1, 2, 3, 4].map(held));
      // A claim that is moved to where it is counts as found.
      const movedClaims = [moved(1), { ...moved(2), by: HOLD }];
      const write = { ...NOTHING, heads: [head(1, 2)], movedClaims, endedClaims: [ended(3), ended(4)] };
      await connection.writeBatch(write);
      assert.deepEqual(await rowsOf(connection, all), [{ ticket: '1', claimed_by: ORDER }, held(2)]);
    });

    test('[S6] thousands of claims move in one batch', async () => {
      const { connection } = await newDatabase();
      const numbers = Array.from({ length: 10_000 }, (_, index) => index);
      await connection.writeBatch({ ...NOTHING, newClaims: numbers.map((number) => claim(2, number, HOLD)) });
      const movedClaims = numbers.map((number) => ({ ...claim(2, number), was: HOLD }));
      await connection.writeBatch({ ...NOTHING, movedClaims });
      const sql = 'SELECT claimed_by, count(*) AS n FROM claims GROUP BY claimed_by';
      assert.deepEqual(await rowsOf(connection, sql), [{ claimed_by: ORDER, n: '10000' }]);
    });
  });

  describe('locks', () => {
    test('[S11] a batch waits for another of its event, and sees what that one wrote', async () => {
      const { connect } = await newDatabase();
      const [one, two] = await Promise.all([connect(), connect()]);
      await one.readBatch({ ...NOTHING_READ, eventNos: [1, 2] });
      let isRead = false;
      const claims = [{ eventNo: 2, ticket: ticket(5) }];
      const read = two.readBatch({ ...NOTHING_READ, eventNos: [2], claims }).finally(() => {
        isRead = true;
      });
      await one.query('SELECT SLEEP(0.1)');
      assert.equal(isRead, false);
      await one.writeBatch({ ...NOTHING, newClaims: [claim(2, 5)], heads: [head(1, 2), head(2, 8)] });
      const rows = await read;
      assert.equal(rows.heads[0]!.seq, '8');
      assert.equal(rows.claims[0]!.claimed_by, ORDER);
      await two.rollback();
    });

    test('[S1] what is missing is not locked: other events go on beside a batch that looked for it', async () => {
      const { connect, connection } = await newDatabase(5);
      const [one, two] = await Promise.all([connect(), connect()]);
      await connection.writeBatch({ ...NOTHING, newClaims: [claim(1, 1), claim(3, 1)] });
      const missing = {
        claims: [2, 3, 4].map((number) => ({ eventNo: 3, ticket: ticket(number) })),
        holds: [{ eventNo: 3, holdId: HOLD }],
        orders: [{ eventNo: 3, orderId: ORDER }],
        keys: [{ eventNo: 3, digest: 'k' }],
        buyers: [{ eventNo: 3, buyer: 'ann' }],
      };
      await one.readBatch({ eventNos: [1, 3, 5], ...missing });
      // Event 2 and 4 lie between those that are locked, and so do their rows.
      for (const eventNo of [2, 4]) {
        await two.readBatch({ ...missing, eventNos: [eventNo] });
        const newHolds = [{ ...SOME_HOLD, eventNo }];
        const kept = [{ ...keptRow('k', 'h'), eventNo }];
        const newClaims = [2, 3, 4].map((number) => claim(eventNo, number));
        await two.writeBatch({ ...NOTHING, newClaims, newHolds, kept, heads: [head(eventNo, 2)] });
      }
      await one.rollback();
    });

    test('[S1] a change locks its own rows only, also in a table of few', async () => {
      const { connect, connection } = await newDatabase(3);
      const newClaims = [1, 2, 3].map((eventNo) => claim(eventNo, 1, HOLD));
      const newHolds = [1, 2, 3].map((eventNo) => ({ ...SOME_HOLD, eventNo }));
      await connection.writeBatch({ ...NOTHING, newClaims, newHolds });
      const [one, two] = await Promise.all([connect(), connect()]);
      // Row locks of another event's rows, held by hand: a change that scans would wait for them.
      await two.query('START TRANSACTION');
      for (const table of ['claims', 'holds', 'event_heads']) {
        await two.query(`SELECT * FROM ${table} WHERE event_no = 2 FOR UPDATE`);
      }
      const movedClaims = [1, 3].map((eventNo) => ({ ...claim(eventNo, 1), was: HOLD }));
      const changedHolds = [1, 3].map((eventNo) => ({ ...SOME_HOLD, eventNo, status: 'confirmed' as const }));
      const heads = [head(1, 2), head(3, 2)];
      await one.readBatch({ ...NOTHING_READ, eventNos: [1, 3] });
      await one.writeBatch({ ...NOTHING, movedClaims, changedHolds, heads });
      await one.writeBatch({
        ...NOTHING,
        endedClaims: [1, 3].map((no) => ({ ...claim(no, 1), was: ORDER })),
      });
      await two.query('ROLLBACK');
    });

    test('[S4] a rollback leaves no trace, also when it makes sure that what was read is on disk', async () => {
      const { connection } = await newDatabase();
      const kept = [keptRow('k', 'h')];
      await connection.writeBatch({ ...NOTHING, kept, heads: [head(1, 2)] });
      const all = 'SELECT * FROM event_heads ORDER BY event_no';
      const before = await rowsOf(connection, all);
      const flushed = () => statusOf(connection, 'Innodb_os_log_written');
      const keys = [{ eventNo: 1, digest: 'k' }];
      const start = await flushed();
      await connection.readBatch({ ...NOTHING_READ, eventNos: [1], keys });
      await connection.rollback();
      assert.ok((await flushed()) > start, 'a commit of its own waited for those before it');
      assert.deepEqual(await rowsOf(connection, all), before);
    });
  });

  // Most of these wait for a timeout, so they wait together.
  describe('faults', { concurrency: true }, () => {
    test('[S4] a deadlock and a lock wait that takes too long mean: try again', async () => {
      const { connect } = await newDatabase();
      const [one, two] = await Promise.all([connect(), connect()]);
      const lock = (connection: BatchConnection, eventNo: number) =>
        connection.query(`SELECT * FROM event_heads WHERE event_no = ${eventNo} FOR UPDATE`);
      await Promise.all([one.query('START TRANSACTION'), two.query('START TRANSACTION')]);
      await Promise.all([lock(one, 1), lock(two, 2)]);
      const results = await Promise.allSettled([lock(one, 2), lock(two, 1)]);
      const failed = results.filter((result) => result.status === 'rejected');
      assert.deepEqual(
        failed.map(({ reason }) => faultOf(reason)),
        ['try again'],
      );
      await Promise.all([one.rollback(), two.rollback()]);

      await one.readBatch({ ...NOTHING_READ, eventNos: [1] });
      const late = two.readBatch({ ...NOTHING_READ, eventNos: [1] });
      await assert.rejects(late, (error) => faultOf(error) === 'try again');
      assert.equal(two.isOpen, true);
      await one.rollback();
    });

    test('[S4] a connection that the server kills is lost, whether it idles or waits for an answer', async () => {
      const { connect, connection } = await newDatabase();
      const kill = async (victim: BatchConnection) => {
        const [row] = await victim.query('SELECT CONNECTION_ID() AS id');
        return () => connection.query(`KILL CONNECTION ${row!.id}`);
      };
      const busy = await connect();
      const killBusy = await kill(busy);
      const asked = busy.query('SELECT SLEEP(3)');
      const answered = assert.rejects(asked, (error) => faultOf(error) === 'connection lost');
      await connection.query('SELECT SLEEP(0.1)');
      await killBusy();
      await answered;
      assert.equal(busy.isOpen, false);

      const idle = await connect();
      await idle.readBatch({ ...NOTHING_READ, eventNos: [1] });
      await (await kill(idle))();
      const written = idle.writeBatch({ ...NOTHING, heads: [head(1, 9)] });
      await assert.rejects(written, (error) => faultOf(error) === 'connection lost');
      const [row] = await connection.query('SELECT seq FROM event_heads WHERE event_no = 1');
      assert.equal(row!.seq, '1');
    });

    test('[S4] a server that does not answer in time has lost the connection', async (t) => {
      const { url } = await newDatabase();
      const proxy = new TcpProxy(mariadb.port);
      await proxy.listen();
      t.after(() => proxy.stop());
      const through = Object.assign(new URL(url), { port: `${proxy.port}` }).href;
      const connection = await new MysqlServer(through).connect();
      proxy.stall();
      // It stalls until the end: that an answer comes at all shows that it was not waited for without end.
      const read = connection.readBatch({ ...NOTHING_READ, eventNos: [1] });
      await assert.rejects(read, (error) => faultOf(error) === 'connection lost');
      assert.equal(connection.isOpen, false);
      const connecting = new MysqlServer(through).connect();
      await assert.rejects(connecting, { name: 'CannotReachDatabase', message: /no answer in time/ });
    });

    test('[S4] a process that stops in the middle of a batch loses its locks after five seconds', async () => {
      const { connect } = await newDatabase();
      const [stopped, next] = await Promise.all([connect(), connect()]);
      await stopped.readBatch({ ...NOTHING_READ, eventNos: [1] });
      await assert.rejects(next.readBatch({ ...NOTHING_READ, eventNos: [1] }), /Lock wait timeout/);
      await next.readBatch({ ...NOTHING_READ, eventNos: [1] });
      await next.rollback();
      const written = stopped.writeBatch({ ...NOTHING, heads: [head(1, 9)] });
      await assert.rejects(written, (error) => faultOf(error) === 'connection lost');
    });

    test('no error of the server carries the statement with its buyers', async () => {
      const { connection } = await newDatabase();
      const newClaims = [claim(1, 1), claim(1, 1)];
      const error = await connection.writeBatch({ ...NOTHING, newClaims }).catch((reason) => reason);
      assert.doesNotMatch(JSON.stringify({ ...error, stack: error.stack }), /INSERT/);
    });
  });

  test('[S2] one view stays as it was while others write, and cannot write itself', async () => {
    const { connect } = await newDatabase();
    const [reader, writer] = await Promise.all([connect(), connect()]);
    const sql = 'SELECT count(*) AS n FROM claims';
    await reader.inOneView(async () => {
      await writer.writeBatch({ ...NOTHING, newClaims: [claim(1, 1)] });
      assert.deepEqual(await rowsOf(reader, sql), [{ n: '0' }]);
      await assert.rejects(reader.query('DELETE FROM claims'), /READ ONLY/);
    });
    assert.deepEqual(await rowsOf(reader, sql), [{ n: '1' }]);
  });

  test('[S7] the clock is the server’s, whatever its time zone', async () => {
    const { connection } = await newDatabase();
    const askedMs = Date.now();
    const nowMs = await connection.nowMs();
    // One machine, one clock; a time zone would be off by a quarter of an hour at least.
    assert.ok(nowMs > askedMs - 1_000 && nowMs < Date.now() + 1_000, `${nowMs}`);
  });

  test('[S2] the claims of a range come aggregated', async () => {
    const { server, connection } = await newDatabase();
    const newClaims = Array.from({ length: 1_000 }, (_, number) => ({
      ...claim(1, number),
      as: CLAIM_KINDS[number % 4] ?? 'sold',
    }));
    await connection.writeBatch({ ...NOTHING, newClaims });
    const rows = await connection.query(server.claimedTickets, [1, 100, 900]);
    const counts = rows.map(({ kind, tickets }) => [kind, tickets!.split(',').length]);
    assert.deepEqual(counts.sort(), [
      ['0', 200],
      ['1', 400],
      ['2', 200],
    ]);
  });

  test('[S8] of what a buyer has no more is read than there is, however much others have', async () => {
    const { connection } = await newDatabase();
    const many = Array.from({ length: 2_000 }, (_, number) => number + 1);
    const newHolds = many.map((number) => ({
      ...{
        ...SOME_HOLD,
        holdId: `${number}` as HoldId,
        buyer: number % 10 === 0 ? 'ann' : `buyer ${number}`,
      },
      ...{
        eventNo: 1 + (number % 3),
        status: number % 50 === 0 ? ('active' as const) : ('released' as const),
      },
    }));
    const orders = many.map((number) => ({
      ...{
        eventNo: 1 + (number % 2),
        orderId: `${number}` as OrderId,
        eventId: 'event-1' as never,
        seq: number,
      },
      ...{ buyer: number % 400 === 0 ? 'ann' : `buyer ${number}`, secret: 's', tickets: [ticket(number)] },
      ...{ status: 'confirmed' as const, createdAtMs: 5, holdId: null, ...FREE, ...NOTHING_RETURNED },
    }));
    await connection.writeBatch({ ...NOTHING, newHolds, orders });
    const buyers = ['ann', 'buyer 7', 'nobody', 'Ann'].map((buyer) => ({ eventNo: 1, buyer }));
    const reads = async () => {
      const rows = await connection.query(`SHOW SESSION STATUS LIKE 'Handler_read%'`);
      return rows.reduce((sum, { Value }) => sum + Number(Value), 0);
    };
    const before = await reads();
    const { belongings } = await connection.readBatch({ ...NOTHING_READ, eventNos: [1], buyers });
    const cost = (await reads()) - before;
    await connection.rollback();
    const found = belongings.map(({ buyer, hold_id: hold }) => `${buyer} ${hold ? 'holds' : 'bought'}`);
    const due = [...Array(5).fill('ann bought'), ...Array(13).fill('ann holds')];
    assert.deepEqual(found.sort(), due);
    assert.ok(cost < 150, `${cost} rows were read`);
  });

  test('a connection that is closed finishes first what is under way', async () => {
    const { connect } = await newDatabase();
    const connection = await connect();
    const asked = connection.query('SELECT SLEEP(0.2) AS slept');
    await connection.close();
    assert.deepEqual({ ...(await asked)[0] }, { slept: '0' });
    assert.equal(connection.isOpen, false);
    await assert.rejects(connection.query('SELECT 1'), (error) => faultOf(error) === 'connection lost');
  });
});

const SOME_HOLD: OfEvent<HoldRow> = {
  ...{
    eventNo: 1,
    eventId: 'event-1' as never,
    holdId: HOLD,
    seq: 2,
    status: 'active',
    buyer: null,
    tickets: [ticket(7)],
  },
  ...{ createdAtMs: 1, expiresAtMs: 2, orderId: null, endedSeq: null, endedAtMs: null },
  ...{ ...FREE, secret: 's' },
};

/** A refusal that is kept, with what was asked for in it. */
function keptRow(digest: string, hash: string): OfEvent<KeptRow> {
  return { eventNo: 1, key: { digest, hash }, answer: 'SOLD_OUT', subject: null, detail: { asked: digest } };
}

/** A kept row without the columns of the order or hold that it might point at. */
function withoutSubject(row: SqlRow): SqlRow {
  return Object.fromEntries(Object.entries(row).filter(([name]) => !/^(orders|holds)_/.test(name)));
}

async function statusOf(connection: BatchConnection, name: string): Promise<number> {
  const [row] = await connection.query(
    'SELECT variable_value AS value FROM information_schema.global_status WHERE variable_name = ?',
    [name.toUpperCase()],
  );
  return Number(row!.value);
}

function bigBatch(sales: number, ticketsEach: number): BatchWrite {
  const numbers = Array.from({ length: sales }, (_, index) => index);
  const tickets = (sale: number) =>
    Array.from({ length: ticketsEach }, (_, i) => ticket(sale * ticketsEach + i));
  const orderId = (sale: number) => `${10n ** 18n + BigInt(sale)}` as OrderId;
  return {
    ...NOTHING,
    heads: [head(1, sales + 1)],
    newClaims: numbers.flatMap((sale) =>
      tickets(sale).map((each) => ({ eventNo: 1, ticket: each, as: 'sold' as const, by: orderId(sale) })),
    ),
    orders: numbers.map((sale) => ({
      ...{ eventNo: 1, orderId: orderId(sale), eventId: 'event-1' as never, seq: sale + 2 },
      ...{ status: 'confirmed' as const, buyer: 'b'.repeat(255), secret: 's'.repeat(43) },
      ...{ tickets: tickets(sale), createdAtMs: 1_767_225_600_000, holdId: null },
      ...{ ...FREE, ...NOTHING_RETURNED },
    })),
    journal: numbers.map((sale) => ({
      eventNo: 1,
      entry: {
        ...{ seq: sale + 2, kind: 'bought' as const, atMs: 1_767_225_600_000 },
        fact: { orderId: orderId(sale), tickets: tickets(sale), buyer: 'b'.repeat(255) },
      },
    })),
    kept: numbers.map((sale) => ({
      eventNo: 1,
      key: { digest: `${sale}`.padStart(255, 'k'), hash: 'h'.repeat(64) },
      ...{ answer: 'bought' as const, subject: orderId(sale), detail: { remaining: sale } },
    })),
  };
}

async function rowsOf(connection: BatchConnection, sql: string, parameters: readonly string[] = []) {
  return (await connection.query(sql, parameters)).map((row) => ({ ...row }));
}
