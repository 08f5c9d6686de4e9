// Judges what staff do: events made and changed, and the facts of the shop's own journal.
import { SHOP, type Ticket } from '@floodgate/core/ids.ts';
import { layoutCapacity } from '@floodgate/core/seating/layout.ts';
import type { ChangeEvent, ClaimKind, CreateEvent, KeepManifest, OpenShop, RecordFact } from '../ledger.ts';
import { SHOP_ROW } from '../streams.ts';
import type { BatchDraft } from './draft.ts';
import type { EventState, VerdictOn } from './state.ts';
import { broken, isStale, isTicketOf, refused } from './verdicts.ts';

export function judgeCreate(draft: BatchDraft, { event, by }: CreateEvent): VerdictOn<CreateEvent> {
  const capacity = layoutCapacity(event);
  const state = draft.addEvent(event, capacity);
  const seq = draft.record(state, 'event-created', { capacity, by });
  draft.changeEvent(state, event, capacity);
  return { status: 'committed', seq, atMs: draft.nowMs, tickets: [], buyer: null };
}

export function judgeChange(
  draft: BatchDraft,
  event: EventState,
  entry: ChangeEvent,
): VerdictOn<ChangeEvent> {
  if (isStale(event, entry.version)) return refused('EVENT_CHANGED');
  const flaw = flawOf(event, entry);
  if (flaw) return broken(flaw);
  const { setAside, restored, allocationId, capacity } = entry;
  const taken: { ticket: Ticket; as: ClaimKind }[] = [];
  let isRefused = false;
  for (const [tickets, wanted] of [[setAside, undefined], [restored, 'aside']] as const) {
    for (const ticket of tickets) {
      const as = event.claims.get(ticket)?.now?.as;
      if (as === wanted) continue;
      isRefused = true;
      if (as) taken.push({ ticket, as });
    }
  } // biome-ignore format: a table
  if (isRefused) return { status: 'refused', refusal: 'TICKET_TAKEN', taken };

  if (allocationId) draft.claim(event, setAside, { as: 'aside', by: allocationId });
  draft.claim(event, restored, undefined);
  const { by, action, before, after, version: previous } = entry;
  const fact = { by, action, before, after, capacity, setAside, restored, allocationId, previous };
  const seq = draft.record(event, 'event-changed', fact);
  draft.changeEvent(event, entry.event, capacity);
  return { status: 'committed', seq, atMs: draft.nowMs, tickets: [], buyer: null };
}

/** What makes a change one that could never be right, as text. */
function flawOf(event: EventState, entry: ChangeEvent): string | undefined {
  const { eventId, capacity, setAside, restored, allocationId } = entry;
  if (entry.event.eventId !== eventId) return `event ${eventId} cannot become ${entry.event.eventId}`;
  if (capacity !== layoutCapacity(entry.event)) return `the layout has other than ${capacity} tickets`;
  if (capacity < event.capacity) return `${event.capacity} tickets cannot become ${capacity}`;
  if (setAside.length > 0 && !allocationId) return 'tickets are set aside for no allocation';
  const named = [...setAside, ...restored];
  const alien = named.find((ticket) => !isTicketOf(capacity, ticket));
  if (alien !== undefined) return `event ${eventId} has no ticket ${alien}`;
  return new Set(named).size === named.length ? undefined : 'a ticket is named twice';
}

export function judgeOpenShop(draft: BatchDraft): VerdictOn<OpenShop> {
  const shop = draft.addEvent(SHOP_ROW, 0);
  const seq = draft.record(shop, 'event-created', { capacity: 0 });
  draft.changeEvent(shop, SHOP_ROW, 0);
  return { status: 'committed', seq, atMs: draft.nowMs, tickets: [], buyer: null };
}

export function judgeRecord(draft: BatchDraft, shop: EventState, entry: RecordFact): VerdictOn<RecordFact> {
  if (shop.eventId !== SHOP) return broken(`${entry.as} is a fact of the shop, not of ${shop.eventId}`);
  const seq = draft.record(shop, entry.as, entry.fact);
  return { status: 'committed', seq, atMs: draft.nowMs, tickets: [], buyer: null };
}

/** Its content has the id's digest, so keeping it again writes nothing but who did. */
export function judgeManifest(
  draft: BatchDraft,
  shop: EventState,
  entry: KeepManifest,
): VerdictOn<KeepManifest> {
  if (shop.eventId !== SHOP) return broken(`manifests are kept by the shop, not by ${shop.eventId}`);
  const { manifestId, content, by } = entry;
  draft.keepManifest(manifestId, content);
  const seq = draft.record(shop, 'manifest-kept', { manifestId, by, bytes: Buffer.byteLength(content) });
  return { status: 'committed', seq, atMs: draft.nowMs, tickets: [], buyer: null };
}
