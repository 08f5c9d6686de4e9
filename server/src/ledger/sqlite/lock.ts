// One program per SQLite ledger. The lock is an exclusive transaction on a file beside the ledger: the operating
// system ends it with the process, however that dies, so there is no stale lock to clean up.
import { DatabaseSync } from 'node:sqlite';

/** Another program has the ledger. */
export class LedgerInUse extends Error {
  override readonly name = 'LedgerInUse';
  constructor(file: string) {
    super(`${file} is in use by another Floodgate: stop that one, or give this one another DATABASE_URL`);
  }
}

/** SQLite cannot open a file, or what is in it is no database. */
export class CannotOpenLedger extends Error {
  override readonly name = 'CannotOpenLedger';
  constructor(file: string, cause: Error) {
    super(`cannot open ${file}: ${cause.message}`, { cause });
  }
}

/** Takes the ledger for this process; the returned function gives it back. Throws LedgerInUse, CannotOpenLedger. */
export function lockLedger(file: string): () => void {
  const lockFile = `${file}.lock`;
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(lockFile);
    db.exec('PRAGMA journal_mode = MEMORY');
    db.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    db?.close();
    // 5 is SQLITE_BUSY.
    if ((error as { errcode?: number }).errcode === 5) throw new LedgerInUse(file);
    throw new CannotOpenLedger(lockFile, error as Error);
  }
  return () => db.close();
}
