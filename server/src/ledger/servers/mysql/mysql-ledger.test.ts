// The ledger contract, and the rules of SQL servers, on a real MariaDB.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { needsServer } from '../../../../test/kit/servers/binaries.ts';
import { startMariadb } from '../../../../test/kit/servers/mariadb.ts';
import { ledgerContract } from '../../contract/ledger.contract.ts';
import { sqlServerRules } from '../../contract/sql-server-rules.contract.ts';
import { keepManifest, openShop } from '../../contract/test-entries.ts';
import { withLedgers } from '../../contract/test-ledgers.ts';
import { withSmallPackets } from '../../contract/test-packets.ts';
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

  test('a manifest that no small packet can hold is kept in parts, one that cannot be read is refused', async () => {
    const server = await mariadb;
    const url = await server.createDatabase();
    await withSmallPackets(server.adminUrl, async () => {
      await withLedgers([new MysqlServer(url)], async (ledger) => {
        await ledger!.post(openShop());
        const content = 'ä🎟'.repeat(170_000);
        // Keeping it again adds nothing to it.
        for (let times = 0; times < 2; times++) await ledger!.post(keepManifest('large', content));
        assert.ok((await ledger!.manifest('large')) === content);
        await assert.rejects(ledger!.post(keepManifest('too large', 'ä'.repeat(524_288))), {
          name: 'LedgerUnavailable',
          message: /takes texts of at most \d+ bytes: raise its max_allowed_packet$/,
        });
        await ledger!.post(keepManifest('small', 'a'));
      });
    });
  });

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
