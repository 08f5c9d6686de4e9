// The audit log of an event: who changed what of it, and when. Its entries are facts of the event's journal; each names
// the one before it, so the log is read from the newest back.

import type { FactOf } from '@floodgate/core/facts.ts';
import type { Refusal } from '@floodgate/core/refusal.ts';
import type { JournalEntry } from '../../ledger/ledger.ts';
import type { Shop } from '../shop.ts';

export interface ChangeView {
  /** Of the event after the change: what its ETag was then. */
  readonly version: number;
  readonly atMs: number;
  /** Null: the shop itself, when it made its demo events. */
  readonly by: string | null;
  readonly action: string;
  readonly before: unknown;
  readonly after: unknown;
}

/**
 * A page of the log, the newest first, from `fromVersion` (undefined: the newest) back. `next` is the version that the
 * next page begins with. Refusals: EVENT_NOT_FOUND.
 */
export async function listChanges(
  shop: Shop,
  eventId: string,
  fromVersion: number | undefined,
  limit: number,
): Promise<{ changes: ChangeView[]; next: number | undefined } | Refusal> {
  const entry = await shop.catalogue.current(eventId);
  if (!entry) return { refusal: 'EVENT_NOT_FOUND' };
  const changes: ChangeView[] = [];
  let version: number | undefined = Math.min(fromVersion ?? entry.version, entry.version);
  while (version !== undefined && version > 0 && changes.length < limit) {
    const [fact] = await shop.ledger.journal(entry.eventId, version - 1, 1);
    if (fact?.seq !== version || !isChange(fact)) break;
    changes.push(viewOf(fact));
    version = previousOf(fact);
  }
  return { changes, next: version };
}

type Change = JournalEntry & FactOf<'event-created' | 'event-changed'>;

function isChange(entry: JournalEntry): entry is Change {
  return entry.kind === 'event-created' || entry.kind === 'event-changed';
}

const previousOf = (change: Change): number | undefined =>
  change.kind === 'event-changed' ? change.fact.previous : undefined;

function viewOf(change: Change): ChangeView {
  const { seq: version, atMs } = change;
  if (change.kind === 'event-created') {
    const { by = null, capacity } = change.fact;
    return { version, atMs, by, action: 'create', before: {}, after: { capacity } };
  }
  const { by, action, before, after } = change.fact;
  return { version, atMs, by, action, before, after };
}
