// The API document (OpenAPI 3.1), made from the table of operations: what a door declares is what the document says, so
// neither can lie about the other. Tests hold every answer that they see against it.
import type { ZodObject, ZodRawShape, ZodType } from 'zod';
import { mediaTypeOf, type ProblemCode, problemVariant } from '../../contract/answers.ts';
import { exampleOf } from '../../contract/values.ts';
import { SESSION_COOKIE } from './credentials.ts';
import { type Content, type Contents, contentsOf } from './described.ts';
import type { Operation, SentHeader, Tag } from './operation.ts';
import { detailOf, titleOf } from './problem.ts';
import { type JsonSchema, WireSchemas } from './wire-schema.ts';

const PROBLEM_TYPE = 'application/problem+json';
const SCHEMAS = '#/components/schemas/';

/** The version of the API: the second number grows with every addition, the first when something is taken away. */
export const API_VERSION = '1.0';

const ABOUT = `Sells tickets when everybody comes at once: events, timed holds, numbered and chosen seats, orders.

A request that sells something takes an \`Idempotency-Key\`: sent again with the same key, it is answered as it was the first
time, and nothing is sold twice. A refusal is a problem (RFC 9457) whose \`error\` is stable, for programs; \`detail\` is a
sentence for people. After a 503 try again with the same key when \`Retry-After\` says. Times are ISO 8601 in UTC, amounts are in
minor units of their currency, 64-bit ids are text. Members may be added to answers: do not refuse what you do not know.`;

/** What the operations are about, in the order of the document. */
const TAGS = {
  Buying: 'Tickets in one step.',
  Holds: 'Tickets set aside for a time, then confirmed or given back.',
  Orders: 'What was bought.',
  Events: 'What is on sale, and how much of it is left.',
  Organizing: 'Making, changing and watching events. Staff only.',
  Access: 'Who acts: sessions of browsers, keys of staff.',
  Operation: 'How the server is.',
} satisfies Record<Tag, string>;

const SECURITY_SCHEMES = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    description: 'A staff key, or a signed token (JWT) of a buyer or of staff, as "Authorization: Bearer …".',
  },
  session: {
    type: 'apiKey',
    in: 'cookie',
    name: SESSION_COOKIE,
    description:
      "A browser's session, started by POST /api/v1/sessions: limits per buyer need to know one from another.",
  },
} as const;

/** Headers of answers. */
const HEADERS = {
  'X-Request-Id': {
    description: "The request's own, or one of ours: quote it when something went wrong.",
    required: true,
    schema: { type: 'string' },
  },
  'Retry-After': {
    description: 'Seconds to wait before the same request may be sent again, under the same key.',
    schema: { type: 'integer', minimum: 1 },
  },
  ETag: {
    description: 'The version of the content, for If-None-Match and If-Match.',
    schema: { type: 'string' },
  },
  Location: { description: 'Where to read what was made.', schema: { type: 'string' } },
  'WWW-Authenticate': { description: 'How to authenticate.', schema: { type: 'string' } },
  'Set-Cookie': { description: "The browser's session.", schema: { type: 'string' } },
  'Floodgate-Degraded': {
    description: 'Which store is away: sales go on, without it.',
    schema: { type: 'string' },
  },
} as const;
type HeaderName = keyof typeof HEADERS | SentHeader;

export interface ApiDocument {
  readonly openapi: '3.1.1';
  readonly paths: Readonly<Record<string, Readonly<Record<string, JsonSchema>>>>;
  readonly [member: string]: unknown;
}

