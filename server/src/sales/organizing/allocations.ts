// Tickets that staff take out of sale: set aside for a channel, or killed. They may be dropped to sale later.
import type { Allocation, EventDefinition } from '@floodgate/core/event/event.ts';
import { MAX_NAME, textProblem } from '@floodgate/core/event/input-errors.ts';
import type { Ticket, TicketTypeId } from '@floodgate/core/ids.ts';
import type { Refusal } from '@floodgate/core/refusal.ts';
import { type SeatName, seatKey } from '@floodgate/core/seating/layout.ts';
import { allocationOf, withAside, withoutTickets } from '@floodgate/core/seating/out-of-sale.ts';
import { fromRuns } from '@floodgate/core/seating/ticket-runs.ts';
import { type Line, meant } from '../buying/wants.ts';
import type { CatalogueEntry } from '../catalogue/catalogue.ts';
import type { Shop } from '../shop.ts';
import { type Asked, changeEvent, MAX_MOVED, type StaffRefusal } from './change-event.ts';

export interface AllocationView {
  readonly allocationId: string;
  readonly name: string;
  readonly kind: Allocation['kind'];
  /** How many tickets are out of sale by it. */
  readonly quantity: number;
  readonly lines: readonly {
    readonly ticketType: TicketTypeId;
    readonly quantity: number;
    /** Ticket numbers, as in "12-40,77". */
    readonly tickets: string;
    readonly seats?: readonly SeatName[] | undefined;
  }[];
}

export interface AllocationChange {
  /** As it is now; without lines when nothing is left of it. */
  readonly allocation: AllocationView;
  readonly version: number;
}

/**
 * Takes tickets out of sale, all or none of them. Refusals: EVENT_NOT_FOUND, EVENT_CHANGED, TICKET_TYPE_NOT_FOUND,
 * SECTION_NOT_FOUND, SEAT_NOT_FOUND, WRONG_STATUS, SEAT_TAKEN, SOLD_OUT, ALL_HELD, NO_SEATS_TOGETHER.
 */
export async function allocate(
  shop: Shop,
  eventId: string,
  sent: Pick<Allocation, 'name' | 'kind'> & { readonly lines: readonly Line[] },
  asked: Asked,
): Promise<AllocationChange | StaffRefusal> {
  const { name, kind, lines } = sent;
  const nameProblem = textProblem(name, MAX_NAME);
  if (nameProblem !== undefined) return { problems: { name: nameProblem } };
  const repeated = repeatedSeat(lines);
  if (repeated !== undefined) return { problems: { lines: repeated } };
  const changed = await changeEvent(shop, eventId, asked, (entry, allocationId) => {
    if (entry.event.status === 'cancelled') return { refusal: 'WRONG_STATUS' };
    const bulk = lines.findIndex(
      (line) => 'quantity' in line && entry.layout.isSeated(line.ticketType as TicketTypeId),
    );
    if (bulk !== -1) return { problems: { [`lines.${bulk}.quantity`]: NAME_THE_SEATS } };
    const request = meant(entry, lines);
    if ('refusal' in request) return request;
    const wanted = request.wanted.reduce((sum, { quantity }) => sum + quantity, 0);
    if (wanted > MAX_MOVED)
      return { problems: { lines: `name ${wanted} tickets; at most ${MAX_MOVED} at once` } };
    return {
      action: kind === 'kill' ? 'kill' : 'allocate',
      ...{ wants: request.wants, restored: [] },
      event: (aside) => ({
        ...entry.event,
        allocations: withAside(entry.event.allocations, { allocationId, name, kind }, aside, typeIn(entry)),
      }),
      refuse: (refusal) => refusal,
    };
  });
  if (!('entry' in changed)) return changed;
  return { allocation: viewOf(changed.entry, changed.allocationId)!, version: changed.entry.version };
}

const NAME_THE_SEATS =
  'is for general admission: of a type with seats say which ("seats") or "bestAvailable"';

function repeatedSeat(lines: readonly Line[]): string | undefined {
  const named = new Set<string>();
  for (const line of lines) {
    if (!('seats' in line)) continue;
    for (const seat of line.seats) {
      const key = seatKey(seat);
      if (named.has(key)) return `name ${seat.section}/${seat.row}/${seat.seat} twice`;
      named.add(key);
    }
  }
  return undefined;
}

const typeIn =
  ({ layout }: CatalogueEntry) =>
  (ticket: Ticket): TicketTypeId =>
    layout.typeOf(ticket).ticketTypeId;

