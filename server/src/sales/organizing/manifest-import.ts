// A file of an organizer becomes a manifest, or a list of what is wrong with it. Pure, because it runs in a thread.
import { hash } from 'node:crypto';
import { type Manifest, seatedSection } from '@floodgate/core/seating/manifest.ts';
import { manifestFromCsv } from '@floodgate/manifest/csv.ts';
import type { Problem } from '@floodgate/manifest/input-errors.ts';
import { manifestFromJson } from '@floodgate/manifest/json.ts';
import type { ManifestReading } from '@floodgate/manifest/rules.ts';
import { manifestFromShape } from '@floodgate/manifest/shapes.ts';
import { manifestText } from '@floodgate/manifest/text.ts';

export interface ManifestFile {
  readonly format: 'json' | 'csv';
  readonly text: string;
  /** For CSV, which has no place for a name. */
  readonly name: string;
}

export interface ManifestView {
  readonly manifestId: string;
  readonly name: string;
  /** Seats of all sections. */
  readonly seats: number;
  /** Tickets of all areas without seats. */
  readonly standing: number;
  /** Seats and places by category: what ticket types can sell. */
  readonly categories: Readonly<Record<string, number>>;
  readonly sections: readonly {
    readonly section: string;
    readonly seats?: number;
    readonly capacity?: number;
  }[];
}

/** `content` is the text that is kept. */
export type Imported =
  | { readonly view: ManifestView; readonly content: string }
  | { readonly problems: readonly Problem[] };

export function importManifest({ format, text, name }: ManifestFile): Imported {
  const reading = format === 'csv' ? manifestFromCsv(text, name) : fromJson(text);
  if ('problems' in reading) return reading;
  const content = manifestText(reading.manifest);
  const manifestId = `m${hash('sha256', content, 'base64url').slice(0, 22)}`;
  return { content, view: viewOf(manifestId, reading.manifest) };
}

/** `{"shape": "theatre", …}` asks for a map that is made here; anything else is one. */
function fromJson(text: string): ManifestReading {
  if (!/"shape"\s*:/.test(text.slice(0, 2_000)) || /"sections"\s*:/.test(text)) return manifestFromJson(text);
  return manifestFromShape(text);
}

/** What there is to sell, for making ticket types of it. */
export function viewOf(manifestId: string, { name, sections }: Manifest): ManifestView {
  const categories = new Map<string, number>();
  const count = (category: string, places: number) =>
    void categories.set(category, (categories.get(category) ?? 0) + places);
  let seats = 0;
  let standing = 0;
  const views = sections.map((section) => {
    if (!seatedSection(section)) {
      count(section.category, section.capacity);
      standing += section.capacity;
      return { section: section.section, capacity: section.capacity };
    }
    let inSection = 0;
    for (const row of section.rows) {
      inSection += row.seats.length;
      for (const { category } of row.seats) count(category, 1);
    }
    seats += inSection;
    return { section: section.section, seats: inSection };
  });
  return { manifestId, name, seats, standing, categories: Object.fromEntries(categories), sections: views };
}
