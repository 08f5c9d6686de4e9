// The only way into the ledger. A use case says two things: why not, on this version of the event; and which entry. The
// rest is here: versions, keys, what nobody knows after a fault, and what the inventory must hear.
//
// A request goes round again for one of these reasons, and each makes progress:
//
// - The event does not sell, but the ledger has a newer version. Versions only grow.
// - EVENT_CHANGED: staff changed the event after it was read here. Checked anew on the newer version.
// - The inventory proposes tickets that this version does not have: it knows the newer version already.
// - TICKET_TAKEN: the inventory was wrong about some tickets. It has heard how they are claimed and proposes others; after
//   a few rounds in vain it reads what others have sold.
// - PENDING: takes in flight decide the answer. Waits until one of them is decided, for two seconds at most.
// - The shop's own stream does not exist yet. It is made, once.
//
// After MAX_ROUNDS the request is answered with Busy, which is no refusal that a key would keep: there may be tickets.

import { invariant } from '@floodgate/core/assert.ts';
import { Busy } from '@floodgate/core/faults.ts';
import { type EventId, SHOP, type Ticket } from '@floodgate/core/ids.ts';
import type { Refusal } from '@floodgate/core/refusal.ts';
import type { TicketLayout } from '@floodgate/core/seating/layout.ts';
import type { Inventory, TakeRefusal, TakeResult, Want } from '../inventory/inventory.ts';
import {
  type Buy,
  type ChangeEvent,
  type CommittedOf,
  type Confirm,
  type Entry,
  type Hold,
  type Idempotency,
  LedgerUnavailable,
  type Outcome,
  type OutcomeOf,
  type Refuse,
} from '../ledger/ledger.ts';
import type { CatalogueEntry } from './catalogue/catalogue.ts';
import { effectOf, type Posted } from './effects.ts';
import { keptRefusal, toldRefusal } from './kept-refusal.ts';
import type { Shop } from './shop.ts';
import { tellClaims } from './ticket-states.ts';

const MAX_ROUNDS = 16;
/** How long anybody waits for takes in flight to be decided before being told to come again. */
const MAX_WAIT_MS = 2_000;
/** An event that does not sell is looked up again this often, however many are told so. */
const RECENT_MS = 100;

/** What conduct works with. */
export type Rooms = Pick<Shop, 'catalogue' | 'inventory' | 'ledger' | 'inDoubt' | 'telemetry'>;

/** Entries that are made from a version of an event. */
type Versioned = Buy | Hold | Confirm | ChangeEvent;

/** What a request comes to on one version of an event: what has to be taken from the inventory first. */
export interface Demand {
  readonly wants: readonly Want[];
}

export const NOTHING_WANTED: Demand = { wants: [] };

/**
 * What a use case gives. Its parts may be called once for every round. A promise is for what has to be read: without one,
 * nobody waits. `X`: answers of its own beside refusals.
 */
export interface Course<E extends Versioned, D extends Demand = Demand, X extends object = never> {
  readonly kind: E['kind'];
  /** Under a key a refusal is kept like any answer (rule S5). */
  readonly idempotency?: Idempotency | undefined;
  /** Why not, on this version of the event; else the demand. */
  readonly check: (entry: CatalogueEntry) => D | Refusal | X | Promise<D | Refusal | X>;
  /** Which entry, with the tickets that were taken. They go back when there is none. */
  readonly propose: (
    entry: CatalogueEntry,
    demand: D,
    tickets: readonly Ticket[],
  ) => E | Refusal | X | Promise<E | Refusal | X>;
  /** What is said when the inventory has not what is wanted; unset: its own refusal. */
  readonly refuse?: (
    refusal: Refusal,
    entry: CatalogueEntry,
    demand: D,
  ) => Refusal | X | Promise<Refusal | X>;
}

export interface Done<E extends Versioned> {
  readonly outcome: CommittedOf<E>;
  /** The version it was made from, or a newer one with all the tickets of the outcome. */
  readonly entry: CatalogueEntry;
}

/**
 * Carries a request through, beginning on this version of the event. Throws Busy, LedgerUnavailable (nothing happened) and
 * LedgerOutcomeUnknown.
 */
