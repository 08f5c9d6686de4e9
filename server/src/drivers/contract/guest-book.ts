// A room with tables of its own, as small as one can be: what the tests of cold data open, and what a new room may be
// copied from. Three lines make it a room with data: its tables as a type, its schema, `cold.open<Tables>(schema)`.
import type { ColdData, ColdStore } from '../sql/cold.ts';
import { type Migration, type RoomSchema, tableOnServer } from '../sql/migration.ts';

/** The columns, as queries see them. */
export interface GuestBookTables {
  guest_book: {
    entry_id: string;
    guest: string;
    words: string | null;
    likes: number;
  };
}

const entries: Migration = {
  version: 1,
  name: 'entries',
  statements: (sql) =>
    tableOnServer(
      sql,
      'guest_book',
      [
        `entry_id ${sql.shortText} NOT NULL PRIMARY KEY`,
        `guest ${sql.shortText} NOT NULL`,
        `words ${sql.text}`,
      ],
      sql.appended,
      { guest_book_by_guest: 'guest, entry_id' },
    ),
};

const likes: Migration = {
  version: 2,
  name: 'likes',
  statements: (sql) => sql.addColumn('guest_book', 'likes', `${sql.bigint} NOT NULL DEFAULT 0`),
};

export const GUEST_BOOK: RoomSchema = { room: 'guest-book', migrations: [entries, likes] };
/** As an earlier release had it. */
export const EARLIER_GUEST_BOOK: RoomSchema = { room: 'guest-book', migrations: [entries] };

export class GuestBook {
  readonly store: ColdStore<GuestBookTables>;

  private constructor(store: ColdStore<GuestBookTables>) {
    this.store = store;
  }

  static async open(cold: ColdData): Promise<GuestBook> {
    return new GuestBook(await cold.open<GuestBookTables>(GUEST_BOOK));
  }

  async sign(entryId: string, guest: string, words: string | null = null): Promise<void> {
    const entry = { entry_id: entryId, guest, words, likes: 0 };
    await this.store.db.insertInto('guest_book').values(entry).execute();
  }

  /** Whether there is such an entry. */
  async like(entryId: string): Promise<boolean> {
    const update = this.store.db
      .updateTable('guest_book')
      .set(({ eb }) => ({ likes: eb('likes', '+', 1) }))
      .where('entry_id', '=', entryId);
    return (await update.executeTakeFirst()).numUpdatedRows === 1n;
  }

  /** The guest's entries behind `afterId`, in order. */
  async page(guest: string, afterId: string, limit: number) {
    const { db } = this.store;
    const behind = db.selectFrom('guest_book').selectAll().where('guest', '=', guest);
    return behind.where('entry_id', '>', afterId).orderBy('entry_id').limit(limit).execute();
  }

  /** How many entries there are, and how many likes they have. */
  async total(): Promise<{ entries: number; likes: number }> {
    const { db } = this.store;
    const row = await db
      .selectFrom('guest_book')
      .select(({ fn }) => [fn.countAll<number>().as('entries'), fn.sum<number | null>('likes').as('likes')])
      .executeTakeFirstOrThrow();
    return { entries: row.entries, likes: row.likes ?? 0 };
  }

  /** Both entries, or none. */
  signTogether(entryIds: readonly string[], guest: string): Promise<void> {
    return this.store.transaction(async (tx) => {
      for (const entryId of entryIds) {
        const entry = { entry_id: entryId, guest, words: null, likes: 0 };
        await tx.insertInto('guest_book').values(entry).execute();
      }
    });
  }
}
