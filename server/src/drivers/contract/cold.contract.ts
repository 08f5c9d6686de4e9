// What a room may count on that keeps cold data, on every store; and what the ledger may count on: that it never
// notices.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { EventEntries } from '../../ledger/contract/test-entries.ts';
import { assertGranted } from '../../ledger/contract/test-script.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { ColdData, type ColdPlace } from '../sql/cold.ts';
import { Cursors } from '../sql/cursors.ts';
import type { RoomSchema } from '../sql/migration.ts';
import { EARLIER_GUEST_BOOK, GUEST_BOOK, GuestBook, type GuestBookTables } from './guest-book.ts';

/** A fresh place for cold data, with a ledger beside it. */
export interface FreshPlace {
  /** As guest-book-process.ts names it. */
  readonly address: readonly [kind: string, where: string];
  place(): ColdPlace;
  openLedger(): Promise<Ledger>;
}

export interface ColdKind {
  readonly name: string;
  fresh(): Promise<FreshPlace>;
}

const PROGRAM = join(import.meta.dirname, 'guest-book-process.ts');

function start({ address }: FreshPlace, guest: string, hang = ''): ChildProcess {
  return spawn(process.execPath, [PROGRAM, ...address, guest, hang], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

export function coldContract(kind: ColdKind): void {
  describe(`cold data: ${kind.name}`, () => {
    const opened: ColdData[] = [];
    after(() => Promise.all(opened.map((cold) => cold.close())));
    const dataOf = (fresh: FreshPlace): ColdData => {
      const cold = new ColdData(() => fresh.place());
      opened.push(cold);
      return cold;
    };
    const bookOf = async (fresh: FreshPlace) => GuestBook.open(dataOf(fresh));
    keeping(kind, bookOf);
    changing(kind, dataOf);
    following(kind, dataOf);
    dying(kind, bookOf);
    besideTheLedger(kind, bookOf);
  });
}

type BookOf = (fresh: FreshPlace) => Promise<GuestBook>;

function keeping(kind: ColdKind, bookOf: BookOf): void {
  test('a room reads what it wrote: texts of every kind, nothing, numbers as numbers', async () => {
    const book = await bookOf(await kind.fresh());
    const words = [`'; DROP TABLE guest_book; -- ?`, '\\ " ` $1', '🎟️ Ünïcödé', '', 'x'.repeat(100_000)];
    for (const [index, text] of words.entries()) await book.sign(`${index}`, 'ann', text);
    await book.sign('9', 'ann');
    const page = await book.page('ann', '', 100);
    assert.deepEqual(page.map((entry) => entry.words), [...words, null]); // biome-ignore format: short
    assert.deepEqual(page.map(({ likes }) => likes), [0, 0, 0, 0, 0, 0]); // biome-ignore format: short
    assert.deepEqual((await book.page('ann', '3', 1)).map((entry) => entry.entry_id), ['4']); // biome-ignore format: short
    assert.equal(await book.like('9'), true);
    assert.equal(await book.like('9'), true);
    assert.equal(await book.like('none'), false);
    assert.deepEqual(await book.total(), { entries: 6, likes: 2 });
  });

  test('a number that the stores would keep differently is refused before it is sent, one that lost digits when read', async () => {
    const { store } = await bookOf(await kind.fresh());
    const keep = (likes: number) =>
      store.db.insertInto('guest_book').values({ entry_id: 'a', guest: 'b', words: null, likes }).execute();
    await assert.rejects(keep(0.5), /0\.5 cannot be kept/);
    await assert.rejects(keep(2 ** 53), /cannot be kept/);
    await keep(Number.MAX_SAFE_INTEGER);
    const read = store.db.selectFrom('guest_book').select(({ eb }) => eb('likes', '+', 2).as('more'));
    await assert.rejects(read.execute());
  });

  test('a transaction is all or nothing, and its queries are seen by others only afterwards', async () => {
    const book = await bookOf(await kind.fresh());
    await book.sign('b', 'bob');
    await assert.rejects(book.signTogether(['a', 'b'], 'ann'));
    assert.deepEqual(await book.page('ann', '', 10), []);
    await assert.rejects(
      book.store.transaction(async (tx) => {
        await tx.deleteFrom('guest_book').execute();
        throw new Error('changed my mind');
      }),
      /changed my mind/,
    );
    await book.signTogether(['c', 'd'], 'ann');
    assert.deepEqual(await book.total(), { entries: 3, likes: 0 });
  });

  test('of many who change the same row at once, none is lost', async () => {
    const book = await bookOf(await kind.fresh());
    await book.signTogether(['a', 'b'], 'ann');
    // In opposite orders: on servers these are deadlocks, which are tried again.
    const both = (ids: readonly string[]) =>
      book.store.transaction(async (tx) => {
        for (const id of ids) {
          await tx
            .updateTable('guest_book')
            .set(({ eb }) => ({ likes: eb('likes', '+', 1) }))
            .where('entry_id', '=', id)
            .execute();
        }
      });
    const changes = Array.from({ length: 6 }, (_, n) => both(n % 2 === 0 ? ['a', 'b'] : ['b', 'a']));
    await Promise.all(changes);
    assert.deepEqual(await book.total(), { entries: 2, likes: 12 });
  });
}

function changing(kind: ColdKind, dataOf: (fresh: FreshPlace) => ColdData): void {
  test('tables of an earlier release are brought to today’s with what they hold; its program then stays out', async () => {
    const fresh = await kind.fresh();
    const earlier = await dataOf(fresh).open<GuestBookTables>(EARLIER_GUEST_BOOK);
    const { entry_id, guest } = { entry_id: 'old', guest: 'ann' };
    await earlier.db.insertInto('guest_book').values({ entry_id, guest } as never).execute(); // biome-ignore format: short
    const book = await GuestBook.open(dataOf(fresh));
    assert.deepEqual(await book.page('ann', '', 9), [{ entry_id, guest, words: null, likes: 0 }]);
    await assert.rejects(dataOf(fresh).open(EARLIER_GUEST_BOOK), {
      name: 'SchemaTooNew',
      message: /^guest-book in this database has schema 2, this Floodgate knows up to 1: start the newer/,
    });
  });

  test('rooms number their migrations each for itself, and a ledger beside them keeps its own number', async () => {
    const fresh = await kind.fresh();
    const other: RoomSchema = {
      room: 'other',
      migrations: [
        {
          version: 1,
          name: 'things',
          statements: ({ bigint }) => [`CREATE TABLE other_things (n ${bigint} NOT NULL)`],
        },
      ],
    };
    const ledger = await fresh.openLedger();
    const cold = dataOf(fresh);
    await Promise.all([cold.open(other), cold.open(GUEST_BOOK)]);
    await ledger.close();
    const again = await fresh.openLedger();
    await again.close();
    const reopened = await dataOf(fresh).open<{ room_versions: { room: string; version: number } }>(other);
    const rows = await reopened.db
      .selectFrom('room_versions')
      .select(['room', 'version'])
      .orderBy('room')
      .orderBy('version')
      .execute();
    assert.deepEqual(
      rows.map(({ room, version }) => `${room} ${version}`),
      ['guest-book 0', 'guest-book 1', 'guest-book 2', 'other 0', 'other 1'],
    );
  });

  test('processes that start at once on nothing make the tables once, and all of them write', async () => {
    const fresh = await kind.fresh();
    const processes = ['ann', 'bob', 'cid'].map((guest) => start(fresh, guest));
    const codes = await Promise.all(processes.map(async (each) => (await once(each, 'exit'))[0]));
    assert.deepEqual(codes, [0, 0, 0]);
    assert.deepEqual(await (await GuestBook.open(dataOf(fresh))).total(), { entries: 9, likes: 0 });
  });

  test('a table that is another’s is left alone, and a room may make none but its own', async () => {
    const fresh = await kind.fresh();
    const room: RoomSchema = {
      room: 'guest',
      migrations: [
        {
          version: 1,
          name: 'entries',
          statements: ({ bigint }) => [`CREATE TABLE guest_entries (n ${bigint} NOT NULL)`],
        },
      ],
    };
    const cold = dataOf(fresh);
    await cold.open(room);
    const { db } = await cold.open<Record<string, never>>({ room: 'b', migrations: [] });
    await db.schema.createTable('guest_book').addColumn('n', 'integer').execute();
    await assert.rejects(cold.open(GUEST_BOOK), {
      name: 'CannotReachDatabase',
      message: /there is a table guest_book of another program/,
    });
    await assert.rejects(
      cold.open({ ...room, room: 'mail' }),
      /mail makes a table guest_entries: its name must begin/,
    );
  });
}

function following(kind: ColdKind, dataOf: (fresh: FreshPlace) => ColdData): void {
  test('[S11] a follower’s cursor is kept, moves only forward, and is of one stream', async () => {
    const fresh = await kind.fresh();
    const cursors = await Cursors.open(dataOf(fresh));
    assert.equal(await cursors.seqOf('webhooks', 'one'), 0);
    await cursors.advance('webhooks', 'one', 7);
    await cursors.advance('webhooks', 'one', 5);
    await cursors.advance('webhooks', 'two', 1);
    await cursors.advance('mail', 'one', 3);
    const again = await Cursors.open(dataOf(fresh));
    assert.equal(await again.seqOf('webhooks', 'one'), 7);
    assert.equal(await again.seqOf('webhooks', 'two'), 1);
    await again.forget('webhooks');
    assert.equal(await cursors.seqOf('webhooks', 'one'), 0);
    assert.equal(await cursors.seqOf('mail', 'one'), 3);
  });
}

function dying(kind: ColdKind, bookOf: BookOf): void {
  test('[S4] a process killed in the middle of a transaction leaves what it answered, and nothing of the rest', async () => {
    const fresh = await kind.fresh();
    const dying = start(fresh, 'ann', 'hang');
    let said = '';
    dying.stdout!.setEncoding('utf8');
    for await (const text of dying.stdout!) {
      said += text;
      if (said.includes('in the middle\n')) break;
    }
    dying.kill('SIGKILL');
    await once(dying, 'close');
    const book = await bookOf(fresh);
    const page = async () => (await book.page('ann', '', 9)).map((entry) => entry.entry_id);
    assert.deepEqual(await page(), ['ann-1', 'ann-2', 'ann-3']);
    // Also its locks are gone: the same row can be written.
    await book.sign('ann-lost', 'ann');
    assert.deepEqual(await page(), ['ann-1', 'ann-2', 'ann-3', 'ann-lost']);
  });
}

/** Of more buyers than any pool has connections. */
const SALES = 20;

function besideTheLedger(kind: ColdKind, bookOf: BookOf): void {
  test('the ledger commits while a cold transaction has written and does not end, and others wait for it', async () => {
    const fresh = await kind.fresh();
    const ledger = await fresh.openLedger();
    const book = await bookOf(fresh);
    await book.sign('a', 'ann');
    const order: string[] = [];
    const [mayEnd, hasWritten] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const long = book.store.transaction(async (tx) => {
      await tx.updateTable('guest_book').set({ likes: 1 }).execute();
      hasWritten.resolve();
      await mayEnd.promise;
      order.push('cold transaction ended');
    });
    await hasWritten.promise;
    const waiting = Array.from({ length: 30 }, () => book.like('a'));
    const entries = new EventEntries(SALES);
    assertGranted(await ledger.post(entries.create()));
    for (let ticket = 0; ticket < SALES; ticket++) assertGranted(await ledger.post(entries.buy([ticket])));
    order.push('ledger sold all');
    mayEnd.resolve();
    await Promise.all([long, ...waiting]);
    assert.deepEqual(order, ['ledger sold all', 'cold transaction ended']);
    assert.deepEqual(await book.total(), { entries: 1, likes: 31 });
    await ledger.close();
  });
}