export async function conduct<E extends Versioned, D extends Demand, X extends object = never>(
  shop: Rooms,
  from: CatalogueEntry,
  course: Course<E, D, X>,
): Promise<Done<E> | Refusal | X> {
  let entry = from;
  let inVain = 0;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const checked = course.check(entry);
    const demand = checked instanceof Promise ? await checked : checked;
    let result: OutcomeOf<E> | Refusal | X;
    if (isDemand(demand)) {
      const prepared = prepare(shop, entry, course, demand);
      const proposed = prepared instanceof Promise ? await prepared : prepared;
      result = isEntry<E>(proposed) ? await post(shop, proposed) : proposed;
    } else {
      const newer = isClosed(demand) ? await lookAgain(shop, entry) : entry;
      const isNewer = newer.version > entry.version;
      entry = newer;
      if (isNewer) continue;
      result = demand;
    }
    let outcome: OutcomeOf<E>;
    if (isOutcome<E>(result)) outcome = result;
    else if (!course.idempotency || !isKept(result)) return result;
    else outcome = await keep<E>(shop, entry, course.kind, course.idempotency, result);
    if (outcome.status === 'committed') return doneOf<E>(shop, entry, outcome);
    if (outcome.refusal === 'EVENT_CHANGED') entry = await shop.catalogue.newerThan(entry);
    else if (outcome.refusal !== 'TICKET_TAKEN') return toldRefusal(entry.layout, outcome);
    else if (++inVain % catchUpEvery(course.kind) === 0) await shop.inventory.catchUp(entry.eventId);
  }
  throw new Busy(`went round ${MAX_ROUNDS} times: others were faster, or staff changed the event`);
}

/**
 * Takes what is wanted on this version, and says what is to be posted, or why nothing is. The memory inventory answers
 * without a promise, and so does this: a turn of the microtask queue saved for every sale.
 */
function prepare<E extends Versioned, D extends Demand, X extends object>(
  shop: Rooms,
  entry: CatalogueEntry,
  course: Course<E, D, X>,
  demand: D,
): Prepared<E, X> | Promise<Prepared<E, X>> {
  const { wants } = demand;
  const taken = wants.length > 0 ? shop.inventory.take(entry.eventId, wants) : NOTHING_TAKEN;
  return taken instanceof Promise || isPending(taken)
    ? prepareLater(shop, entry, course, demand, taken)
    : propose(shop, entry, course, demand, taken);
}

async function prepareLater<E extends Versioned, D extends Demand, X extends object>(
  shop: Rooms,
  entry: CatalogueEntry,
  course: Course<E, D, X>,
  demand: D,
  answer: TakeResult | Promise<TakeResult>,
): Promise<Prepared<E, X>> {
  let taken = await answer;
  if (isPending(taken)) taken = await takeDecided(shop, entry.eventId, demand.wants);
  return propose(shop, entry, course, demand, taken);
}

function propose<E extends Versioned, D extends Demand, X extends object>(
  { inventory }: Rooms,
  entry: CatalogueEntry,
  course: Course<E, D, X>,
  demand: D,
  taken: TakeResult,
): Prepared<E, X> | Promise<Prepared<E, X>> {
  const { eventId, layout } = entry;
  if ('refusal' in taken) {
    const refusal = refusalOfTake(layout, taken);
    return course.refuse ? course.refuse(refusal, entry, demand) : refusal;
  }
  const { tickets } = taken;
  // The inventory may know a newer version already.
  const proposed = hasAll(layout, tickets) ? course.propose(entry, demand, tickets) : STALE;
  return isEntry<E>(proposed) ? proposed : proposedOrUndone(inventory, eventId, tickets, proposed);
}

/** What was taken for an entry that is not to be goes back. */
async function proposedOrUndone<P extends object>(
  inventory: Inventory,
  eventId: EventId,
  tickets: readonly Ticket[],
  proposed: P | Promise<P>,
): Promise<P> {
  let isPosted = false;
  try {
    const result = await proposed;
    isPosted = isEntry(result);
    return result;
  } finally {
    if (!isPosted && tickets.length > 0) inventory.giveBack(eventId, tickets);
  }
}

/**
 * Posts one entry as it is. The inventory hears what came of it; what nobody knows is in doubt until the ledger can be
 * asked. Throws LedgerUnavailable and LedgerOutcomeUnknown.
 */
export async function post<E extends Posted>(shop: Rooms, entry: E): Promise<OutcomeOf<E>> {
  let outcome: OutcomeOf<E>;
  try {
    outcome = await shop.ledger.post(entry);
    if (isStreamMissing(entry, outcome)) {
      // Another process may make it at the same moment: its shop is as good as ours.
      await shop.ledger.post({ kind: 'open-shop', eventId: SHOP });
      outcome = await shop.ledger.post(entry);
    }
  } catch (fault) {
    const doubt = fault instanceof LedgerUnavailable ? undefined : effectOf(entry).doubt(entry);
    if (doubt) shop.inDoubt.add(doubt);
    else undo(shop, entry);
    throw fault;
  }
  if (outcome.status === 'refused' || outcome.replayed) {
    undo(shop, entry, outcome);
    return outcome;
  }
  const settling = effectOf(entry).settle(shop, entry, outcome);
  if (settling instanceof Promise) await settling;
  return outcome;
}

/** Nothing came of the entry: its tickets go back, but for those that the inventory was wrong about. */
function undo<E extends Posted>({ inventory, telemetry }: Rooms, entry: E, outcome?: Outcome): void {
  const tickets = effectOf(entry).taken(entry);
  if (tickets.length === 0) return;
  const { eventId } = entry;
  invariant(eventId !== SHOP, 'the shop has no tickets');
  if (outcome?.status === 'refused' && outcome.taken) {
    telemetry.oversellStopped(eventId, outcome.taken.length);
    tellClaims(inventory, eventId, tickets, outcome.taken);
  } else inventory.giveBack(eventId, tickets);
}

