// The ledger contract on a real MariaDB.
import { after, before, test } from 'node:test';
import { needsServer } from '../../../test/servers/binaries.ts';
import { type MariadbServer, startMariadb } from '../../../test/servers/mariadb.ts';
import { ledgerContract } from '../ledger.contract.ts';
import { SqlLedger } from '../sql-ledger.ts';
import { MysqlServer } from './mysql-server.ts';

const OPTIONS = { commits: { maxBatch: 1_000, maxWaiting: 10_000 }, isProduction: true, warn: () => {} };

let mariadb: MariadbServer;
const options = needsServer('mariadb');
if (options.skip) {
  test('MariaDB ledger keeps the ledger contract', options, () => {});
} else {
  before(async () => {
    mariadb = await startMariadb();
  });
  after(() => mariadb.stop());

  ledgerContract(
    'MariaDB ledger',
    async (clock) => {
      // A database for each, because the rule about deadlines looks at all holds of one.
      const url = await mariadb.createDatabase();
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
}