/** The document of these operations. Plain JSON. */
export function apiDocument(operations: readonly Operation[]): ApiDocument {
  const schemas = new WireSchemas();
  const paths: Record<string, Record<string, JsonSchema>> = {};
  for (const operation of operations) {
    const path = templateOf(operation);
    paths[path] = { ...paths[path], [operation.method.toLowerCase()]: describe(operation, schemas) };
  }
  const responses = shareResponses(paths);
  return {
    openapi: '3.1.1',
    info: {
      title: 'Floodgate',
      version: API_VERSION,
      summary: 'A ticket shop that stands an on-sale.',
      description: ABOUT,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'This server' }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: Object.fromEntries(Object.entries(schemas.named).sort(([a], [b]) => (a < b ? -1 : 1))),
      responses,
      headers: HEADERS,
      securitySchemes: SECURITY_SCHEMES,
    },
  };
}

/** Its path as the document has it: `/buy/{eventId}`. */
export function templateOf({ path }: Operation): string {
  return path.replaceAll(/:(\w+)/g, '{$1}');
}

function describe(operation: Operation, schemas: WireSchemas): JsonSchema {
  const contents = contentsOf(operation);
  const { roles } = operation;
  return {
    operationId: camel(operation.name),
    summary: operation.summary,
    tags: [operation.tag],
    ...(roles && {
      description: `Staff only: ${listed(['admin', ...roles])}.`,
      'x-roles': ['admin', ...roles],
    }),
    ...parametersOf(operation, contents, schemas),
    ...requestBodyOf(operation, schemas),
    responses: Object.fromEntries(
      [...contents].map(([status, content]) => [status, responseOf(operation, status, content, schemas)]),
    ),
    security: roles ? [{ bearer: [] }] : [{}, { session: [] }, { bearer: [] }],
  };
}

// Requests --------------------------------------------------------------------------------------------------

/** The part of an operation's input, if its schema has one. */
function partOf({ input }: Operation, part: 'params' | 'query' | 'headers' | 'body'): ZodType | undefined {
  return (input as ZodObject<ZodRawShape>).shape[part] as ZodType | undefined;
}

const IN = [
  ['params', 'path'],
  ['query', 'query'],
  ['headers', 'header'],
] as const;
/** OpenAPI describes these by other means than parameters. */
const NO_PARAMETER = new Set(['accept', 'content-type', 'authorization']);

function parametersOf(operation: Operation, contents: Contents, schemas: WireSchemas): object {
  const parameters: JsonSchema[] = IN.flatMap(([part, place]) => {
    const schema = partOf(operation, part);
    if (schema === undefined) return [];
    const { properties = {}, required = [] } = schemas.of(schema, 'input') as {
      properties?: Record<string, JsonSchema>;
      required?: readonly string[];
    };
    return Object.entries(properties)
      .filter(([name]) => place !== 'header' || !NO_PARAMETER.has(name))
      .map(([name, { description, ...of }]) => ({
        name: place === 'header' ? headerCase(name) : name,
        in: place,
        ...(description !== undefined && { description }),
        required: place === 'path' || required.includes(name),
        schema: of,
      }));
  });
  const header = (name: string, description: string, required: boolean) => ({
    ...{ name, in: 'header', description, required },
    schema: { type: 'string' },
  });
  if (contents.has(412)) {
    const words = 'The ETag of the event that the change was made from.';
    parameters.push(header('If-Match', words, contents.has(428)));
  }
  if (contents.has(304)) {
    parameters.push(header('If-None-Match', 'The ETag of the content that the client has.', false));
  }
  return parameters.length === 0 ? {} : { parameters };
}

function requestBodyOf(operation: Operation, schemas: WireSchemas): object {
  if (operation.body === 'none') return {};
  const schema = partOf(operation, 'body');
  const described = schema === undefined ? {} : schemas.of(schema, 'input');
  const types = operation.takes.length > 0 ? operation.takes : ['application/json'];
  const required = schema !== undefined && !schema.safeParse(undefined).success;
  const example = schema && exampleOf(schema);
  const content = { schema: described, ...(example !== undefined && { example }) };
  return { requestBody: { required, content: Object.fromEntries(types.map((type) => [type, content])) } };
}

// Answers ---------------------------------------------------------------------------------------------------

