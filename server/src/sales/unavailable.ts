// Which faults are the ledger's: then nothing was answered, and the same request may be sent again.
import { LedgerOutcomeUnknown, LedgerUnavailable } from '../ledger/ledger.ts';

/** Whether a use case failed because the ledger could not commit, or could not say whether it did. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof LedgerUnavailable || error instanceof LedgerOutcomeUnknown;
}
