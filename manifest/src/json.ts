// Seat maps as compact JSON, a line for a row:
//
//   {"name": "House", "sections": [
//     {"section": "Stalls", "category": "stalls", "focus": "centre", "rows": [
//       {"row": "A", "seats": "1-10|11-20", "accessible": "1", "companion": "2", "categories": {"vip": "8-13"}},
//       {"row": "B", "seats": "1-39/2", "category": "side", "restricted": "37-39/2", "x": -19, "y": 1, "dx": 1, "dy": 0}]},
//     {"section": "Floor", "category": "floor", "capacity": 500}]}
//
// Organizers write it, and it is also the text in which manifests are kept (manifest-text.ts). What is left out is
// chosen: a category is the section's name, rows are put one behind the other. Mistakes are told with their lines.

import {
  MAX_COORDINATE,
  MAX_SEATS,
  type Manifest,
  type Row,
  type SeatedSection,
  type SeatKind,
  type StandingArea,
} from '@floodgate/core/seating/manifest.ts';
import { type DraftSeat, Placing } from './draft.ts';
import { Problems, quoted, type Where } from './input-errors.ts';
import { type JsonNode, type JsonObject, lineAt, notJson, parseJson } from './located-json.ts';
import { judged, type ManifestReading } from './rules.ts';
import { readSeatList, type SeatList } from './seat-list.ts';

/** The manifest of a text, or what is wrong with it. Never throws. */
export function manifestFromJson(text: string): ManifestReading {
  const { reader, manifest } = readManifest(text);
  return manifest ? judged(manifest, reader.whereIs) : { problems: reader.problems.found };
}

/**
 * As {@link manifestFromJson}, but whether the manifest keeps to the rules is not asked: it was when it was kept, and
 * the rules may be stricter now.
 */
export function keptManifest(text: string): ManifestReading {
  const { reader, manifest } = readManifest(text);
  return manifest ? { manifest } : { problems: reader.problems.found };
}

function readManifest(text: string): {
  readonly reader: ManifestReader;
  readonly manifest: Manifest | undefined;
} {
  const reader = new ManifestReader(text);
  const parsed = parseJson(text);
  if ('mistake' in parsed) {
    const { message, ...where } = notJson(text, parsed.mistake);
    reader.problems.end(where, message);
    return { reader, manifest: undefined };
  }
  const manifest = reader.manifest(parsed.node);
  return { reader, manifest: reader.problems.found.length > 0 ? undefined : manifest };
}

/** A value and the way to it. */
interface Member {
  readonly node: JsonNode;
  readonly path: string;
}
type Members = (name: string) => Member | undefined;

const SECTION_MEMBERS = ['section', 'category', 'focus', 'rows', 'capacity'];
const ROW_MEMBERS = ['row', 'seats', 'category', 'categories', 'x', 'y', 'dx', 'dy'];
const SEAT_MARKS = ['accessible', 'companion', 'restricted'];
const FOCUSES = ['left', 'centre', 'right'] as const;

class ManifestReader {
  readonly problems = new Problems();
  readonly #text: string;
  readonly #placing = new Placing();
  readonly #sectionNodes: JsonNode[] = [];
  readonly #rowNodes: JsonNode[][] = [];
  #seats = 0;

  constructor(text: string) {
    this.#text = text;
  }

