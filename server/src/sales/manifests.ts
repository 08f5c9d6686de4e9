// Manifests: imported by organizers, kept once under a digest of their content, and never changed afterwards.
import { hash } from 'node:crypto';
import { type Manifest, seatedSection } from '@floodgate/core/manifest.ts';
import { manifestText, parseManifestText } from '@floodgate/core/manifest-text.ts';
import { SHOP } from '../ledger/ledger.ts';
import type { Refusal } from './buy.ts';
import type { Rooms } from './rooms.ts';
import { postToShop } from './shop.ts';

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

/** Keeps the manifest. The same content has the same id, so keeping it again is no error and changes nothing. */
export async function keepManifest(rooms: Rooms, manifest: Manifest, by: string): Promise<ManifestView> {
  const content = manifestText(manifest);
  const manifestId = `m${hash('sha256', content, 'base64url').slice(0, 22)}`;
  if ((await rooms.ledger.manifest(manifestId)) === undefined) {
    await postToShop(rooms, { kind: 'keep-manifest', eventId: SHOP, manifestId, content, by });
  }
  return viewOf(manifestId, manifest);
}

/** A kept manifest. Refusals: MANIFEST_NOT_FOUND. */
export async function readManifest(
  rooms: Rooms,
  manifestId: string,
): Promise<{ view: ManifestView; content: string } | Refusal> {
  const content = await rooms.ledger.manifest(manifestId);
  if (content === undefined) return { refusal: 'MANIFEST_NOT_FOUND' };
  return { view: viewOf(manifestId, parseManifestText(content)), content };
}

/** What there is to sell, for who makes ticket types of it. */
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
