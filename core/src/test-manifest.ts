// Seat maps for tests: any small manifest, awkward ones on purpose, and short ways to write one down.
import fc from 'fast-check';
import type { TicketType } from './event.ts';
import { ticketTypeId } from './ids.ts';
import type { Manifest, Row, Seat, SeatedSection, SeatKind, StandingArea } from './manifest.ts';

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

const anyRow = fc.array(fc.constantFrom(...'ssssssSSac|'), { minLength: 1, maxLength: 14 }).map((letters) => {
  const text = letters.join('');
  return /[^|]/.test(text) ? text : 's';
});

const anySeated = fc.record({
  focus: fc.constantFrom('left' as const, 'centre' as const, 'right' as const),
  category: fc.constantFrom('std', 'std', 'vip', 'box'),
  rows: fc.array(anyRow, { minLength: 1, maxLength: 5 }),
});

const anyArea = fc.record({ capacity: fc.integer({ min: 1, max: 20 }) });

/** Sections with names of their own; areas are of the category `floor`. */
export const anyManifest: fc.Arbitrary<Manifest> = fc
  .array(fc.oneof({ weight: 4, arbitrary: anySeated }, { weight: 1, arbitrary: anyArea }), {
    minLength: 1,
    maxLength: 5,
  })
  .map((parts) => ({
    name: 'House',
    sections: parts.map((part, index): SeatedSection | StandingArea =>
      'rows' in part
        ? { ...sectionOf(`S${index}`, part.rows, part.category), focus: part.focus }
        : { section: `F${index}`, category: 'floor', capacity: part.capacity },
    ),
  }));

/** Some of the categories of {@link anyManifest}, in any order, and general admission among them. */
export const anySellers: fc.Arbitrary<readonly TicketType[]> = fc.shuffledSubarray([
  sells('std'),
  sells('vip'),
  sells('box'),
  sells('standing', 'floor', 7),
  { ticketTypeId: ticketTypeId('ga')!, name: 'ga', price: 0, currency: 'EUR', capacity: 3 },
]);
