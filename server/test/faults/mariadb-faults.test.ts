// Faults of MariaDB while two processes of the real program sell from it: see sql-faults.ts.
import { describe } from 'node:test';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { startMariadb } from '../kit/servers/mariadb.ts';
import { type Database, MAX_CONNECTIONS, type Session, testFaults } from '../kit/sql-faults.ts';

const MARIADB: Database = {
  name: 'mariadb',
  start: () => startMariadb({ settings: { max_connections: `${MAX_CONNECTIONS}` } }),
  shutdown: 'SIGTERM',
  async open(url) {
    const connection = await createConnection({ uri: url, connectTimeout: 5_000 });
    connection.on('error', () => {}); // The server may be killed while a stranger is there.
    const query: Session['query'] = async (sql) => (await connection.query(sql))[0];
    return { query, close: () => connection.end().catch(() => connection.destroy()) };
  },
  async makeStranger(admin, server) {
    await admin.query(`CREATE USER IF NOT EXISTS 'stranger'@'%' IDENTIFIED BY 'stranger'`);
    return `mysql://stranger:stranger@127.0.0.1:${server.port}`;
  },
  async endSessions(admin) {
    const sql = `SELECT id FROM information_schema.processlist WHERE user = 'floodgate'`;
    for (const { id } of (await admin.query(sql)) as RowDataPacket[]) {
      // It may have ended meanwhile.
      await admin.query(`KILL ${Number(id)}`).catch(() => {});
    }
  },
};

describe('faults of MariaDB', { concurrency: 4 }, () => testFaults(MARIADB));
