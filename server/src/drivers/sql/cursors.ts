// Where each follower of a journal stands: cold data, because a follower that forgets a little sees some facts twice,
// which it can tell by their numbers. A cursor only moves forward.
import type { ColdData, ColdStore } from './cold.ts';
import { type RoomSchema, tableOnServer } from './migration.ts';

export interface CursorTables {
  cursors: {
    follower: string;
    stream: string;
    seq: number;
  };
}

const CURSORS: RoomSchema = {
  room: 'cursors',
  migrations: [
    {
      version: 1,
      name: 'cursors',
      statements: (sql) =>
        tableOnServer(
          sql,
          'cursors',
          [
            `follower ${sql.shortText} NOT NULL`,
            `stream ${sql.shortText} NOT NULL`,
            `seq ${sql.bigint} NOT NULL`,
            'PRIMARY KEY (follower, stream)',
          ],
          sql.clustered,
        ),
    },
  ],
};

export class Cursors {
  readonly #store: ColdStore<CursorTables>;

  private constructor(store: ColdStore<CursorTables>) {
    this.#store = store;
  }

  static async open(cold: ColdData): Promise<Cursors> {
    return new Cursors(await cold.open<CursorTables>(CURSORS));
  }

  /** The last fact that the follower has done with, or 0. */
  async seqOf(follower: string, stream: string): Promise<number> {
    const cursor = this.#store.db.selectFrom('cursors').select('seq');
    const row = await cursor.where('follower', '=', follower).where('stream', '=', stream).executeTakeFirst();
    return row?.seq ?? 0;
  }

  /** The follower has done with the facts up to `seq`. One that stands further stays there. */
  async advance(follower: string, stream: string, seq: number): Promise<void> {
    await this.#store.transaction(async (tx) => {
      const cursor = await tx
        .selectFrom('cursors')
        .select('seq')
        .where('follower', '=', follower)
        .where('stream', '=', stream)
        .executeTakeFirst();
      if (cursor === undefined) {
        await tx.insertInto('cursors').values({ follower, stream, seq }).execute();
      } else {
        await tx
          .updateTable('cursors')
          .set({ seq })
          .where('follower', '=', follower)
          .where('stream', '=', stream)
          .where('seq', '<', seq)
          .execute();
      }
    });
  }

  /** The follower begins anew with the next fact it reads. */
  async forget(follower: string): Promise<void> {
    await this.#store.db.deleteFrom('cursors').where('follower', '=', follower).execute();
  }
}