/** Which tickets of an allocation are dropped to sale; nothing said: all. */
export interface Dropped {
  readonly quantity?: number | undefined;
  /** Of this type only. */
  readonly ticketType?: string | undefined;
  readonly seats?: readonly SeatName[] | undefined;
}

/**
 * Drops tickets of an allocation to sale. Refusals: EVENT_NOT_FOUND, EVENT_CHANGED, ALLOCATION_NOT_FOUND,
 * SEAT_NOT_FOUND of seats that are not in it.
 */
export async function releaseAllocation(
  shop: Shop,
  eventId: string,
  allocationId: string,
  dropped: Dropped,
  asked: Asked,
): Promise<AllocationChange | StaffRefusal> {
  let last: AllocationView | undefined;
  const changed = await changeEvent(shop, eventId, asked, (entry) => {
    last = viewOf(entry, allocationId);
    if (!last) return { refusal: 'ALLOCATION_NOT_FOUND' };
    const restored = droppedFrom(entry, allocationId, dropped);
    if (!Array.isArray(restored)) return restored;
    if (restored.length > MAX_MOVED)
      return { problems: { quantity: `must be at most ${MAX_MOVED} at once` } };
    return {
      action: 'release',
      ...{ wants: [], restored },
      event: () => released(entry.event, restored),
      refuse: (refusal) => refusal,
    };
  });
  if (!('entry' in changed)) return changed;
  const { entry } = changed;
  const allocation = viewOf(entry, allocationId) ?? { ...last!, quantity: 0, lines: [] };
  return { allocation, version: entry.version };
}

function released(event: EventDefinition, restored: readonly Ticket[]): EventDefinition {
  return { ...event, allocations: withoutTickets(event.allocations, restored) };
}

function droppedFrom(
  entry: CatalogueEntry,
  allocationId: string,
  { quantity, ticketType, seats }: Dropped,
): Ticket[] | StaffRefusal {
  const { tickets } = allocationOf(entry.event, allocationId);
  if (seats) return seatsIn(entry, tickets, seats);
  const ofType = tickets.filter((ticket) => ticketType === undefined || typeIn(entry)(ticket) === ticketType);
  if (ofType.length === 0)
    return { refusal: 'TICKET_TYPE_NOT_FOUND', detail: 'It has no tickets of this type.' };
  const count = quantity ?? ofType.length;
  return count <= ofType.length
    ? ofType.slice(0, count)
    : { problems: { quantity: `must be at most ${ofType.length}: it has no more tickets of this type` } };
}

function seatsIn(
  { layout }: CatalogueEntry,
  tickets: readonly Ticket[],
  seats: readonly SeatName[],
): Ticket[] | Refusal {
  const inside = new Set(tickets);
  const found = new Set<Ticket>();
  const missing = seats.filter(({ section, row, seat }) => {
    const ticket = layout.seatNamed(section, row, seat);
    if (ticket === undefined || !inside.has(ticket)) return true;
    found.add(ticket);
    return false;
  });
  return missing.length > 0 ? { refusal: 'SEAT_NOT_FOUND', seats: missing } : [...found];
}

/** What is out of sale by staff's word, in the order it was taken; not what a smaller capacity withdrew. */
export async function listAllocations(shop: Shop, eventId: string): Promise<AllocationView[] | Refusal> {
  const entry = await shop.catalogue.current(eventId);
  if (!entry) return { refusal: 'EVENT_NOT_FOUND' };
  const ids = new Set((entry.event.allocations ?? []).map(({ allocationId }) => allocationId));
  return [...ids].flatMap((id) => viewOf(entry, id) ?? []);
}

function viewOf({ event, layout }: CatalogueEntry, allocationId: string): AllocationView | undefined {
  const { records } = allocationOf(event, allocationId);
  const [first] = records;
  if (!first) return undefined;
  const lines = records.map(({ ticketType, tickets }) => {
    const all = fromRuns(tickets);
    const seats = layout.isSeated(ticketType)
      ? all.flatMap((ticket) => layout.seatOf(ticket) ?? [])
      : undefined;
    return { ticketType, quantity: all.length, tickets, ...(seats && { seats }) };
  });
  const quantity = lines.reduce((sum, line) => sum + line.quantity, 0);
  return { allocationId: first.allocationId, name: first.name, kind: first.kind, quantity, lines };
}
