// The ledger contract, and the rules of SQL servers, on a real PostgreSQL.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { needsServer } from '../../../../test/kit/servers/binaries.ts';
import { startPostgres } from '../../../../test/kit/servers/postgres.ts';
import { CannotReachDatabase } from '../../../drivers/sql/sql.ts';
import { ledgerContract } from '../../contract/ledger.contract.ts';
import { sqlServerRules } from '../../contract/sql-server-rules.contract.ts';
import { SqlLedger } from '../sql-ledger.ts';
import { PostgresServer } from './postgres-server.ts';

const OPTIONS = { commits: { maxBatch: 1_000, maxWaiting: 10_000 }, isProduction: true, warn: () => {} };

function allRules(): void {
  const postgres = startPostgres();
  after(async () => (await postgres).stop());
  ledgerContract(
    'PostgreSQL ledger',
    async (clock) => {
      // A database for each, because the rule about deadlines looks at all holds of one.
      const url = await (await postgres).createDatabase();
      const open = () => SqlLedger.open(new PostgresServer(url), { ...OPTIONS, clock });
      let ledger = await open();
      const reopen = async () => {
        await ledger.close();
        ledger = await open();
        return ledger;
      };
      return { ledger, reopen, close: () => ledger.close() };
    },
    { followsTestClock: true, reopens: true },
  );

  test('a database that cannot keep every text, or in which no tables can be made, is refused', async () => {
    const { url, adminUrl, port } = await postgres;
    const admin = await new PostgresServer(adminUrl).connect();
    await admin.query(`CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 OWNER floodgate`);
    await admin.query('CREATE DATABASE foreign_land');
    await admin.close();
    const refusalOf = async (name: string) => {
      const server = new PostgresServer(url.replace(/[^/]*$/, name));
      const error = await SqlLedger.open(server, OPTIONS).catch((error: Error) => error);
      assert.ok(error instanceof CannotReachDatabase);
      return error.message.replace(`${port}`, 'PORT');
    };
    assert.match(await refusalOf('latin'), /^cannot use .*\/latin: its encoding is LATIN1.*UTF8/);
    assert.match(
      await refusalOf('foreign_land'),
      /\/foreign_land: the user lacks rights: let it create tables/,
    );
  });

  sqlServerRules({
    name: 'PostgreSQL',
    start: (settings) => startPostgres({ settings }),
    make: (url) => new PostgresServer(url),
    fewConnections: { max_connections: '10' },
    weak: {
      settings: { synchronous_commit: 'off', full_page_writes: 'off' },
      warnings: [/synchronous_commit = off/, /full_page_writes = off/],
    },
  });
}

const needed = needsServer('postgres');
if (needed.skip === false) allRules();
else test('PostgreSQL ledger', needed, () => {});