function responseOf(
  operation: Operation,
  status: number,
  content: Content,
  schemas: WireSchemas,
): JsonSchema {
  const headers = headersOf(operation, status);
  const refs = Object.fromEntries(headers.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
  if ('codes' in content) {
    const { codes } = content;
    const description = codes.map((code) => `${titleOf(code)} (\`${code}\`). ${detailOf(code)}`).join('\n\n');
    const schema = problemsOf(operation, codes, schemas);
    return { description, headers: refs, content: { [PROBLEM_TYPE]: { schema } } };
  }
  const [first] = content;
  const description = (first!.meta()?.description as string | undefined) ?? operation.summary;
  if (status === 304) return { description, headers: refs };
  const types = content.map(
    (schema) => [mediaTypeOf(schema), { schema: schemas.of(schema, 'output') }] as const,
  );
  return { description, headers: refs, content: Object.fromEntries(types) };
}

function headersOf({ sends }: Operation, status: number): readonly HeaderName[] {
  return [
    'X-Request-Id',
    ...(status === 503 ? (['Retry-After'] as const) : []),
    ...(status === 401 ? (['WWW-Authenticate'] as const) : []),
    ...(status < 400 ? sends : []),
    'Floodgate-Degraded',
  ];
}

/** The same "no" of many operations stands in the document once, under the names of its problems. */
function shareResponses(paths: Record<string, Record<string, JsonSchema>>): Record<string, JsonSchema> {
  const shared: Record<string, JsonSchema> = {};
  const places = Object.values(paths)
    .flatMap((path) => Object.values(path))
    .map(({ responses }) => responses as Record<string, JsonSchema>);
  const all = places.flatMap((responses) =>
    Object.entries(responses).map(([status, response]) => ({ responses, status, response })),
  );
  for (const same of Map.groupBy(all, ({ response }) => JSON.stringify(response)).values()) {
    const [first] = same;
    const name = nameOf(first!.response);
    if (same.length < MANY || name === undefined) continue;
    shared[name] = first!.response;
    for (const { responses, status } of same) responses[status] = { $ref: `#/components/responses/${name}` };
  }
  return shared;
}

/** That many of the same are worth a name. */
const MANY = 4;

function nameOf({ content }: JsonSchema): string | undefined {
  const schema = (content as Record<string, { schema: JsonSchema }> | undefined)?.[PROBLEM_TYPE]?.schema;
  const refs = schema && ((schema.oneOf ?? [schema]) as readonly { $ref: string }[]);
  return refs?.map(({ $ref }) => $ref.slice(SCHEMAS.length).replace(/Problem$/, '')).join('Or');
}

/** One schema a code, so that a client's types tell refusals apart by `error`. */
function problemsOf(operation: Operation, codes: readonly ProblemCode[], schemas: WireSchemas): JsonSchema {
  const more = operation.problemMembers;
  const refs = codes.map((code) => {
    const name = `${pascal(code.toLowerCase().replaceAll('_', '-'))}Problem`;
    const id = more ? `${pascal(operation.name)}${name}` : name;
    schemas.named[id] ??= schemas.of(problemVariant(code, more), 'output');
    return { $ref: `${SCHEMAS}${id}` };
  });
  const [only] = refs;
  if (refs.length === 1) return only!;
  const mapping = Object.fromEntries(codes.map((code, at) => [code, refs[at]!.$ref]));
  return { oneOf: refs, discriminator: { propertyName: 'error', mapping } };
}

// Names -----------------------------------------------------------------------------------------------------

const pascal = (name: string): string => name.replaceAll(/(?:^|-)(\w)/g, (_, letter) => letter.toUpperCase());
const camel = (name: string): string => name.replaceAll(/-(\w)/g, (_, letter) => letter.toUpperCase());
const headerCase = (name: string): string => name.replaceAll(/(?:^|-)\w/g, (start) => start.toUpperCase());
const listed = (names: readonly string[]): string =>
  new Intl.ListFormat('en', { type: 'disjunction' }).format(names);
