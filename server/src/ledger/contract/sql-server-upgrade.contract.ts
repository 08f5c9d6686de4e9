// A ledger of an earlier release is brought up to date while somebody still uses it, as it happens on a night on which
// nobody wanted it: no key that was answered may be lost (rule S5).

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { patienceMs } from '@floodgate/core/testing/patience.ts';
import type { LeaseDatabase } from '../../drivers/sql/lease.ts';
import { LEDGER } from '../../drivers/sql/migrate.ts';
import type { Migration } from '../../drivers/sql/migration.ts';
import type { SqlConnection } from '../../drivers/sql/sql.ts';
import { MIGRATIONS, SCHEMA_VERSION } from '../migrations/migrations.ts';
import type { ServerKind, StartedServer } from './test-server.ts';

const BEFORE_CHEAP_KEYS = 3;
/** Several pages of what is brought along. */
const OLD_KEYS = 3_000;
const WRITERS = 4;

export function upgrading(kind: ServerKind): void {
  describe(`${kind.name}: a ledger of an earlier release`, { timeout: patienceMs(60_000) }, () => {
    let started: StartedServer;
    before(async () => {
      started = await kind.start();
    });
    after(() => started?.stop());

    /** A database as it was before keys were made cheap, with keys. */
    const older = async () => {
      const url = await started.createDatabase();
      const server = kind.make(url) as ReturnType<ServerKind['make']> & LeaseDatabase;
      await server.migrateRoom({ room: LEDGER, migrations: MIGRATIONS.slice(0, BEFORE_CHEAP_KEYS) });
      const connection = await server.connect();
      for (let key = 0; key < OLD_KEYS; key += 500) {
        const keys = Array.from({ length: 500 }, (_, at) => `old-${key + at}`);
        await connection.query(insertOf(keys.length), keys.flatMap(oldRow));
      }
      return { server, connection };
    };

    test('[S11] it is left alone while a process leases a number of it, and said so', async () => {
      const { server, connection } = await older();
      await connection.query('INSERT INTO node_leases (node_id, token, expires_at_ms) VALUES (?, ?, ?)', [
        ...[7, 'another', (await connection.nowMs()) + 60_000],
      ]);
      await assert.rejects(server.migrate(), {
        name: 'CannotReachDatabase',
        message: /in use by another Floodgate: stop a process first.*earlier release/,
      });
      assert.equal(await versionOf(connection), BEFORE_CHEAP_KEYS);
      await connection.query('DELETE FROM node_leases');
      await server.migrate();
      assert.equal(await versionOf(connection), SCHEMA_VERSION);
      await connection.close();
    });

    test('[S5] keys that an earlier release writes meanwhile are kept, or their writing fails', async (t) => {
      const { server, connection } = await older();
      const written = await writeWhile(server, () => server.migrate());
      t.diagnostic(`${written.length} keys were written before the table was taken away`);
      assert.equal(await countOf(connection, 'kept_keys'), OLD_KEYS + written.length);
      await connection.close();
    });

    test('[S5] control: without another name for the old table, some of them are lost', async (t) => {
      const { server, connection } = await older();
      const migrations = MIGRATIONS.map((each) =>
        each.version === BEFORE_CHEAP_KEYS + 1 ? careless(each) : each,
      );
      const written = await writeWhile(server, () => server.migrateRoom({ room: LEDGER, migrations }));
      const lost = OLD_KEYS + written.length - (await countOf(connection, 'kept_keys'));
      t.diagnostic(`${lost} of ${written.length} keys were lost`);
      assert.ok(lost > 0);
      await connection.close();
    });

    test('[F8] who only reads it changes nothing, and says what to do', async () => {
      const { server, connection } = await older();
      const message = `the ledger has schema ${BEFORE_CHEAP_KEYS}, this Floodgate reads ${SCHEMA_VERSION}`;
      await assert.rejects(server.assertMigrated(), { name: 'SchemaTooOld', message: new RegExp(message) });
      assert.equal(await versionOf(connection), BEFORE_CHEAP_KEYS);
      await server.migrate();
      await server.assertMigrated();
      await connection.close();
    });
  });
}

const REFUSED = JSON.stringify({ status: 'refused', refusal: 'SOLD_OUT' });
const oldRow = (key: string) => [1, '', key, 'h'.repeat(64), REFUSED];
const insertOf = (rows: number): string =>
  `INSERT INTO idempotency_keys (event_no, scope, idempotency_key, hash, outcome) VALUES ${Array.from(
    { length: rows },
    () => '(?, ?, ?, ?, ?)',
  ).join(', ')}`;

/** Several connections write keys one by one until they cannot any more; the keys whose writing was answered. */
async function writeWhile(server: LeaseDatabase, act: () => Promise<void>): Promise<readonly string[]> {
  const written: string[] = [];
  let isOver = false;
  const write = async (writer: number): Promise<void> => {
    const connection = await server.connect();
    try {
      for (let n = 0; !isOver; n++) {
        // Some sort before all that are there, some behind.
        const key = `${n % 2 === 0 ? 'a' : 'z'}-${writer}-${n}`;
        await connection.query(insertOf(1), oldRow(key));
        written.push(key);
      }
    } catch {
      // The table is gone.
    } finally {
      await connection.close();
    }
  };
  const writing = Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
  while (written.length < WRITERS) await nextTurn();
  await act();
  isOver = true;
  await writing;
  return written;
}

/** The migration without the change of the table's name. */
function careless(migration: Migration): Migration {
  const withoutName = (sql: string) =>
    sql
      .replace(/RENAME TABLE \w+ TO \w+/, 'DO 0')
      .replace(/ALTER TABLE IF EXISTS \w+ RENAME TO \w+/, 'SELECT 1')
      .replaceAll('old_idempotency_keys', 'idempotency_keys');
  return {
    ...migration,
    statements: (sql) => migration.statements(sql).map(withoutName),
    *fill(sql) {
      const filling = migration.fill!(sql);
      for (let step = filling.next(); !step.done; ) {
        step = filling.next(yield { ...step.value, sql: withoutName(step.value.sql) });
      }
    },
  };
}

async function countOf(connection: SqlConnection, table: string): Promise<number> {
  return Number((await connection.query(`SELECT count(*) AS n FROM ${table}`))[0]!.n);
}

async function versionOf(connection: SqlConnection): Promise<number> {
  return Number((await connection.query('SELECT max(version) AS n FROM schema_versions'))[0]!.n);
}
