// Manifests: imported by organizers, kept once under a digest of their content, and never changed afterwards.
import { Worker } from 'node:worker_threads';
import { SHOP } from '@floodgate/core/ids.ts';
import type { Refusal } from '@floodgate/core/refusal.ts';
import type { Problem } from '@floodgate/manifest/input-errors.ts';
import { parseManifestText } from '@floodgate/manifest/text.ts';
import { post } from '../conduct.ts';
import type { Shop } from '../shop.ts';
import { type Imported, type ManifestFile, type ManifestView, viewOf } from './manifest-import.ts';

export type { ManifestFile } from './manifest-import.ts';

/**
 * Reads a file and keeps its manifest, or says what is wrong with it. The same content has the same id, so keeping it
 * again is no error and changes nothing.
 */
export async function keepManifest(
  shop: Shop,
  file: ManifestFile,
  by: string,
): Promise<{ view: ManifestView } | { problems: readonly Problem[] }> {
  const imported = await importInTurn(file);
  if ('problems' in imported) return imported;
  const { view, content } = imported;
  const { manifestId } = view;
  if ((await shop.ledger.manifest(manifestId)) === undefined) {
    await post(shop, { kind: 'keep-manifest', eventId: SHOP, manifestId, content, by });
  }
  return { view };
}

let last: Promise<unknown> = Promise.resolve();

/** One file at a time: each may be 16 MB, and one core must be left to those who sell. */
function importInTurn(file: ManifestFile): Promise<Imported> {
  const imported = last.then(() => importInThread(file));
  last = imported.catch(() => {});
  return imported;
}

/** In a thread of its own: 100,000 seats take 0.3 s, for which buyers would wait. */
function importInThread(file: ManifestFile): Promise<Imported> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./manifest-thread.ts', import.meta.url), { workerData: file });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('the thread that reads manifests ended without an answer')));
  });
}

/** A kept manifest. Refusals: MANIFEST_NOT_FOUND. */
export async function readManifest(
  shop: Shop,
  manifestId: string,
): Promise<{ view: ManifestView; content: string } | Refusal> {
  const content = await shop.ledger.manifest(manifestId);
  if (content === undefined) return { refusal: 'MANIFEST_NOT_FOUND' };
  return { view: viewOf(manifestId, parseManifestText(content)), content };
}
