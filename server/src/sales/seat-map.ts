// The seat map of an event as the public reads it: the manifest with the ticket number of every seat, so that the
// statuses of a SeatBoard can be drawn. Made once for each entry of the catalogue.
import type { Manifest, Row, Seat } from '@floodgate/core/manifest.ts';
import type { CatalogueEntry } from './catalogue.ts';

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
      sections: sectionsOf(entry, plan.manifest),
    });
    bodies.set(entry, body);
  }
  return body;
}

function sectionsOf(entry: CatalogueEntry, { sections }: Manifest) {
  return sections.map((section) => {
    if ('rows' in section) {
      const { section: name, focus } = section;
      const rows = section.rows.map((row) => ({ row: row.row, segments: segmentsOf(entry, name, row) }));
      return { section: name, focus, rows };
    }
    const type = entry.event.ticketTypes.find(({ category }) => category === section.category);
    return {
      section: section.section,
      ticketType: type?.ticketTypeId ?? null,
      capacity: section.capacity,
    };
  });
}

function segmentsOf({ layout }: CatalogueEntry, section: string, { row, seats }: Row): Segment[] {
  const segments: Segment[] = [];
  let expected: number | undefined;
  for (const seat of seats) {
    const ticket = layout.seatNamed(section, row, seat.seat);
    const type = ticket === undefined ? null : layout.typeOf(ticket).ticketTypeId;
    let segment = segments.at(-1);
    const goesOn = segment?.ticketType === type && ticket === expected && !seat.gapBefore;
    if (!segment || !goesOn) {
      segment = { ticketType: type, firstTicket: ticket ?? null, seats: [], x: [], y: [] };
      segments.push(segment);
    }
    add(segment, seat);
    expected = ticket === undefined ? undefined : ticket + 1;
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
