// MySQL and MariaDB as servers: what is said to who starts the program with wrong settings, racing migrators, and
// settings under which a commit could be lost.
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { needsServer } from '../../../../test/kit/servers/binaries.ts';
import { type MariadbServer, startMariadb } from '../../../../test/kit/servers/mariadb.ts';
import { flavourOf } from '../../../drivers/sql/mysql/session.ts';
import { SCHEMA_VERSION } from '../../migrations/migrations.ts';
import { MysqlServer } from './mysql-server.ts';

let mariadb: MariadbServer;
const changed = (url: string, change: Partial<URL>) => Object.assign(new URL(url), change).href;

/** Runs statements as root, in the database `mysql`. */
async function asRoot(...statements: string[]): Promise<void> {
  const admin = await new MysqlServer(mariadb.adminUrl).connect();
  for (const statement of statements) await admin.query(statement);
  await admin.close();
}

/** Asserts that it is said in one line, without the password, that the database cannot be used. */
async function assertRefused(url: string, message: RegExp, act = 'connect' as 'connect' | 'migrate') {
  await assert.rejects(
    async () => new MysqlServer(url)[act](),
    (error: Error) => {
      assert.equal(error.name, 'CannotReachDatabase');
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /\n|secret|hunter2/);
      return true;
    },
  );
}

test('a URL that cannot be one is refused with how it should look', () => {
  const wrong: Readonly<Record<string, RegExp>> = {
    'mysql://u:hunter2@host': /names no database/,
    'mysql://u:hunter2@host/': /names no database/,
    'mysql://u:hunter%@host/db': /%25/,
    'mysql://u:hunter2@host/db?sslmode=on': /unknown parameter sslmode; known are ssl-mode, ssl-ca, socket/,
    'mysql://u:hunter2@host/db?ssl-mode=yes': /must be DISABLED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY/,
    'mysql://u:hunter2@host/db?ssl-mode=REQUIRED&ssl-ca=/nowhere': /\/nowhere cannot be read/,
    'http://u:hunter2@host/db': /must be like mysql:/,
    hunter2: /must be like mysql:/,
  };
  for (const [url, message] of Object.entries(wrong)) {
    assert.throws(
      () => new MysqlServer(url),
      (error: Error) => {
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /hunter2/);
        return error.name === 'CannotReachDatabase';
      },
    );
  }
});

test('a server is described without user and password', () => {
  const described = (url: string) => new MysqlServer(url).description;
  assert.equal(described('mariadb://u:hunter2@db.example.org/shop'), 'MariaDB at db.example.org:3306/shop');
  assert.equal(described('mysql://u:hunter2@[::1]:3307/shop'), 'MySQL at [::1]:3307/shop');
  assert.equal(described('mysql://u@localhost/shop?socket=/run/db.sock'), 'MySQL at /run/db.sock/shop');
});

test('servers that lack what the statements need are refused by their version', () => {
  const flavour = (version: string) => flavourOf({ version, max_packet: '1' }).isMariadb;
  for (const old of ['10.5.29-MariaDB', '5.7.44', '8.0.16', '5.7.25-TiDB-v7']) {
    assert.throws(() => flavour(old), /is too old: \d+\.\d+\.\d+ or newer is needed/);
  }
  assert.deepEqual(['10.11.14-MariaDB-0+deb12u2', '11.4.2-MariaDB', '10.6.0-MariaDB'].map(flavour), [
    ...[true, true, true],
  ]);
  assert.deepEqual(['8.0.17', '8.4.3', '9.1.0-commercial'].map(flavour), [false, false, false]);
});

