// Seat maps for tests, and short ways to write them down.
import type { TicketType } from '../event/event.ts';
import { ticketTypeId } from '../ids.ts';
import type { Manifest, Row, Seat, SeatedSection, SeatKind, StandingArea } from '../seating/manifest.ts';

const KINDS: Readonly<Record<string, SeatKind>> = { s: 'standard', a: 'accessible', c: 'companion' };

/** A ticket type that sells the category of its name, if there is one. */
export function sells(
  id: string,
  category: string | undefined = id,
  capacity = 1,
  price = 1_000,
): TicketType {
  return { ticketTypeId: ticketTypeId(id)!, name: id, price, currency: 'EUR', capacity, category };
}

/**
 * A row in a line of text: "ss|sa" has an aisle; `s`tandard, `a`ccessible, `c`ompanion; seats are named from 1.
 * Capitals are of the category `vip`.
 */
export function rowOf(row: string, text: string, category = 'std', y = 0): Row {
  const seats: Seat[] = [];
  let gapBefore = false;
  for (const letter of text) {
    if (letter !== '|') {
      const vip = letter !== letter.toLowerCase();
      seats.push({
        seat: String(seats.length + 1),
        x: seats.length,
        y,
        kind: KINDS[letter.toLowerCase()]!,
        restrictedView: false,
        gapBefore,
        category: vip ? 'vip' : category,
      });
    }
    gapBefore = letter === '|' && seats.length > 0;
  }
  return { row, seats };
}

/** Rows A, B, C … of one section. */
export function sectionOf(section: string, rows: readonly string[], category = 'std'): SeatedSection {
  const named = rows.map((text, y) => rowOf(String.fromCharCode(65 + y), text, category, y));
  return { section, focus: 'centre', rows: named };
}

/** Letters from which rows are drawn by lot: mostly plain seats, so that there are runs. */
export const ROW_LETTERS = [...'ssssssSSac|'];

const CATEGORIES = ['std', 'vip', 'std', 'box'];
const FOCUSES = ['centre', 'left', 'right'] as const;

/** A house of any rows, for property tests: sections take categories and focuses in turn; one without rows is an area. */
export function houseOf(sections: readonly (readonly string[])[]): Manifest {
  const section = (rows: readonly string[], index: number): SeatedSection | StandingArea => {
    if (rows.length === 0) return { section: `F${index}`, category: 'floor', capacity: index + 1 };
    const seated = rows.map((text) => (/[^|]/.test(text) ? text : 's'));
    const category = CATEGORIES[index % CATEGORIES.length]!;
    return { ...sectionOf(`S${index}`, seated, category), focus: FOCUSES[index % FOCUSES.length]! };
  };
  return { name: 'House', sections: sections.map(section) };
}

/** Types for the categories of {@link houseOf}, and general admission with and without an area. */
export const SELLERS: readonly TicketType[] = [
  sells('std'),
  sells('vip'),
  sells('box'),
  sells('standing', 'floor', 7),
  { ...sells('ga', undefined, 3), category: undefined },
];
