// What an operation may answer, by status: what it declares, and what the lane answers in its place. Made only when it
// is asked for, by tests and for the API document.
import { invariant } from '@floodgate/core/assert.ts';
import type { ZodType } from 'zod';
import { type ProblemCode, problem, problemSchema } from '../../contract/answers.ts';
import type { Operation } from './operation.ts';
import { statusOf } from './problem.ts';

/** By status, the schemas of its content. Throws when a "no" is declared under another status than its own. */
export function answersOf(operation: Operation): ReadonlyMap<number, readonly ZodType[]> {
  const contents = new Map<number, readonly ZodType[]>();
  const codes = new Map<number, Set<ProblemCode>>();
  const add = (code: ProblemCode) => {
    const status = statusOf(code);
    codes.set(status, (codes.get(status) ?? new Set()).add(code));
  };
  for (const [key, answer] of Object.entries(operation.answers)) {
    const status = Number(key);
    if ('codes' in answer) {
      for (const code of answer.codes) {
        invariant(statusOf(code) === status, `${operation.name}: ${code} has the status ${statusOf(code)}`);
        add(code);
      }
    } else contents.set(status, 'length' in answer ? answer : [answer]);
  }
  for (const code of laneCodes(operation)) add(code);
  const problems = [...codes].map(
    ([status, of]) => [status, [problemSchema([...of], operation.problemMembers)]] as const,
  );
  return new Map([...contents, ...problems]);
}

/** What the lane refuses by itself, before the operation runs or when it fails. */
function laneCodes({ method, roles, body }: Operation): readonly ProblemCode[] {
  const { codes } = problem(
    'BAD_REQUEST',
    'VALIDATION_FAILED',
    'UNAUTHENTICATED',
    'UNAVAILABLE',
    'INTERNAL_ERROR',
  );
  return [
    ...codes,
    ...(roles || method !== 'GET' ? (['FORBIDDEN'] as const) : []),
    ...(body === 'none' ? [] : (['BODY_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'] as const)),
  ];
}
