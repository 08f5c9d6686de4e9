// The wire of the API's own description.
import { z } from 'zod';
import { type Answers, notModified, problem } from './answers.ts';

export const assetInput = z.object({ params: z.object({ file: z.string().max(64) }) });

const document = z
  .looseObject({
    openapi: z.string(),
    info: z.looseObject({ version: z.string() }),
    paths: z.looseObject({}),
  })
  .describe('OpenAPI 3.1');
const page = z.string().meta({ mediaType: 'text/html; charset=utf-8' });
const style = z.string().meta({ mediaType: 'text/css; charset=utf-8' });
const script = z.string().meta({ mediaType: 'text/javascript; charset=utf-8' });

export const documentAnswers: Answers = { 200: document, 304: notModified };
export const docsAnswers: Answers = { 200: page };
export const fileAnswers: Answers = { 200: [style, script], 404: problem('NOT_FOUND') };
