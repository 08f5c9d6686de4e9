// The seat map of an event as the public reads it: the manifest with the ticket number of every seat, so that the
// statuses of a SeatBoard can be drawn. Made once for each entry of the catalogue.
import type { Ticket } from '@floodgate/core/ids.ts';
import type { TicketLayout } from '@floodgate/core/seating/layout.ts';
import { type Seat, seatedSection } from '@floodgate/core/seating/manifest.ts';
import type { PlannedRow, SeatPlan } from '@floodgate/core/seating/seat-plan.ts';
import type { CatalogueEntry } from '../catalogue/catalogue.ts';

/** Adjacent seats of one ticket type with consecutive ticket numbers. Members run parallel to `seats`. */
interface Segment {
  /** Null: these seats are not sold. */
  readonly ticketType: string | null;
  /** The ticket of its first seat; the next seat has the next number. */
  readonly firstTicket: number | null;
  readonly seats: string[];
  readonly x: number[];
  readonly y: number[];
  /** Indexes of such seats; absent when there are none. */
  accessible?: number[];
  companion?: number[];
  restrictedView?: number[];
}

const bodies = new WeakMap<CatalogueEntry, string>();

/** The map as JSON text; undefined for an event without seats. */
export function seatMapOf(entry: CatalogueEntry): string | undefined {
  const { plan } = entry.layout;
  if (!plan) return undefined;
  let body = bodies.get(entry);
  if (body === undefined) {
    body = JSON.stringify({
      eventId: entry.eventId,
      manifestId: entry.event.manifestId,
      name: plan.manifest.name,
      seats: plan.seats,
      sections: sectionsOf(entry, plan),
    });
    bodies.set(entry, body);
  }
  return body;
}

function sectionsOf({ event, layout }: CatalogueEntry, { manifest, rows }: SeatPlan) {
  const bySection = Map.groupBy(rows, ({ section }) => section);
  return manifest.sections.map((section) => {
    if (seatedSection(section)) {
      const planned = bySection.get(section) ?? [];
      const segments = (row: PlannedRow) => ({ row: row.row.row, segments: segmentsOf(layout, row) });
      return { section: section.section, focus: section.focus, rows: planned.map(segments) };
    }
    const type = event.ticketTypes.find(({ category }) => category === section.category);
    const ticketType = type?.ticketTypeId ?? null;
    return { section: section.section, ticketType, capacity: section.capacity };
  });
}

function segmentsOf(layout: TicketLayout, { row, tickets }: PlannedRow): Segment[] {
  const segments: Segment[] = [];
  let expected = -1;
  for (const [place, seat] of row.seats.entries()) {
    const ticket = tickets[place] as Ticket | -1;
    const type = ticket === -1 ? null : layout.typeOf(ticket).ticketTypeId;
    let segment = segments.at(-1);
    const goesOn = segment?.ticketType === type && ticket === expected && !seat.gapBefore;
    if (!segment || !goesOn) {
      segment = { ticketType: type, firstTicket: ticket === -1 ? null : ticket, seats: [], x: [], y: [] };
      segments.push(segment);
    }
    add(segment, seat);
    expected = ticket === -1 ? -1 : ticket + 1;
  }
  return segments;
}

function add(segment: Segment, seat: Seat): void {
  const index = segment.seats.length;
  segment.seats.push(seat.seat);
  segment.x.push(seat.x);
  segment.y.push(seat.y);
  if (seat.kind !== 'standard') {
    segment[seat.kind] ??= [];
    segment[seat.kind]!.push(index);
  }
  if (seat.restrictedView) {
    segment.restrictedView ??= [];
    segment.restrictedView.push(index);
  }
}