/**
 * Waits until the takes in flight that decide the answer are decided. Gives up after two seconds, and refuses nothing: a
 * ledger that stands still decides nothing, and then the tickets may be free.
 */
async function takeDecided({ inventory }: Rooms, eventId: EventId, wants: readonly Want[]): Promise<Decided> {
  // Only a buyer who meets takes in flight looks at the clock: the others never pay for it.
  const deadlineMs = performance.now() + MAX_WAIT_MS;
  for (;;) {
    const leftMs = deadlineMs - performance.now();
    if (leftMs <= 0) throw new Busy('sales under way are not decided yet');
    await inventory.nextChange(eventId, leftMs);
    const taken = await inventory.take(eventId, wants);
    if (!isPending(taken)) return taken;
  }
}

/** Under its key, unless the key has an answer already, or staff have changed the event meanwhile. */
function keep<E extends Versioned>(
  { ledger }: Rooms,
  { eventId, version, layout }: CatalogueEntry,
  of: E['kind'],
  idempotency: Idempotency,
  refusal: Refusal,
): Promise<OutcomeOf<E>> {
  invariant(of !== 'change-event', 'staff send no keys');
  const refused = keptRefusal(layout, refusal);
  const refuse: Refuse = { kind: 'refuse', of, eventId, version, refused, idempotency };
  return ledger.post(refuse) as Promise<OutcomeOf<E>>;
}

/** An event that does not sell, before a buyer is told so: another process may just have opened it. */
async function lookAgain({ catalogue }: Rooms, entry: CatalogueEntry): Promise<CatalogueEntry> {
  // What the ledger cannot say now is as it was.
  const newer = await catalogue.current(entry.eventId, RECENT_MS).catch(() => undefined);
  return newer ?? entry;
}

/** The answer may be an earlier one, with tickets that this version does not have. */
function doneOf<E extends Versioned>(
  { catalogue }: Rooms,
  entry: CatalogueEntry,
  outcome: CommittedOf<E>,
): Done<E> | Promise<Done<E>> {
  if (!outcome.replayed) return { outcome, entry };
  const shown = catalogue.withTickets(entry.eventId, outcome.tickets);
  return shown instanceof Promise ? shown.then((entry) => ({ outcome, entry })) : { outcome, entry: shown };
}

/** Staff change little and may take thousands of tickets: for them the inventory catches up immediately. */
const catchUpEvery = (kind: Versioned['kind']): number => (kind === 'change-event' ? 1 : 4);

type Decided = Exclude<TakeResult, { readonly refusal: 'PENDING' }>;
type NotTaken = Extract<TakeResult, { readonly refusal: TakeRefusal }>;

/** What is to be posted; or an answer, or that this version is not the newest. */
type Prepared<E extends Versioned, X extends object> = E | Refusal | X | typeof STALE;

const NOTHING_TAKEN: TakeResult = { tickets: [] };
const STALE = { status: 'refused', refusal: 'EVENT_CHANGED' } as const;

function refusalOfTake(layout: TicketLayout, { refusal, taken }: NotTaken): Refusal {
  invariant(refusal !== 'PENDING', 'a pending take is waited for, not refused');
  return refusal === 'SEAT_TAKEN' ? toldRefusal(layout, { refusal, detail: { seats: taken } }) : { refusal };
}

const isPending = (taken: TakeResult): boolean => 'refusal' in taken && taken.refusal === 'PENDING';

const isDemand = <D extends Demand>(checked: D | object): checked is D => 'wants' in checked;

const isEntry = <E extends Versioned>(proposed: E | object): proposed is E => 'kind' in proposed;

const isOutcome = <E extends Versioned>(result: OutcomeOf<E> | object): result is OutcomeOf<E> =>
  'status' in result;

const isClosed = (no: Refusal | object): boolean =>
  'refusal' in no && (no.refusal === 'NOT_ON_SALE' || no.refusal === 'EVENT_NOT_FOUND');

/** A request that names what does not exist leaves nothing behind: corrected, it may be sent under the same key. */
const isKept = (no: Refusal | object): no is Refusal =>
  'refusal' in no && !(no as Refusal).refusal.endsWith('_NOT_FOUND');

function hasAll({ capacity }: TicketLayout, tickets: readonly Ticket[]): boolean {
  for (const ticket of tickets) if (ticket >= capacity) return false;
  return true;
}

const isStreamMissing = ({ kind, eventId }: Entry, outcome: Outcome): boolean =>
  outcome.status === 'refused' &&
  outcome.refusal === 'EVENT_NOT_FOUND' &&
  eventId === SHOP &&
  kind !== 'open-shop';
