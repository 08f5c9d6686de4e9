// Random batches in so small a world that entries often meet, for comparing one ledger with another.
import type { EventId, HoldId } from '@floodgate/core/ids.ts';
import fc from 'fast-check';
import type { Verdict } from './judge.ts';
import type { Entry, Hold, Ledger } from './ledger.ts';
import type { SqliteReader } from './sqlite/reader.ts';
import { type EventEntries, freshId, ticketsOf, underKey } from './test-entries.ts';
import { plain } from './test-script.ts';

export const WORLD_CAPACITY = 16;

/** What an entry is made from, in so small a world that entries often meet. */
const recipe = fc.record({
  kind: fc.constantFrom(
    ...(['hold', 'hold', 'hold', 'hold', 'buy', 'confirm', 'confirm', 'release', 'release'] as const),
    ...(['expire', 'expire', 'refuse', 'create'] as const),
  ),
  event: fc.constantFrom(0, 0, 0, 1),
  // The last ticket is outside: such entries are broken.
  tickets: fc.uniqueArray(fc.nat(WORLD_CAPACITY), { minLength: 1, maxLength: 3 }),
  key: fc.option(fc.record({ key: fc.constantFrom('a', 'b', 'c'), hash: fc.constantFrom('x', 'y') }), {
    freq: 3,
  }),
  /** Which of the event's holds proposed so far, counted from the last; it may be one of the same batch. */
  holdsAgo: fc.nat(2),
  ttlMs: fc.constantFrom(0, 20, 100),
  note: fc.option(fc.nat(9), { nil: undefined }),
});
type Recipe = typeof recipe extends fc.Arbitrary<infer T> ? T : never;

export const batches = fc.array(
  fc.record({ passMs: fc.constantFrom(0, 5, 10), recipes: fc.array(recipe, { minLength: 1, maxLength: 8 }) }),
  { minLength: 4, maxLength: 16 },
);

/** What the batches must have met, all together, for the property to mean something. */
export const EVERY_VERDICT = [
  ...['committed', 'committed again', 'broken', 'EVENT_NOT_FOUND', 'EVENT_EXISTS', 'IDEMPOTENCY_KEY_REUSED'],
  ...[
    'TICKET_TAKEN',
    'SOLD_OUT',
    'HOLD_NOT_FOUND',
    'HOLD_EXPIRED',
    'HOLD_RELEASED',
    'HOLD_CONFIRMED',
    'HOLD_NOT_DUE',
  ],
];

export function kindOf(verdict: Verdict): string {
  if (verdict.status === 'refused') return verdict.refusal;
  return verdict.status === 'committed' && verdict.replayed ? 'committed again' : verdict.status;
}

export function entryOf(recipe: Recipe, entries: EventEntries, holds: Hold[]): Entry {
  const { tickets, ttlMs, note } = recipe;
  const key = recipe.key ? underKey(recipe.key.key, recipe.key.hash) : {};
  const ours = holds.filter((hold) => hold.eventId === entries.eventId);
  const holdId = ours.at(-1 - recipe.holdsAgo)?.holdId ?? freshId<HoldId>();
  switch (recipe.kind) {
    case 'buy':
      return entries.buy(tickets, { ...key, note });
    case 'hold': {
      const hold = entries.hold(tickets, { ...key, note, ttlMs });
      holds.push(hold);
      return hold;
    }
    case 'confirm':
      return entries.confirm(holdId, key);
    case 'release':
      return entries.release(holdId);
    case 'expire':
      return entries.expire(holdId);
    case 'refuse':
      return entries.refuse('SOLD_OUT', { ...underKey('a'), ...key, note });
    case 'create':
      return entries.create();
  }
}

/** All that can be read of an event and these holds, in an order that no store must keep. */
export async function recordsOf(ledger: Ledger | SqliteReader, eventId: EventId, holds: readonly Hold[]) {
  const all = ticketsOf(...Array.from({ length: WORLD_CAPACITY }, (_, ticket) => ticket));
  const { seq, held, sold } = await ledger.claims(eventId);
  const due = await ledger.dueHolds(Number.MAX_SAFE_INTEGER, 1_000_000);
  return plain({
    seq,
    claims: [
      held.sort(),
      sold.sort(),
      (await ledger.claimsOf(eventId, all)).sort((a, b) => a.ticket - b.ticket),
    ],
    orders: await ledger.orders(eventId, 0, 1_000),
    journal: await ledger.journal(eventId, 0, 1_000),
    holds: await Promise.all(holds.map(({ holdId }) => ledger.hold(holdId))),
    active: due
      .filter((hold) => hold.eventId === eventId)
      .map(({ holdId }) => holdId)
      .sort(),
    audit: await ledger.audit(eventId),
  });
}
