// The API document as it is committed, docs/openapi.json: readers of a change see what it does to the API, and clients are
// generated from it. `npm run format` writes it anew.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { allOperations } from '../server/src/http/doors/doors.ts';
import { apiDocument } from '../server/src/http/lane/openapi.ts';

const FILE = path.join('docs', 'openapi.json');

/** The document of the doors as they are now, as text. Nothing of a shop is read for it. */
export function apiDocumentText(): string {
  const none = undefined as never;
  return `${JSON.stringify(apiDocument(allOperations(none, none)), null, 2)}\n`;
}

/** What is wrong with the committed document; empty when it is the one of the doors. `fix` writes it. */
export function checkApiDocument(root: string, fix: boolean): string {
  const file = path.join(root, FILE);
  const text = apiDocumentText();
  if (fix) writeFileSync(file, text);
  const isSame = fix || readOrNothing(file) === text;
  return isSame ? '' : `error api-document: ${FILE} is not what the doors say: run npm run format\n`;
}

function readOrNothing(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
