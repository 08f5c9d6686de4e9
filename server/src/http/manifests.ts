// The doors of manifests: organizers import a seat map as JSON or CSV, or have one made, and name it in their events.
import { manifestFromCsv } from '@floodgate/core/manifest-csv.ts';
import { manifestFromJson } from '@floodgate/core/manifest-json.ts';
import type { ManifestReading } from '@floodgate/core/manifest-rules.ts';
import { manifestFromShape } from '@floodgate/core/manifest-shapes.ts';
import { keptManifestReference, manifestInput } from '../contract/manifests.ts';
import { keepManifest, readManifest } from '../sales/manifests.ts';
import type { Rooms } from '../sales/rooms.ts';
import { staffName } from '../sales/who.ts';
import { type Answer, type Operation, operation } from './operation.ts';
import { problem } from './problem.ts';

/** 200,000 seats, each on a line of its own with all that can be said of it. */
const MAX_BYTES = 16 * 1_048_576;

export function manifestOperations(rooms: Rooms): Operation[] {
  return [
    operation({
      name: 'keep-manifest',
      method: 'POST',
      path: '/api/v1/manifests',
      isStaff: true,
      maxBodyBytes: MAX_BYTES,
      takesText: ['application/json', 'text/csv'],
      input: manifestInput,
      async run({ input, requestId, who }) {
        const isCsv = /^text\/csv/i.test(input.headers['content-type'] ?? '');
        const reading = isCsv ? manifestFromCsv(input.body, input.query.name) : fromJson(input.body);
        if ('problems' in reading) return refuse(reading.problems, requestId);
        const view = await keepManifest(rooms, reading.manifest, staffName(who));
        const fields = { manifestId: view.manifestId, seats: view.seats, by: staffName(who) };
        return { status: 201, body: view, result: 'granted', fields };
      },
    }),
    operation({
      name: 'read-manifest',
      method: 'GET',
      path: '/api/v1/manifests/:manifestId',
      isStaff: true,
      input: keptManifestReference,
      async run({ input, requestId }) {
        const kept = await readManifest(rooms, input.params.manifestId);
        if ('refusal' in kept) return problem(kept.refusal, requestId);
        return { status: 200, body: `${JSON.stringify(kept.view).slice(0, -1)},"manifest":${kept.content}}` };
      },
    }),
  ];
}

/** `{"shape": "theatre", …}` asks for a map that is made here; anything else is one. */
function fromJson(text: string): ManifestReading {
  if (!/"shape"\s*:/.test(text.slice(0, 2_000)) || /"sections"\s*:/.test(text)) return manifestFromJson(text);
  return manifestFromShape(text);
}

type Problems = Extract<ManifestReading, { problems: unknown }>['problems'];

/** Every problem with its line, and the first in words. */
function refuse(problems: Problems, requestId: string): Answer {
  const lines = problems.map(({ line, path, message }) => ({ line, path, message }));
  const [first] = problems;
  const where = first?.line === undefined ? '' : `Line ${first.line}: `;
  const others = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  return problem('VALIDATION_FAILED', requestId, {
    detail: `${where}${first?.message ?? 'It is no seat map'}${others}.`,
    members: { problems: lines },
  });
}
