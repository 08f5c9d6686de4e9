// Which event is meant when a request names none: the only place that decides it. The setting names one, else it is the
// first that the public may see.
import type { Shop } from '../shop.ts';
import type { CatalogueEntry } from './catalogue.ts';

/** Undefined when there is none. */
export function defaultEvent({
  catalogue,
  defaultEventId,
}: Pick<Shop, 'catalogue' | 'defaultEventId'>): CatalogueEntry | undefined {
  if (defaultEventId !== undefined) return catalogue.known(defaultEventId);
  return catalogue.firstShown();
}
