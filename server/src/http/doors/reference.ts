// The API described: the document for programs, and a page for people that reads it. The page and all that it loads come
// from this server; nothing is asked of another.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { assetInput, docsAnswers, documentAnswers, fileAnswers } from '../../contract/reference.ts';
import { noInput } from '../../contract/values.ts';
import type { Answer } from '../lane/answer.ts';
import { versioned } from '../lane/etag.ts';
import { apiDocument } from '../lane/openapi.ts';
import { type Operation, operation } from '../lane/operation.ts';
import { problem } from '../lane/problem.ts';

/** The files of the page, by name; all else in the package's folder is left alone. */
const FILES: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
};

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Floodgate API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="api"><noscript>This page needs JavaScript. The API document is at <a href="/openapi.json">/openapi.json</a>.</noscript></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;
/** A file of its own, because the page's policy allows no script in its text. */
const START = `SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#api',
  deepLinking: true,
  displayRequestDuration: true,
  validatorUrl: null,
  persistAuthorization: false,
});
`;
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** `all` are asked for when the document is first read, and hold these two themselves. */
export function referenceOperations(all: () => readonly Operation[]): Operation[] {
  let document: { readonly text: string; readonly etag: string } | undefined;
  const read = () => {
    if (document === undefined) {
      const text = JSON.stringify(apiDocument(all()));
      const etag = `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`;
      document = { text, etag };
    }
    return document;
  };
  return [
    operation({
      name: 'api-document',
      summary: 'Read this document',
      tag: 'Operation',
      method: 'GET',
      path: '/openapi.json',
      input: noInput,
      answers: documentAnswers,
      sends: ['ETag'],
      run(request) {
        const { text, etag } = read();
        return versioned(request.header('if-none-match'), etag, 'no-cache', () => text);
      },
    }),
    operation({
      name: 'api-reference',
      summary: 'Read and try the API in a browser',
      tag: 'Operation',
      method: 'GET',
      path: '/docs',
      input: noInput,
      answers: docsAnswers,
      run: () => ({
        kind: 'text',
        status: 200,
        body: PAGE,
        contentType: 'text/html; charset=utf-8',
        headers: {
          'Content-Security-Policy': POLICY,
          'X-Content-Type-Options': 'nosniff',
          'Cache-Control': 'no-cache',
        },
      }),
    }),
    operation({
      name: 'api-reference-file',
      summary: 'Read a file of the API reference',
      tag: 'Operation',
      method: 'GET',
      path: '/docs/:file',
      input: assetInput,
      answers: fileAnswers,
      run: ({ input, requestId }) => fileOf(input.params.file, requestId),
    }),
  ];
}

const FOLDER = join(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'), '..');
const FILE_HEADERS = { 'Cache-Control': 'public, max-age=3600', 'X-Content-Type-Options': 'nosniff' };

/** Read once: a buffer of its own for every client that reads slowly would be 2 MB for each. */
const files = new Map<string, Buffer>();

async function fileOf(name: string, requestId: string): Promise<Answer> {
  const head = { status: 200, headers: FILE_HEADERS } as const;
  if (name === 'start.js') {
    return { kind: 'text', ...head, body: START, contentType: 'text/javascript; charset=utf-8' };
  }
  const contentType = Object.hasOwn(FILES, name) ? FILES[name] : undefined;
  if (contentType === undefined) return problem('NOT_FOUND', requestId);
  const body = files.get(name) ?? (await readFile(join(FOLDER, name)));
  files.set(name, body);
  return { kind: 'bytes', ...head, body, contentType };
}
