// A process that opens the guest book of a place and signs it, for tests that start several or kill one:
// `node guest-book-process.ts <sqlite|postgres|mysql> <file or URL> <guest> [hang]`. It says what it has done, line by
// line; with `hang` it ends in the middle of a transaction, waiting to be killed.
import { ColdData } from '../sql/cold.ts';
import { filePlace, mysqlPlace, postgresPlace } from '../sql/cold-places.ts';
import { GuestBook } from './guest-book.ts';

const PLACES = { sqlite: filePlace, postgres: postgresPlace, mysql: mysqlPlace };

const [kind, where, guest, hang] = process.argv.slice(2);
const cold = new ColdData(() => PLACES[kind as keyof typeof PLACES](where!));
const book = await GuestBook.open(cold);
for (const n of [1, 2, 3]) {
  await book.sign(`${guest}-${n}`, guest!);
  process.stdout.write(`signed ${guest}-${n}\n`);
}
if (hang) {
  await book.store.transaction(async (tx) => {
    const entry = { entry_id: `${guest}-lost`, guest: guest!, words: null, likes: 0 };
    await tx.insertInto('guest_book').values(entry).execute();
    process.stdout.write('in the middle\n');
    await new Promise((resolve) => setTimeout(resolve, 600_000));
  });
}
await cold.close();