  readonly whereIs = (section: number, row?: number): Where => {
    const node = row === undefined ? this.#sectionNodes[section] : this.#rowNodes[section]?.[row];
    const path = row === undefined ? `sections.${section}` : `sections.${section}.rows.${row}`;
    return { line: node && lineAt(this.#text, node.offset), path };
  };

  manifest(node: JsonNode): Manifest | undefined {
    const members = this.#object({ node, path: '' }, ['name', 'sections']);
    if (!members) return undefined;
    const name = this.#string(members('name'), { node, path: 'name' });
    const sections: (SeatedSection | StandingArea)[] = [];
    for (const item of this.#items(members('sections'), { node, path: 'sections' })) {
      const section = this.#section(item);
      if (section) sections.push(section);
    }
    return { name, sections };
  }

  #section(member: Member): SeatedSection | StandingArea | undefined {
    this.#sectionNodes.push(member.node);
    const rowNodes: JsonNode[] = [];
    this.#rowNodes.push(rowNodes);
    const members = this.#object(member, SECTION_MEMBERS);
    if (!members) return undefined;
    const section = this.#string(members('section'), inside(member, 'section'));
    const category = members('category') ? this.#string(members('category'), member) : section;
    const [rows, capacity] = [members('rows'), members('capacity')];
    if ((rows === undefined) === (capacity === undefined)) {
      this.#fail(member, 'must have either "rows", of seats, or a "capacity", as an area without seats');
      return undefined;
    }
    if (capacity) return { section, category, capacity: this.#number(capacity) ?? 1 };
    const focus = this.#focus(members('focus'));
    const read: Row[] = [];
    for (const item of this.#items(rows, member)) {
      rowNodes.push(item.node);
      const row = this.#row(item, category);
      if (row) read.push(row);
    }
    this.#placing.endSection();
    return { section, focus, rows: read };
  }

  #focus(member: Member | undefined): SeatedSection['focus'] {
    if (!member) return 'centre';
    const focus = FOCUSES.find((one) => one === member.node.value);
    if (!focus) this.#fail(member, 'must be "left", "centre" or "right"');
    return focus ?? 'centre';
  }

  #row(member: Member, sectionCategory: string): Row | undefined {
    const members = this.#object(member, [...ROW_MEMBERS, ...SEAT_MARKS]);
    if (!members) return undefined;
    const row = this.#string(members('row'), inside(member, 'row'));
    const category = members('category') ? this.#string(members('category'), member) : sectionCategory;
    const list = this.#seatList(members('seats'), inside(member, 'seats'));
    if (!list || !this.#hasRoom(member, list.names.length)) return undefined;
    const seats = this.#marked(list, category, members);
    const [x, y] = [this.#along(members('x'), seats.length), this.#along(members('y'), seats.length)];
    const [dx, dy] = [this.#coordinate(members('dx')), this.#coordinate(members('dy'))];
    return this.#placing.row(row, seats, { x, y, dx, dy });
  }

  #hasRoom(member: Member, seats: number): boolean {
    this.#seats += seats;
    if (this.#seats <= MAX_SEATS) return true;
    this.problems.end(
      this.#where(member),
      `a seat map has at most ${MAX_SEATS} seats: this row has one too many`,
    );
    return false;
  }

  /** The seats of a list with the kinds and categories that the row gives to some of them. */
  #marked({ names, gaps }: SeatList, category: string, members: Members): DraftSeat[] {
    const seats = names.map((seat, index) => {
      const kind: SeatKind = 'standard';
      return { seat, category, gapBefore: gaps[index]!, kind: kind as SeatKind, restrictedView: false };
    });
    const each = (member: Member | undefined, mark: (seat: (typeof seats)[number]) => void) => {
      for (const index of this.#indexesIn(member, names)) mark(seats[index]!);
    };
    each(members('accessible'), (seat) => {
      seat.kind = 'accessible';
    });
    const companion = members('companion');
    each(companion, (seat) => {
      if (seat.kind === 'accessible')
        this.#fail(companion!, `seat ${quoted(seat.seat)} is accessible already: one kind each`);
      seat.kind = 'companion';
    });
    each(members('restricted'), (seat) => {
      seat.restrictedView = true;
    });
    for (const [name, member] of this.#entries(members('categories'))) {
      each(member, (seat) => {
        if (seat.category !== category)
          this.#fail(member, `seat ${quoted(seat.seat)} has a category already: one each`);
        seat.category = name;
      });
    }
    return seats;
  }

  #indexesIn(member: Member | undefined, names: readonly string[]): readonly number[] {
    if (!member) return [];
    const marked = this.#seatList(member, member);
    const indexes = new Map(names.map((name, index) => [name, index]));
    return (marked?.names ?? []).flatMap((name) => {
      const index = indexes.get(name);
      if (index === undefined) this.#fail(member, `names seat ${quoted(name)}, which this row does not have`);
      return index ?? [];
    });
  }

  #seatList(member: Member | undefined, where: Member): SeatList | undefined {
    const value = member?.node.value;
    const list = Array.isArray(value) ? value.map((item: JsonNode) => item.value) : value;
    const isList =
      typeof list === 'string' || (Array.isArray(list) && list.every((one) => typeof one === 'string'));
    if (!isList) {
      this.#fail(where, 'must name seats: a text like "1-20" or "1-10|11-20", or a list ["A-1", "A-2"]');
      return undefined;
    }
    const read = readSeatList(typeof list === 'string' ? nfc(list) : (list as string[]).map(nfc));
    if (!('wrong' in read)) return read;
    this.#fail(where, read.wrong);
    return undefined;
  }

  /** A coordinate of a row: of its first seat, or of each. */
  #along(member: Member | undefined, seats: number): number | readonly number[] | undefined {
    const value = member?.node.value;
    if (!Array.isArray(value)) return this.#coordinate(member);
    const numbers = value.map(({ value: one }: JsonNode) => one);
    if (numbers.length === seats && numbers.every(isCoordinate)) return numbers;
    this.#fail(member!, `must be a number, or a list of ${seats} of them, one a seat`);
    return undefined;
  }

