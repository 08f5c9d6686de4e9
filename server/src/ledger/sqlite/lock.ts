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

/** Takes the ledger for this process; the returned function gives it back. Throws LedgerInUse. */
export function lockLedger(file: string): () => void {
  const db = new DatabaseSync(`${file}.lock`);
  try {
    db.exec('PRAGMA journal_mode = MEMORY');
    db.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    // 5 is SQLITE_BUSY.
    if ((error as { errcode?: number }).errcode === 5) throw new LedgerInUse(file);
    throw error;
  }
  return () => db.close();
}
