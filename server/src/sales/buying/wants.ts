// The lines of a hold on one version of an event: which of its tickets they mean.
import type { TicketType } from '@floodgate/core/event/event.ts';
import type { Ticket } from '@floodgate/core/ids.ts';
import type { Refusal } from '@floodgate/core/refusal.ts';
import type { SeatName } from '@floodgate/core/seating/layout.ts';
import type { TicketsWant, Want } from '../../inventory/inventory.ts';
import type { CatalogueEntry } from '../catalogue/catalogue.ts';
import type { Wanted } from './eligibility.ts';

/** Any tickets of a type (the best ones, of a type that sells seats), these very seats, or the best seats. */
export type Line = { readonly accessCode?: string | undefined } & (
  | { readonly ticketType: string; readonly quantity: number }
  | { readonly seats: readonly SeatName[] }
  | {
      readonly ticketType: string;
      readonly bestAvailable: number;
      readonly section?: string | undefined;
      readonly accessible?: boolean | undefined;
      readonly together?: boolean | undefined;
    }
);

export interface Meant {
  readonly wants: readonly Want[];
  readonly wanted: readonly Wanted[];
}

/** Refusals: TICKET_TYPE_NOT_FOUND, SECTION_NOT_FOUND, SEAT_NOT_FOUND with all seats that do not exist. */
export function meant(entry: CatalogueEntry, lines: readonly Line[]): Meant | Refusal {
  const wants: Want[] = [];
  const wanted: Wanted[] = [];
  let hasNoSection = false;
  for (const line of lines) {
    if ('seats' in line) continue;
    const type = typeNamed(entry, line.ticketType);
    if (!type) return { refusal: 'TICKET_TYPE_NOT_FOUND' };
    const want = wantOf(entry, type, line);
    if (want) wants.push(want);
    else hasNoSection = true;
    wanted.push({ type, quantity: numberOf(line), accessCode: line.accessCode });
  }
  if (hasNoSection) return { refusal: 'SECTION_NOT_FOUND' };
  const seats = seatsMeant(entry, lines, wanted);
  if ('refusal' in seats) return seats;
  if (seats.tickets.length > 0) wants.push(seats);
  return { wants, wanted };
}

export function typeNamed({ event }: CatalogueEntry, name: string): TicketType | undefined {
  return event.ticketTypes.find(({ ticketTypeId }) => ticketTypeId === name);
}

type TypeLine = Exclude<Line, { readonly seats: unknown }>;

const numberOf = (line: TypeLine): number => ('quantity' in line ? line.quantity : line.bestAvailable);

/** Undefined: the type has no seats of that kind there. */
function wantOf({ layout }: CatalogueEntry, type: TicketType, line: TypeLine): Want | undefined {
  const { ticketTypeId: ticketType } = type;
  const { section, accessible, together }: Partial<Extract<Line, { readonly bestAvailable: number }>> = line;
  if (layout.poolsFor(ticketType, { section, accessible }).length === 0) return undefined;
  // Any ticket of general admission is as good as the best.
  if (!layout.isSeated(ticketType)) return { ticketType, quantity: numberOf(line) };
  return { ticketType, best: numberOf(line), section, accessible, together };
}

/** All seats of all lines as one want. What they are of is added to `wanted`. */
function seatsMeant(
  { layout }: CatalogueEntry,
  lines: readonly Line[],
  wanted: Wanted[],
): TicketsWant | Refusal {
  const tickets: Ticket[] = [];
  const missing: SeatName[] = [];
  for (const line of lines) {
    if (!('seats' in line)) continue;
    for (const seat of line.seats) {
      const ticket = layout.seatNamed(seat.section, seat.row, seat.seat);
      if (ticket === undefined) {
        missing.push(seat);
        continue;
      }
      tickets.push(ticket);
      wanted.push({ type: layout.typeOf(ticket), quantity: 1, accessCode: line.accessCode });
    }
  }
  return missing.length > 0 ? { refusal: 'SEAT_NOT_FOUND', seats: missing } : { tickets };
}
