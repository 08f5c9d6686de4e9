// The heart of buying and holding: the inventory proposes tickets, the ledger decides, and whatever comes of it
// the two agree again afterwards.
import type { EventId, Ticket } from '@floodgate/core/ids.ts';
import { invariant, type RefusalCode } from '@floodgate/core/refusal.ts';
import type { TakeRefusal, Want } from '../inventory/inventory.ts';
import {
  type Buy,
  type Hold,
  type Idempotency,
  LedgerUnavailable,
  type Outcome,
  type Refused,
} from '../ledger/ledger.ts';
import type { Rooms } from './rooms.ts';

/** How often other tickets are proposed after the ledger found the proposed ones claimed. */
const MAX_PROPOSALS = 16;
/** After so many proposals in vain, the inventory reads what others have sold before it proposes again. */
const CATCH_UP_EVERY = 4;
/** How long a buyer waits for takes in flight to be decided before being told to come again. */
const MAX_WAIT_MS = 2_000;

export interface ClaimRequest {
  readonly eventId: EventId;
  readonly wants: readonly Want[];
  readonly idempotency?: Idempotency | undefined;
  /** Whether answer and kept refusal carry how many tickets of the event are left, as their `note`. */
  readonly notesRemaining?: boolean;
  /** The entry that claims these tickets. */
  readonly propose: (tickets: readonly Ticket[], note: number | undefined) => Buy | Hold;
}

/** Claims what is wanted, or refuses. Throws LedgerUnavailable or LedgerOutcomeUnknown. */
export async function claim(rooms: Rooms, request: ClaimRequest): Promise<Outcome> {
  const { eventId, wants } = request;
  let deadlineMs = 0;
  let proposals = 0;
  while (proposals < MAX_PROPOSALS) {
    const answer = rooms.inventory.take(eventId, wants);
    // The memory inventory answers at once: a turn of the microtask queue saved for every sale.
    const taken = answer instanceof Promise ? await answer : answer;
    if ('tickets' in taken) {
      const outcome = await propose(rooms, request, taken.tickets);
      if (outcome.status === 'committed' || outcome.refusal !== 'TICKET_TAKEN') return outcome;
      if (++proposals % CATCH_UP_EVERY === 0) await rooms.inventory.catchUp(eventId);
    } else if (taken.refusal === 'PENDING') {
      // Only a buyer who meets takes in flight looks at the clock: the others never pay for it.
      const nowMs = performance.now();
      deadlineMs ||= nowMs + MAX_WAIT_MS;
      // No refusal either: a ledger that stands still decides nothing, and then the tickets may be free.
      if (nowMs >= deadlineMs) throw new LedgerUnavailable('sales under way are not decided yet');
      await rooms.inventory.nextChange(eventId, deadlineMs - nowMs);
    } else {
      return refuse(rooms, request, taken.refusal);
    }
  }
  // No refusal, which a key would keep: there may be tickets, they were only never those that were proposed.
  throw new LedgerUnavailable(`others were faster ${MAX_PROPOSALS} times`);
}

async function propose(rooms: Rooms, request: ClaimRequest, tickets: readonly Ticket[]): Promise<Outcome> {
  const { eventId } = request;
  const entry = request.propose(
    tickets,
    request.notesRemaining ? await remaining(rooms, eventId) : undefined,
  );
  let outcome: Outcome;
  try {
    outcome = await rooms.ledger.post(entry);
  } catch (fault) {
    if (fault instanceof LedgerUnavailable) rooms.inventory.giveBack(eventId, tickets);
    else rooms.doubts.add({ eventId, tickets });
    throw fault;
  }
  if (outcome.status === 'committed' && !outcome.replayed) {
    rooms.inventory.settle(eventId, tickets, entry.kind === 'buy' ? 'sold' : 'held');
  } else if (outcome.status === 'refused' && outcome.taken) {
    learn(rooms, eventId, tickets, outcome);
  } else {
    rooms.inventory.giveBack(eventId, tickets);
  }
  return outcome;
}

/** The inventory was wrong about some of the tickets: it learns how they are claimed and gets the others back. */
function learn(rooms: Rooms, eventId: EventId, tickets: readonly Ticket[], refused: Refused): void {
  const taken = refused.taken ?? [];
  rooms.telemetry.oversellStopped(eventId, taken.length);
  for (const as of ['held', 'sold'] as const) {
    const claimed = taken.filter((t) => t.as === as).map((t) => t.ticket);
    if (claimed.length > 0) rooms.inventory.settle(eventId, claimed, as);
  }
  const isTaken = new Set(taken.map((t) => t.ticket));
  const free = tickets.filter((ticket) => !isTaken.has(ticket));
  if (free.length > 0) rooms.inventory.giveBack(eventId, free);
}

/** A refusal; under a key it is kept like any answer (rule S5), unless the key already has one. */
async function refuse(rooms: Rooms, request: ClaimRequest, refusal: TakeRefusal): Promise<Outcome> {
  invariant(refusal !== 'PENDING', 'a pending take is waited for, not refused');
  const { eventId, idempotency } = request;
  const isOfState = refusal === 'SOLD_OUT' || refusal === 'ALL_HELD';
  const code: RefusalCode = refusal;
  if (!idempotency || !isOfState) return { status: 'refused', refusal: code };
  const note = request.notesRemaining ? await remaining(rooms, eventId) : undefined;
  return rooms.ledger.post({ kind: 'refuse', eventId, refusal: code, idempotency, note });
}

/** Tickets of the event that nobody has claimed. */
export async function remaining(rooms: Rooms, eventId: EventId): Promise<number> {
  const counts = await rooms.inventory.counts(eventId);
  return counts?.reduce((sum, type) => sum + type.available, 0) ?? 0;
}
