// The doors of manifests: organizers import a seat map as JSON or CSV, or have one made, and name it in their events.

import type { Problem } from '@floodgate/manifest/input-errors.ts';
import {
  keepManifestAnswers,
  keptManifestReference,
  manifestInput,
  readManifestAnswers,
} from '../../contract/manifests.ts';

import { staffName } from '../../sales/access/who.ts';
import { keepManifest, readManifest } from '../../sales/organizing/manifests.ts';
import type { Shop } from '../../sales/shop.ts';
import { type Answer, JSON_TYPE } from '../lane/answer.ts';
import { type Operation, operation } from '../lane/operation.ts';
import { problem } from '../lane/problem.ts';

/** 200,000 seats, each on a line of its own with all that can be said of it. */
const MAX_BYTES = 16 * 1_048_576;

export function manifestOperations(shop: Shop): Operation[] {
  return [
    operation({
      name: 'keep-manifest',
      summary: 'Keep a seat map, as JSON or CSV',
      tag: 'Organizing',
      method: 'POST',
      path: '/api/v1/manifests',
      isStaff: true,
      maxBodyBytes: MAX_BYTES,
      body: 'text',
      takes: ['application/json', 'text/csv'],
      input: manifestInput,
      answers: keepManifestAnswers,
      async run({ input, requestId, actor }) {
        const format = /^text\/csv/i.test(input.headers['content-type'] ?? '') ? 'csv' : 'json';
        const by = staffName(actor);
        const kept = await keepManifest(shop, { format, text: input.body, name: input.query.name }, by);
        if ('problems' in kept) return refuse(kept.problems, requestId);
        const { manifestId, seats } = kept.view;
        return {
          kind: 'json',
          status: 201,
          body: kept.view,
          result: 'granted',
          fields: { manifestId, seats, by },
        };
      },
    }),
    operation({
      name: 'read-manifest',
      summary: 'Read a seat map as it was kept',
      tag: 'Organizing',
      method: 'GET',
      path: '/api/v1/manifests/:manifestId',
      isStaff: true,
      input: keptManifestReference,
      answers: readManifestAnswers,
      async run({ input, requestId }) {
        const kept = await readManifest(shop, input.params.manifestId);
        if ('refusal' in kept) return problem(kept.refusal, requestId);
        return {
          kind: 'text',
          status: 200,
          contentType: JSON_TYPE,
          body: `${JSON.stringify(kept.view).slice(0, -1)},"manifest":${kept.content}}`,
        };
      },
    }),
  ];
}

/** Every problem with its line, and the first in words. */
function refuse(problems: readonly Problem[], requestId: string): Answer {
  const lines = problems.map(({ line, path, message }) => ({ line, path, message }));
  const [first] = problems;
  const where = first?.line === undefined ? '' : `Line ${first.line}: `;
  const others = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  return problem('VALIDATION_FAILED', requestId, {
    detail: `${where}${first?.message ?? 'It is no seat map'}${others}.`,
    members: { problems: lines },
  });
}
