// What an operation may answer, by status: what it declares, and what the lane answers in its place. Made only when it
// is asked for, by tests and for the API document.
import { invariant } from '@floodgate/core/assert.ts';
import type { ZodType } from 'zod';
import { type ProblemCode, type Problems, problem, problemSchema } from '../../contract/answers.ts';
import type { Operation } from './operation.ts';
import { statusOf } from './problem.ts';

/** What an operation may answer, by status in ascending order: content of one or several types, or a "no" with one of these codes. */
export type Contents = ReadonlyMap<number, Content>;
export type Content = readonly ZodType[] | Problems;

/** Throws when a "no" is declared under another status than its own. */
export function contentsOf(operation: Operation): Contents {
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
    } else contents.set(status, isList(answer) ? answer : [answer]);
  }
  for (const code of laneCodes(operation)) add(code);
  const all: [number, Content][] = [...contents];
  for (const [status, of] of codes) all.push([status, { codes: [...of] }]);
  return new Map(all.sort(([a], [b]) => a - b));
}

/** A schema of text has a member `length` too. */
const isList = (answer: ZodType | readonly ZodType[]): answer is readonly ZodType[] => Array.isArray(answer);

/** By status, the schemas of its content. */
export function answersOf(operation: Operation): ReadonlyMap<number, readonly ZodType[]> {
  const schemas = [...contentsOf(operation)].map(
    ([status, content]) =>
      [
        status,
        'codes' in content ? [problemSchema(content.codes, operation.problemMembers)] : content,
      ] as const,
  );
  return new Map(schemas);
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
