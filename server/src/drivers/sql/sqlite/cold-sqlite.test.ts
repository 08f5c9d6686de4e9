// Cold data beside a SQLite ledger: the contract, and what only a file shows.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { EventEntries } from '../../../ledger/contract/test-entries.ts';
import { assertGranted } from '../../../ledger/contract/test-script.ts';
import { SqliteLedger } from '../../../ledger/sqlite/sqlite-ledger.ts';
import { coldContract, type FreshPlace } from '../../contract/cold.contract.ts';
import { GuestBook } from '../../contract/guest-book.ts';
import { ColdData } from '../cold.ts';
import { coldFileOf } from '../cold-databases.ts';
import { filePlace } from '../cold-places.ts';

const COMMITS = { maxBatch: 100, maxWaiting: 1_000 };
const folder = mkdtempSync(join(tmpdir(), 'floodgate-'));
after(() => rmSync(folder, { recursive: true }));

let files = 0;
const freshFile = () => join(folder, `${++files}`, 'shop.db');

coldContract({
  name: 'SQLite',
  fresh: async (): Promise<FreshPlace> => {
    const file = freshFile();
    return {
      address: ['sqlite', coldFileOf(file)],
      place: () => filePlace(coldFileOf(file)),
      openLedger: () => SqliteLedger.open(file, COMMITS),
    };
  },
});

describe('cold data beside a SQLite ledger', () => {
  test('lies in a file of its own, named for the ledger’s', () => {
    assert.equal(coldFileOf('/data/floodgate.db'), '/data/floodgate-cold.db');
    assert.equal(coldFileOf('/data.d/floodgate'), '/data.d/floodgate-cold');
    assert.equal(coldFileOf(':memory:'), ':memory:');
  });

  test('costs nothing until a room opens it: no place, no file, no thread', async () => {
    const file = freshFile();
    let asked = 0;
    const cold = new ColdData(() => {
      asked++;
      return filePlace(coldFileOf(file));
    });
    await cold.close();
    assert.equal(asked, 0);
    assert.equal(existsSync(coldFileOf(file)), false);
    await assert.rejects(GuestBook.open(cold), { name: 'ColdUnavailable' });
    assert.equal(asked, 0);
  });

  test('in memory, it is gone with its process and otherwise the same', async () => {
    const cold = new ColdData(() => filePlace(':memory:'));
    const book = await GuestBook.open(cold);
    await book.signTogether(['a', 'b'], 'ann');
    assert.deepEqual(await book.total(), { entries: 2, likes: 0 });
    await cold.close();
  });

  test('control: in the ledger’s own file, a cold transaction would stop sales', async () => {
    const file = freshFile();
    const ledger = await SqliteLedger.open(file, COMMITS);
    const entries = new EventEntries(3);
    assertGranted(await ledger.post(entries.create()));
    const cold = new ColdData(() => filePlace(file));
    const book = await GuestBook.open(cold);
    await book.store.transaction(async (tx) => {
      await tx
        .insertInto('guest_book')
        .values({ entry_id: 'a', guest: 'b', words: null, likes: 0 })
        .execute();
      await assert.rejects(ledger.post(entries.buy([0])), { name: 'LedgerUnavailable' });
    });
    assertGranted(await ledger.post(entries.buy([1])));
    await Promise.all([cold.close(), ledger.close()]);
  });
});

test('nothing is left in the folder but the files that were asked for', () => {
  const names = readdirSync(folder, { recursive: true }).map(String);
  const odd = names.filter((name) => !/^\d+(\/shop(-cold)?\.db(\.lock|-wal|-shm)?)?$/.test(name));
  assert.deepEqual(odd, []);
});
