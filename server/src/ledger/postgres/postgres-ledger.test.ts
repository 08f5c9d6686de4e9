// The ledger contract, and the rules of SQL servers, on a real PostgreSQL.
import { after, test } from 'node:test';
import { needsServer } from '../../../test/servers/binaries.ts';
import { startPostgres } from '../../../test/servers/postgres.ts';
import { ledgerContract } from '../ledger.contract.ts';
import { sqlServerRules } from '../sql/sql-server-rules.contract.ts';
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
