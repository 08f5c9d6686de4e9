// Conditional requests (RFC 9110, 13.1).
import { type Answer, JSON_TYPE } from './answer.ts';

/** Whether If-None-Match names the tag. A proxy that compresses weakens the tags it passes on. */
export function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const tags = ifNoneMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes(etag) || tags.includes('*');
}

/** A client's content is still good. The headers are those that the content would have. */
export function notModified(headers: Readonly<Record<string, string>>): Answer {
  return { kind: 'text', status: 304, body: '', contentType: '', headers };
}

/** JSON of this version, made only when the client has another one. `age`: its Cache-Control. */
export function versioned(
  ifNoneMatch: string | undefined,
  etag: string,
  age: string,
  body: () => string,
): Answer {
  const headers = { ETag: etag, 'Cache-Control': age };
  return isKnown(ifNoneMatch, etag)
    ? notModified(headers)
    : { kind: 'text', status: 200, body: body(), contentType: JSON_TYPE, headers };
}