describe('a MariaDB server', needsServer('mariadb'), () => {
  before(async () => {
    mariadb = await startMariadb();
  });
  after(() => mariadb?.stop());

  test('what is wrong with the settings is said in one line', async () => {
    const { url } = mariadb;
    await assertRefused(changed(url, { password: 'hunter2' }), /user floodgate with this password/);
    await assertRefused(changed(url, { username: 'nobody' }), /user nobody with this password/);
    await assertRefused(
      changed(url, { pathname: '/nowhere' }),
      /no rights on this database|no such database/,
    );
    await assertRefused(changed(mariadb.adminUrl, { pathname: '/nowhere' }), /no such database/);
    await assertRefused(changed(url, { port: '1' }), /cannot use MySQL at 127\.0\.0\.1:1\/.*nothing listens/);
    await assertRefused(
      changed(url, { hostname: 'nowhere.invalid' }),
      /no host of this name|cannot be resolved/,
    );
    await assertRefused(changed(url, { search: 'ssl-mode=REQUIRED' }), /TLS/);
  });

  test('a server that has no connection left says so', async () => {
    // Root has one more, so a user is made that has a limit of its own.
    await asRoot(
      `CREATE USER limited@'%' IDENTIFIED BY 'secret' WITH MAX_USER_CONNECTIONS 1`,
      `GRANT ALL ON floodgate.* TO limited@'%'`,
    );
    const url = changed(mariadb.url, { username: 'limited' });
    const first = await new MysqlServer(url).connect();
    await assertRefused(url, /too many connections/);
    await first.close();
  });

  test('a user without rights to make tables is told which are missing', async () => {
    const url = await mariadb.createDatabase();
    const database = new URL(url).pathname.slice(1);
    await asRoot(
      `CREATE USER reader@'%' IDENTIFIED BY 'secret'`,
      `GRANT SELECT, INSERT ON ${database}.* TO reader@'%'`,
    );
    await assertRefused(
      changed(url, { username: 'reader' }),
      /rights are missing: CREATE.*GRANT ALL/,
      'migrate',
    );
    // Where somebody else has made the tables, the user needs no rights to make any.
    await new MysqlServer(url).migrate();
    await new MysqlServer(changed(url, { username: 'reader' })).migrate();
  });

  test('a server that takes the connection and says nothing is given up in time', async () => {
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    // It stays silent: that the refusal comes at all shows that it was given up.
    await assertRefused(`mysql://u:secret@127.0.0.1:${portOf(silent)}/db`, /no answer in time/);
    silent.close();
  });

  test('what speaks another protocol is refused, not believed', async () => {
    const other = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    await assertRefused(`mysql://u:secret@127.0.0.1:${portOf(other)}/db`, /cannot use MySQL/);
    other.close();
  });

  test('[S11] migrators that race make one schema', async () => {
    const url = await mariadb.createDatabase();
    await Promise.all(Array.from({ length: 8 }, () => new MysqlServer(url).migrate()));
    const connection = await new MysqlServer(url).connect();
    const rows = await connection.query('SELECT version FROM schema_versions ORDER BY version');
    assert.deepEqual(
      rows.map(({ version }) => Number(version)),
      Array.from({ length: SCHEMA_VERSION }, (_, index) => index + 1),
    );
    const [head] = await connection.query('SELECT count(*) AS n FROM event_heads');
    assert.equal(head!.n, '1');
    await connection.close();
  });

  test('[S11] a migration that was cut off is finished by the next', async () => {
    const url = await mariadb.createDatabase();
    await new MysqlServer(url).migrate();
    const connection = await new MysqlServer(url).connect();
    for (const table of ['journal', 'node_leases']) await connection.query(`DROP TABLE ${table}`);
    await connection.query('DELETE FROM schema_versions');
    await new MysqlServer(url).migrate();
    for (const table of ['journal', 'node_leases', 'claims'])
      await connection.query(`SELECT * FROM ${table}`);
    await connection.close();
  });

  test('[S11] a schema of a later program, and tables of another one, are left alone', async () => {
    const url = await mariadb.createDatabase();
    const connection = await new MysqlServer(url).connect();
    await connection.query('CREATE TABLE orders (number INT)');
    await assertRefused(url, /a table orders of another program/, 'migrate');
    await connection.query('DROP TABLE orders');
    await new MysqlServer(url).migrate();
    await connection.query('INSERT INTO schema_versions (version, name) VALUES (99, ?)', ['later']);
    await assert.rejects(new MysqlServer(url).migrate(), { name: 'SchemaTooNew' });
    await connection.close();
  });

  test('[S1] the tables are of InnoDB and compare texts by their code points, whatever the defaults', async () => {
    const url = await mariadb.createDatabase();
    const database = new URL(url).pathname.slice(1);
    await asRoot(
      `ALTER DATABASE ${database} CHARACTER SET latin1`,
      'SET GLOBAL default_storage_engine = MyISAM',
    );
    await new MysqlServer(url).migrate();
    await asRoot('SET GLOBAL default_storage_engine = InnoDB');
    const connection = await new MysqlServer(url).connect();
    const rows = await connection.query(
      `SELECT DISTINCT engine, table_collation AS collation FROM information_schema.tables
       WHERE table_schema = DATABASE()`,
    );
    assert.deepEqual(
      rows.map((row) => ({ ...row })),
      [{ engine: 'InnoDB', collation: 'utf8mb4_nopad_bin' }],
    );
    await connection.close();
  });

  test('[S4] settings under which an answered sale could be lost are named', async () => {
    const server = new MysqlServer(mariadb.url);
    assert.deepEqual(await server.weakDurability(), []);
    await asRoot('SET GLOBAL innodb_flush_log_at_trx_commit = 2');
    assert.deepEqual(await server.weakDurability(), [
      `${server.description}: innodb_flush_log_at_trx_commit is not 1: a crash loses the sales of the last second`,
    ]);
    await asRoot('SET GLOBAL innodb_flush_log_at_trx_commit = 1');
  });
});

test(
  '[S4] a binary log that is not synced, and pages without a second copy, are weak',
  needsServer('mariadb'),
  async () => {
    const settings = { log_bin: 'binlog', sync_binlog: '0', innodb_doublewrite: '0' };
    const weak = await startMariadb({ settings });
    try {
      const lines = await new MysqlServer(weak.url).weakDurability();
      assert.deepEqual(
        lines.map((line) => /: (\w+) is/.exec(line)![1]),
        ['sync_binlog', 'innodb_doublewrite'],
      );
    } finally {
      await weak.stop();
    }
  },
);

function portOf(server: Server): number {
  return (server.address() as { port: number }).port;
}
