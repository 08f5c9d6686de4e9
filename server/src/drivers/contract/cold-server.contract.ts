// Cold data and leases on a database server: what every place owes, and what only a server shows.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { needsServer } from '../../../test/kit/servers/binaries.ts';
import type { StartedServer } from '../../ledger/contract/test-server.ts';
import { dropLedger } from '../../ledger/servers/shared/drop-ledger.ts';
import type { SqlServer } from '../../ledger/servers/shared/sql-server.ts';
import { SqlLedger } from '../../ledger/servers/sql-ledger.ts';
import { ColdData, type ColdPlace } from '../sql/cold.ts';
import { type LeaseDatabase, SqlLeases } from '../sql/lease.ts';
import { coldContract, type FreshPlace } from './cold.contract.ts';
import { GuestBook } from './guest-book.ts';
import { sharedLeaseContract } from './lease.contract.ts';

const COMMITS = { maxBatch: 100, maxWaiting: 1_000 };

export interface ColdServer {
  readonly name: string;
  readonly binary: 'postgres' | 'mariadb';
  /** As guest-book-process.ts names it. */
  readonly kind: string;
  readonly place: (url: string) => ColdPlace;
  readonly database: (url: string) => LeaseDatabase;
  readonly server: (url: string) => SqlServer;
  readonly start: () => Promise<StartedServer>;
}

export function coldServerContract({ name, binary, kind, place, database, server, start }: ColdServer): void {
  describe(`cold data on ${name}`, needsServer(binary), () => {
    let real: StartedServer;
    before(async () => {
      real = await start();
    });
    after(() => real?.stop());
    coldContract({
      name,
      fresh: async (): Promise<FreshPlace> => {
        const url = await real.createDatabase();
        return {
          address: [kind, url],
          place: () => place(url),
          openLedger: () =>
            SqlLedger.open(server(url), { commits: COMMITS, isProduction: true, warn: () => {} }),
        };
      },
    });

    sharedLeaseContract({
      name,
      fresh: async () => {
        const url = await real.createDatabase();
        return (times) => new SqlLeases(database(url), times);
      },
    });

    test('deleting the ledger deletes what rooms have, and nothing of others', async () => {
      const url = await real.createDatabase();
      const cold = new ColdData(() => place(url));
      await GuestBook.open(cold);
      await cold.close();
      await server(url).migrate();
      const connection = await server(url).connect();
      await connection.query('CREATE TABLE guests (n BIGINT)');
      await dropLedger(server(url));
      const rows = await connection.query(
        `SELECT table_name AS name FROM information_schema.tables
         WHERE table_schema = ${kind === 'mysql' ? 'database()' : 'current_schema()'}`,
      );
      assert.deepEqual(rows.map((row) => row.name), ['guests']); // biome-ignore format: short
      await connection.close();
    });

    test('while the server is away queries say so, and they work again when it is back', async (t) => {
      // Of its own: one with the databases of all tests takes long to recover.
      const mortal = await start();
      t.after(() => mortal.stop());
      const { url } = mortal;
      const cold = new ColdData(() => place(url));
      const book = await GuestBook.open(cold);
      await book.sign('a', 'ann');
      await mortal.kill();
      // The first may find its connection broken while it waits for an answer; then nobody knows.
      await assert.rejects(book.sign('b', 'ann'), /^Cold(Unavailable|OutcomeUnknown)/);
      await assert.rejects(book.sign('c', 'ann'), { name: 'ColdUnavailable' });
      await assert.rejects(book.total(), { name: 'ColdUnavailable' });
      await mortal.restart();
      assert.equal((await book.page('ann', '', 9))[0]?.entry_id, 'a');
      await book.sign('d', 'ann');
      await cold.close();
    });
  });
}
