// A row of the journal as a typed fact. What is not known here is no fact to be skipped: a newer release wrote it, and
// whoever folds the journal without it would be wrong for ever.
import { isFactKind } from '@floodgate/core/facts.ts';
import type { JournalEntry } from './ledger.ts';

/** `body` as it was written, in JSON. Throws for an unknown kind. */
export function journalEntry(seq: number, kind: string, atMs: number, body: string): JournalEntry {
  if (!isFactKind(kind)) {
    throw new Error(
      `entry ${seq} of the journal is of the kind "${kind}", which a newer release must have written`,
    );
  }
  return { seq, kind, atMs, fact: JSON.parse(body) } as JournalEntry;
}
