// The wire of manifests. Their content is judged by core, which knows the lines of what is wrong.
import { z } from 'zod';

export const manifestInput = z.object({
  /** CSV has no place for a name. */
  query: z.object({ name: z.string().min(1).max(100).default('Seat map') }),
  headers: z.object({ 'content-type': z.string().optional() }),
  body: z.string('must be a seat map: JSON or CSV'),
});

export const keptManifestReference = z.object({ params: z.object({ manifestId: z.string().max(64) }) });
