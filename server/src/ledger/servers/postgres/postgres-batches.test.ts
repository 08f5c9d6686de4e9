// A connection to a real PostgreSQL, after what may happen to its first batch.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { EventId, OrderId, Ticket } from '@floodgate/core/ids.ts';
import { patienceMs } from '@floodgate/core/testing/patience.ts';
import { needsServer } from '../../../../test/kit/servers/binaries.ts';
import { type PostgresServer as RealServer, startPostgres } from '../../../../test/kit/servers/postgres.ts';
import type { Step } from '../../../drivers/sql/postgres/pipeline.ts';
import { FREE, NOTHING_RETURNED } from '../../contract/test-entries.ts';
import { type BatchWrite, NOTHING_ASKED } from '../shared/sql-server.ts';
import { PostgresServer } from './postgres-server.ts';
import { readSteps } from './read-batch.ts';
import { READ_BELONGINGS } from './statements.ts';
import { foreseenSteps, writeSteps } from './write-batch.ts';

const CATALOGUE = { ...NOTHING_ASKED, eventNos: [0] };

const [orderId, tickets] = ['1' as OrderId, [0 as Ticket]];
const SALE: BatchWrite = {
  newEvents: [],
  changedEvents: [],
  manifests: [],
  heads: [{ eventNo: 1, seq: 2, held: 0, sold: 1, atMs: 1, version: 1, aside: 0 }],
  newClaims: [{ eventNo: 1, ticket: 0 as Ticket, as: 'sold', by: orderId }],
  movedClaims: [],
  endedClaims: [],
  newHolds: [],
  changedHolds: [],
  orders: [
    {
      ...{ eventNo: 1, orderId, eventId: 'one' as EventId, seq: 2, status: 'confirmed', buyer: 'ann' },
      ...{ secret: 's', tickets, createdAtMs: 1, holdId: null, ...FREE, ...NOTHING_RETURNED },
    },
  ],
  changedOrders: [],
  journal: [
    { eventNo: 1, entry: { seq: 2, kind: 'bought', atMs: 1, fact: { orderId, tickets, buyer: 'ann' } } },
  ],
  kept: [],
};

describe('a connection to PostgreSQL', { timeout: patienceMs(12_000), ...needsServer('postgres') }, () => {
  let real: RealServer;
  let server: PostgresServer;
  before(async () => {
    real = await startPostgres();
    server = new PostgresServer(real.url);
    await server.migrate();
  });
  after(() => real?.stop());

  test('a first batch that waited for a lock in vain is followed by others that succeed', async () => {
    const [first, other] = [await server.connect(), await server.connect()];
    await other.readBatch(CATALOGUE);
    const inVain = await first.readBatch(CATALOGUE).catch((error: unknown) => error);
    assert.equal(server.faultOf(inVain), 'try again');
    await first.rollback();
    await other.rollback();
    for (let times = 0; times < 2; times++) {
      assert.equal((await first.readBatch(CATALOGUE)).heads.length, 1);
      await first.rollback();
    }
    await Promise.all([first.close(), other.close()]);
  });

  test('a connection whose prepared statements are gone is given up', async () => {
    const connection = await server.connect();
    await connection.readBatch(CATALOGUE);
    await connection.rollback();
    await connection.query('DEALLOCATE ALL');
    const lost = await connection.readBatch(CATALOGUE).catch((error: unknown) => error);
    assert.equal(server.faultOf(lost), 'connection lost');
    assert.equal(connection.isOpen, false);
    connection.destroy();
  });

  test('[S8] what a buyer has is found by the index of buyers, also by plans made for empty tables', async () => {
    const connection = await server.connect();
    await connection.query(`PREPARE belongings AS ${READ_BELONGINGS.text}`);
    const plan = await connection.query(`EXPLAIN EXECUTE belongings('{1,2}', '{ann,bob}')`);
    const indexes = plan.flatMap(
      (row) => /Index.* on (\w+_by_\w+|\w+_pkey)/.exec(row['QUERY PLAN']!)?.[1] ?? [],
    );
    assert.deepEqual(indexes, ['orders_by_buyer', 'holds_by_buyer'], JSON.stringify(plan));
    await connection.close();
  });

  test('a sale without limits asks for nothing of its buyer: four statements in one round trip', () => {
    const names = (steps: readonly Step[]) => steps.map(({ statement }) => statement.name);
    const foreseen = foreseenSteps([{ eventNo: 1, seq: 1 }], SALE);
    assert.deepEqual(names(foreseen), ['begin', 'lock_one_foreseen', 'write_sales', 'commit']);
    const claims = [{ eventNo: 1, ticket: 0 as Ticket }];
    assert.deepEqual(names(readSteps({ ...NOTHING_ASKED, eventNos: [1], claims })), [
      'begin',
      'lock_head',
      'read_claims',
    ]);
    assert.deepEqual(names(writeSteps(SALE)), ['write_sales', 'commit']);
  });

  test('a server that has become read-only is a lost connection, as another may be the primary now', async () => {
    const connection = await server.connect();
    await connection.query('SET default_transaction_read_only = on');
    const lost = await connection.readBatch(CATALOGUE).catch((error: unknown) => error);
    assert.equal(server.faultOf(lost), 'connection lost');
    assert.equal(connection.isOpen, false);
    connection.destroy();
  });
});
