// The ledger contract, and the rules of SQL servers, on a real PostgreSQL.
import { after } from 'node:test';
import { startPostgres } from '../../../test/servers/postgres.ts';
import { ledgerContract } from '../ledger.contract.ts';
import { SqlLedger } from '../sql-ledger.ts';
import { PostgresServer } from './postgres-server.ts';

const postgres = await startPostgres();
after(() => postgres.stop());

const OPTIONS = { commits: { maxBatch: 1_000, maxWaiting: 10_000 }, isProduction: true, warn: () => {} };

ledgerContract(
  'PostgreSQL ledger',
  async (clock) => {
    // A database for each, because the rule about deadlines looks at all holds of one.
    const url = await postgres.createDatabase();
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
