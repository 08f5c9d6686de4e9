// A connection to a real PostgreSQL, after what may happen to its first batch.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { needsServer } from '../../../test/servers/binaries.ts';
import { type PostgresServer as RealServer, startPostgres } from '../../../test/servers/postgres.ts';
import { CLOCK_ONLY } from '../sql/sql-server.ts';
import { PostgresServer } from './postgres-server.ts';
import { READ_BELONGINGS } from './statements.ts';

const CATALOGUE = { ...CLOCK_ONLY, eventNos: [0] };

describe('a connection to PostgreSQL', { timeout: 60_000, ...needsServer('postgres') }, () => {
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

  test('a server that has become read-only is a lost connection, as another may be the primary now', async () => {
    const connection = await server.connect();
    await connection.query('SET default_transaction_read_only = on');
    const lost = await connection.readBatch(CATALOGUE).catch((error: unknown) => error);
    assert.equal(server.faultOf(lost), 'connection lost');
    assert.equal(connection.isOpen, false);
    connection.destroy();
  });
});
