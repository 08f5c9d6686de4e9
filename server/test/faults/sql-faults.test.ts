// Faults of PostgreSQL while two processes of the real program sell from it: see sql-faults.ts.
import { describe } from 'node:test';
import { Client } from 'pg';
import { startPostgres } from '../kit/servers/postgres.ts';
import { type Database, MAX_CONNECTIONS, testFaults } from '../kit/sql-faults.ts';

const POSTGRES: Database = {
  name: 'postgres',
  start: () => startPostgres({ settings: { max_connections: `${MAX_CONNECTIONS}` } }),
  shutdown: 'SIGINT',
  async open(url) {
    const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
    client.on('error', () => {}); // The server may be killed while a stranger is there.
    await client.connect();
    return { query: (sql) => client.query(sql), close: () => client.end().catch(() => {}) };
  },
  async makeStranger(admin, server) {
    await admin.query('DROP ROLE IF EXISTS stranger');
    await admin.query(`CREATE ROLE stranger LOGIN PASSWORD 'stranger'`);
    return Object.assign(new URL(server.url), { username: 'stranger', password: 'stranger' }).href;
  },
  async endSessions(admin) {
    await admin.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'floodgate'`,
    );
  },
};

describe('faults of PostgreSQL', { concurrency: 4 }, () => testFaults(POSTGRES));