  #coordinate(member: Member | undefined): number | undefined {
    if (!member || isCoordinate(member.node.value)) return member?.node.value as number | undefined;
    this.#fail(member, `must be a number from -${MAX_COORDINATE} to ${MAX_COORDINATE}`);
    return undefined;
  }

  #number(member: Member): number | undefined {
    if (typeof member.node.value === 'number') return member.node.value;
    this.#fail(member, 'must be a whole number');
    return undefined;
  }

  #string(member: Member | undefined, where: Member): string {
    if (typeof member?.node.value === 'string') return nfc(member.node.value);
    this.#fail(member ?? where, member ? 'must be a text in double quotes' : 'is missing: add it');
    return '?';
  }

  /** The items of a list, as long as more problems are of use. */
  *#items(member: Member | undefined, where: Member): Generator<Member> {
    const value = member?.node.value;
    if (!Array.isArray(value)) {
      this.#fail(member ?? where, 'must be a list [ … ]');
      return;
    }
    for (const [index, node] of (value as readonly JsonNode[]).entries()) {
      if (this.problems.full) return;
      yield { node, path: `${member!.path}.${index}` };
    }
  }

  *#entries(member: Member | undefined): Generator<readonly [name: string, Member]> {
    if (!member) return;
    const { value } = member.node;
    if (!(value instanceof Map)) {
      this.#fail(member, 'must be an object like {"vip": "8-13"}');
      return;
    }
    for (const [name, node] of value as JsonObject) {
      if (this.problems.full) return;
      yield [nfc(name), inside({ node, path: member.path }, name)];
    }
  }

  /** A view of an object's members, of which none may be unknown. */
  #object(member: Member, known: readonly string[]): Members | undefined {
    const { value } = member.node;
    if (!(value instanceof Map)) {
      this.#fail(member, 'must be an object { … }');
      return undefined;
    }
    for (const [name, node] of value as JsonObject) {
      if (this.problems.full) break;
      if (known.includes(name)) continue;
      const message = `is unknown here, where there are ${known.join(', ')}: correct or remove it`;
      this.#fail(inside({ node, path: member.path }, name), message);
    }
    return (name) => {
      const node = (value as JsonObject).get(name);
      return node && inside({ node, path: member.path }, name);
    };
  }

  #where({ node, path }: Member): Where {
    return { line: lineAt(this.#text, node.offset), path };
  }

  #fail(member: Member, message: string): void {
    if (this.problems.full) return;
    const name =
      member.path === '' ? 'a seat map' : quoted(member.path.slice(member.path.lastIndexOf('.') + 1));
    this.problems.add(this.#where(member), `${name} ${message}`);
  }
}

function inside({ node, path }: Member, name: string): Member {
  return { node, path: path === '' ? name : `${path}.${name}` };
}

function isCoordinate(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) <= MAX_COORDINATE;
}

/** One way to write each letter, so that names which look the same are the same. */
function nfc(text: string): string {
  return text.normalize('NFC');
}
