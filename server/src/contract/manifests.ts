// The wire of manifests. Their content is judged by the package manifest, which knows the lines of what is wrong.
import { z } from 'zod';
import { type Answers, problem } from './answers.ts';
import { count } from './values.ts';

export const manifestInput = z.object({
  /** CSV has no place for a name. */
  query: z.object({ name: z.string().min(1).max(100).default('Seat map') }),
  headers: z.object({ 'content-type': z.string().optional() }),
  body: z.string('must be a seat map: JSON or CSV'),
});

export const keptManifestReference = z.object({ params: z.object({ manifestId: z.string().max(64) }) });

const view = {
  manifestId: z.string().describe('a digest of the content: the same map has the same id'),
  name: z.string(),
  seats: count.describe('of all sections'),
  standing: count.describe('tickets of all areas without seats'),
  categories: z
    .record(z.string(), count)
    .describe('seats and places by category: what ticket types can sell'),
  sections: z.array(
    z.strictObject({ section: z.string(), seats: count.optional(), capacity: count.optional() }),
  ),
};
export const manifestAnswer = z.strictObject(view).meta({ id: 'ManifestView' });
export const keptManifestAnswer = z
  .strictObject({
    ...view,
    manifest: z.looseObject({}).describe('as it can be sent again: see docs/organizers.md'),
  })
  .meta({ id: 'KeptManifest' });

export const keepManifestAnswers: Answers = { 201: manifestAnswer };
export const readManifestAnswers: Answers = { 200: keptManifestAnswer, 404: problem('MANIFEST_NOT_FOUND') };
