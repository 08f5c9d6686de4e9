// Golden texts: what each dialect sends for the same 200 random batches, for every read and for a fresh ledger. A
// change of the SQL that was not meant shows here as a changed line; one that was meant is reviewed as one.
//   UPDATE_GOLDEN=1 npm test -- contract/golden     writes the files anew
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { needsServer } from '../../../test/kit/servers/binaries.ts';
import { startMariadb } from '../../../test/kit/servers/mariadb.ts';
import { startPostgres } from '../../../test/kit/servers/postgres.ts';
import type { Entry, Ledger } from '../ledger.ts';
import { MysqlServer } from '../servers/mysql/mysql-server.ts';
import { PostgresServer } from '../servers/postgres/postgres-server.ts';
import type { SqlServer } from '../servers/shared/sql-server.ts';
import { SqlLedger } from '../servers/sql-ledger.ts';
import { GoldenRecord } from './golden/record.ts';
import { BATCHES, type GoldenScript, goldenReads, goldenScript } from './golden/script.ts';
import { tapSqlite } from './golden/sqlite-tap.ts';
import { type Listener, mysqlReader, postgresReader, WireTap } from './golden/wire-tap.ts';
import { EVERY_VERDICT, kindOf } from './test-batches.ts';
import { TestClock } from './test-entries.ts';
import { OPTIONS } from './test-ledgers.ts';
import { TestSqliteLedger } from './test-sqlite-ledger.ts';

// A process is wary of foreseeing for a second after it was wrong. That second never passes here, so what is sent does
// not depend on the machine's speed. Nothing else asks this clock for more than how long something took.
performance.now = () => 0;

const script = goldenScript();

describe('golden texts', { timeout: 600_000 }, () => {
  test('their batches meet every verdict', () => {
    assert.equal(script.batches.length, BATCHES);
    assert.deepEqual([...new Set(script.verdicts.flat())].sort(), EVERY_VERDICT.toSorted());
  });

  test('SQLite is sent what the file says', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'floodgate-'));
    const record = new GoldenRecord('What a ledger on SQLite sends.');
    const stop = tapSqlite(record);
    try {
      await play(record, script, async (clock) => new TestSqliteLedger(join(folder, 'ledger.db'), clock));
    } finally {
      stop();
      rmSync(folder, { recursive: true });
    }
    compare('sqlite', record);
  });

  test('PostgreSQL is sent what the file says', needsServer('postgres'), async () => {
    const server = await startPostgres();
    const record = new GoldenRecord('What a ledger on PostgreSQL sends.');
    try {
      await playOn(server.url, record, postgresReader, (url) => new PostgresServer(url));
    } finally {
      await server.stop();
    }
    compare('postgres', record);
  });

  test('MariaDB is sent what the file says', needsServer('mariadb'), async (t) => {
    const server = await startMariadb();
    const record = new GoldenRecord(
      'What a ledger on MariaDB sends. Values are literals there, shown as `?`.',
    );
    try {
      if (server.version.endsWith('(MySQL)'))
        return t.skip('the file is of MariaDB; MySQL is set up in other words');
      await playOn(server.url, record, mysqlReader, (url) => new MysqlServer(url));
    } finally {
      await server.stop();
    }
    compare('mysql', record);
  });
});

async function playOn(
  url: string,
  record: GoldenRecord,
  reader: (listener: Listener) => (bytes: Buffer) => void,
  make: (url: string) => SqlServer,
): Promise<void> {
  const tap = new WireTap(url, () => reader(record));
  try {
    const server = make(await tap.listen(url));
    await play(record, script, (clock) => SqlLedger.open(server, { ...OPTIONS, clock }));
  } finally {
    await tap.stop();
  }
}

async function play(
  record: GoldenRecord,
  { batches, verdicts }: GoldenScript,
  open: (clock: TestClock) => Promise<Ledger>,
): Promise<void> {
  const clock = new TestClock();
  record.section('Opening a fresh ledger');
  const ledger = await open(clock);
  record.line('all of it');
  try {
    record.section('Batches');
    for (const [index, { passMs, entries }] of batches.entries()) {
      clock.pass(passMs);
      assert.deepEqual(await postAll(ledger, entries), verdicts[index], `batch ${index + 1}`);
      record.line(`${index + 1} ${entries.map(({ kind }) => kind).join(' ')}`);
    }
    record.section('Reads');
    for (const [title, read] of Object.entries(goldenReads(script))) {
      await read(ledger);
      record.line(title);
    }
  } finally {
    await ledger.close();
  }
}

/** All in one turn, so that they are one batch: nothing else is under way. */
async function postAll(ledger: Ledger, entries: readonly Entry[]): Promise<string[]> {
  const settled = await Promise.allSettled(entries.map((entry) => ledger.post(structuredClone(entry))));
  return settled.map((result) => {
    if (result.status === 'fulfilled') return kindOf(result.value);
    assert.match(result.reason.message, /^broken invariant/);
    return 'broken';
  });
}

function compare(dialect: string, record: GoldenRecord): void {
  const file = join(import.meta.dirname, 'golden', `${dialect}.txt`);
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(file, `${record}`);
  assert.deepEqual(`${record}`.split('\n'), readFileSync(file, 'utf8').split('\n'));
}
