// The ledger contract, and the rules of SQL servers, on a real MariaDB.
import { after, test } from 'node:test';
import { needsServer } from '../../../test/servers/binaries.ts';
import { startMariadb } from '../../../test/servers/mariadb.ts';
import { ledgerContract } from '../ledger.contract.ts';
import { sqlServerRules } from '../sql/sql-server-rules.contract.ts';
import { SqlLedger } from '../sql-ledger.ts';
import { MysqlServer } from './mysql-server.ts';

const OPTIONS = { commits: { maxBatch: 1_000, maxWaiting: 10_000 }, isProduction: true, warn: () => {} };

function allRules(): void {
  const mariadb = startMariadb();
  after(async () => (await mariadb).stop());
  ledgerContract(
    'MariaDB ledger',
    async (clock) => {
      // A database for each, because the rule about deadlines looks at all holds of one.
      const url = await (await mariadb).createDatabase();
      const open = () => SqlLedger.open(new MysqlServer(url), { ...OPTIONS, clock });
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
    name: 'MariaDB',
    start: (settings) => startMariadb({ settings }),
    make: (url) => new MysqlServer(url),
    fewConnections: { max_connections: '10' },
    weak: {
      settings: { innodb_flush_log_at_trx_commit: '2', innodb_doublewrite: '0' },
      warnings: [/innodb_flush_log_at_trx_commit is not 1/, /innodb_doublewrite is off/],
    },
  });
}

const needed = needsServer('mariadb');
if (needed.skip === false) allRules();
else test('MariaDB ledger', needed, () => {});
